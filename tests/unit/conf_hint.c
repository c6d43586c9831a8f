#include "base/compiler.h"
#include "conf/hint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_distance(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned want;
    } cases[] = {{"", "", 0},        {"a", "", 1},
                 {"", "abc", 3},     {"same", "same", 0},
                 {"abc", "abd", 1},  {"abc", "acb", 1},
                 {"abc", "xabc", 1}, {"kitten", "sitting", 3},
                 {"ca", "abc", 3},   {"intervall", "interval", 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(conf_hint_distance(cases[i].a, cases[i].b), cases[i].want);
        assert_int_equal(conf_hint_distance(cases[i].b, cases[i].a), cases[i].want);
    }
}

static void test_long_words_are_far(void **state)
{
    char word[65];

    (void)state;
    memset(word, 'a', 64);
    word[64] = 0;
    assert_int_equal(conf_hint_distance(word, word), 64);
    word[63] = 0;
    assert_int_equal(conf_hint_distance(word, word), 0);
}

static void test_nearest(void **state)
{
    static const char *const words[] = {"listeners", "servers", "monitor", "log", "user", NULL};

    (void)state;
    assert_string_equal(conf_hint_nearest("listner", words), "listeners");
    assert_string_equal(conf_hint_nearest("server", words), "servers");
    assert_string_equal(conf_hint_nearest("montior", words), "monitor");
    assert_string_equal(conf_hint_nearest("lg", words), "log");
    assert_string_equal(conf_hint_nearest("usr", words), "user");
    assert_null(conf_hint_nearest("backends", words));
    assert_null(conf_hint_nearest("xyz", words));
    assert_null(conf_hint_nearest("", words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_long_words_are_far),
        cmocka_unit_test(test_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
