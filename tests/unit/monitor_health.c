#include "monitor/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 3 };

static void note(struct health *h, enum probe_result r)
{
    struct probe_answer a = {.result = r, .why = "words"};

    health_note(h, &a, LIMIT);
}

static void test_answer_is_up_at_once(void **state)
{
    static const enum probe_result before[] = {PROBE_CLOSED, PROBE_DENIED, PROBE_TIMEOUT};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(before); i++) {
        struct health h = {.now = HEALTH_UNKNOWN};

        for (int k = 0; k < 5; k++)
            note(&h, before[i]);
        assert_int_not_equal(h.now, HEALTH_UP);
        assert_string_equal(h.why, "words");
        note(&h, PROBE_OK);
        assert_int_equal(h.now, HEALTH_UP);
        assert_int_equal(h.failures, 0);
        assert_string_equal(h.why, "");
    }
}

static void test_definite_answers_count_at_once(void **state)
{
    struct health h = {.now = HEALTH_UP};

    (void)state;
    note(&h, PROBE_CLOSED);
    assert_int_equal(h.now, HEALTH_DOWN);
    note(&h, PROBE_DENIED);
    assert_int_equal(h.now, HEALTH_REFUSED);
}

static void test_refused_until_it_is_not(void **state)
{
    struct health h = {.now = HEALTH_UP};
    struct probe_answer refused = {.result = PROBE_CLOSED, .refused = true};

    (void)state;
    note(&h, PROBE_CLOSED); /* a shutdown was announced: somebody is still there */
    assert_false(h.refused);
    health_note(&h, &refused, LIMIT);
    assert_true(h.refused);
    note(&h, PROBE_TIMEOUT); /* it starts again */
    assert_false(h.refused);
}

static void test_silence_counts_in_a_row(void **state)
{
    static const struct {
        enum probe_result result;
        enum server_health health;
    } cases[] = {{PROBE_TIMEOUT, HEALTH_TIMEOUT}, {PROBE_LOST, HEALTH_DOWN}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct health h = {.now = HEALTH_UP};

        note(&h, cases[i].result);
        note(&h, cases[i].result);
        assert_int_equal(h.now, HEALTH_UP);
        assert_string_equal(h.why, "");
        assert_string_equal(h.last, "words");
        note(&h, PROBE_OK);
        assert_string_equal(h.last, "");
        note(&h, cases[i].result);
        note(&h, cases[i].result);
        assert_int_equal(h.now, HEALTH_UP);
        note(&h, cases[i].result);
        assert_int_equal(h.now, cases[i].health);
    }
}

static void test_unknown_until_told(void **state)
{
    struct health h = {.now = HEALTH_UNKNOWN};

    (void)state;
    note(&h, PROBE_TIMEOUT);
    assert_int_equal(h.now, HEALTH_UNKNOWN);
    note(&h, PROBE_TIMEOUT);
    note(&h, PROBE_TIMEOUT);
    assert_int_equal(h.now, HEALTH_TIMEOUT);
}

/* Down, and then it accepts without answering: another sickness, told after the limit. */
static void test_from_down_to_timeout(void **state)
{
    struct health h = {.now = HEALTH_UP};

    (void)state;
    note(&h, PROBE_CLOSED);
    note(&h, PROBE_TIMEOUT);
    assert_int_equal(h.now, HEALTH_DOWN);
    note(&h, PROBE_TIMEOUT);
    assert_int_equal(h.now, HEALTH_TIMEOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer_is_up_at_once),
        cmocka_unit_test(test_definite_answers_count_at_once),
        cmocka_unit_test(test_refused_until_it_is_not),
        cmocka_unit_test(test_silence_counts_in_a_row),
        cmocka_unit_test(test_unknown_until_told),
        cmocka_unit_test(test_from_down_to_timeout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
