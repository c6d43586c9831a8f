/* What a client wants to be told, and what is left of an OK packet's changes. */
#include "protocol/tracking.h"

#include "check.h"

#include <stdlib.h>

/* autocommit=ON; last_gtid=0-1-5; USE shop; state; transaction; characteristics */
static const struct span changes = ROW_BYTES("\0\x0e\x0a"
                                             "autocommit\x02ON"
                                             "\0\x10\x09last_gtid\x05"
                                             "0-1-5"
                                             "\x01\x05\x04shop"
                                             "\x02\x01"
                                             "1"
                                             "\x05\x09\x08T_______"
                                             "\x04\x13\x12START TRANSACTION;");

static const struct {
    const char *values;
    struct span kept;
} rows[] = {
    {"OFF/OFF/OFF/", ROW_BYTES("")},
    {"OFF/OFF/OFF/nosuch,autocommi,autocommitt", ROW_BYTES("")},
    {"OFF/OFF/OFF/last_gtid", ROW_BYTES("\0\x10\x09last_gtid\x05"
                                        "0-1-5")},
    {"OFF/OFF/OFF/time_zone,AUTOCOMMIT", ROW_BYTES("\0\x0e\x0a"
                                                   "autocommit\x02ON")},
    {"OFF/ON/OFF/", ROW_BYTES("\x01\x05\x04shop")},
    {"OFF/OFF/ON/", ROW_BYTES("\x02\x01"
                              "1")},
    {"STATE/OFF/OFF/", ROW_BYTES("\x05\x09\x08T_______")},
    {"CHARACTERISTICS/OFF/OFF/", ROW_BYTES("\x05\x09\x08T_______"
                                           "\x04\x13\x12START TRANSACTION;")},
};

static void check_filter(const struct tracking *t, struct span in, struct span kept)
{
    struct buf out = buf_with_max(4096);
    bool changed;

    changed = tracking_filter(t, in, &out);
    assert_true(buf_ok(&out));
    assert_int_equal(changed, kept.n > 0);
    check_bytes(buf_span(&out), kept);
    buf_free(&out);
}

static void what_is_wanted_stays(void **state)
{
    struct tracking t;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        tracking_init(&t);
        assert_true(tracking_parse(&t, span_of(rows[i].values)));
        assert_true(t.known);
        check_filter(&t, changes, rows[i].kept);
    }
    assert_true(tracking_parse(&t, span_of("CHARACTERISTICS/ON/ON/*")));
    check_filter(&t, changes, changes);
}

static void mariadbs_defaults_are_meant_at_first(void **state)
{
    struct tracking t;

    (void)state;
    tracking_init(&t);
    assert_false(t.known);
    assert_string_equal(tracking_transaction_name(&t), "OFF");
    check_filter(&t, changes,
                 BYTES("\0\x0e\x0a"
                       "autocommit\x02ON"
                       "\x01\x05\x04shop"));
}

static void characteristics_alone_are_a_change_without_words(void **state)
{
    struct tracking t;
    struct buf out = buf_with_max(4096);

    (void)state;
    assert_true(tracking_parse(&t, span_of("STATE/OFF/OFF/")));
    assert_true(tracking_filter(&t, BYTES("\x04\x01\0"), &out));
    assert_int_equal(out.len, 0);
    buf_free(&out);
}

static void what_is_no_value_changes_nothing(void **state)
{
    static const char *const bad[] = {"", "OFF", "OFF/ON/ON", "off/ON/ON/", "5/ON/ON/*", "//OFF/"};
    struct tracking t;
    char text[TRACKING_NAMES_MAX + 16];

    (void)state;
    assert_true(tracking_parse(&t, span_of("STATE/ON/ON/time_zone")));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(tracking_parse(&t, span_of(bad[i])));
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    memcpy(text, "OFF/ON/ON/", 10);
    assert_false(tracking_parse(&t, span_of(text)));
    assert_true(t.schema && t.state);
    assert_string_equal(t.names, "time_zone");
    assert_string_equal(tracking_transaction_name(&t), "STATE");
}

/* Several pairs in one entry, kinds that nobody knows, bytes that are cut: no look beyond them. */
static void odd_blocks(void **state)
{
    static const struct span pairs = ROW_BYTES("\0\x0c\x01"
                                               "a\x01"
                                               "1\x01"
                                               "b\0\x02"
                                               "cd\x01"
                                               "2");
    struct tracking t;

    (void)state;
    assert_true(tracking_parse(&t, span_of("OFF/OFF/OFF/b,cd")));
    check_filter(&t, pairs,
                 BYTES("\0\x03\x01"
                       "b\0"
                       "\0\x05\x02"
                       "cd\x01"
                       "2"));
    check_filter(&t, BYTES("\x77\x02??"), BYTES(""));
    assert_true(tracking_parse(&t, span_of("CHARACTERISTICS/ON/ON/*")));
    for (size_t n = 0; n < changes.n; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        struct buf out = buf_with_max(4096);

        assert_non_null(exact);
        memcpy(exact, changes.p, n);
        (void)tracking_filter(&t, (struct span){exact, n}, &out);
        assert_true(out.len <= n && memcmp(out.data ? out.data : exact, exact, out.len) == 0);
        buf_free(&out);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wanted_stays),
        cmocka_unit_test(mariadbs_defaults_are_meant_at_first),
        cmocka_unit_test(characteristics_alone_are_a_change_without_words),
        cmocka_unit_test(what_is_no_value_changes_nothing),
        cmocka_unit_test(odd_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
