"""Generated sessions: a case is some connections and the steps they take, in one order.

A connection reads and writes a table of its own (what another connection committed may come to it later, that is
consistency `session`), and reads `fixed`, which nobody writes. Everything has one right answer: rows are ordered,
nothing names times or ids of the server.
"""

import random

TEXTS = ["", "a", "Zo\u00eb", "\u20ac 3,50", "o'clock", "back\\slash", "x" * 60, "\u0436", "42", "1e3"]
SETTINGS = [
    "SET sql_mode=''", "SET sql_mode='ANSI'", "SET SESSION sql_mode='STRICT_ALL_TABLES,PIPES_AS_CONCAT'",
    "SET @@sql_mode='NO_BACKSLASH_ESCAPES'", "SET @@session.sql_mode=DEFAULT", "SET sql_mode='ORACLE'",
    "SET div_precision_increment=8", "SET @@div_precision_increment=2", "SET group_concat_max_len=10",
    "SET time_zone='+05:00'", "SET NAMES latin1", "SET NAMES utf8mb4", "SET collation_connection=utf8mb4_bin",
    "SET CHARACTER SET latin1", "SET character_set_results=NULL", "SET character_set_results=koi8r",
    "SET collation_connection=latin1_general_cs", "SET sql_select_limit=2", "SET sql_select_limit=DEFAULT",
    "SET lc_time_names='de_DE'", "SET sql_safe_updates=1", "SET sql_safe_updates=0", "SET default_week_format=3",
    "SET STATEMENT sql_select_limit=1 FOR SELECT id FROM fixed ORDER BY id", "SET insert_id=77", "SET timestamp=86400",
    "SET max_sort_length=8", "SET sql_quote_show_create=0", "SET nonsense=1", "SET div_precision_increment='x'",
    "SET NAMES gbk", "SET NAMES sjis", "SET NAMES big5", "SET NAMES ucs2", "SET NAMES utf8mb4 COLLATE utf8mb4_czech_ci", "SET NAMES DEFAULT",
    "SET sql_mode=CONCAT(@@sql_mode,',NO_ZERO_DATE')", "SET @@local.sql_mode='TRADITIONAL'", "SET max_error_count=1", "SET max_error_count=DEFAULT",
    "SET sql_notes=0", "SET sql_notes=1", "SET sql_warnings=1", "SET foreign_key_checks=0", "SET unique_checks=0", "SET sql_auto_is_null=1",
    "SET sql_auto_is_null=0", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET SESSION TRANSACTION READ WRITE", "SET ROLE NONE",
    "SET STATEMENT div_precision_increment=1, time_zone='-03:00' FOR SELECT 1/3, FROM_UNIXTIME(0)", "SET STATEMENT sql_mode='ANSI' FOR SELECT 'a' || 'b'",
    "SET STATEMENT sql_mode='' FOR INSERT INTO {t} (n) VALUES ('13y')", "SET STATEMENT nonsense=1 FOR SELECT 1", "SET STATEMENT max_statement_time=100 FOR SELECT id FROM fixed ORDER BY id",
    "SET div_precision_increment={k}, @a=@@div_precision_increment, group_concat_max_len=50", "SET @@session.version='x'",
]
READS = [
    "SELECT * FROM {t} ORDER BY id", "SELECT COUNT(*), SUM(n), AVG(d), MAX(v) FROM {t}",
    "SELECT n/7, d/3 FROM {t} ORDER BY id", "SELECT GROUP_CONCAT(v ORDER BY id) FROM {t}",
    "SELECT f.id, f.v || 'x', t.v FROM fixed f LEFT JOIN {t} t ON f.id=t.id ORDER BY f.id",
    "SELECT 'a' || 'b', 1/3, 'x\\\\y', HEX('\u00e4'), CHARSET('a'), COLLATION('a')", "SELECT v FROM {t} WHERE n>{n} ORDER BY id",
    "SELECT id FROM {t} WHERE v='{s}' UNION ALL SELECT id FROM fixed WHERE id<3 ORDER BY id",
    "WITH RECURSIVE r AS (SELECT 1 i UNION ALL SELECT i+1 FROM r WHERE i<5) SELECT * FROM r",
    "SELECT DATE_FORMAT('2024-02-29','%W %M'), WEEK('2024-03-01'), FROM_UNIXTIME(0)",
    "SELECT CAST('12x' AS INT), 1/0", "SELECT * FROM missing", "SELECT nocolumn FROM {t}", "SELECT", "VALUES (1),(2)",
    "SELECT SQL_CALC_FOUND_ROWS id FROM {t} ORDER BY id LIMIT 1", "SELECT v FROM {t} ORDER BY v, id LIMIT 3",
    "SELECT JSON_OBJECT('n', n) FROM {t} ORDER BY id", "SELECT CAST(v AS UNSIGNED) FROM {t} ORDER BY id",
    "SELECT id FROM {t} WHERE id IN (SELECT id FROM fixed) ORDER BY id FOR UPDATE", "SELECT b, HEX(b) FROM {t} ORDER BY id",
    "SELECT twice(n) FROM {t} ORDER BY id", "SELECT * FROM seen ORDER BY id", "TABLE fixed ORDER BY id", "DESCRIBE fixed",
    "SHOW CREATE TABLE fixed", "SELECT \"id\" FROM fixed ORDER BY 1", "SELECT 1 /* end", "/*!50000 SELECT 5 */",
    "SHOW VARIABLES LIKE 'sql_mode'", "SELECT DATABASE(), USER() LIKE 'till@%'", "SELECT @@autocommit, @@div_precision_increment",
    "SELECT (SELECT id FROM fixed)", "SELECT nofunction(1)", "SELECT CAST('x' AS DATE), 'a'+1", "SELECT JSON_EXTRACT('{{', '$.a')",
    "SELECT ST_AsText(ST_GeomFromText('POINT(1 {k})'))", "SELECT * FROM fixed WHERE", "SELECT @@nonsense", "SELECT f.* FROM fixed f, {t} f",
    "SELECT id, ROW_NUMBER() OVER (ORDER BY id) FROM fixed ORDER BY id", "SELECT * FROM (VALUES (1,'x'),(2,'y')) w ORDER BY 1", "(SELECT 1) EXCEPT (SELECT {k})",
    "SELECT v FROM {t} WHERE v LIKE '%{s}%' ORDER BY id", "SELECT v FROM {t} WHERE v REGEXP '^[a-z]' ORDER BY id", "SELECT id FROM fixed ORDER BY id LIMIT {k} OFFSET 1",
    "EXPLAIN SELECT * FROM fixed WHERE id=1", "SHOW COLUMNS FROM {t}", "SHOW TABLES LIKE 'fix%'", "SHOW CREATE VIEW seen", "SHOW COLLATION LIKE 'utf8mb4_bin'",
    "SELECT * FROM fixed JOIN seen USING (id) ORDER BY id", "SELECT LENGTH('{s}'), HEX('{s}'), CHAR_LENGTH('{s}')", "SELECT '{s}' AS `{s}`", "SELECT _latin1'{s}', N'{s}', x'4142', b'101'",
    "SELECT v FROM {t} WHERE id IS NULL", "SELECT id FROM {t} WHERE d BETWEEN {k} AND {n} ORDER BY id DESC", "SELECT f_{t}({k})", "SELECT * FROM w_{t} ORDER BY 1",
    "SELECT f_{t}(id) FROM fixed ORDER BY id", "SELECT DISTINCT n%3 FROM {t} ORDER BY 1", "SELECT n, COUNT(*) FROM {t} GROUP BY n WITH ROLLUP",
]
WRITES = [
    "INSERT INTO {t} (v,n,d,b) VALUES ('{s}',{n},{n}.25,'{s}')", "INSERT INTO {t} (v,n) VALUES ('a',1),('b',2),('{s}',NULL)",
    "INSERT INTO {t} (v) VALUES ('{s}') RETURNING id, v", "INSERT IGNORE INTO {t} (id,v) VALUES (1,'dup')",
    "INSERT INTO {t} (id,v) VALUES (1,'dup')", "REPLACE INTO {t} (id,v,n) VALUES ({k},'{s}',{n})",
    "UPDATE {t} SET n=n+1, v=CONCAT(v,'{s}') WHERE id<={k}", "UPDATE {t} SET v='{s}' ORDER BY id LIMIT 1",
    "DELETE FROM {t} WHERE id={k}", "DELETE FROM {t} WHERE id>{k} RETURNING id", "INSERT INTO {t} (v,n) SELECT v,id FROM fixed ORDER BY id",
    "INSERT INTO {t} (n) VALUES ('12x')", "UPDATE {t} SET d=1/0 WHERE id=1", "TRUNCATE {t}", "ALTER TABLE {t} COMMENT='{n}'",
    "INSERT INTO {t} (id,n) VALUES ({k},{n}) ON DUPLICATE KEY UPDATE n=LAST_INSERT_ID(n+{n})", "DO SLEEP(0)", "FLUSH STATUS",
    "INSERT INTO {t} (v) VALUES (REPEAT('z',100))", "INSERT INTO {t} (n) VALUES (99999999999)", "INSERT INTO {t} (id,v) VALUES ('x','{s}')", "REPLACE INTO {t} (id,n) VALUES ({k},{n}) RETURNING id, n",
    "DELETE FROM {t} ORDER BY id LIMIT 1", "UPDATE {t} JOIN fixed USING (id) SET {t}.v=fixed.v", "DELETE {t} FROM {t} JOIN fixed USING (id) WHERE fixed.id>2",
    "INSERT INTO {t} SET v='{s}', n=LENGTH('{s}')", "INSERT IGNORE INTO {t} (n,d) VALUES ('1x','2y'),('3z','w')", "INSERT INTO {t} VALUES ()",
    "INSERT INTO {t} (n) VALUES ({n}),('x1'),({k})", "UPDATE {t} SET id=id+100 ORDER BY id DESC", "UPDATE IGNORE {t} SET id=1", "INSERT INTO {t} (v) SELECT v FROM {t} WHERE id={k}",
    "WITH c AS (SELECT id FROM fixed) SELECT COUNT(*) FROM c", "ALTER TABLE {t} ADD COLUMN v INT", "CREATE TABLE {t} (id INT)", "DROP TABLE nowhere", "CREATE TABLE IF NOT EXISTS {t} (id INT)",
    "CREATE OR REPLACE FUNCTION f_{t}(x INT) RETURNS INT DETERMINISTIC RETURN x+{n}", "CREATE OR REPLACE VIEW w_{t} AS SELECT id, v FROM {t} WHERE id<={k}",
    "CREATE OR REPLACE FUNCTION f_{t}(x INT) RETURNS INT BEGIN INSERT INTO {t} (n) VALUES (x); RETURN x; END", "CREATE OR REPLACE VIEW w_{t} AS SELECT {k} AS one",
    "CREATE OR REPLACE TRIGGER g_{t} BEFORE INSERT ON {t} FOR EACH ROW SET NEW.d={n}", "DROP TRIGGER IF EXISTS g_{t}", "SELECT id, v INTO @a, @b FROM fixed WHERE id=2", "SELECT id INTO @a FROM fixed",
]
SESSION = [
    "SET @a={n}", "SELECT @a, @b", "SELECT @b:=id FROM fixed ORDER BY id", "SET @a='{s}', @b=@a", "SELECT v, @a FROM {t} ORDER BY id",
    "CREATE TEMPORARY TABLE tmp{k} AS SELECT * FROM fixed", "SELECT * FROM tmp{k} ORDER BY id", "DROP TEMPORARY TABLE IF EXISTS tmp{k}",
    "BEGIN", "START TRANSACTION READ ONLY", "COMMIT", "ROLLBACK", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE SAVEPOINT s",
    "SET autocommit=0", "SET autocommit=1", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "COMMIT AND CHAIN",
    "LOCK TABLES {t} WRITE, fixed READ", "UNLOCK TABLES", "SELECT GET_LOCK('{t}',0)", "SELECT IS_FREE_LOCK('{t}')", "SELECT RELEASE_LOCK('{t}')",
    "SELECT LAST_INSERT_ID()", "SELECT ROW_COUNT()", "SELECT @c",
    "SELECT v, v+1 FROM {t} ORDER BY id; SHOW WARNINGS", "SELECT n/0 FROM {t}; SHOW COUNT(*) WARNINGS", "UPDATE {t} SET d='x'; SHOW ERRORS",
    "UPDATE {t} SET d='y'; GET DIAGNOSTICS @c = NUMBER", "PREPARE p FROM 'SELECT v FROM {t} WHERE id<=? ORDER BY id'", "SET @k={k}",
    "EXECUTE p USING @k", "DEALLOCATE PREPARE p", "EXECUTE IMMEDIATE 'SELECT {n}'", "CALL results({k})", "CALL fills('{t}',{n})", "CALL out_of(@c)",
    "BEGIN NOT ATOMIC DECLARE x INT DEFAULT {n}; SELECT x; SELECT id FROM {t} WHERE 0; SHOW WARNINGS; END",
    "SELECT 1; SELECT v FROM {t} ORDER BY id; UPDATE {t} SET n=0", "SELECT 2; SELEC; SELECT 3", "HANDLER {t} OPEN", "HANDLER {t} READ FIRST",
    "HANDLER {t} CLOSE", "USE {db}", "USE missing", "SELECT NEXTVAL(sq)", "XA START '{t}'", "XA END '{t}'", "XA ROLLBACK '{t}'", "KILL 99999999",
    "ANALYZE TABLE fixed", "CREATE OR REPLACE TABLE made_{t} (id INT)", "DROP TABLE IF EXISTS made_{t}", "SIGNAL SQLSTATE '45000'",
    "CREATE TEMPORARY TABLE fixed (id INT PRIMARY KEY, v VARCHAR(40)) AS SELECT id*10 AS id, v FROM seen", "DROP TEMPORARY TABLE fixed", "CREATE TEMPORARY TABLE IF NOT EXISTS tmp{k} LIKE fixed",
    "INSERT INTO tmp{k} SELECT id+50, v FROM seen", "ALTER TABLE tmp{k} RENAME TO tmp1", "XA PREPARE '{t}'", "XA COMMIT '{t}' ONE PHASE", "XA COMMIT '{t}'",
    "HANDLER {t} READ NEXT", "HANDLER {t} READ `PRIMARY` = ({k})", "HANDLER fixed OPEN AS h", "HANDLER h READ `PRIMARY` LAST WHERE id>1", "HANDLER h CLOSE",
    "SELECT LASTVAL(sq)", "SELECT NEXT VALUE FOR sq, PREVIOUS VALUE FOR sq", "SELECT SETVAL(sq, LASTVAL(sq)+{k})", "SELECT LAST_INSERT_ID({n})",
    "LOCK TABLES fixed READ", "FLUSH TABLES {t} WITH READ LOCK", "BEGIN WORK READ WRITE", "START TRANSACTION WITH CONSISTENT SNAPSHOT", "ROLLBACK AND CHAIN",
    "SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT='careful', MYSQL_ERRNO=1234", "RESIGNAL", "EXECUTE nosuch", "CALL noproc()", "CALL results()", "CALL fails({k})", "CALL inout_of({k}, @c)",
    "CALL sets({k})", "DECLARE x INT := {k}; BEGIN SELECT x; END", "BEGIN NOT ATOMIC DECLARE EXIT HANDLER FOR SQLEXCEPTION SELECT 'caught'; INSERT INTO {t} (id) VALUES (1),(1); END",
    "IF {k}>3 THEN SELECT 'big'; ELSE SELECT 'small'; END IF", "FOR i IN 1..{k} DO INSERT INTO {t} (n) VALUES (i); END FOR", "SELECT 1; DO 1/0; SELECT @@warning_count; SELEC",
    "BEGIN NOT ATOMIC DECLARE done INT DEFAULT 0; DECLARE x INT; DECLARE c CURSOR FOR SELECT id FROM fixed ORDER BY id; DECLARE CONTINUE HANDLER FOR NOT FOUND SET done=1;"
    " OPEN c; WHILE NOT done DO FETCH c INTO x; IF NOT done THEN SELECT x; END IF; END WHILE; END",
    "PREPARE q FROM 'CREATE TEMPORARY TABLE tmp6 AS SELECT 6 AS x'", "EXECUTE q", "PREPARE q FROM 'SELECT nocolumn FROM fixed'", "EXECUTE IMMEDIATE 'SET @a=?' USING {k}",
    "EXECUTE IMMEDIATE 'INSERT INTO {t} (n) VALUES (?),(?)' USING {k}, @a", "SET @@last_insert_id={n}", "SET @a:=(SELECT MAX(id) FROM {t})", "SELECT @r:=@r+1, id FROM fixed ORDER BY id",
    "SET TRANSACTION READ ONLY", "SELECT IS_USED_LOCK('{t}') IS NULL FROM fixed", "SELECT RELEASE_ALL_LOCKS()", "DO GET_LOCK('{t}',0)",
]
PREPARED = [  # with the number of parameters
    ("SELECT * FROM {t} WHERE id<=? ORDER BY id", 1), ("SELECT v, n/7 FROM {t} WHERE v=? OR n=? ORDER BY id", 2), ("SELECT ?, ? || 'x'", 2),
    ("INSERT INTO {t} (v,n,b) VALUES (?,?,?)", 3), ("UPDATE {t} SET v=? WHERE id=?", 2), ("SELECT id, v FROM fixed ORDER BY id", 0),
    ("DELETE FROM {t} WHERE id=?", 1), ("SELECT 'a' || 'b', 1/3, HEX('\u00e4')", 0), ("CALL results(?)", 1), ("SELECT * FROM missing", 0),
    ("SELECT @a, ?", 1), ("INSERT INTO {t} (v) VALUES (?) RETURNING id", 1), ("SELECT COUNT(*) FROM {t} WHERE b=?", 1),
    ("CALL out_of(?)", 1), ("CALL inout_of(?,?)", 2), ("SET @a=?", 1), ("SHOW WARNINGS", 0), ("SELECT @@warning_count, ?", 1), ("SELECT LAST_INSERT_ID(), ?", 1), ("SELECT ROW_COUNT()", 0),
    ("COMMIT", 0), ("CREATE TEMPORARY TABLE ptmp AS SELECT id FROM fixed WHERE id>?", 1), ("SELECT * FROM ptmp ORDER BY id", 0), ("DROP TEMPORARY TABLE IF EXISTS ptmp", 0),
    ("EXECUTE IMMEDIATE ?", 1), ("SELECT id FROM fixed ORDER BY id LIMIT ?", 1), ("SELECT twice(?), f_{t}(?)", 2), ("SET sql_mode=?", 1), ("SELECT CAST(? AS INT), 1/0", 1),
    ("SET STATEMENT div_precision_increment=2 FOR SELECT 1/3, ?", 1), ("INSERT INTO {t} (id,n) VALUES (1,?)", 1), ("DELETE FROM {t} WHERE id>? RETURNING id, v", 1), ("USE {db}", 0),
    ("BEGIN NOT ATOMIC SELECT ?; SELECT id FROM fixed ORDER BY id; END", 1), ("SELECT 1; SELECT 2", 0), ("SELECT GET_LOCK(?,0)", 1), ("DO RELEASE_LOCK(?)", 1),
]
COMMANDS = [(0x02, b"sessions"), (0x02, b"missing"), (0x0E, b""), (0x1B, b"\x01\x00"), (0x1B, b"\x00\x00")]
SCHEMA = [
    "CREATE TABLE fixed (id INT PRIMARY KEY, v VARCHAR(40)) CHARACTER SET utf8mb4",
    "INSERT INTO fixed VALUES (1,'one'),(2,'Zo\u00eb'),(3,'\u20ac'),(5,NULL)", "CREATE VIEW seen AS SELECT id, v FROM fixed WHERE id>1",
    "CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN 2*n", "CREATE SEQUENCE sq",
    "CREATE PROCEDURE results(k INT) BEGIN SELECT id FROM fixed WHERE id<=k ORDER BY id; SELECT v FROM fixed WHERE 0; SELECT k; END",
    "CREATE PROCEDURE fills(t VARCHAR(64), n INT) EXECUTE IMMEDIATE CONCAT('INSERT INTO ',t,' (n) VALUES (',n,')')",
    "CREATE PROCEDURE out_of(OUT k INT) SELECT COUNT(*) INTO k FROM fixed",
    "CREATE PROCEDURE inout_of(k INT, INOUT c VARCHAR(40)) BEGIN SELECT c, k; SET c=CONCAT(IFNULL(c,'-'),k); END",
    "CREATE PROCEDURE fails(k INT) BEGIN SET @b=k; SELECT k; INSERT INTO nowhere VALUES (1); END",
    "CREATE PROCEDURE sets(k INT) BEGIN SET SESSION div_precision_increment=k; SET @a=k; SELECT 1/3; END",
]
ASKS = [
    "SHOW WARNINGS", "SHOW ERRORS", "SHOW COUNT(*) WARNINGS", "SELECT @@warning_count", "SELECT @@error_count, @@warning_count",
    "GET DIAGNOSTICS @c = NUMBER, @d = ROW_COUNT", "GET DIAGNOSTICS CONDITION 1 @c = MESSAGE_TEXT, @d = RETURNED_SQLSTATE",
    "SELECT ROW_COUNT()", "SELECT ROW_COUNT(), @c", "SELECT @c, @d", "SET @c = ROW_COUNT()",
    "SELECT LAST_INSERT_ID()", "SHOW WARNINGS LIMIT 1", "SELECT ROW_COUNT(), @@warning_count", "DO ROW_COUNT()",
    "SELECT COUNT(*), ROW_COUNT() FROM fixed",
]
COUNTED = ["SELECT id FROM fixed ORDER BY id", "SELECT SQL_CALC_FOUND_ROWS id FROM {t} ORDER BY id LIMIT 1", "SELECT v FROM {t} ORDER BY v, id LIMIT 3"]
BETWEEN = ["SET @a={n}", "INSERT INTO {t} (n) VALUES ({n})", "UPDATE {t} SET n={n} WHERE id=1", "SHOW WARNINGS"]
TABLE = ("CREATE OR REPLACE TABLE {t} (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(80), n INT, d DECIMAL(20,6), b BLOB)"
         " ENGINE=InnoDB CHARACTER SET utf8mb4")


