/* Kinds, effects, hints and KILL. */
#include "tests/unit/sql_check.h"

enum {
    NONE = 0,
    OPAQUE = SQL_EFFECT_OPAQUE,
    USERVAR = SQL_EFFECT_USER_VARIABLE,
    TEMPORARY = SQL_EFFECT_TEMPORARY,
    LOCK = SQL_EFFECT_LOCK,
    ROLE = SQL_EFFECT_ROLE,
    PREPARE = SQL_EFFECT_PREPARE,
    XA = SQL_EFFECT_XA,
    UNLOCK = SQL_EFFECT_UNLOCK,
    SET = SQL_EFFECT_SET,
    ASKS = SQL_EFFECT_ASKS_WARNINGS,
    ASKS_ROWS = SQL_EFFECT_ASKS_ROW_COUNT,
    ASKS_FOUND = SQL_EFFECT_ASKS_FOUND_ROWS,
    STATUS = SQL_EFFECT_STATUS,
    UNTRACKED = SQL_EFFECT_UNTRACKED,
    TRACKING = SQL_EFFECT_TRACKING,
    RESTORES = SQL_EFFECT_RESTORES,
};

static const struct {
    enum sql_kind kind;
    unsigned effects;
    bool writes;
    const char *text;
} rows[] = {
    {SQL_INSERT, NONE, true, "INSERT INTO t (a, b) VALUES (1, 2)"},
    {SQL_INSERT, NONE, true, "INSERT INTO `t` (a) SELECT a FROM u ON DUPLICATE KEY UPDATE a = 1"},
    {SQL_INSERT, NONE, true, "INSERT INTO t VALUES (CONCAT('a', f(1)))"},
    {SQL_INSERT, LOCK, true, "INSERT INTO t VALUES (GET_LOCK('a', 1))"},
    {SQL_INSERT, USERVAR, true, "INSERT INTO t VALUES (@a := 5)"},
    {SQL_INSERT, NONE, true, "INSERT INTO t VALUES (@a)"},
    {SQL_UPDATE, NONE, true, "UPDATE t SET a = a + 1 WHERE b = @x"},
    {SQL_UPDATE, USERVAR, true, "UPDATE t SET a = @x := a + 1"},
    {SQL_DELETE, NONE, true, "DELETE FROM t WHERE a IN (SELECT b FROM u)"},
    {SQL_REPLACE, NONE, true, "REPLACE INTO t VALUES (1)"},
    {SQL_LOAD, NONE, true, "LOAD DATA LOCAL INFILE 'x' INTO TABLE t (a, b)"},
    {SQL_LOAD, USERVAR, true, "LOAD DATA INFILE 'x' INTO TABLE t (a, @b) SET c = @b"},
    {SQL_CALL, OPAQUE, true, "CALL p()"},
    {SQL_CALL, OPAQUE | USERVAR, true, "CALL db.p(1, @x)"},
    {SQL_DDL, NONE, true, "CREATE TABLE t (a INT DEFAULT (f(1)))"},
    {SQL_DDL, TEMPORARY, true, "CREATE TEMPORARY TABLE t (a INT)"},
    {SQL_DDL, TEMPORARY, true, "CREATE OR REPLACE TEMPORARY TABLE t AS SELECT 1"},
    {SQL_DDL, TEMPORARY, true, "CREATE TEMPORARY SEQUENCE s"},
    {SQL_DDL, NONE, true, "CREATE TABLE temporary (a INT)"},
    {SQL_DDL, TEMPORARY, true, "DROP TEMPORARY TABLE t"},
    {SQL_DDL, NONE, true, "DROP TABLE t"},
    {SQL_DDL, NONE, true, "CREATE DEFINER=`a`@`%` VIEW v AS SELECT 1"},
    {SQL_DDL, NONE, true, "ALTER TABLE t ADD COLUMN b INT"},
    {SQL_DDL, NONE, true, "RENAME TABLE a TO b"},
    {SQL_DDL, NONE, true, "TRUNCATE t"},
    {SQL_DDL, NONE, true, "GRANT SELECT ON *.* TO a@b"},
    {SQL_DDL, NONE, true, "REVOKE ALL ON a.* FROM b"},
    {SQL_DDL, NONE, true, "OPTIMIZE TABLE t"},
    {SQL_DDL, NONE, true, "ANALYZE TABLE t"},

    {SQL_BEGIN, NONE, false, "BEGIN"},
    {SQL_BEGIN, NONE, false, "BEGIN WORK"},
    {SQL_BEGIN, NONE, false, "START TRANSACTION"},
    {SQL_BEGIN, NONE, false, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"},
    {SQL_OTHER, NONE, false, "START SLAVE"},
    {SQL_COMMIT, NONE, false, "COMMIT AND CHAIN"},
    {SQL_ROLLBACK, NONE, false, "ROLLBACK"},
    {SQL_ROLLBACK, NONE, false, "ROLLBACK WORK"},
    {SQL_OTHER, NONE, false, "ROLLBACK TO a"},
    {SQL_OTHER, NONE, false, "ROLLBACK WORK TO SAVEPOINT a"},
    {SQL_OTHER, NONE, false, "SAVEPOINT a"},
    {SQL_OTHER, NONE, false, "RELEASE SAVEPOINT a"},
    {SQL_OTHER, XA, false, "XA START 'x'"},

    {SQL_SET, SET, false, "SET a = 1"},
    {SQL_SET, SET, false, "SET SESSION a = 1, b = 'x,y'"},
    {SQL_SET, SET, false, "SET @@session.a = 1, @@LOCAL.b = 2"},
    {SQL_SET, SET, false, "SET @@global . a = 1"},
    {SQL_SET, SET | UNTRACKED, false, "SET @@a = 1"},
    {SQL_SET, SET | UNTRACKED, false, "SET b = 2, @@sessiona := 1"},
    {SQL_SET, SET | UNTRACKED | USERVAR, false, "SET @a = @@a, @@a = @a"},
    {SQL_SET, SET | USERVAR, false, "SET b = @@a, @a = @@a"},
    {SQL_SET, SET, false, "SET NAMES utf8mb4"},
    {SQL_SET, SET | TRACKING, false, "SET session_track_system_variables = ''"},
    {SQL_SET, SET | TRACKING, false, "SET a = 1, SESSION Session_Track_Schema = 0"},
    {SQL_SET, SET | TRACKING, false, "SET @@session.session_track_state_change = 0"},
    {SQL_SET, SET | UNTRACKED | TRACKING, false, "SET @@`session_track_schema` = 0"},
    {SQL_SET, SET | TRACKING, false, "SET a = @@session_track_schema"},
    {SQL_SELECT, TRACKING, false, "SELECT @@session.session_track_state_change"},
    {SQL_SHOW, TRACKING, false, "SHOW SESSION VARIABLES LIKE 'a%'"},
    {SQL_SHOW, NONE, false, "SHOW CREATE TABLE session_track"},
    {SQL_SET, SET, false, "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_bin'"},
    {SQL_SET, SET, false, "SET NAMES utf8mb4 COLLATE DEFAULT"},
    {SQL_SET, SET | UNTRACKED, false, "SET NAMES DEFAULT"},
    {SQL_SET, SET | UNTRACKED, false, "SET NAMES utf8mb4 COLLATE 'a''b'"},
    {SQL_SET, SET | UNTRACKED, false, "SET NAMES utf8mb4 COLLATE utf8mb4_bin; SELECT 1"},
    {SQL_SET, SET | UNTRACKED, false, "SET CHARACTER SET utf8mb4"},
    {SQL_SET, SET | UNTRACKED | USERVAR, false, "SET @a = 1, CHARSET 'utf8mb4'"},
    {SQL_SET, SET, false, "SET autocommit = 0"},
    {SQL_SET, SET, false, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"},
    {SQL_SET, SET, false, "SET SESSION TRANSACTION READ ONLY"},
    {SQL_SET, USERVAR, false, "SET @a = 1"},
    {SQL_SET, USERVAR, false, "SET @a := (SELECT MAX(a) FROM t), @b = 2"},
    {SQL_SET, USERVAR | SET, false, "SET @a = 1, sql_mode = ''"},
    {SQL_SET, USERVAR | SET, false, "SET sql_mode = '', @a = 1"},
    {SQL_SET, SET | USERVAR, false, "SET sql_mode = @old"},
    {SQL_SET, ROLE, false, "SET ROLE admin"},
    {SQL_SET, ROLE, false, "SET ROLE NONE"},
    {SQL_SET, NONE, true, "SET PASSWORD = PASSWORD('x')"},
    {SQL_SET, NONE, true, "SET DEFAULT ROLE admin"},
    {SQL_SET, SET | OPAQUE, true, "SET sql_mode = f(1)"},
    {SQL_OTHER, SET | RESTORES, false, "SET STATEMENT max_statement_time = 1 FOR SELECT 1"},
    {SQL_OTHER, SET | RESTORES, true, "SET STATEMENT a = 1, b = (2) FOR INSERT INTO t VALUES (1)"},
    {SQL_OTHER, SET | RESTORES | OPAQUE, true, "SET STATEMENT a = 1 FOR CALL p()"},
    {SQL_OTHER, SET | LOCK | RESTORES, false, "SET STATEMENT a = 1 FOR SELECT GET_LOCK('a', 1)"},

    {SQL_USE, NONE, false, "USE db"},
    {SQL_SHOW, STATUS, false, "SHOW STATUS LIKE 'a%'"},
    {SQL_SHOW, STATUS, false, "SHOW LOCAL STATUS"},
    {SQL_SHOW, NONE, false, "SHOW GLOBAL STATUS"},
    {SQL_SHOW, NONE, false, "SHOW TABLE STATUS"},
    {SQL_SHOW, NONE, false, "SHOW TABLES"},
    {SQL_SHOW, NONE, false, "SHOW CREATE TABLE t"},
    {SQL_SHOW, ASKS, false, "SHOW WARNINGS"},
    {SQL_SHOW, ASKS, false, "SHOW COUNT(*) ERRORS"},
    {SQL_OTHER, ASKS, false, "GET DIAGNOSTICS CONDITION 1 x = MESSAGE_TEXT"},
    {SQL_OTHER, ASKS | USERVAR, false, "GET DIAGNOSTICS @n = NUMBER"},
    {SQL_SELECT, ASKS_ROWS, false, "SELECT ROW_COUNT()"},
    {SQL_SELECT, ASKS_FOUND, false, "SELECT FOUND_ROWS()"},
    {SQL_SELECT, ASKS, false, "SELECT @@warning_count"},
    {SQL_SELECT, ASKS, false, "SELECT @@session.Error_Count"},
    {SQL_SELECT, LOCK, false, "SELECT GET_LOCK('a', 1)"},
    {SQL_SELECT, UNLOCK, false, "SELECT RELEASE_LOCK('a')"},
    {SQL_SELECT, USERVAR, false, "SELECT @a := 1"},
    {SQL_SELECT, NONE, false, "SELECT @a"},
    {SQL_SELECT, USERVAR, false, "SELECT a, b INTO @a, @b FROM t"},
    {SQL_SELECT, NONE, false, "SELECT a FROM t FOR UPDATE"},
    {SQL_SELECT, OPAQUE, true, "SELECT f(1)"},
    {SQL_SELECT, OPAQUE, true, "SELECT @x, f(1)"},
    {SQL_SELECT, NONE, true, "SELECT NEXT VALUE FOR s"},
    {SQL_SELECT, NONE, true, "SELECT 'unfinished"},
    {SQL_OTHER, OPAQUE, true, "DO f(1)"},
    {SQL_OTHER, UNLOCK, false, "DO RELEASE_LOCK('a')"},
    {SQL_OTHER, NONE, false, "DO SLEEP(0)"},

    {SQL_OTHER, LOCK, false, "LOCK TABLES t READ"},
    {SQL_OTHER, UNLOCK, false, "UNLOCK TABLES"},
    {SQL_OTHER, LOCK, true, "FLUSH TABLES WITH READ LOCK"},
    {SQL_OTHER, LOCK, true, "FLUSH TABLES t FOR EXPORT"},
    {SQL_OTHER, NONE, true, "FLUSH PRIVILEGES"},
    {SQL_OTHER, STATUS, true, "FLUSH LOCAL STATUS"},
    {SQL_OTHER, LOCK, false, "HANDLER t OPEN"},
    {SQL_OTHER, NONE, false, "HANDLER t READ FIRST"},
    {SQL_OTHER, LOCK, false, "BACKUP STAGE START"},
    {SQL_OTHER, PREPARE, false, "PREPARE s FROM 'SELECT 1'"},
    {SQL_OTHER, PREPARE, false, "DEALLOCATE PREPARE s"},
    {SQL_OTHER, PREPARE, true, "DROP PREPARE s"},
    {SQL_OTHER, OPAQUE, true, "EXECUTE s"},
    {SQL_OTHER, OPAQUE, true, "EXECUTE IMMEDIATE 'SELECT 1'"},
    {SQL_OTHER, OPAQUE, true, "BEGIN NOT ATOMIC SELECT 1; END"},
    {SQL_OTHER, OPAQUE, true, "IF 1 THEN SELECT 1; END IF"},
    {SQL_OTHER, OPAQUE, true, "here: BEGIN NOT ATOMIC SELECT 1; END"},
    {SQL_OTHER, OPAQUE, true, "FROBNICATE t"},
    {SQL_OTHER, OPAQUE, true, "42"},
    {SQL_OTHER, OPAQUE, true, "a/KILL 1"},
    {SQL_OTHER, NONE, false, "HELP 'select'"},
    {SQL_OTHER, NONE, false, "CHECKSUM TABLE t"},
    {SQL_EMPTY, NONE, false, ""},
    {SQL_EMPTY, NONE, false, " -- nothing"},
    {SQL_EMPTY, NONE, false, ";"},

    {SQL_SET, SET | USERVAR, false, "/*!40101 SET @old = @@sql_mode, sql_mode = '' */"},
    {SQL_SET, SET, false, "/*!40101 SET NAMES utf8 */;"},
};

static void kinds_and_effects(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sql_class c = classified_text(rows[i].text);

        if (c.kind != rows[i].kind || c.effects != rows[i].effects || c.writes != rows[i].writes)
            print_error("%s\n    got: %s, effects %x, writes %d\n", rows[i].text,
                        sql_kind_name(c.kind), c.effects, c.writes);
        assert_int_equal(c.kind, rows[i].kind);
        assert_int_equal(c.effects, rows[i].effects);
        assert_int_equal(c.writes, rows[i].writes);
        assert_int_not_equal(c.reason, SQL_IS_READ);
    }
}

static void kill(void **state)
{
    static const struct {
        const char *text;
        bool simple;
        bool query;
        uint64_t id;
    } kills[] = {
        {"KILL 5", true, false, 5},
        {"kill 5;", true, false, 5},
        {"KILL CONNECTION 5", true, false, 5},
        {"KILL QUERY 7", true, true, 7},
        {"KILL HARD QUERY 7", true, true, 7},
        {"KILL SOFT CONNECTION 7", true, false, 7},
        {"KILL SOFT 7", true, false, 7},
        {"KILL 18446744073709551615", true, false, UINT64_MAX},
        {"KILL 18446744073709551616", false, false, 0},
        {"KILL QUERY ID 7", false, true, 7},
        {"KILL USER a", false, false, 0},
        {"KILL @x", false, false, 0},
        {"KILL 5 + 1", false, false, 5},
        {"KILL 5, 6", false, false, 5},
        {"KILL -5", false, false, 5},
        {"KILL 0x5", false, false, 0},
        {"KILL (5)", false, false, 5},
        {"KILL", false, false, 0},
        {"KILL QUERY", false, true, 0},
        {"KILL 5; KILL 6", false, false, 5},
        {"KILL /*!5*/", true, false, 5},
        {"KILL /*!110700 5*/", false, false, 5},
        {"KILL 5 'x", false, false, 5},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kills); i++) {
        struct sql_class c = classified_text(kills[i].text);

        assert_int_equal(c.kind, SQL_KILL);
        assert_int_equal(c.kill.simple, kills[i].simple);
        if (c.kill.simple) {
            assert_int_equal(c.kill.query, kills[i].query);
            assert_true(c.kill.id == kills[i].id);
        }
    }
}

