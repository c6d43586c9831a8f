#include "mirror/mapping/keyset.h"

#include "unit/check.h"

#include <stdio.h>

static struct span text(const char *s)
{
    return span_of(s);
}

static void test_each_once(void **state)
{
    struct keyset s;
    struct span key[2] = {text("a"), text("bc")};
    struct span other[2] = {text("ab"), text("c")};
    struct span got[2];

    (void)state;
    keyset_init(&s, 2, 1 << 20);
    assert_int_equal(keyset_find(&s, key), -1);
    assert_true(keyset_add(&s, key));
    assert_false(keyset_add(&s, key));
    assert_true(keyset_add(&s, other)); /* the same bytes, cut elsewhere */
    assert_int_equal(s.n, 2);
    assert_int_equal(keyset_find(&s, key), 0);
    assert_int_equal(keyset_find(&s, other), 1);
    keyset_get(&s, 1, got);
    check_span(got[0], "ab");
    check_span(got[1], "c");
    keyset_clear(&s);
    assert_int_equal(s.n, 0);
    assert_int_equal(keyset_find(&s, key), -1);
    assert_true(keyset_add(&s, other));
    keyset_free(&s);
}

static void test_many(void **state)
{
    struct keyset s;
    char number[16];

    (void)state;
    keyset_init(&s, 1, 64 << 20);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100000; i++) {
            struct span key;

            (void)snprintf(number, sizeof number, "%d", i);
            key = text(number);
            assert_int_equal(keyset_add(&s, &key), round == 0);
        }
    }
    assert_int_equal(s.n, 100000);
    for (int i = 0; i < 100000; i += 777) {
        struct span key;
        struct span got;

        (void)snprintf(number, sizeof number, "%d", i);
        key = text(number);
        assert_int_equal(keyset_find(&s, &key), i);
        keyset_get(&s, (size_t)i, &got);
        check_span(got, number);
    }
    keyset_free(&s);
}

static void test_empty_text_is_a_key(void **state)
{
    struct keyset s;
    struct span key = {NULL, 0};

    (void)state;
    keyset_init(&s, 1, 1 << 20);
    assert_true(keyset_add(&s, &key));
    assert_int_equal(keyset_find(&s, &key), 0);
    keyset_free(&s);
}

/* Past its cap it is full, keeps what it has, and takes nothing more until it is cleared. */
static void test_full(void **state)
{
    struct keyset s;
    char number[16];
    int n = 0;

    (void)state;
    keyset_init(&s, 1, 8192);
    for (int i = 0; !s.full; i++) {
        struct span key;

        (void)snprintf(number, sizeof number, "%d", i);
        key = text(number);
        n += keyset_add(&s, &key);
        assert_true(i < 8192);
    }
    assert_true(n > 50);
    assert_int_equal(s.n, n);
    for (int i = 0; i < n; i++) {
        struct span key;

        (void)snprintf(number, sizeof number, "%d", i);
        key = text(number);
        assert_int_equal(keyset_find(&s, &key), i);
    }
    keyset_clear(&s);
    assert_false(s.full);
    assert_int_equal(s.n, 0);
    {
        struct span key = text("x");

        assert_true(keyset_add(&s, &key));
    }
    keyset_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_once),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_empty_text_is_a_key),
        cmocka_unit_test(test_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
