#include "mirror/behind.h"

#include "unit/check.h"

static struct gtid_set at(uint64_t seq)
{
    return (struct gtid_set){1, {{0, 1, seq}}};
}

static void add(struct behind *b, uint64_t ms, uint64_t seq)
{
    struct gtid_set g = at(seq);

    behind_add(b, ms, &g);
}

static uint64_t lag(struct behind *b, uint64_t ms, uint64_t seq)
{
    struct gtid_set g = at(seq);

    return behind_ms(b, ms, &g);
}

static void test_counts_from_the_first_not_applied(void **state)
{
    struct behind b = {0};

    (void)state;
    assert_int_equal(lag(&b, 1000, 5), 0);
    add(&b, 1000, 5);
    add(&b, 1500, 5); /* nothing new: the first time counts */
    add(&b, 2000, 7);
    assert_int_equal(lag(&b, 2500, 4), 1500);
    assert_int_equal(lag(&b, 2500, 5), 500);
    assert_int_equal(lag(&b, 2500, 6), 500);
    assert_int_equal(lag(&b, 2500, 7), 0);
    assert_int_equal(b.n, 0);
}

/* A clock that went back gives no lag rather than an age. */
static void test_clock_back(void **state)
{
    struct behind b = {0};

    (void)state;
    add(&b, 5000, 5);
    assert_int_equal(lag(&b, 4000, 1), 0);
}

/* However long it is behind: the first sample stays. */
static void test_ring_reaches_back(void **state)
{
    struct behind b = {0};

    (void)state;
    for (uint64_t i = 0; i < 10000; i++)
        add(&b, 1000 + i * 250, 100 + i);
    assert_int_equal(lag(&b, 1000 + 10000 * 250, 50), 10000 * 250);
    assert_true(lag(&b, 1000 + 10000 * 250, 100 + 9998) <= 250 * 2000);
    assert_int_equal(lag(&b, 1000 + 10000 * 250, 100 + 9999), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_from_the_first_not_applied),
        cmocka_unit_test(test_clock_back),
        cmocka_unit_test(test_ring_reaches_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
