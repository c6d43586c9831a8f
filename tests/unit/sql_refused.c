/* What must not go to a replica, and why. */
#include "tests/unit/sql_check.h"

struct row {
    enum sql_reason reason;
    const char *text;
};

static const struct row rows[] = {
    {SQL_LOCKING, "SELECT a FROM t FOR UPDATE"},
    {SQL_LOCKING, "SELECT a FROM t FOR /* x */ UPDATE NOWAIT"},
    {SQL_LOCKING, "SELECT a FROM t FOR SHARE"},
    {SQL_LOCKING, "SELECT a FROM t LOCK IN SHARE MODE"},
    {SQL_LOCKING, "SELECT a FROM (SELECT b FROM u FOR UPDATE) x"},
    {SQL_LOCKING, "(SELECT a FROM t FOR UPDATE)"},
    {SQL_LOCKING, "WITH a AS (SELECT 1 FROM t LOCK IN SHARE MODE) SELECT * FROM a"},

    {SQL_INTO, "SELECT a INTO OUTFILE 'x' FROM t"},
    {SQL_INTO, "SELECT a FROM t INTO DUMPFILE 'x'"},
    {SQL_INTO, "SELECT a FROM t INTO @x"},
    {SQL_INTO, "SELECT 1 INTO v"},
    {SQL_INTO, "SELECT 1.5INTO @x"},
    {SQL_INTO, "SELECT .5INTO @x"},
    {SQL_INTO, "SELECT 1e+5INTO @x"},
    {SQL_INTO, "SELECT'a'INTO @x"},
    {SQL_INTO, "SELECT`a`INTO @x FROM t"},
    {SQL_INTO, "SELECT \\NINTO @x"},
    {SQL_INTO, "SELECT (1)INTO @x"},
    {SQL_INTO, "SELECT x'41'INTO @x"},
    {SQL_INTO, "SELECT 1/**/INTO/**/@x"},
    {SQL_INTO, "SELECT 1-- x\nINTO @x"},
    {SQL_INTO, "SELECT 1--\x01\nINTO @x"},
    {SQL_INTO, "SELECT 1#x\nINTO @x"},
    {SQL_UNREADABLE, "SELECT 1e5INTO @x"},

    {SQL_USER_VARIABLE, "SELECT @a"},
    {SQL_USER_VARIABLE, "SELECT @a := 1"},
    {SQL_USER_VARIABLE, "SELECT @`a b`, @'c', @\"d\""},
    {SQL_USER_VARIABLE, "SELECT a FROM t WHERE a = @x.y$z"},
    {SQL_USER_VARIABLE, "SELECT @"},
    {SQL_SYSTEM_VARIABLE, "SELECT @@version"},
    {SQL_SYSTEM_VARIABLE, "SELECT @@global.read_only"},
    {SQL_SYSTEM_VARIABLE, "SELECT @@session.`sql_mode`"},
    {SQL_SYSTEM_VARIABLE, "SELECT @@ version"},

    {SQL_SESSION_FUNCTION, "SELECT LAST_INSERT_ID()"},
    {SQL_SESSION_FUNCTION, "SELECT last_insert_id (5)"},
    {SQL_SESSION_FUNCTION, "SELECT CONNECTION_ID()"},
    {SQL_SESSION_FUNCTION, "SELECT GET_LOCK('a', 1)"},
    {SQL_SESSION_FUNCTION, "SELECT RELEASE_LOCK('a'), RELEASE_ALL_LOCKS()"},
    {SQL_SESSION_FUNCTION, "SELECT IS_FREE_LOCK('a')"},
    {SQL_SESSION_FUNCTION, "SELECT IS_USED_LOCK('a')"},
    {SQL_SESSION_FUNCTION, "SELECT FOUND_ROWS()"},
    {SQL_SESSION_FUNCTION, "SELECT 1 FROM t WHERE a = ROW_COUNT()"},

    {SQL_SERVER_FUNCTION, "SELECT USER()"},
    {SQL_SERVER_FUNCTION, "SELECT CURRENT_USER"},
    {SQL_SERVER_FUNCTION, "SELECT CURRENT_USER()"},
    {SQL_SERVER_FUNCTION, "SELECT CURRENT_ROLE"},
    {SQL_SERVER_FUNCTION, "SELECT SESSION_USER(), SYSTEM_USER()"},
    {SQL_SERVER_FUNCTION, "SELECT VERSION()"},
    {SQL_SERVER_FUNCTION, "SELECT LOAD_FILE('/etc/passwd')"},
    {SQL_SERVER_FUNCTION, "SELECT UUID_SHORT()"},
    {SQL_SERVER_FUNCTION, "SELECT MASTER_GTID_WAIT('0-1-1')"},
    {SQL_SERVER_FUNCTION, "SELECT MASTER_POS_WAIT('a', 1)"},

    {SQL_SEQUENCE, "SELECT NEXT VALUE FOR s"},
    {SQL_SEQUENCE, "SELECT PREVIOUS VALUE FOR s"},
    {SQL_SEQUENCE, "SELECT NEXTVAL(s)"},
    {SQL_SEQUENCE, "SELECT LASTVAL(s)"},
    {SQL_SEQUENCE, "SELECT SETVAL(s, 5)"},
    {SQL_SEQUENCE, "SELECT NEXT/**/VALUE/**/FOR s"},

    {SQL_UNKNOWN_FUNCTION, "SELECT f(1)"},
    {SQL_UNKNOWN_FUNCTION, "SELECT f (1)"},
    {SQL_UNKNOWN_FUNCTION, "SELECT `f`(1)"},
    {SQL_UNKNOWN_FUNCTION, "SELECT `concat`(1)"},
    {SQL_UNKNOWN_FUNCTION, "SELECT db.f(1)"},
    {SQL_UNKNOWN_FUNCTION, "SELECT db.concat(1)"},
    {SQL_UNKNOWN_FUNCTION, "SELECT db . concat(1)"},
    {SQL_UNKNOWN_FUNCTION, "SELECT `db`.`concat`(1)"},
    {SQL_UNKNOWN_FUNCTION, "SELECT db.in(1)"},
    {SQL_UNKNOWN_FUNCTION, "SELECT COUNT (*) FROM t"},
    {SQL_UNKNOWN_FUNCTION, "SELECT NOW/**/()"},
    {SQL_UNKNOWN_FUNCTION, "SELECT MAX\n(a) FROM t"},
    {SQL_UNKNOWN_FUNCTION, "SELECT CONCAT(f(1), 'x')"},
    {SQL_UNKNOWN_FUNCTION, "SELECT a FROM t WHERE b IN (SELECT c FROM u WHERE f(1))"},
    {SQL_UNKNOWN_FUNCTION, "SELECT a FROM t ORDER BY f(a)"},
    {SQL_UNKNOWN_FUNCTION, "SELECT DEFAULT(a) FROM t"},
    {SQL_UNKNOWN_FUNCTION, "SELECT POINT(1)"},
    {SQL_UNKNOWN_FUNCTION, "SELECT JSON_TABLE(1)"},
    {SQL_UNKNOWN_FUNCTION, "SELECT JSON_TABLE((1), (2))"},
    {SQL_UNKNOWN_FUNCTION, "SELECT JSON_TABLE(JSON_TABLE(1 COLUMNS (a)))"},
    {SQL_UNKNOWN_FUNCTION, "WITH a AS (SELECT 1) SELECT 1, f(2)"},
    {SQL_UNKNOWN_FUNCTION, "WITH a AS (SELECT 1) SELECT (1), f(2)"},
    {SQL_UNKNOWN_FUNCTION, "WITH a AS (SELECT 1) (SELECT 2) ORDER BY (1), f(2)"},
    {SQL_UNKNOWN_FUNCTION, "WITH a AS (SELECT (1), f(2)) SELECT 1"},
    {SQL_UNKNOWN_FUNCTION, "SELECT a FROM t GROUP BY a WITH ROLLUP ORDER BY (a), f(a)"},
    {SQL_UNKNOWN_FUNCTION, "SELECT (WITH a AS (SELECT 1) SELECT 1), f(2)"},
    {SQL_UNKNOWN_FUNCTION, "SELECT (1), f(2)"},
    {SQL_UNKNOWN_FUNCTION, "VALUES (f(1))"},
    {SQL_UNKNOWN_FUNCTION, "EXPLAIN SELECT f(1)"},
    {SQL_UNKNOWN_FUNCTION, "SELECT caf\xc3\xa9(1)"},

    {SQL_SYSTEM_SCHEMA, "SELECT * FROM information_schema.tables"},
    {SQL_SYSTEM_SCHEMA, "SELECT * FROM INFORMATION_SCHEMA . TABLES"},
    {SQL_SYSTEM_SCHEMA, "SELECT * FROM `information_schema`.`tables`"},
    {SQL_SYSTEM_SCHEMA, "SELECT * FROM mysql.user"},
    {SQL_SYSTEM_SCHEMA, "SELECT * FROM performance_schema.threads"},
    {SQL_SYSTEM_SCHEMA, "SELECT * FROM t JOIN sys.version"},
    {SQL_SYSTEM_SCHEMA, "SELECT * FROM `MySQL`.user"},

    {SQL_FOUND_ROWS, "SELECT SQL_CALC_FOUND_ROWS a FROM t LIMIT 1"},

    {SQL_WRITES, "WITH a AS (SELECT 1) UPDATE t SET a = 1"},
    {SQL_WRITES, "WITH a AS (SELECT 1) DELETE FROM t"},
    {SQL_WRITES, "WITH a AS (SELECT 1) INSERT INTO t SELECT 1"},
    {SQL_WRITES, "WITH a AS (SELECT 1) REPLACE t SELECT 1"},
    {SQL_WRITES, "EXPLAIN UPDATE t SET a = 1"},
    {SQL_WRITES, "EXPLAIN FORMAT=JSON DELETE FROM t"},
    {SQL_WRITES, "EXPLAIN INSERT INTO t VALUES (1)"},
    {SQL_WRITES, "ANALYZE UPDATE t SET a = 1"},
    {SQL_WRITES, "ANALYZE FORMAT=JSON INSERT INTO t VALUES (1)"},
    {SQL_WRITES, "ANALYZE TABLE t"},
    {SQL_WRITES, "ANALYZE LOCAL TABLE t"},
    {SQL_WRITES, "ANALYZE NO_WRITE_TO_BINLOG TABLE t"},
    {SQL_NOT_SELECT, "EXPLAIN t"},
    {SQL_NOT_SELECT, "DESC t"},
    {SQL_NOT_SELECT, "DESC t a"},
    {SQL_NOT_SELECT, "DESCRIBE `t`"},
    {SQL_NOT_SELECT, "DESC format"},
    {SQL_NOT_SELECT, "DESC extended"},
    {SQL_NOT_SELECT, "EXPLAIN"},
    {SQL_NOT_SELECT, "EXPLAIN FOR CONNECTION 5"},
    {SQL_NOT_SELECT, "SELECT a FROM t PROCEDURE ANALYSE ()"},
    {SQL_NOT_SELECT, ""},
    {SQL_NOT_SELECT, " \n"},
    {SQL_NOT_SELECT, "/* nothing */ -- at all"},
    {SQL_NOT_SELECT, "("},
    {SQL_NOT_SELECT, "((("},

    {SQL_SEVERAL, "SELECT 1; SELECT 2"},
    {SQL_SEVERAL, ";SELECT 1"},
    {SQL_SEVERAL, "SELECT 1;;"},
    {SQL_SEVERAL, "SELECT 1; DELETE FROM t"},
    {SQL_SEVERAL, "SELECT 1;(SELECT 2)"},
    {SQL_SEVERAL, "SELECT 1;(("},

    {SQL_UNREADABLE, "SELECT 'abc"},
    {SQL_UNREADABLE, "SELECT \"abc"},
    {SQL_UNREADABLE, "SELECT `abc"},
    {SQL_UNREADABLE, "SELECT 'abc\\'"},
    {SQL_UNREADABLE, "SELECT 'abc\\"},
    {SQL_UNREADABLE, "SELECT 1 /* abc"},
    {SQL_UNREADABLE, "SELECT 1 /*"},
    {SQL_UNREADABLE, "SELECT 1 /* abc *"},
    {SQL_UNREADABLE, "SELECT 1 /*!100700 + 1 */"},
    {SQL_UNREADABLE, "SELECT 1 /*M!110400 + 1 */"},
    {SQL_UNREADABLE, "SELECT 1 /*! + 1"},
    {SQL_UNREADABLE, "SELECT 1 /*! + /*! 1 */"},
    {SQL_UNREADABLE, "SELECT 1 /*!50701 + 1"},
    {SQL_UNREADABLE, "SELECT 1 /*!50701 /* a */ + 1"},
    {SQL_INTO, "SELECT 1 /*! INTO @x */"},
    {SQL_INTO, "SELECT 1 /*!INTO*/ /*!@x*/"},
    {SQL_INTO, "SELECT 1 /*!50699 INTO @x */"},
    {SQL_INTO, "SELECT 1 /*!100600 INTO @x */"},
    {SQL_INTO, "SELECT 1 /*M!50701 INTO @x */"},
    {SQL_INTO, "SELECT 1 /*!50701 /* a */ */ INTO @x"},
    {SQL_INTO, "SELECT 1 /*!99999 ' */ INTO @x -- '"},
    {SQL_UNKNOWN_FUNCTION, "SELECT /*!1+*/ /*!40101 f() */"},
    {SQL_WRITES, "/*!40000 DELETE FROM t */"},
    {SQL_NOT_SELECT, "/*!40101 SET a = 1 */"},
    {SQL_UNREADABLE, "SELECT 1 \x01 FROM t"},
    {SQL_UNREADABLE, "SELECT [a] FROM t"},
    {SQL_UNREADABLE, "SELECT 1 \\ 2"},
    {SQL_UNREADABLE, "SELECT @`abc"},

    {SQL_HINT_PRIMARY, "/* tillway: primary */ SELECT 1"},
    {SQL_HINT_PRIMARY, "SELECT 1 /*tillway:PRIMARY*/"},
    {SQL_HINT_PRIMARY, "SELECT /*\n Tillway:\tprimary\n*/ 1"},
};

