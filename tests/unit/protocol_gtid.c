#include "protocol/gtid.h"
#include "tests/unit/check.h"

#include <stdio.h>

static struct gtid_set set_of(const char *text)
{
    struct gtid_set s;

    assert_true(gtid_set_parse(span_of(text), &s));
    return s;
}

static void check_text(const struct gtid_set *s, const char *expected)
{
    char text[GTID_SET_TEXT_MAX];

    gtid_set_format(s, text, sizeof text);
    assert_string_equal(text, expected);
}

static void single(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        struct gtid g;
    } rows[] = {
        {"0-1-42", true, {0, 1, 42}},
        {"4294967295-4294967295-18446744073709551615", true, {UINT32_MAX, UINT32_MAX, UINT64_MAX}},
        {"00-01-042", true, {0, 1, 42}},
        {"", false, {0, 0, 0}},
        {"0-1", false, {0, 0, 0}},
        {"0-1-", false, {0, 0, 0}},
        {"-1-2", false, {0, 0, 0}},
        {"0-1-2-3", false, {0, 0, 0}},
        {"0-1-2 ", false, {0, 0, 0}},
        {" 0-1-2", false, {0, 0, 0}},
        {"0-1-2,1-1-1", false, {0, 0, 0}},
        {"4294967296-1-1", false, {0, 0, 0}},
        {"1-4294967296-1", false, {0, 0, 0}},
        {"0-1-18446744073709551616", false, {0, 0, 0}},
        {"0-1-99999999999999999999", false, {0, 0, 0}},
        {"0-+1-2", false, {0, 0, 0}},
        {"0x1-1-1", false, {0, 0, 0}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct gtid g;

        assert_int_equal(gtid_parse(span_of(rows[i].text), &g), rows[i].ok);
        if (rows[i].ok) {
            assert_int_equal(g.domain, rows[i].g.domain);
            assert_int_equal(g.server, rows[i].g.server);
            assert_int_equal(g.seq, rows[i].g.seq);
        }
    }
}

static void sets(void **state)
{
    static const struct {
        const char *text;
        const char *formatted; /* NULL: refused */
    } rows[] = {
        {"", ""},
        {" \n", ""},
        {"0-1-42", "0-1-42"},
        {"1-7-3,0-1-42", "0-1-42,1-7-3"},
        {"0-1-42,\n1-7-3", "0-1-42,1-7-3"},
        {" 0-1-42 , 1-7-3 ", "0-1-42,1-7-3"},
        {",", NULL},
        {"0-1-42,", NULL},
        {"0-1-42,,1-1-1", NULL},
        {"0-1-42 1-1-1", NULL},
        {"0-1-42,0-2-43", NULL}, /* a position has one GTID a domain */
        {"0-1", NULL},
        {"0-1-2\xff", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct gtid_set s;

        assert_int_equal(gtid_set_parse(span_of(rows[i].text), &s), rows[i].formatted != NULL);
        if (rows[i].formatted)
            check_text(&s, rows[i].formatted);
    }
}

static void the_longest_text_fits(void **state)
{
    struct gtid_set s = {0};
    struct gtid_set again;
    char text[GTID_SET_TEXT_MAX];

    (void)state;
    for (uint32_t i = 0; i < GTID_DOMAINS_MAX; i++) {
        struct gtid g = {UINT32_MAX - i, UINT32_MAX, UINT64_MAX};

        assert_true(gtid_set_put(&s, &g));
    }
    gtid_set_format(&s, text, sizeof text);
    assert_true(gtid_set_parse(span_of(text), &again));
    assert_true(gtid_set_equal(&s, &again));
}

static void too_many_domains(void **state)
{
    struct gtid_set s = {0};
    struct gtid_set more = set_of("99-1-1");
    struct gtid g = {0, 1, 1};
    char text[400] = "";
    size_t at = 0;

    (void)state;
    for (g.domain = 0; g.domain < GTID_DOMAINS_MAX; g.domain++)
        assert_true(gtid_set_advance(&s, &g));
    assert_false(gtid_set_advance(&s, &g));
    assert_false(gtid_set_put(&s, &g));
    assert_false(gtid_set_merge(&s, &more));
    assert_int_equal(s.count, GTID_DOMAINS_MAX);
    g.domain = 3;
    g.seq = 9;
    assert_true(gtid_set_advance(&s, &g));
    for (unsigned i = 0; i <= GTID_DOMAINS_MAX; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%u-1-1", i ? "," : "", i);
    assert_false(gtid_set_parse(span_of(text), &s));
}

static void advance_never_goes_back(void **state)
{
    struct gtid_set s = set_of("1-1-10");
    const struct gtid back = {1, 2, 9};
    const struct gtid on = {1, 3, 11};
    const struct gtid fresh = {0, 1, 1};

    (void)state;
    assert_true(gtid_set_advance(&s, &back));
    check_text(&s, "1-1-10");
    assert_true(gtid_set_advance(&s, &on));
    assert_true(gtid_set_advance(&s, &fresh));
    check_text(&s, "0-1-1,1-3-11");
    assert_true(gtid_set_put(&s, &back));
    check_text(&s, "0-1-1,1-2-9");
}

static void merging_takes_the_larger(void **state)
{
    struct gtid_set a = set_of("0-1-5,2-1-9,4-1-1");
    struct gtid_set b = set_of("0-2-6,1-1-1,2-2-8");

    (void)state;
    assert_true(gtid_set_merge(&a, &b));
    check_text(&a, "0-2-6,1-1-1,2-1-9,4-1-1");
    assert_true(gtid_set_merge(&a, &a));
    check_text(&a, "0-2-6,1-1-1,2-1-9,4-1-1");
}

static void covering(void **state)
{
    static const struct {
        const char *have;
        const char *need;
        bool covers;
    } rows[] = {
        {"", "", true},
        {"0-1-5", "", true},
        {"", "0-1-5", false},
        {"0-1-5", "0-1-5", true},
        {"0-1-5", "0-2-5", true}, /* the sequence counts, not who wrote it */
        {"0-1-4", "0-1-5", false},
        {"0-1-9,1-1-1", "0-1-5", true},
        {"0-1-9", "0-1-5,1-1-1", false},
        {"0-1-9,2-1-1", "1-1-1", false},
        {"0-1-9", "1-1-0", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct gtid_set have = set_of(rows[i].have);
        struct gtid_set need = set_of(rows[i].need);

        assert_int_equal(gtid_set_covers(&have, &need), rows[i].covers);
    }
}

static void equality(void **state)
{
    static const char *const others[] = {
        "", "0-1-5", "0-1-5,1-1-2", "0-1-5,1-2-1", "0-1-5,2-1-1", "0-1-5,1-1-1,2-1-1"};
    struct gtid_set a = set_of("0-1-5,1-1-1");
    struct gtid_set b = set_of("1-1-1,0-1-5");

    (void)state;
    assert_true(gtid_set_equal(&a, &b));
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        b = set_of(others[i]);
        assert_false(gtid_set_equal(&a, &b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single),
        cmocka_unit_test(sets),
        cmocka_unit_test(the_longest_text_fits),
        cmocka_unit_test(too_many_domains),
        cmocka_unit_test(advance_never_goes_back),
        cmocka_unit_test(merging_takes_the_larger),
        cmocka_unit_test(covering),
        cmocka_unit_test(equality),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
