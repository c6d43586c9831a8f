"""What a session can do, feature by feature: statements whose answers the primary alone and Tillway must give alike.

In each feature the session has a table `t` of its own; `fixed` and the routines are those of cases.SCHEMA.
"""

TABLE = "CREATE OR REPLACE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(20), n INT)"
ROWS = "INSERT INTO t (v,n) VALUES ('a',1),('b',2),('c',3)"

FEATURES = {
    "LAST_INSERT_ID()": [
        "INSERT INTO t (v) VALUES ('x'),('y')", "SELECT LAST_INSERT_ID()", "SELECT v FROM t ORDER BY id", "SELECT LAST_INSERT_ID(), v FROM t WHERE id=LAST_INSERT_ID()",
        "INSERT INTO t (id,v) VALUES (50,'own')", "SELECT LAST_INSERT_ID()", "SELECT LAST_INSERT_ID(77)", "SELECT LAST_INSERT_ID()", "INSERT INTO t (n) VALUES (LAST_INSERT_ID())",
        "SELECT n FROM t ORDER BY id DESC LIMIT 1",
    ],
    "ROW_COUNT()": [
        "UPDATE t SET n=9 WHERE id<3", "SELECT ROW_COUNT()", "SELECT ROW_COUNT()", "DELETE FROM t WHERE id=1", "SELECT 1 FROM t WHERE ROW_COUNT()=1 LIMIT 1", "INSERT INTO t (n) VALUES (1),(2)",
        "SET @rows=ROW_COUNT()", "SELECT @rows", "UPDATE t SET n=n", "DO 1", "SELECT ROW_COUNT()", "SELECT * FROM missing", "SELECT ROW_COUNT()",
    ],
    "FOUND_ROWS()": [
        "SELECT id FROM fixed ORDER BY id", "SELECT FOUND_ROWS()", "SELECT SQL_CALC_FOUND_ROWS id FROM t ORDER BY id LIMIT 1", "SELECT FOUND_ROWS()", "SELECT id FROM t ORDER BY id LIMIT 2", "SET @found=FOUND_ROWS()",
        "SELECT @found",
    ],
    "warnings and errors": [
        "SELECT CAST('12x' AS INT)", "SHOW WARNINGS", "SELECT CAST('12x' AS INT)", "SET @x=1", "SELECT @@warning_count", "SHOW COUNT(*) WARNINGS", "UPDATE t SET n='7y' WHERE id=1", "SHOW ERRORS", "SHOW WARNINGS LIMIT 1",
        "SELECT nocolumn FROM t", "SELECT @@error_count, @@warning_count", "SHOW ERRORS", "SELECT id FROM fixed WHERE id=1", "SHOW WARNINGS", "SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT='careful', MYSQL_ERRNO=1234",
        "SHOW WARNINGS", "DROP TABLE IF EXISTS nowhere", "SHOW WARNINGS",
    ],
    "GET DIAGNOSTICS": [
        "SELECT CAST('z' AS INT)", "GET DIAGNOSTICS @n = NUMBER, @r = ROW_COUNT", "SELECT @n, @r", "GET DIAGNOSTICS CONDITION 1 @t = MESSAGE_TEXT, @s = RETURNED_SQLSTATE, @e = MYSQL_ERRNO", "SELECT @t, @s, @e",
        "INSERT INTO t (id) VALUES (1)", "GET DIAGNOSTICS CONDITION 1 @t = MESSAGE_TEXT, @s = RETURNED_SQLSTATE", "SELECT @t, @s",
    ],
    "user locks": [
        "SELECT GET_LOCK('walk',0)", "SELECT IS_FREE_LOCK('walk'), IS_USED_LOCK('walk') IS NULL FROM t", "SELECT v FROM t ORDER BY id", "SELECT RELEASE_LOCK('walk')", "SELECT RELEASE_LOCK('walk')",
        "DO GET_LOCK('walk',0)", "SELECT RELEASE_ALL_LOCKS()", "SELECT IS_FREE_LOCK('walk')",
    ],
    "user variables": [
        "SET @a=5, @b='text'", "SELECT @a+1, @b", "SELECT id, @a FROM fixed ORDER BY id", "SELECT @sum:=IFNULL(@sum,0)+n FROM t ORDER BY id", "SELECT @sum", "SELECT id, v INTO @i, @v FROM fixed WHERE id=2", "SELECT @i, @v, @unset",
    ],
    "temporary tables": [
        "CREATE TEMPORARY TABLE mine (id INT PRIMARY KEY) AS SELECT id FROM fixed", "SELECT * FROM mine ORDER BY id", "SELECT f.v FROM fixed f JOIN mine USING (id) ORDER BY id",
        "CREATE TEMPORARY TABLE fixed (id INT, v VARCHAR(10))", "SELECT * FROM fixed", "DROP TEMPORARY TABLE fixed", "SELECT id FROM fixed ORDER BY id", "ALTER TABLE mine RENAME TO ours", "SELECT COUNT(*) FROM ours", "DROP TABLE ours",
        "SELECT * FROM ours",
    ],
    "LOCK TABLES": [
        "LOCK TABLES t WRITE, fixed READ", "SELECT COUNT(*) FROM t", "UPDATE fixed SET v='no'", "SELECT * FROM seen", "UPDATE t SET n=1", "UNLOCK TABLES", "SELECT * FROM seen ORDER BY id",
    ],
    "HANDLER": ["HANDLER t OPEN AS h", "HANDLER h READ FIRST", "HANDLER h READ NEXT", "HANDLER h READ `PRIMARY` = (3)", "HANDLER h READ `PRIMARY` PREV WHERE n=1", "HANDLER h CLOSE", "HANDLER h READ NEXT"],
    "XA": [
        "XA START 'walk'", "INSERT INTO t (v) VALUES ('xa')", "SELECT COUNT(*) FROM t", "COMMIT", "XA END 'walk'", "SELECT 1 FROM fixed", "XA PREPARE 'walk'", "XA COMMIT 'walk'", "SELECT COUNT(*) FROM t",
    ],
    "transactions": [
        "BEGIN", "INSERT INTO t (v) VALUES ('in')", "SELECT COUNT(*) FROM t", "SAVEPOINT s", "DELETE FROM t", "SELECT COUNT(*) FROM t", "ROLLBACK TO s", "SELECT COUNT(*) FROM t", "RELEASE SAVEPOINT s", "COMMIT AND CHAIN",
        "DELETE FROM t", "ROLLBACK", "SELECT COUNT(*) FROM t", "START TRANSACTION READ ONLY", "INSERT INTO t (v) VALUES ('no')", "SELECT @@in_transaction", "COMMIT", "SELECT @@in_transaction",
    ],
    "SET autocommit=0": [
        "SET autocommit=0", "INSERT INTO t (v) VALUES ('in')", "SELECT COUNT(*) FROM t", "ROLLBACK", "SELECT COUNT(*) FROM t", "SELECT @@autocommit", "SET autocommit=1", "SELECT COUNT(*) FROM t",
    ],
    "SET TRANSACTION": [
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SELECT COUNT(*) FROM t", "SET TRANSACTION READ ONLY", "DELETE FROM t", "DELETE FROM t WHERE id=1", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SELECT @@tx_isolation", "SET SESSION TRANSACTION READ ONLY", "DELETE FROM t", "SELECT COUNT(*) FROM t",
    ],
    "SQL-level PREPARE": [
        "PREPARE p FROM 'SELECT v FROM t WHERE id<=? ORDER BY id'", "SET @k=2", "EXECUTE p USING @k", "SET sql_mode='ANSI'", "EXECUTE p USING @k", "DEALLOCATE PREPARE p", "EXECUTE p USING @k", "EXECUTE IMMEDIATE 'SELECT ?+1' USING 41",
    ],
    "sequences": [
        "CREATE OR REPLACE SEQUENCE walk", "SELECT NEXTVAL(walk)", "SELECT NEXT VALUE FOR walk", "SELECT LASTVAL(walk)", "SELECT SETVAL(walk, 10)", "SELECT NEXTVAL(walk), PREVIOUS VALUE FOR walk", "INSERT INTO t (n) VALUES (NEXTVAL(walk))",
        "SELECT n FROM t ORDER BY id DESC LIMIT 1",
    ],
    "RETURNING": ["INSERT INTO t (v) VALUES ('r') RETURNING id, v", "SELECT COUNT(*) FROM t", "REPLACE INTO t (id,v) VALUES (1,'z') RETURNING v", "DELETE FROM t WHERE id<3 RETURNING id", "SELECT id FROM t ORDER BY id"],
    "SET STATEMENT": [
        "SET STATEMENT sql_mode='ANSI' FOR SELECT 'a' || 'b'", "SELECT 'a' || 'b'", "SET STATEMENT sql_select_limit=1 FOR SELECT id FROM fixed ORDER BY id", "SELECT id FROM fixed ORDER BY id",
        "SET STATEMENT sql_mode='' FOR UPDATE t SET n='5x' WHERE id=1", "SELECT @@sql_mode",
    ],
    "SET of variables": [
        "SET sql_mode='ANSI,NO_BACKSLASH_ESCAPES'", "SELECT \"id\" FROM fixed ORDER BY 1", "SELECT 'a\\b' || 'c'", "SET sql_mode=DEFAULT", "SET div_precision_increment=2", "SELECT 1/3", "SET time_zone='+05:00'",
        "SELECT FROM_UNIXTIME(0)", "SET NAMES latin1", "SELECT v FROM fixed ORDER BY id", "SET NAMES utf8mb4 COLLATE utf8mb4_bin", "SELECT v FROM fixed WHERE v='ONE'", "SET character_set_results=NULL", "SELECT v FROM fixed ORDER BY id",
        "SET nonsense=1", "SELECT @@div_precision_increment",
    ],
    "SET ROLE": ["SELECT CURRENT_ROLE()", "SET ROLE clerk", "SELECT CURRENT_ROLE()", "SELECT COUNT(*) FROM fixed", "SET ROLE NONE", "SELECT CURRENT_ROLE()", "SET ROLE nobody"],
    "compound statements": [
        "BEGIN NOT ATOMIC DECLARE x INT DEFAULT 3; SELECT x; SELECT id FROM fixed WHERE id<x ORDER BY id; END", "IF (SELECT COUNT(*) FROM t)>2 THEN SELECT 'many'; ELSE SELECT 'few'; END IF",
        "BEGIN NOT ATOMIC DECLARE EXIT HANDLER FOR SQLEXCEPTION SELECT 'caught'; INSERT INTO t (id) VALUES (1); END", "FOR i IN 1..3 DO INSERT INTO t (n) VALUES (i); END FOR", "SELECT COUNT(*) FROM t",
    ],
    "ORACLE mode": ["SET sql_mode='ORACLE'", "DECLARE x INT := 4; BEGIN SELECT x; END", "SELECT 'a' || NULL || 'b'", "SELECT v FROM t ORDER BY id", "EXECUTE IMMEDIATE 'SELECT :1 + 1' USING 1"],
    "procedures": [
        "CALL results(2)", "CALL out_of(@n)", "SELECT @n", "SET @c='x'", "CALL inout_of(7, @c)", "SELECT @c", "CALL fills('t', 8)", "SELECT n FROM t ORDER BY id DESC LIMIT 1", "CALL fails(3)", "SELECT @b", "CALL sets(1)", "SELECT 1/3, @a",
        "CALL missing()", "CALL results()",
    ],
    "several statements": ["SELECT 1; SELECT id FROM fixed ORDER BY id; UPDATE t SET n=0", "SELECT n FROM t ORDER BY id", "SELECT 2; SELEC; SELECT 3", "SET @m=4; SELECT @m", "SELECT @m"],
    "functions and views": [
        "SELECT twice(n) FROM t ORDER BY id", "SELECT * FROM seen ORDER BY id", "CREATE OR REPLACE FUNCTION writes(x INT) RETURNS INT BEGIN INSERT INTO t (n) VALUES (x); RETURN x; END", "SELECT writes(5)", "SELECT COUNT(*) FROM t",
        "CREATE OR REPLACE VIEW written AS SELECT writes(6) AS x", "SELECT * FROM written", "SELECT COUNT(*) FROM t",
    ],
    "the schema": ["SELECT DATABASE()", "USE information_schema", "SELECT DATABASE()", "SELECT COUNT(*) FROM SCHEMATA WHERE SCHEMA_NAME='nowhere'", "USE missing", "USE {db}", "SELECT COUNT(*) FROM t"],
    "ids": ["SELECT CONNECTION_ID()=CONNECTION_ID()", "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID=CONNECTION_ID()", "KILL 99999999", "KILL QUERY 99999999"],
}

# What two other sessions do between any two statements of that one, in turns.
OTHERS = [
    (1, "SELECT v FROM fixed WHERE id=1"), (2, "INSERT INTO theirs (n) VALUES (7)"), (1, "SELECT CAST('other' AS INT)"), (2, "SET sql_mode='ANSI'"), (1, "UPDATE theirs SET n=n+1"), (2, "SELECT * FROM missing"),
    (1, "SELECT SQL_CALC_FOUND_ROWS id FROM fixed LIMIT 1"), (2, "SET sql_mode=DEFAULT"), (2, "SELECT COUNT(*) FROM theirs"),
]
THEIRS = "CREATE OR REPLACE TABLE theirs (id INT AUTO_INCREMENT PRIMARY KEY, n INT)"


def steps(statements, database):
    made = [("open", c, c != 1) for c in range(3)]
    made += [("query", 0, TABLE), ("query", 0, ROWS), ("query", 1, THEIRS)]
    for place, sql in enumerate(statements):
        made.append(("query", 0, sql.replace("{db}", database)))
        made.append(("query",) + OTHERS[place % len(OTHERS)])
    return made