static void refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sql_class c = classified_text(rows[i].text);

        check_reason(rows[i].text, &c, rows[i].reason);
        assert_false(sql_is_read(&c));
        assert_int_equal(c.function.n != 0, rows[i].reason == SQL_UNKNOWN_FUNCTION);
    }
}

static void a_nul_is_never_read(void **state)
{
    static const struct span texts[] = {
        ROW_BYTES("SELECT 1\0"),
        ROW_BYTES("SELECT 1 \0 INTO @x"),
        ROW_BYTES("SELECT 1 #\0\nINTO @x"),
        ROW_BYTES("SELECT 1 -- a\0b\n"),
        ROW_BYTES("SELECT `a\0b`"),
        ROW_BYTES("SELECT 1 --\0\n"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct sql_class c = classified(texts[i], (struct sql_mode){.utf8 = true}, false);

        assert_int_not_equal(c.reason, SQL_IS_READ);
    }
    /* … but in a string it is a byte like any other */
    assert_int_equal(
        classified(BYTES("SELECT 'a\0b'"), (struct sql_mode){.utf8 = true}, false).reason,
        SQL_IS_READ);
}

/* The same bytes under different settings of the session. */
static void the_lexis_follows_the_session(void **state)
{
    static const struct {
        struct sql_mode mode;
        enum sql_reason reason;
        const char *text;
    } modes[] = {
        /* the string ends at the second quote or at the third */
        {{0}, SQL_IS_READ, "SELECT 'a\\' INTO @x -- '"},
        {{.no_backslash_escapes = true}, SQL_INTO, "SELECT 'a\\' INTO @x -- '"},
        {{.no_backslash_escapes = true}, SQL_IS_READ, "SELECT 'a\\', 'b\\'"},
        {{0}, SQL_IS_READ, "SELECT \"a\""},
        {{.ansi_quotes = true}, SQL_IS_READ, "SELECT \"a\" FROM \"t\""},
        {{0}, SQL_IS_READ, "SELECT CONCAT(\"a\"\"b\")"},
        {{0}, SQL_IS_READ, "SELECT \"mysql\" FROM t"},
        {{.ansi_quotes = true}, SQL_SYSTEM_SCHEMA, "SELECT * FROM \"mysql\".user"},
        {{.ansi_quotes = true}, SQL_UNKNOWN_FUNCTION, "SELECT \"f\"(1)"},
        {{0}, SQL_IS_READ, "SELECT \"a\\\" INTO @x -- \""},
        {{.ansi_quotes = true}, SQL_INTO, "SELECT \"a\\\" INTO @x -- \""},
        /* 0xA0 is a blank in latin1 */
        {{0}, SQL_UNREADABLE, "SELECT 1\xa0INTO @x"},
        {{0}, SQL_UNREADABLE, "SELECT t.a\xa0INTO OUTFILE 'x' FROM t"},
        {{0}, SQL_UNREADABLE, "SELECT a\xc3\xa9 FROM t"},
        {{.utf8 = true}, SQL_IS_READ, "SELECT a\xc3\xa9 FROM t"},
        {{0}, SQL_IS_READ, "SELECT '\xc3\xa9', `\xe9` FROM t"},
        {{0}, SQL_UNREADABLE, "SELECT 1 --\xa0INTO @x"},
        {{.utf8 = true}, SQL_UNREADABLE, "SELECT 1 --\xa0 'x"},
        /* gbk: 0xBF5C is one character, the quote behind it ends the string */
        {{.pairs = PAIRS_GBK}, SQL_INTO, "SELECT '\xbf\\' INTO @x -- '"},
        {{0}, SQL_IS_READ, "SELECT '\xbf\\' INTO @x -- '"},
        {{.pairs = PAIRS_GBK}, SQL_INTO, "SELECT `\xbf``INTO @x -- `"},
        {{.pairs = PAIRS_GBK}, SQL_IS_READ, "SELECT '\xd6\xd0', `\xd6\xd0` FROM t"},
        {{.pairs = PAIRS_GBK}, SQL_IS_READ, "SELECT '\xbf\x27"},
        {{.pairs = PAIRS_SJIS}, SQL_INTO, "SELECT '\x83\\' INTO @x -- '"},
        {{.pairs = PAIRS_SJIS}, SQL_IS_READ, "SELECT '\xb1\\' INTO @x -- '"},
        {{.pairs = PAIRS_BIG5}, SQL_INTO, "SELECT '\xa5\\' INTO @x -- '"},
        {{.pairs = PAIRS_BIG5}, SQL_IS_READ, "SELECT '\x83\\' INTO @x -- '"},
        /* escaped: the first byte alone, so that the second one escapes the quote */
        {{.pairs = PAIRS_SJIS}, SQL_IS_READ, "SELECT '\\\x83\\' INTO @x -- '"},
        {{.pairs = PAIRS_GBK}, SQL_UNREADABLE, "SELECT '\xbf"},
        {{.unsafe_charset = true}, SQL_UNREADABLE, "SELECT '\xbf\\' INTO @x -- '"},
        {{.unsafe_charset = true}, SQL_UNREADABLE, "SELECT '\xd6\xd0'"},
        {{.unsafe_charset = true}, SQL_IS_READ, "SELECT 'a'"},
        {{.oracle = true}, SQL_IS_READ, "SELECT a, NVL(b, 1) FROM t"},
        {{.oracle = true}, SQL_SEQUENCE, "SELECT s.NEXTVAL FROM DUAL"},
        {{.oracle = true}, SQL_SEQUENCE, "SELECT `s` . `currval`"},
        {{.oracle = true}, SQL_UNKNOWN_FUNCTION, "SELECT pkg.f(1)"},
        {{.oracle = true}, SQL_NOT_SELECT, "p1"},
        {{0}, SQL_IS_READ, "SELECT s.nextval FROM s"},
        {{.oracle = true}, SQL_WRITES, "DELETE FROM t"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct sql_class c = classified(span_of(modes[i].text), modes[i].mode, false);

        check_reason(modes[i].text, &c, modes[i].reason);
    }
}

static void a_cut_text_is_too_long(void **state)
{
    static const struct row cut[] = {
        {SQL_TOO_LONG, "SELECT 1"},           {SQL_TOO_LONG, "SELECT 'abc"},
        {SQL_TOO_LONG, "SELECT 1 /* abc"},    {SQL_WRITES, "INSERT INTO t VALUES ('abc"},
        {SQL_LOCKING, "SELECT a FOR UPDATE"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cut); i++) {
        struct sql_class c =
            classified(span_of(cut[i].text), (struct sql_mode){.utf8 = true}, true);

        check_reason(cut[i].text, &c, cut[i].reason);
    }
}

/* 64 and more levels are more than the scan keeps track of. */
static void deep_nesting(void **state)
{
    char text[256];

    (void)state;
    for (int depth = 60; depth <= 100; depth++) {
        struct sql_class c;
        int n =
            snprintf(text, sizeof(text), "SELECT %.*s1%.*s", depth,
                     "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((("
                     "((((((((((((((((((((((((((((((((",
                     depth,
                     "))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))"
                     "))))))))))))))))))))))))))))))))");

        assert_true(n > 0 && (size_t)n < sizeof(text));
        c = classified_text(text);
        assert_int_equal(c.reason, depth <= 63 ? SQL_IS_READ : SQL_UNREADABLE);
    }
}

static void the_function_is_named(void **state)
{
    static const struct {
        const char *text;
        const char *name;
    } calls[] = {
        {"SELECT f(1)", "f"},
        {"SELECT db.my_fn(1)", "my_fn"},
        {"SELECT `db`.`my fn`(1)", "my fn"},
        {"SELECT CONCAT(a, g(1)), h(2)", "g"},
        {"SELECT JSON_TABLE(1)", "JSON_TABLE"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        struct sql_class c;

        sql_classify(span_of(calls[i].text), (struct sql_mode){0}, false, &c);
        check_span(c.function, calls[i].name);
        assert_true(c.effects & SQL_EFFECT_OPAQUE);
        assert_true(c.writes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),
        cmocka_unit_test(a_nul_is_never_read),
        cmocka_unit_test(the_lexis_follows_the_session),
        cmocka_unit_test(a_cut_text_is_too_long),
        cmocka_unit_test(deep_nesting),
        cmocka_unit_test(the_function_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
