#include "tests/unit/check.h"

static void integers_are_little_endian(void **state)
{
    struct cursor c =
        cursor_span(BYTES("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"
                          "\x11\x12\x13\x14\x15\x16\x17\x18"));

    (void)state;
    assert_int_equal(cursor_u8(&c), 0x01);
    assert_int_equal(cursor_u16(&c), 0x0302);
    assert_int_equal(cursor_u24(&c), 0x060504);
    assert_int_equal(cursor_u32(&c), 0x0a090807);
    assert_int_equal(cursor_u48(&c), 0x100f0e0d0c0b);
    assert_int_equal(cursor_u64(&c), 0x1817161514131211);
    assert_true(cursor_done(&c));
}

static void length_encoded(void **state)
{
    static const struct {
        struct span in;
        bool ok;
        uint64_t value;
    } rows[] = {
        {ROW_BYTES("\x00"), true, 0},
        {ROW_BYTES("\xfa"), true, 250},
        {ROW_BYTES("\xfb"), false, 0},
        {ROW_BYTES("\xff"), false, 0},
        {ROW_BYTES("\xfc\x34\x12"), true, 0x1234},
        {ROW_BYTES("\xfc\x34"), false, 0},
        {ROW_BYTES("\xfd\x56\x34\x12"), true, 0x123456},
        {ROW_BYTES("\xfd\x56\x34"), false, 0},
        {ROW_BYTES("\xfe\x08\x07\x06\x05\x04\x03\x02\x01"), true, 0x0102030405060708},
        {ROW_BYTES("\xfe\x08\x07\x06\x05\x04\x03\x02"), false, 0},
        {ROW_BYTES(""), false, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cursor c = cursor_span(rows[i].in);

        assert_int_equal(cursor_lenenc(&c), rows[i].value);
        assert_int_equal(cursor_done(&c), rows[i].ok);
    }
}

static void strings(void **state)
{
    struct cursor c = cursor_span(BYTES("\x03"
                                        "abcname\0"
                                        "\0rest"));

    (void)state;
    check_span(cursor_lenenc_bytes(&c), "abc");
    check_span(cursor_cstr(&c), "name");
    check_span(cursor_cstr(&c), "");
    check_span(cursor_rest(&c), "rest");
    assert_true(cursor_done(&c));
    check_span(cursor_rest(&c), "");
    assert_true(cursor_done(&c));
}

static void first_miss_empties_the_cursor(void **state)
{
    struct cursor c = cursor_span(BYTES("\x05"
                                        "abcd"));

    (void)state;
    assert_null(cursor_lenenc_bytes(&c).p);
    assert_false(cursor_ok(&c));
    assert_int_equal(cursor_left(&c), 0);
    assert_int_equal(cursor_u8(&c), 0);
    assert_null(cursor_cstr(&c).p);
    assert_false(cursor_done(&c));
}

static void lengths_beyond_memory_are_refused(void **state)
{
    struct cursor c = cursor_span(BYTES("\xfe\xff\xff\xff\xff\xff\xff\xff\xff"
                                        "abc"));

    (void)state;
    assert_null(cursor_lenenc_bytes(&c).p);
    assert_false(cursor_ok(&c));
    c = cursor_span(BYTES("abc"));
    assert_null(cursor_take(&c, SIZE_MAX));
    assert_false(cursor_ok(&c));
    c = cursor_span(BYTES("abc"));
    assert_null(cursor_cstr(&c).p);
    assert_false(cursor_ok(&c));
}

static void nothing_at_all(void **state)
{
    struct cursor c = cursor_of(NULL, 0);

    (void)state;
    assert_true(cursor_done(&c));
    check_span(cursor_bytes(&c, 0), "");
    assert_true(cursor_ok(&c));
    assert_null(cursor_cstr(&c).p);
    assert_false(cursor_ok(&c));
}

static void span_equality(void **state)
{
    (void)state;
    assert_true(span_eq(span_of("abc"), "abc"));
    assert_false(span_eq(span_of("abc"), "ab"));
    assert_false(span_eq(span_of("ab"), "abc"));
    assert_true(span_eq((struct span){NULL, 0}, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_little_endian),
        cmocka_unit_test(length_encoded),
        cmocka_unit_test(strings),
        cmocka_unit_test(first_miss_empties_the_cursor),
        cmocka_unit_test(lengths_beyond_memory_are_refused),
        cmocka_unit_test(nothing_at_all),
        cmocka_unit_test(span_equality),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
