#include "proxy/coalesce.h"

#include "tests/unit/check.h"

#include <stdio.h>
#include <unistd.h>

enum { CORES = 4, SOME = 20, MUCH = 80, LITTLE = 40, FEW = 1 };

static FILE *file;
static struct coalesce c;
static uint64_t now_ms;

/* As the kernel would say it. */
static void are_ready(int threads)
{
    rewind(file);
    assert_true(fprintf(file, "1.86 20.02 0.75 %d/231 12345\n", threads) > 0);
    assert_int_equal(fflush(file), 0);
}

static int begin(void **state)
{
    (void)state;
    file = tmpfile();
    if (!file)
        return -1;
    c = (struct coalesce){.load = fileno(file), .cores = CORES};
    now_ms = 1000;
    return 0;
}

static int end(void **state)
{
    (void)state;
    return fclose(file);
}

/* A turn with so many events; whether a pause is due behind it. */
static bool turn(struct coalesce *which, uint64_t ms, unsigned events)
{
    which->events = events;
    return coalesce_is_due(which, ms);
}

/* So much comes in each ten milliseconds, so many times; whether it is due behind a turn with few.
 */
static bool after_each(int times, unsigned events)
{
    bool due = false;

    while (times-- > 0) {
        now_ms += 10;
        (void)turn(&c, now_ms, events);
        due = turn(&c, now_ms, FEW);
    }
    return due;
}

static bool after(int times)
{
    return after_each(times, MUCH);
}

static void it_is_due_while_threads_wait_for_cores(void **state)
{
    (void)state;
    are_ready(CORES + 1);
    assert_false(after(1)); /* once may be chance */
    assert_true(after(SOME));
    are_ready(CORES);
    assert_true(after(1)); /* so may this */
    assert_false(after(SOME));
    are_ready(10 * CORES);
    assert_true(after(SOME));
}

static void it_looks_a_hundred_times_a_second_at_most(void **state)
{
    (void)state;
    are_ready(CORES + 1);
    assert_false(after(1));
    for (int i = 0; i < SOME; i++)
        assert_false(turn(&c, now_ms, FEW));
    assert_true(after(SOME));
}

static void a_kernel_that_does_not_tell_never_has_it_due(void **state)
{
    (void)state;
    assert_false(after(SOME)); /* empty */
    assert_true(fprintf(file, "something else") > 0);
    assert_int_equal(fflush(file), 0);
    assert_false(after(SOME));
    c.load = -1;
    assert_false(after(SOME));
}

static void the_kernel_tells_it(void **state)
{
    struct coalesce here;

    (void)state;
    coalesce_open(&here);
    assert_true(here.load >= 0);
    assert_true(here.cores > 0);
    here.cores = 0; /* we are ready to run ourselves */
    for (uint64_t ms = 10; ms < 200; ms += 10)
        (void)turn(&here, ms, MUCH);
    assert_true(turn(&here, 199, FEW));
    coalesce_close(&here);
    assert_int_equal(here.load, -1);
}

static void only_behind_a_turn_that_found_few(void **state)
{
    (void)state;
    are_ready(CORES + 1);
    assert_true(after(SOME));
    assert_true(turn(&c, now_ms, 0));
    assert_true(turn(&c, now_ms, 7));
    assert_false(turn(&c, now_ms, 8));
}

static void only_where_a_pause_brings_something(void **state)
{
    (void)state;
    are_ready(CORES + 1);
    assert_false(after_each(SOME, LITTLE));
    assert_true(after(SOME));
    assert_false(after_each(SOME, LITTLE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_due_while_threads_wait_for_cores, begin, end),
        cmocka_unit_test_setup_teardown(it_looks_a_hundred_times_a_second_at_most, begin, end),
        cmocka_unit_test_setup_teardown(a_kernel_that_does_not_tell_never_has_it_due, begin, end),
        cmocka_unit_test(the_kernel_tells_it),
        cmocka_unit_test_setup_teardown(only_behind_a_turn_that_found_few, begin, end),
        cmocka_unit_test_setup_teardown(only_where_a_pause_brings_something, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
