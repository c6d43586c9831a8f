#include "proxy/backend/line.h"

#include "proxy/worker.h"
#include "tests/unit/check.h"

enum { BRIEF_US = 50 };

static struct worker worker;

/* So many riders of so long each, on a line of a machine whose cores are free, or full. */
static bool has_enough(unsigned count, uint32_t us, bool cores_full)
{
    const struct line l = {.worker = &worker, .count = count, .us = count * us};

    atomic_store(&worker.lines.aim_us, LINE_AIM_US);
    worker.coalesce.full = cores_full ? COALESCE_FULL : 0;
    return line_has_enough(&l);
}

static void where_cores_are_free_others_serve_sooner(void **state)
{
    (void)state;
    assert_false(has_enough(LINE_AIM - 1, BRIEF_US, false));
    assert_true(has_enough(LINE_AIM, BRIEF_US, false));
}

static void where_cores_are_full_nobody_else_is_woken(void **state)
{
    (void)state;
    assert_false(has_enough(LINE_AIM, BRIEF_US, true));
    assert_false(has_enough(LINE_DEPTH - 1, BRIEF_US, true));
    assert_true(has_enough(LINE_DEPTH, BRIEF_US, true));
}

static void nobody_waits_for_longer_than_is_expected(void **state)
{
    (void)state;
    for (int full = 0; full < 2; full++) {
        assert_false(has_enough(1, LINE_AIM_US - 1, full));
        assert_true(has_enough(1, LINE_AIM_US, full));
        assert_false(has_enough(3, LINE_AIM_US / 4, full));
        assert_true(has_enough(4, LINE_AIM_US / 4, full));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_cores_are_free_others_serve_sooner),
        cmocka_unit_test(where_cores_are_full_nobody_else_is_woken),
        cmocka_unit_test(nobody_waits_for_longer_than_is_expected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
