#include "proxy/backend/prepared.h"

#include "tests/unit/check.h"

static struct prepared_key key(uint64_t n)
{
    return (struct prepared_key){n, ~n};
}

static struct prepared *add(struct prepared_set *all, uint64_t n)
{
    struct prepared *p = prepared_add(all, key(n), 100);

    assert_non_null(p);
    p->id = (uint32_t)n;
    return p;
}

static void the_first_is_the_one_longest_unused(void **state)
{
    struct prepared_set all = {0};

    (void)state;
    for (uint64_t n = 1; n <= 3; n++)
        (void)add(&all, n);
    assert_int_equal(prepared_find(&all, key(1))->id, 1);
    assert_int_equal(all.by_key->id, 2);
    assert_int_equal(prepared_next(all.by_key)->id, 3);
    assert_int_equal(prepared_find(&all, key(3))->id, 3);
    assert_int_equal(prepared_next(prepared_next(all.by_key))->id, 3);
    assert_null(prepared_find(&all, key(4)));
    prepared_clear(&all);
    assert_null(all.by_key);
    assert_int_equal(all.bytes, 0);
}

static void bytes_come_and_go(void **state)
{
    struct prepared_set all = {0};
    struct prepared *p = add(&all, 1);
    size_t one = all.bytes;

    (void)state;
    assert_true(one > 100);
    (void)add(&all, 2);
    assert_int_equal(all.bytes, 2 * one);
    prepared_remove(&all, p);
    assert_int_equal(all.bytes, one);
    assert_null(prepared_find(&all, key(1)));
    prepared_clear(&all);
}

static void one_gets_another_key(void **state)
{
    struct prepared_set all = {0};
    struct prepared *p = add(&all, 1);

    (void)state;
    prepared_rekey(&all, p, key(9));
    assert_null(prepared_find(&all, key(1)));
    assert_ptr_equal(prepared_find(&all, key(9)), p);
    prepared_clear(&all);
}

static void closings_count_what_nobody_means_any_more(void **state)
{
    struct prepared_uses uses = {0};

    (void)state;
    assert_true(prepared_use(&uses, key(1)));
    assert_true(prepared_use(&uses, key(1)));
    prepared_unuse(&uses, key(1));
    assert_true(prepared_is_used(&uses, key(1)));
    assert_int_equal(uses.closings, 0);
    prepared_unuse(&uses, key(1));
    assert_false(prepared_is_used(&uses, key(1)));
    assert_int_equal(uses.closings, 1);
    assert_null(uses.by_key);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_the_one_longest_unused),
        cmocka_unit_test(bytes_come_and_go),
        cmocka_unit_test(one_gets_another_key),
        cmocka_unit_test(closings_count_what_nobody_means_any_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
