#include "monitor/lag.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MS CLOCK_NS_PER_MS

static struct lag lag;

static struct gtid_set at(uint64_t seq)
{
    struct gtid_set s = {.count = seq ? 1 : 0};

    s.at[0] = (struct gtid){0, 1, seq};
    return s;
}

static void note(uint64_t seq, uint64_t ms)
{
    struct gtid_set s = at(seq);

    lag_note(&lag, &s, ms * MS);
}

static uint64_t of(uint64_t seq, uint64_t now_ms)
{
    struct gtid_set s = at(seq);

    return lag_of(&lag, &s, now_ms * MS);
}

static void test_nothing_known(void **state)
{
    (void)state;
    lag_reset(&lag);
    assert_true(of(5, 100) == LAG_UNKNOWN);
    assert_int_equal(lag_newest_ns(&lag), 0);
}

static void test_not_behind(void **state)
{
    (void)state;
    lag_reset(&lag);
    note(10, 100);
    assert_int_equal(of(10, 5000), 0);
    assert_int_equal(of(11, 5000), 0); /* sampled later than the primary */
    assert_int_equal(lag_newest_ns(&lag), 100 * MS);
}

static void test_behind(void **state)
{
    (void)state;
    lag_reset(&lag);
    note(10, 100);
    note(12, 200);
    note(15, 300);
    assert_int_equal(of(15, 1000), 0);
    assert_int_equal(of(14, 1000), 800); /* has 12, which was all there was at 200 */
    assert_int_equal(of(12, 1000), 800);
    assert_int_equal(of(11, 1000), 900);
    assert_true(of(9, 1000) == LAG_UNKNOWN);
}

/* A quiet primary: what is missed came after its last quiet sample. */
static void test_quiet_time_does_not_count(void **state)
{
    (void)state;
    lag_reset(&lag);
    for (uint64_t ms = 0; ms <= 60000; ms += 50)
        note(10, ms);
    note(11, 60050);
    assert_int_equal(of(10, 60100), 100);
    assert_int_equal(of(11, 60100), 0);
}

static void test_rounded_up(void **state)
{
    struct gtid_set old = at(1);
    struct gtid_set new = at(2);

    (void)state;
    lag_reset(&lag);
    lag_note(&lag, &old, 100);
    lag_note(&lag, &new, 200);
    assert_int_equal(lag_of(&lag, &old, 101), 1);
    assert_int_equal(lag_of(&lag, &old, 100 + MS), 1);
    assert_int_equal(lag_of(&lag, &old, 101 + MS), 2);
    assert_int_equal(lag_of(&lag, &old, 50), 0);
}

static void test_empty_position(void **state)
{
    (void)state;
    lag_reset(&lag);
    note(0, 100);
    assert_int_equal(of(0, 500), 0);
    note(1, 200);
    assert_int_equal(of(0, 500), 400);
}

/* Through many times the list's size: bounds never fall below the truth, and stay near it. */
static void test_full_list(void **state)
{
    enum { STEPS = 20 * LAG_SAMPLES };
    const uint64_t step = 50;

    (void)state;
    lag_reset(&lag);
    for (uint64_t i = 1; i <= STEPS; i++)
        note(i, i * step);
    assert_int_equal(lag.count, LAG_SAMPLES);
    for (uint64_t behind = 1; behind < STEPS; behind++) {
        uint64_t got = of(STEPS - behind, STEPS * step);

        assert_in_range(got, behind * step, behind * step * 21 / 20);
    }
    assert_int_equal(of(1, STEPS * step), (STEPS - 1) * step); /* the oldest stays */
}

static void test_reset(void **state)
{
    (void)state;
    lag_reset(&lag);
    note(10, 100);
    lag_reset(&lag);
    note(20, 200);
    assert_true(of(10, 300) == LAG_UNKNOWN);
    assert_int_equal(of(20, 300), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_known), cmocka_unit_test(test_not_behind),
        cmocka_unit_test(test_behind),        cmocka_unit_test(test_quiet_time_does_not_count),
        cmocka_unit_test(test_rounded_up),    cmocka_unit_test(test_empty_position),
        cmocka_unit_test(test_full_list),     cmocka_unit_test(test_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
