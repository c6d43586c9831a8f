#include "proxy/backend/history.h"

#include "tests/unit/check.h"

static struct history history;

static int fresh(void **state)
{
    (void)state;
    history = (struct history){0};
    return 0;
}

static void runs(uint64_t shape, int times, uint64_t us, size_t bytes)
{
    for (int i = 0; i < times; i++)
        history_note(&history, shape, us * 1000, bytes);
}

static void a_few_runs_say_nothing(void **state)
{
    (void)state;
    assert_false(history_is_short(&history, 7));
    runs(7, HISTORY_ENOUGH - 1, 100, 100);
    assert_false(history_is_short(&history, 7));
    runs(7, 1, 100, 100);
    assert_true(history_is_short(&history, 7));
    assert_int_equal(history_us(&history, 7), 100);
}

static void the_slow_and_the_large_are_not_short(void **state)
{
    (void)state;
    runs(7, HISTORY_ENOUGH, HISTORY_SHORT_US + 1, 100);
    runs(8, HISTORY_ENOUGH, 100, HISTORY_SHORT_BYTES + 1);
    assert_false(history_is_short(&history, 7));
    assert_false(history_is_short(&history, 8));
}

/* One that had to wait for the machine does not change much, one that is large does. */
static void an_exception_counts_as_it_should(void **state)
{
    (void)state;
    runs(7, HISTORY_ENOUGH, 100, 100);
    runs(7, 1, 20 * HISTORY_SHORT_US, 100);
    assert_true(history_is_short(&history, 7));
    runs(7, 20, 20 * HISTORY_SHORT_US, 100);
    assert_false(history_is_short(&history, 7));
    runs(8, HISTORY_ENOUGH, 100, 100);
    runs(8, 1, 100, HISTORY_SHORT_BYTES + 1);
    assert_false(history_is_short(&history, 8));
}

static void what_is_forgotten_begins_anew(void **state)
{
    (void)state;
    runs(7, HISTORY_ENOUGH, 100, 100);
    history_forget(&history, 8);
    assert_true(history_is_short(&history, 7));
    history_forget(&history, 7);
    assert_false(history_is_short(&history, 7));
    runs(7, HISTORY_ENOUGH, 100, 100);
    assert_true(history_is_short(&history, 7));
}

/* Two shapes that want one row. */
static void the_newer_one_has_the_row(void **state)
{
    (void)state;
    runs(7, HISTORY_ENOUGH, 100, 100);
    runs(7 + HISTORY_ROWS, 1, 100, 100);
    assert_false(history_is_short(&history, 7));
    assert_false(history_is_short(&history, 7 + HISTORY_ROWS));
}

static void numbers_beyond_the_row_s_are_large(void **state)
{
    (void)state;
    runs(7, HISTORY_ENOUGH, UINT64_MAX / 1000, 100);
    runs(8, HISTORY_ENOUGH, 100, SIZE_MAX);
    assert_false(history_is_short(&history, 7));
    assert_false(history_is_short(&history, 8));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_few_runs_say_nothing, fresh),
        cmocka_unit_test_setup(the_slow_and_the_large_are_not_short, fresh),
        cmocka_unit_test_setup(an_exception_counts_as_it_should, fresh),
        cmocka_unit_test_setup(what_is_forgotten_begins_anew, fresh),
        cmocka_unit_test_setup(the_newer_one_has_the_row, fresh),
        cmocka_unit_test_setup(numbers_beyond_the_row_s_are_large, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
