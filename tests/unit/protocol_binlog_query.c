#include "unit/binlog_data.h"

#include "protocol/binlog/binlog_query.h"

static void test_kinds(void **state)
{
    static const struct {
        const char *text;
        enum binlog_query_kind kind;
    } table[] = {
        {"BEGIN", BINLOG_QUERY_BEGIN},
        {"begin not atomic insert into t values (1); end", BINLOG_QUERY_STATEMENT},
        {"COMMIT", BINLOG_QUERY_COMMIT},
        {"COMMIT /* implicit, from Xid_log_event */", BINLOG_QUERY_COMMIT},
        {"ROLLBACK", BINLOG_QUERY_ROLLBACK},
        {"ROLLBACK /* added */", BINLOG_QUERY_ROLLBACK},
        {"ROLLBACK TO `a`", BINLOG_QUERY_ROLLBACK_TO},
        {"rollback work to savepoint a", BINLOG_QUERY_ROLLBACK_TO},
        {"SAVEPOINT `to`", BINLOG_QUERY_SAVEPOINT},
        {"RELEASE SAVEPOINT a", BINLOG_QUERY_RELEASE},
        {"XA START X'78',X'',1", BINLOG_QUERY_XA},
        {"XA END X'78',X'',1", BINLOG_QUERY_XA},
        {"XA COMMIT X'78',X'',1", BINLOG_QUERY_XA_COMMIT},
        {"XA ROLLBACK X'78',X'',1", BINLOG_QUERY_XA_ROLLBACK},
        {"CREATE TABLE t (a INT)", BINLOG_QUERY_DDL},
        {"  /* x */ -- y\n# z\n;alter table t add b int", BINLOG_QUERY_DDL},
        {"/*!40000 ALTER TABLE t DISABLE KEYS */", BINLOG_QUERY_DDL},
        {"/*M!100100 DROP TABLE t */", BINLOG_QUERY_DDL},
        {"SET PASSWORD FOR x = ''", BINLOG_QUERY_DDL},
        {"SET STATEMENT a=1 FOR CREATE TABLE t (a INT)", BINLOG_QUERY_DDL},
        {"SET STATEMENT a='x FOR y', b=\"FOR\" FOR DELETE FROM t", BINLOG_QUERY_STATEMENT},
        {"SET STATEMENT a=1 FOR SET STATEMENT b=2 FOR TRUNCATE t", BINLOG_QUERY_TRUNCATE},
        {"TRUNCATE t", BINLOG_QUERY_TRUNCATE},
        {"INSERT INTO t VALUES (1)", BINLOG_QUERY_STATEMENT},
        {"(SELECT f())", BINLOG_QUERY_STATEMENT},
        {"LOAD DATA INFILE 'x' INTO TABLE t", BINLOG_QUERY_STATEMENT},
        {"/*!50000 insert */ into t values (1)", BINLOG_QUERY_STATEMENT},
        {"CREATED", BINLOG_QUERY_STATEMENT},
        {"", BINLOG_QUERY_STATEMENT},
        {"/* never closed", BINLOG_QUERY_STATEMENT},
        {"SET STATEMENT a='never closed", BINLOG_QUERY_DDL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (binlog_query_kind(span_of(table[i].text)) != table[i].kind)
            fail_msg("%s: %d", table[i].text, (int)binlog_query_kind(span_of(table[i].text)));
    }
}

static void test_savepoints(void **state)
{
    (void)state;
    assert_true(span_eq(binlog_query_savepoint(span_of("SAVEPOINT `a``b`")), "`a``b`"));
    assert_true(span_eq(binlog_query_savepoint(span_of("ROLLBACK TO `to`")), "`to`"));
    assert_true(span_eq(binlog_query_savepoint(span_of("rollback work to savepoint x")), "x"));
    assert_true(span_eq(binlog_query_savepoint(span_of("SAVEPOINT")), ""));
}

static void test_truncated(void **state)
{
    static const struct {
        const char *text, *schema, *name;
    } table[] = {{"TRUNCATE t", "", "t"},
                 {"truncate table `my shop` . `a table` WAIT 5", "my shop", "a table"},
                 {"/* x */ TRUNCATE /* y */ TABLE shop.`Order`", "shop", "Order"},
                 {"SET STATEMENT a=1 FOR TRUNCATE TABLE x", "", "x"}};
    struct binlog_query_table t;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        assert_true(binlog_query_truncated(span_of(table[i].text), &t));
        assert_true(span_eq(t.schema, table[i].schema));
        assert_true(span_eq(t.name, table[i].name));
    }
    assert_false(binlog_query_truncated(span_of("DROP TABLE t"), &t));
    assert_false(binlog_query_truncated(span_of("TRUNCATE"), &t));
    assert_false(binlog_query_truncated(span_of("TRUNCATE TABLE"), &t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_savepoints),
        cmocka_unit_test(test_truncated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
