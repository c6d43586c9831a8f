#include "sql/fingerprint.h"

#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>

static const struct sql_mode plain = {.utf8 = true};

static const struct {
    const char *text;
    const char *shape;
} shapes[] = {
    {"SELECT  *\n FROM Orders WHERE id=5", "select * from orders where id = ?"},
    {"select a,b from t where x='it''s' and y >= -1.5e3",
     "select a, b from t where x = ? and y >= ?"},
    {"select a-1, a - -1, -a, +2", "select a - ?, a - ?, - a, ?"},
    {"select `Key`, t . `a`, t.b, t.* from s.t", "select `Key`, t.`a`, t.b, t.* from s.t"},
    {"select /* c */ 1 -- end", "select ?"},
    {"select 1;", "select ?"},
    {"select 1; ; select 2;", "select ?;; select ?"},
    {"select * from t where a in (1, 'b', ?, -3)", "select * from t where a in (...)"},
    {"select * from t where a in (1)", "select * from t where a in (...)"},
    {"select * from t where a in (1, b, 2,c)", "select * from t where a in (?, b, ?, c)"},
    {"select * from t where (a, b) in ((1,2),(3,4))", "select * from t where (a, b) in ((...))"},
    {"insert into t (a,b) values (1,2),(3,4) , (5,6)", "insert into t(a, b) values (...)"},
    {"insert into t values (1,2), (now(),4), (5,6)",
     "insert into t values (...), (now(), ?), (...)"},
    {"insert into t values (1) on duplicate key update a=values(a)",
     "insert into t values (...) on duplicate key update a = values (a)"},
    {"select f(1, 2), count(*), if(a,1,2)", "select f(?, ?), count(*), if(a, ?, ?)"},
    {"select (1), (2) from t", "select (...) from t"},
    {"select (1, 2", "select (?, ?"},
    {"select (1,", "select (?,"},
    {"select (1), from t", "select (...), from t"},
    {"values (1),(2)", "values (...)"},
    {"select a||b, a<>b, a<=>b, a!=b, a&&b", "select a || b, a <> b, a <=> b, a != b, a && b"},
    {"set @A:=1, @@Session.x=2", "set @a := ?, @@session.x = ?"},
    {"select x'1f', _utf8'a' 'b'", "select ?, _utf8 ? ?"},
    {"select 'unfinished", "select ?"},
    {"select 1 -", "select ? -"},
    {"select -", "select -"},
    {"select 1 limit 10, 20", "select ? limit ?, ?"},
    {"select /*!40001 SQL_NO_CACHE */ a from t", "select sql_no_cache a from t"},
    {"", ""},
    {" /* nothing */ ;", ""},
};

static void each_shape(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct buf out = buf_with_max(1 << 12);
        uint64_t digest = sql_normalise(span_of(shapes[i].text), plain, &out);

        assert_string_equal(buf_text(&out), shapes[i].shape);
        assert_true(digest == sql_fingerprint(span_of(shapes[i].text), plain));
        buf_free(&out);
    }
}

static uint64_t of(const char *text)
{
    return sql_fingerprint(span_of(text), plain);
}

static void values_do_not_count(void **state)
{
    (void)state;
    assert_true(of("select a from t where b = 1") == of("SELECT a FROM t WHERE b = -17 -- x"));
    assert_true(of("select a from t where b in (1,2)") == of("select a from t where b in (3)"));
    assert_false(of("select a from t where b = 1") == of("select a from t where c = 1"));
    assert_false(of("select a from t") == of("select a from `t`"));
}

/* Kept in configuration files: it must not change. */
static void digest_is_fixed(void **state)
{
    (void)state;
    assert_true(of("select 1") == UINT64_C(0x61a0463a1c92eb55));
}

/* Longer than what is hashed at a time: every byte counts, wherever it stands. */
static void long_texts(void **state)
{
    enum { N = 3000 };
    char *text = malloc(N + 1);
    uint64_t whole;

    (void)state;
    assert_non_null(text);
    (void)snprintf(text, N + 1, "select %0*d", N - 7, 0);
    memset(text + 7, 'a', N - 7);
    whole = of(text);
    for (size_t i = 7; i < N; i += 97) {
        text[i] = 'b';
        assert_false(of(text) == whole);
        text[i] = 'a';
    }
    assert_true(of(text) == whole);
    free(text);
}

static void no_room(void **state)
{
    struct buf out = buf_with_max(4);

    (void)state;
    assert_true(sql_normalise(span_of("select a"), plain, &out) == of("select a"));
    assert_false(buf_ok(&out));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_shape),      cmocka_unit_test(values_do_not_count),
        cmocka_unit_test(digest_is_fixed), cmocka_unit_test(long_texts),
        cmocka_unit_test(no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