static void kill_of_a_user(void **state)
{
    static const struct {
        const char *text;
        bool by_user;
        const char *user;
        const char *host; /* NULL: not said */
        bool query;
    } kills[] = {
        {"KILL USER a", true, "a", NULL, false},
        {"kill hard query user 'a b';", true, "a b", NULL, true},
        {"KILL SOFT CONNECTION USER `a`", true, "a", NULL, false},
        {"KILL USER a@'%'", true, "a", "%", false},
        {"KILL USER 'a'@`10.0.0.1`", true, "a", "10.0.0.1", false},
        {"KILL USER a@localhost", true, "a", "localhost", false},
        {"KILL USER \"a\"@\"b\"", true, "a", "b", false},
        {"KILL USER ''", true, "", NULL, false},
        {"KILL USER a@''", true, "a", "", false},
        {"KILL USER CURRENT_USER", true, "CURRENT_USER", NULL, false},
        {"KILL QUERY USER current_user()", true, "current_user", NULL, true},
        {"KILL USER CURRENT_USER(", false, NULL, NULL, false},
        {"KILL USER CURRENT_USER)", false, NULL, NULL, false},
        {"KILL USER a()", false, NULL, NULL, false},
        {"KILL USER a, b", false, NULL, NULL, false},
        {"KILL USER a@b@c", false, NULL, NULL, false},
        {"KILL USER 'a\\'b'", false, NULL, NULL, false},
        {"KILL USER 'a''b'", false, NULL, NULL, false},
        {"KILL USER", false, NULL, NULL, false},
        {"KILL USER 5", false, NULL, NULL, false},
        {"KILL USER @x", false, NULL, NULL, false},
        {"KILL 5 USER a", false, NULL, NULL, false},
        {"KILL USER a; KILL USER b", false, NULL, NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kills); i++) {
        struct sql_class c = classified_text(kills[i].text);

        assert_int_equal(c.kind, SQL_KILL);
        assert_false(c.kill.simple);
        if (c.kill.by_user != kills[i].by_user)
            fail_msg("%s", kills[i].text);
        if (!kills[i].by_user)
            continue;
        assert_true(span_eq(c.kill.user, kills[i].user));
        assert_int_equal(c.kill.host.p != NULL, kills[i].host != NULL);
        assert_true(!kills[i].host || span_eq(c.kill.host, kills[i].host));
        assert_int_equal(c.kill.query, kills[i].query);
    }
}

