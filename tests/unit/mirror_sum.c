#include "mirror/document/sum.h"

#include "unit/check.h"

#include <stdio.h>
#include <string.h>

static void check(unsigned decimals, const char *const *numbers, const char *wanted)
{
    char out[SUM_TEXT_MAX];
    struct span text;
    struct sum s;

    sum_init(&s, decimals);
    for (; *numbers; numbers++)
        assert_true(sum_add(&s, span_of(*numbers)));
    text = sum_text(&s, out);
    assert_int_equal(text.n, strlen(wanted));
    assert_memory_equal(text.p, wanted, text.n);
}

#define CHECK(decimals, wanted, ...) check(decimals, (const char *[]){__VA_ARGS__, NULL}, wanted)

static void test_sums(void **state)
{
    (void)state;
    CHECK(2, "0.00", NULL);
    CHECK(0, "0", NULL);
    CHECK(2, "-1.50", "3.00", "-4.50");
    CHECK(2, "0.00", "1.50", "-1.50", "-0.00");
    CHECK(0, "18446744073709551616", "18446744073709551615", "1");
    CHECK(2, "0.05", "0.02", "0.03");
    CHECK(2, "-0.05", "-0.02", "-0.03");
    CHECK(1, "1000000000000000000.0", "999999999999999999.9", "0.1");
    CHECK(30, "1.000000000000000000000000000001", "0.000000000000000000000000000001",
          "1.000000000000000000000000000000");
    CHECK(20, "0.00000000000000000001", "-9.99999999999999999999", "10.00000000000000000000");
    CHECK(0, "19999999999999999999999999999999999999999998",
          "9999999999999999999999999999999999999999999",
          "9999999999999999999999999999999999999999999");
    CHECK(0, "42", "0000000042"); /* ZEROFILL */
}

static void check_product(const char *a, const char *b, unsigned decimals, const char *wanted)
{
    char out[SUM_TEXT_MAX];
    struct span text;
    struct sum s;

    sum_init(&s, decimals);
    assert_true(sum_add_product(&s, span_of(a), span_of(b)));
    text = sum_text(&s, out);
    assert_int_equal(text.n, strlen(wanted));
    assert_memory_equal(text.p, wanted, text.n);
}

static void test_products(void **state)
{
    struct sum s;

    (void)state;
    check_product("2", "3.50", 2, "7.00");
    check_product("-2", "3.50", 2, "-7.00");
    check_product("-2", "-3.50", 2, "7.00");
    check_product("0", "-3.50", 2, "0.00");
    check_product("0002", "0003", 0, "6"); /* ZEROFILL */
    check_product("0.05", "0.002", 5, "0.00010");
    check_product("9223372036854775807", "-9223372036854775808", 0,
                  "-85070591730234615856620279821087277056");
    check_product("18446744073709551615", "18446744073709551615", 0,
                  "340282366920938463426481119284349108225");
    check_product("999999999999999999999.999999999", "99999999.99999", 14,
                  "99999999999989999999999999999.90000000000001");
    sum_init(&s, 2);
    assert_false(sum_add_product(&s, span_of("2"), span_of("3.5")));
    assert_false(sum_add_product(&s, span_of("2"), span_of("x")));
    assert_false(sum_add_product(&s, span_of(""), span_of("3.50")));
    assert_true(sum_add_product(&s, span_of("2"), span_of("3.50")));
    assert_true(sum_add_product(&s, span_of("-1"), span_of("10.01")));
}

static void test_what_is_none(void **state)
{
    static const char *const none[] = {"", "-", "1", "1.5", "1.555", ".55", "1e10", "a.bc", "1..5"};
    struct sum s;

    (void)state;
    sum_init(&s, 2);
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        assert_false(sum_add(&s, span_of(none[i])));
    assert_true(sum_takes(VALUE_DECIMAL, (struct value_shape){43, 30}));
    assert_false(sum_takes(VALUE_DECIMAL, (struct value_shape){44, 2}));
    assert_false(sum_takes(VALUE_DECIMAL, (struct value_shape){43, 31}));
    assert_true(sum_takes(VALUE_INT, (struct value_shape){20, 0}));
    assert_false(sum_takes(VALUE_DOUBLE, (struct value_shape){10, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
