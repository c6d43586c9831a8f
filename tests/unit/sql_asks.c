/* Questions about statements before, and whether a statement opens tables. */
#include "tests/unit/sql_check.h"

static void tables(void **state)
{
    static const struct {
        enum sql_tables tables;
        const char *text;
    } rows[] = {
        {SQL_TABLES_NONE, "SELECT 1"},
        {SQL_TABLES_NONE, "SELECT 1 FROM DUAL"},
        {SQL_TABLES_NONE, "SELECT EXTRACT(DAY FROM '2024-02-29'), TRIM('x' FROM 'xax')"},
        {SQL_TABLES_NONE, "SELECT 1 UNION SELECT 2"},
        {SQL_TABLES_NONE, "SET @a = 1"},
        {SQL_TABLES_NONE, "BEGIN"},
        {SQL_TABLES_NONE, "COMMIT"},
        {SQL_TABLES_NONE, "USE shop"},
        {SQL_TABLES_NONE, "SHOW WARNINGS"},
        {SQL_TABLES_NONE, "GET DIAGNOSTICS @n = NUMBER"},
        {SQL_TABLES_NONE, "EXPLAIN SELECT 1"},
        {SQL_TABLES_NONE, "SET STATEMENT max_statement_time = 1 FOR SELECT 1"},
        {SQL_TABLES_SOME, "SELECT a FROM t"},
        {SQL_TABLES_SOME, "SELECT EXTRACT(DAY FROM d) FROM t"},
        {SQL_TABLES_SOME, "SELECT 1 UNION SELECT a FROM t"},
        {SQL_TABLES_SOME, "SELECT (SELECT a FROM t LIMIT 1)"},
        {SQL_TABLES_SOME, "SELECT 1 FROM (SELECT 1) t"},
        {SQL_TABLES_SOME, "SET @a = (SELECT a FROM t)"},
        {SQL_TABLES_SOME, "WITH c AS (SELECT 1) SELECT * FROM c"},
        {SQL_TABLES_SOME, "TABLE t"},
        {SQL_TABLES_SOME, "SELECT NEXTVAL(s)"},
        {SQL_TABLES_SOME, "DO LASTVAL(s)"},
        {SQL_TABLES_SOME, "SET @a = NEXT VALUE FOR s"},
        {SQL_TABLES_SOME, "INSERT INTO t VALUES (1)"},
        {SQL_TABLES_SOME, "EXPLAIN SELECT a FROM t"},
        {SQL_TABLES_SOME, "SET STATEMENT max_statement_time = 1 FOR SELECT a FROM t"},
        {SQL_TABLES_SOME, "CREATE OR REPLACE TABLE t (a INT)"},
        {SQL_TABLES_SOME, "CREATE UNIQUE INDEX i ON t (a)"},
        {SQL_TABLES_SOME, "ALTER VIEW v AS SELECT 1"},
        {SQL_TABLES_SOME, "DROP TEMPORARY TABLE t"},
        {SQL_TABLES_SOME, "DROP SEQUENCE s"},
        {SQL_TABLES_SOME, "RENAME TABLE t TO u"},
        {SQL_TABLES_SOME, "ANALYZE TABLE t"},
        {SQL_TABLES_UNKNOWN, "CREATE DATABASE d"},
        {SQL_TABLES_UNKNOWN, "CREATE FUNCTION f() RETURNS INT RETURN 1"},
        {SQL_TABLES_UNKNOWN, "DROP PROCEDURE p"},
        {SQL_TABLES_UNKNOWN, "GRANT SELECT ON d.* TO u"},
        {SQL_TABLES_UNKNOWN, "CALL p()"},
        {SQL_TABLES_UNKNOWN, "EXECUTE p"},
        {SQL_TABLES_UNKNOWN, "PREPARE p FROM 'SELECT a FROM t'"},
        {SQL_TABLES_UNKNOWN, "BEGIN NOT ATOMIC SELECT 1; END"},
        {SQL_TABLES_UNKNOWN, "SHOW TABLES"},
        {SQL_TABLES_UNKNOWN, "SELECT 1; SELECT a FROM t"},
        {SQL_TABLES_UNKNOWN, "SELECT a FROM t; SELECT 1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sql_class c = classified_text(rows[i].text);

        if (c.tables != rows[i].tables)
            print_error("%s\n", rows[i].text);
        assert_int_equal(c.tables, rows[i].tables);
    }
}

static void found_rows(void **state)
{
    static const struct {
        bool counts;
        const char *text;
    } rows[] = {
        {true, "SELECT 1"},
        {true, "WITH c AS (SELECT 1) SELECT * FROM c"},
        {true, "(SELECT a FROM t) LIMIT 1"},
        {true, "INSERT INTO t SELECT 1"},
        {true, "INSERT INTO t VALUES ((SELECT MAX(a) FROM u))"},
        {true, "UPDATE t, u SET t.a = 1"},
        {true, "UPDATE t JOIN u USING (a) SET t.a = 1"},
        {true, "UPDATE t SET a = (SELECT MAX(a) FROM u)"},
        {true, "DELETE t FROM t JOIN u USING (a)"},
        {true, "DELETE QUICK t.* FROM t"},
        {true, "DELETE FROM t USING t JOIN u"},
        {true, "CREATE TABLE t SELECT 1 AS a"},
        {true, "CREATE TEMPORARY TABLE t (a INT) AS SELECT a FROM u"},
        {true, "SET @a = (SELECT a FROM t)"},
        {true, "SET STATEMENT max_statement_time = 1 FOR SELECT 1"},
        {true, "SHOW TABLES"},
        {true, "SHOW FULL COLUMNS FROM t"},
        {true, "SHOW SESSION STATUS LIKE 'a%'"},
        {true, "DESCRIBE t"},
        {true, "EXPLAIN t"},
        {true, "ANALYZE SELECT 1"},
        {true, "CALL p()"},
        {true, "EXECUTE p"},
        {true, "BEGIN NOT ATOMIC CALL p(); END"},
        {true, "FOR i IN (SELECT a FROM t) DO INSERT INTO u VALUES (i.a); END FOR"},
        {true, "SET @a = 1; SELECT 1"},
        {false, "VALUES (1), (2)"},
        {false, "INSERT INTO t VALUES (1) RETURNING a"},
        {false, "INSERT INTO t VALUES ((SELECT 3))"},
        {false, "UPDATE t SET a = 1, b = 2"},
        {false, "DELETE FROM t WHERE a = 1 RETURNING a"},
        {false, "DELETE LOW_PRIORITY IGNORE FROM t"},
        {false, "CREATE VIEW v AS SELECT a FROM t"},
        {false, "CREATE OR REPLACE PROCEDURE p() BEGIN SELECT 1; END"},
        {false, "ALTER VIEW v AS SELECT 1"},
        {false, "SET @a = 1"},
        {false, "SHOW CREATE TABLE t"},
        {false, "SHOW FULL PROCESSLIST"},
        {false, "SHOW WARNINGS"},
        {false, "EXPLAIN SELECT a FROM t"},
        {false, "EXPLAIN UPDATE t JOIN u SET a = 1"},
        {false, "HANDLER t READ FIRST"},
        {false, "FOR i IN 1..6 DO INSERT INTO t VALUES (i); END FOR"},
        {false, "PREPARE p FROM 'SELECT 1'"},
        {false, "LOCK TABLES t READ"},
        {false, "BEGIN"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sql_class c = classified_text(rows[i].text);

        if (c.counts != rows[i].counts)
            print_error("%s\n", rows[i].text);
        assert_int_equal(c.counts, rows[i].counts);
    }
}

static void only_asks(void **state)
{
    static const struct {
        bool only;
        const char *text;
    } rows[] = {
        {true, "SHOW WARNINGS"},
        {true, "SHOW COUNT(*) ERRORS"},
        {true, "SELECT ROW_COUNT()"},
        {true, "SELECT FOUND_ROWS(), ROW_COUNT() + 1, @@warning_count, @@session.error_count"},
        {false, "SELECT 1"},
        {false, "SHOW TABLES"},
        {false, "SELECT ROW_COUNT(), @a"},
        {false, "SELECT @a, ROW_COUNT()"},
        {false, "SELECT ROW_COUNT(), @@sql_mode"},
        {false, "SELECT ROW_COUNT(), LAST_INSERT_ID()"},
        {false, "SELECT ROW_COUNT(), GET_LOCK('a', 1)"},
        {false, "SELECT ROW_COUNT(), unknown(1)"},
        {false, "SELECT ROW_COUNT() FROM t"},
        {false, "SELECT ROW_COUNT() INTO @a"},
        {false, "SET @a = ROW_COUNT()"},
        {false, "DO ROW_COUNT()"},
        {false, "GET DIAGNOSTICS @n = NUMBER"},
        {false, "INSERT INTO t VALUES (ROW_COUNT())"},
        {false, "SELECT ROW_COUNT(); SELECT 1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sql_class c = classified_text(rows[i].text);

        if (c.only_asks != rows[i].only)
            print_error("%s\n", rows[i].text);
        assert_int_equal(c.only_asks, rows[i].only);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables),
        cmocka_unit_test(found_rows),
        cmocka_unit_test(only_asks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