class Maker:
    def __init__(self, seed, database, steps):
        self.seed = seed
        self.r = random.Random(seed)
        self.database = database
        self.count = steps
        self.serial = 0
        self.statements = {}  # connection → [(number, parameters)]
        self.tables = {}

    def fill(self, text, table):
        r = self.r
        return text.format(t=table, n=r.randint(-3, 99), k=r.randint(1, 6), db=self.database,
                           s=r.choice(TEXTS).replace("\\", "\\\\").replace("'", "''"))

    def open(self, connection):
        self.serial += 1
        self.tables[connection] = "t%d_%d" % (self.seed, self.serial)
        self.statements[connection] = []
        return [("open", connection, self.r.random() < 0.5),
                ("query", connection, TABLE.format(t=self.tables[connection])),
                ("query", connection, COUNTED[0])]  # before it FOUND_ROWS() is what the thread counted for another

    def value(self):
        return self.r.choice([None, self.r.randint(0, 9), self.r.choice(TEXTS).encode()])

    def binary(self, c):
        r, known = self.r, self.statements[c]
        if not known or r.random() < 0.25:
            text, params = r.choice(PREPARED)
            self.serial += 1
            known.append((self.serial, params, text.startswith("SELECT")))
            made = [("prepare", c, self.serial, self.fill(text, self.tables[c]))]
            if params and r.random() < 0.2:  # only at first: over a number MariaDB answers with chance bytes
                values = tuple([...] + [self.value() for _ in range(params - 1)])
                made += [("long_data", c, self.serial, 0, r.choice(TEXTS).encode()), ("execute", c, self.serial, values)]
            return made
        number, params, select = r.choice(known)
        kind = r.random()
        if kind < 0.06:
            known.remove((number, params, select))
            return [("close_statement", c, number)]
        if kind < 0.1:
            return [("reset_statement", c, number)]
        values = tuple(self.value() for _ in range(params))
        if kind < 0.35 and select:
            return [("execute", c, number, values, True), ("fetch", c, number, r.randint(1, 9))]
        return [("execute", c, number, values)]

    def step(self, c):
        r = self.r
        kind = r.random()
        if kind < 0.02:
            return self.open(c)
        if kind < 0.03:
            self.statements[c] = []
            return [("simple", c, 0x1F)]
        if kind < 0.035:
            self.statements[c] = []
            return [("change_user", c, self.database)]
        if kind < 0.05:
            return [("simple", c, *r.choice(COMMANDS))]
        if kind < 0.30:
            return self.binary(c)
        lists = r.choices((READS, WRITES, SESSION, SETTINGS, ASKS), (8, 5, 5, 2, 3))[0]
        made = [("query", c, self.fill(r.choice(lists), self.tables[c]))]
        if r.random() < 0.05:
            made.append(("query", c, self.fill(r.choice(COUNTED), self.tables[c])))
            if r.random() < 0.5:
                made.append(("query", c, self.fill(r.choice(BETWEEN), self.tables[c])))
            made.append(("query", c, "SELECT FOUND_ROWS()"))
        return made

    def steps(self):
        connections = range(self.r.randint(1, 3))
        made = [s for c in connections for s in self.open(c)]
        while len(made) < self.count:
            made += self.step(self.r.choice(connections))
        return made