static void hints(void **state)
{
    static const struct {
        const char *text;
        enum sql_reason reason;
        bool replica;
    } hinted[] = {
        {"/* tillway: replica */ SELECT 1", SQL_IS_READ, true},
        {"SELECT 1 /*TILLWAY:Replica*/", SQL_IS_READ, true},
        {"/* tillway: replica */ DELETE FROM t", SQL_WRITES, true},
        {"/* tillway: primary */ DELETE FROM t", SQL_WRITES, false},
        {"/* tillway: primary */ SELECT 1", SQL_HINT_PRIMARY, false},
        {"/* tillway: primary */ SELECT 1 /* tillway: replica */", SQL_HINT_PRIMARY, true},
        {"/* tillway: primaries */ SELECT 1", SQL_IS_READ, false},
        {"/* not tillway: primary */ SELECT 1", SQL_IS_READ, false},
        {"/* tillway */ SELECT 1", SQL_IS_READ, false},
        {"-- tillway: primary\nSELECT 1", SQL_IS_READ, false},
        {"SELECT '/* tillway: primary */'", SQL_IS_READ, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hinted); i++) {
        struct sql_class c = classified_text(hinted[i].text);

        check_reason(hinted[i].text, &c, hinted[i].reason);
        assert_int_equal(c.hints.replica, hinted[i].replica);
    }
}

