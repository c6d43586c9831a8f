#include "mirror/debt.h"

#include "unit/check.h"

static void owe(struct debt *d, const char *const *keys, size_t n)
{
    struct keyset set;

    keyset_init(&set, 1, 1 << 20);
    for (size_t i = 0; i < n; i++) {
        struct span key = span_of(keys[i]);

        assert_true(keyset_add(&set, &key));
    }
    assert_true(debt_owe(d, &set, 0));
    keyset_free(&set);
}

/* Pay all of `now`; how many. */
static size_t pay(struct debt *d)
{
    size_t n = d->now.n - d->paid;

    d->paid = d->now.n;
    return n;
}

/* A key that is paid and then owed again is due again. */
static void test_again(void **state)
{
    static const char *const keys[] = {"1", "2", "3"};
    struct debt d;

    (void)state;
    debt_init(&d, 1);
    assert_false(debt_due(&d));
    owe(&d, keys, 3);
    assert_true(debt_due(&d));
    d.paid = 1;
    owe(&d, keys, 2); /* one is paid, one is not */
    assert_int_equal(pay(&d), 2);
    assert_true(debt_due(&d));
    assert_int_equal(pay(&d), 2);
    assert_false(debt_due(&d));
    debt_free(&d);
}

static void test_from_and_clear(void **state)
{
    static const char *const keys[] = {"1", "2", "3"};
    struct keyset set;
    struct debt d;

    (void)state;
    debt_init(&d, 1);
    keyset_init(&set, 1, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct span key = span_of(keys[i]);

        (void)keyset_add(&set, &key);
    }
    assert_true(debt_owe(&d, &set, 2));
    assert_true(debt_due(&d));
    assert_int_equal(d.now.n, 1);
    debt_clear(&d);
    assert_false(debt_due(&d));
    assert_true(debt_owe(&d, &set, 3));
    assert_false(debt_due(&d));
    keyset_free(&set);
    debt_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_from_and_clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
