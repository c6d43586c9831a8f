/* How many statements a text holds: strings, comments and bodies hide semicolons. */
#include "tests/unit/sql_check.h"

static const struct {
    unsigned statements;
    const char *text;
} rows[] = {
    {0, ""},
    {0, ";"},
    {0, " ; ; "},
    {1, "SELECT 1"},
    {1, "SELECT 1;"},
    {1, "SELECT 1;;"},
    {1, ";SELECT 1"},
    {1, "SELECT ';', \";\", `;` /* ; */ -- ;\n # ;"},
    {2, "SELECT 1; SELECT 2"},
    {2, "SELECT 1;\nSELECT 2;\n"},
    {3, "INSERT INTO t VALUES (1); UPDATE t SET a = 1; SELECT 1"},
    {2, "SELECT (1; SELECT 2)"},
    {3, "BEGIN; SELECT 1; COMMIT"},
    {2, "START TRANSACTION; COMMIT;"},
    {1, "BEGIN NOT ATOMIC SELECT 1; SELECT 2; END"},
    {2, "BEGIN NOT ATOMIC SELECT 1; END; SELECT 2"},
    {1, "BEGIN NOT ATOMIC IF 1 THEN SELECT 1; ELSE SELECT 2; END IF; SELECT 3; END;"},
    {2, "BEGIN NOT ATOMIC DECLARE x INT; WHILE 0 DO SELECT 1; END WHILE; END; SELECT 2"},
    {2, "BEGIN NOT ATOMIC REPEAT SELECT REPEAT('a', 2); UNTIL 1 END REPEAT; END; SELECT 2"},
    {2, "BEGIN NOT ATOMIC a: LOOP LEAVE a; END LOOP a; END; SELECT 2"},
    {2, "BEGIN NOT ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; CASE 1 WHEN 1 THEN SELECT 1; END CASE; "
        "END; SELECT 2"},
    {2, "BEGIN NOT ATOMIC FOR i IN 1..3 DO SELECT i; END FOR; END; SELECT 2"},
    {2, "BEGIN NOT ATOMIC SELECT IF(1, 2, 3); SELECT a FROM t FOR UPDATE; END; SELECT 2"},
    {2, "BEGIN NOT ATOMIC BEGIN SELECT 1; END; BEGIN SELECT 2; END; END; SELECT 3"},
    {2, "IF 1 THEN SELECT 1; END IF; SELECT 2"},
    {2, "CASE 1 WHEN 1 THEN SELECT 1; END CASE; SELECT 2"},
    {2, "a: LOOP SELECT 1; END LOOP; SELECT 2"},
    {1, "CREATE PROCEDURE p() SELECT 1"},
    {2, "CREATE PROCEDURE p() SELECT 1; SELECT 2"},
    {1, "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END"},
    {2, "CREATE OR REPLACE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END; CALL p()"},
    {2, "CREATE DEFINER=`a`@`%` FUNCTION f() RETURNS INT BEGIN RETURN 1; END; SELECT f()"},
    {2,
     "CREATE FUNCTION IF NOT EXISTS f() RETURNS INT DETERMINISTIC BEGIN RETURN IF(1, 2, 3); END; "
     "SELECT 2"},
    {2, "CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW BEGIN SET NEW.a = 1; END; SELECT 2"},
    {2, "CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW IF NEW.a THEN SET NEW.a = 1; END IF; "
        "SELECT 2"},
    {2, "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM t; END; SELECT 2"},
    {2, "ALTER EVENT e DO BEGIN DELETE FROM t; DELETE FROM u; END; SELECT 2"},
    {2, "CREATE TABLE begin (a INT); SELECT 1"},
    {2, "CREATE TABLE procedure_log (a INT); BEGIN"},
    {2, "SET STATEMENT a = 1 FOR SELECT 1; SELECT 2"},
    {2, "XA END 'x'; SELECT 1"},
};

static void counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sql_class c = classified_text(rows[i].text);

        if (c.statements != rows[i].statements)
            print_error("%s\n    got: %u\n", rows[i].text, c.statements);
        assert_int_equal(c.statements, rows[i].statements);
        if (rows[i].statements > 1)
            assert_int_not_equal(c.reason, SQL_IS_READ);
    }
}

/* The kind is the first's, the reason the first met, the effects all. */
static void union_over_all(void **state)
{
    struct sql_class c;

    (void)state;
    c = classified_text("SELECT 1; SET @a = 1; LOCK TABLES t READ; CALL p()");
    assert_int_equal(c.kind, SQL_SELECT);
    assert_int_equal(c.reason, SQL_SEVERAL);
    assert_int_equal(c.effects, SQL_EFFECT_USER_VARIABLE | SQL_EFFECT_LOCK | SQL_EFFECT_OPAQUE);
    assert_true(c.writes);

    c = classified_text("SET ROLE a; SELECT 1");
    assert_int_equal(c.kind, SQL_SET);
    assert_int_equal(c.reason, SQL_NOT_SELECT);
    assert_int_equal(c.effects, SQL_EFFECT_ROLE);

    /* what one statement opened does not reach into the next */
    c = classified_text("SELECT ((1; SET @b = 1, ROLE x");
    assert_int_equal(c.effects, SQL_EFFECT_USER_VARIABLE | SQL_EFFECT_ROLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(union_over_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
