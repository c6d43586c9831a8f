#include "mirror/debt.h"

#include "unit/mirror_map.h"

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

/* Links that are to be followed are due, too, until what they lead to is written. */
static void test_links(void **state)
{
    static const char *const keys[] = {"7", "8"};
    struct map_test map;
    struct debts d;
    int use;

    (void)state;
    map_test_begin(&map, map_test_shop);
    debts_init(&d, map.plan);
    assert_false(debts_due(&d));
    for (use = 1; map.plan->walks[use].direct || map.plan->walks[use].n_handle != 1; use++)
        assert_in_range(use, 1, map.plan->a->n_tables - 1);
    owe(&d.links[use], keys, 2);
    assert_true(debts_due(&d));
    assert_int_equal(pay(&d.links[use]), 2);
    owe(&d.roots, keys, 1);
    assert_true(debts_due(&d));
    assert_int_equal(pay(&d.roots), 1);
    assert_false(debts_due(&d));
    owe(&d.links[use], keys, 1);
    assert_false(debts_full(&d));
    d.roots.next.full = true;
    assert_true(debts_full(&d));
    debts_clear(&d);
    assert_false(debts_full(&d));
    assert_false(debts_due(&d));
    debts_free(&d);
    map_test_end(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_from_and_clear),
        cmocka_unit_test(test_links),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
