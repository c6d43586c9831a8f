#include "monitor/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MS CLOCK_NS_PER_MS

static void expect(struct backoff *b, enum probe_result r, uint64_t interval, const uint64_t *want)
{
    for (; *want; want++)
        assert_int_equal(backoff_next(b, r, interval), *want);
}

static void test_well(void **state)
{
    struct backoff b = {0};

    (void)state;
    expect(&b, PROBE_OK, 50 * MS, (uint64_t[]){50 * MS, 50 * MS, 50 * MS, 0});
}

static void test_doubles_to_the_cap(void **state)
{
    static const enum probe_result results[] = {PROBE_CLOSED, PROBE_LOST, PROBE_TIMEOUT};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(results); i++) {
        struct backoff b = {0};

        expect(&b, results[i], 50 * MS,
               (uint64_t[]){50 * MS, 100 * MS, 200 * MS, 250 * MS, 250 * MS, 0});
        expect(&b, PROBE_OK, 50 * MS, (uint64_t[]){50 * MS, 0});
        expect(&b, results[i], 50 * MS, (uint64_t[]){50 * MS, 100 * MS, 0});
    }
}

static void test_denied_is_asked_seldom(void **state)
{
    struct backoff b = {0};

    (void)state;
    expect(&b, PROBE_DENIED, 50 * MS,
           (uint64_t[]){50 * MS, 100 * MS, 200 * MS, 400 * MS, 800 * MS, 1600 * MS, 2000 * MS,
                        2000 * MS, 0});
    expect(&b, PROBE_CLOSED, 50 * MS, (uint64_t[]){250 * MS, 250 * MS, 0});
}

static void test_never_below_a_long_interval(void **state)
{
    struct backoff b = {0};

    (void)state;
    expect(&b, PROBE_CLOSED, 5000 * MS, (uint64_t[]){5000 * MS, 5000 * MS, 5000 * MS, 0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_well),
        cmocka_unit_test(test_doubles_to_the_cap),
        cmocka_unit_test(test_denied_is_asked_seldom),
        cmocka_unit_test(test_never_below_a_long_interval),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
