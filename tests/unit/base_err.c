#include "base/err.h"
#include "tests/unit/check.h"

static void set_fills_and_fails(void **state)
{
    struct err e = {.code = 7};

    (void)state;
    assert_false(err_set(&e, ERR_IO, "cannot open %s: %d", "x", 2));
    assert_int_equal(e.kind, ERR_IO);
    assert_int_equal(e.code, 0);
    assert_string_equal(e.text, "cannot open x: 2");
}

static void wrap_puts_in_front_and_keeps_the_kind(void **state)
{
    struct err e;

    (void)state;
    (void)err_set(&e, ERR_SERVER, "denied");
    e.code = 1045;
    assert_false(err_wrap(&e, "login to %s", "db1"));
    assert_string_equal(e.text, "login to db1: denied");
    assert_int_equal(e.kind, ERR_SERVER);
    assert_int_equal(e.code, 1045);
}

static void long_texts_are_cut(void **state)
{
    struct err e;
    char text[2000];

    (void)state;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    (void)err_set(&e, ERR_DATA, "%s", text);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    (void)err_wrap(&e, "front");
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_memory_equal(e.text, "front: aaa", 10);
    (void)err_wrap(&e, "%s", text);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_memory_equal(e.text, "aaaa", 4);
}

static void its_own_text_may_be_an_argument(void **state)
{
    struct err e;

    (void)state;
    (void)err_set(&e, ERR_IO, "inner");
    (void)err_set(&e, ERR_USAGE, "outer (%s)", e.text);
    assert_string_equal(e.text, "outer (inner)");
    (void)err_wrap(&e, "<%s>", e.text);
    assert_string_equal(e.text, "<outer (inner)>: outer (inner)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_and_fails),
        cmocka_unit_test(wrap_puts_in_front_and_keeps_the_kind),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(its_own_text_may_be_an_argument),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