static void hints_with_values(void **state)
{
    static const struct {
        const char *text;
        const char *server;
        uint32_t timeout_ms;
        enum sql_hint_consistency consistency;
    } asked[] = {
        {"/* tillway: server=db2 */ SELECT 1", "db2", 0, SQL_HINT_NONE},
        {"/* tillway: server = db2 , timeout=2s */ SELECT 1", "db2", 2000, SQL_HINT_NONE},
        {"SELECT 1 /* tillway:timeout=150ms,consistency=global*/", "", 150, SQL_HINT_GLOBAL},
        {"SELECT 1 /* tillway: TIMEOUT=7 */", "", 7, SQL_HINT_NONE},
        {"SELECT 1 /* tillway: timeout=7h */", "", 0, SQL_HINT_NONE},
        {"SELECT 1 /* tillway: timeout=99999999999999999999 */", "", 0, SQL_HINT_NONE},
        {"SELECT 1 /* tillway: consistency=eventual */", "", 0, SQL_HINT_EVENTUAL},
        {"SELECT 1 /* tillway: consistency=session */", "", 0, SQL_HINT_SESSION},
        {"SELECT 1 /* tillway: consistency=, server, ,=,,timeout */", "", 0, SQL_HINT_NONE},
        {"SELECT 1 /* tillway: */", "", 0, SQL_HINT_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        struct sql_class c;

        sql_classify(span_of(asked[i].text), (struct sql_mode){.utf8 = true}, false, &c);
        check_reason(asked[i].text, &c, SQL_IS_READ);
        check_span(c.hints.server, asked[i].server);
        assert_int_equal(c.hints.timeout_ms, asked[i].timeout_ms);
        assert_int_equal(c.hints.consistency, asked[i].consistency);
    }
}

static void collations(void **state)
{
    static const char *const named[][2] = {
        {"SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci", "utf8mb4_unicode_ci"},
        {"set names 'utf8mb4' collate 'utf8mb4_unicode_ci';", "utf8mb4_unicode_ci"},
        {"SET NAMES \"utf8mb4\" COLLATE `utf8mb4_bin`", "utf8mb4_bin"},
        {"SET sql_mode = '', NAMES utf8mb4 COLLATE utf8mb4_bin, @a = 1", "utf8mb4_bin"},
        {"SET NAMES utf8mb4", ""},
        {"SET NAMES utf8mb4 COLLATE DEFAULT", ""},
        {"SELECT 'a' COLLATE utf8mb4_bin", ""},
        {"SET @a = 'x' COLLATE utf8mb4_bin", ""},
        {"SET NAMES utf8mb4, @a = 'x' COLLATE utf8mb4_bin", ""},
        {"SET NAMES utf8mb4 COLLATE utf8mb4_bin; SELECT 1", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(named); i++) {
        struct sql_class c;

        sql_classify(span_of(named[i][0]), (struct sql_mode){0}, false, &c);
        assert_string_equal(c.collation, named[i][1]);
    }
}

static void words_for_all(void **state)
{
    (void)state;
    for (int r = 0; r < SQL_REASON_COUNT; r++)
        assert_true(strlen(sql_reason_text((enum sql_reason)r)) > 0);
    for (int k = 0; k < SQL_KIND_COUNT; k++)
        assert_true(strlen(sql_kind_name((enum sql_kind)k)) > 0);
}

static void system_schemas(void **state)
{
    (void)state;
    assert_true(sql_is_system_schema(span_of("mysql")));
    assert_true(sql_is_system_schema(span_of("Information_Schema")));
    assert_true(sql_is_system_schema(span_of("performance_schema")));
    assert_true(sql_is_system_schema(span_of("sys")));
    assert_false(sql_is_system_schema(span_of("mysql2")));
    assert_false(sql_is_system_schema(span_of("mysq")));
    assert_false(sql_is_system_schema((struct span){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_and_effects), cmocka_unit_test(kill),
        cmocka_unit_test(kill_of_a_user),    cmocka_unit_test(hints),
        cmocka_unit_test(hints_with_values), cmocka_unit_test(words_for_all),
        cmocka_unit_test(system_schemas),    cmocka_unit_test(collations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
