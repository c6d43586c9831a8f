#include "base/buf.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static void integers_are_little_endian(void **state)
{
    struct buf b = buf_with_max(100);

    (void)state;
    buf_put_u8(&b, 0x01);
    buf_put_u16(&b, 0x0302);
    buf_put_u24(&b, 0x060504);
    buf_put_u32(&b, 0x0a090807);
    buf_put_u64(&b, 0x1211100f0e0d0c0b);
    check_bytes(buf_span(&b),
                BYTES("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11"
                      "\x12"));
    buf_free(&b);
    assert_null(b.data);
    assert_int_equal(b.max, 100);
}

static void length_encoded_reads_back(void **state)
{
    static const uint64_t values[] = {0,         1,          250,        251,
                                      252,       0xFFFF,     0x10000,    0xFFFFFF,
                                      0x1000000, UINT32_MAX, 1ULL << 32, UINT64_MAX};
    static const size_t lengths[] = {1, 1, 1, 3, 3, 3, 4, 4, 9, 9, 9, 9};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct buf b = buf_with_max(100);
        struct cursor c;

        buf_put_lenenc(&b, values[i]);
        assert_int_equal(b.len, lengths[i]);
        c = cursor_span(buf_span(&b));
        assert_int_equal(cursor_lenenc(&c), values[i]);
        assert_true(cursor_done(&c));
        buf_free(&b);
    }
}

static void texts(void **state)
{
    struct buf b = buf_with_max(100);

    (void)state;
    buf_put_str(&b, "a");
    buf_put_cstr(&b, "b");
    buf_put_zeros(&b, 2);
    buf_put_lenenc_bytes(&b, span_of("cd"));
    buf_printf(&b, "%d-%s", 7, "x");
    check_bytes(buf_span(&b), BYTES("ab\0\0\0\x02"
                                    "cd7-x"));
    buf_clear(&b);
    buf_put_str(&b, "again");
    assert_string_equal(buf_text(&b), "again");
    assert_int_equal(b.len, 5);
    buf_free(&b);
}

static void the_cap_holds_and_sticks(void **state)
{
    struct buf b = buf_with_max(10);

    (void)state;
    buf_put_str(&b, "12345678");
    assert_true(buf_ok(&b));
    buf_put_u32(&b, 0);
    assert_false(buf_ok(&b));
    assert_int_equal(b.len, 8);
    buf_put_u8(&b, 'x'); /* would fit, but something is missing already */
    assert_int_equal(b.len, 8);
    assert_null(buf_reserve(&b, 0));
    buf_clear(&b);
    buf_put_str(&b, "1234567890");
    assert_true(buf_ok(&b));
    buf_put_u8(&b, 'x');
    assert_false(buf_ok(&b));
    buf_free(&b);
    assert_true(buf_ok(&b));
}

static void absurd_sizes_are_refused(void **state)
{
    struct buf b = buf_with_max(SIZE_MAX);

    (void)state;
    buf_put_u8(&b, 1);
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_false(buf_ok(&b));
    buf_free(&b);
}

static void printf_that_does_not_fit_writes_nothing(void **state)
{
    struct buf b = buf_with_max(8);

    (void)state;
    buf_printf(&b, "%s", "12345678901");
    assert_false(buf_ok(&b));
    assert_int_equal(b.len, 0);
    assert_string_equal(buf_text(&b), "");
    buf_free(&b);
}

static void consume_from_the_front(void **state)
{
    struct buf b = buf_with_max(100);

    (void)state;
    buf_put_str(&b, "abcdef");
    buf_consume(&b, 2);
    check_span(buf_span(&b), "cdef");
    buf_consume(&b, 0);
    check_span(buf_span(&b), "cdef");
    buf_consume(&b, 100);
    assert_int_equal(b.len, 0);
    buf_put_str(&b, "g");
    check_span(buf_span(&b), "g");
    buf_free(&b);
}

static void grows_far(void **state)
{
    struct buf b = buf_with_max(1 << 20);
    uint8_t *at;

    (void)state;
    for (uint32_t i = 0; i < 100000; i++)
        buf_put_u32(&b, i);
    assert_true(buf_ok(&b));
    for (uint32_t i = 0; i < 100000; i += 777) {
        struct cursor c = cursor_of(b.data + 4 * (size_t)i, 4);

        assert_int_equal(cursor_u32(&c), i);
    }
    at = buf_reserve(&b, 1000);
    assert_non_null(at);
    assert_ptr_equal(at, b.data + b.len);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_little_endian),
        cmocka_unit_test(length_encoded_reads_back),
        cmocka_unit_test(texts),
        cmocka_unit_test(the_cap_holds_and_sticks),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(printf_that_does_not_fit_writes_nothing),
        cmocka_unit_test(consume_from_the_front),
        cmocka_unit_test(grows_far),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
