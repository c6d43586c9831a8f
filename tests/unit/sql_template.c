#include "sql/template.h"

#include "tests/unit/check.h"
#include "tests/unit/sql_same.h"

static const struct sql_mode plain = {.utf8 = true};

static const struct {
    const char *text;
    const char *template; /* "": none */
} rows[] = {
    {"SELECT name FROM t WHERE id=42 AND price<19.99 AND kind='it''s'",
     "SELECT name FROM t WHERE id=0 AND price<0.0 AND kind=''"},
    {"select -17, +3,(4),5", "select -0, +0,(0),0"},
    {"select 'a\\'b', \"c\"\"d\"", "select '', \"\""},
    {"select 'a' 'b', 'a'\"b\"", "select '' '', ''\"\""},
    {"select t1.a2 from t1 where t1.1=t1.2.3", "select t1.a2 from t1 where t1.1=t1.2.3"},
    {"select 1e5, 1e+55, 0x1f, 0b11, .5, 12., 1st", "select 1e5, 1e+0, 0x1f, 0b11, .5, 12., 1st"},
    {"select x'1f', b'11', n'a', _utf8'ab', @'v', @1",
     "select x'1f', b'11', n'a', _utf8'ab', @'v', @1"},
    {"select `a 1 '` from `t`", "select `a 1 '` from `t`"},
    {"select 1.2.3, 1..2", "select 1.2.3, 1..2"},
    {"select '\xc3\xa4 \xe2\x82\xac' from \xc3\xa4\x31", "select '' from \xc3\xa4\x31"},
    {"select 1-1, 8/2, 3*4", "select 0-0, 0/0, 0*0"},
    {"select 1 -- 2", ""},
    {"select 1--1", ""},
    {"select 1 # 2", ""},
    {"select /* tillway: timeout=2s */ 1", ""},
    {"select /*!50100 1 */", ""},
    {"select 'a", ""},
    {"select `a", ""},
    {"", ""},
};

static void each_template(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span text = span_of(rows[i].text);
        char out[256] = "";
        size_t n = sql_template(text, plain, (uint8_t *)out);

        out[n] = 0;
        assert_string_equal(out, rows[i].template);
        check_template(text, plain);
    }
}

static size_t length(const char *text, struct sql_mode mode)
{
    uint8_t out[256];

    check_template(span_of(text), mode);
    return sql_template(span_of(text), mode, out);
}

static void by_the_lexis(void **state)
{
    static const char backslash[] = "select '\\' or '1'";

    (void)state;
    assert_int_equal(length("select \"a\"", plain), strlen("select \"\""));
    assert_int_equal(length("select \"a\"", (struct sql_mode){.ansi_quotes = true}),
                     strlen("select \"a\""));
    assert_int_equal(length(backslash, plain), 0);
    assert_int_equal(length(backslash, (struct sql_mode){.no_backslash_escapes = true}),
                     strlen("select '' or ''"));
    assert_int_equal(length("select '\x81\x5c'", (struct sql_mode){.pairs = PAIRS_GBK}),
                     strlen("select ''"));
    assert_int_equal(length("select 1", (struct sql_mode){.unsafe_charset = true}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_template),
        cmocka_unit_test(by_the_lexis),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
