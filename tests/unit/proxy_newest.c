#include "proxy/newest.h"

#include "tests/unit/check.h"

/* A snapshot of two servers; `sampled_ns` stands for all that moves on. */
static struct topology *snapshot(int primary, enum server_health health, uint64_t sampled_ns)
{
    struct topology *t = topology_new();

    assert_non_null(t);
    t->count = 2;
    t->primary = primary;
    t->servers[0].health = HEALTH_UP;
    t->servers[1].health = health;
    t->servers[1].sampled_ns = sampled_ns;
    return t;
}

static void expect_sampled(struct topology *t, uint64_t sampled_ns)
{
    assert_non_null(t);
    assert_int_equal(t->servers[1].sampled_ns, sampled_ns);
    topology_unref(t);
}

static void wakes_for_health_and_primary_alone(void **state)
{
    struct newest n = {NULL, NULL};

    (void)state;
    assert_true(newest_put(&n, snapshot(0, HEALTH_UP, 1)));
    assert_false(newest_put(&n, snapshot(0, HEALTH_UP, 2)));
    assert_true(newest_put(&n, snapshot(0, HEALTH_DOWN, 3)));
    assert_false(newest_put(&n, snapshot(0, HEALTH_DOWN, 4)));
    assert_true(newest_put(&n, snapshot(1, HEALTH_DOWN, 5)));
    newest_free(&n);
}

static void wakes_for_maintenance(void **state)
{
    struct topology *t = snapshot(0, HEALTH_BROKEN, 2);
    struct newest n = {NULL, NULL};

    (void)state;
    (void)newest_put(&n, snapshot(0, HEALTH_BROKEN, 1));
    t->servers[1].resting = true;
    assert_true(newest_put(&n, t));
    newest_free(&n);
}

static void only_the_last_is_taken_and_once(void **state)
{
    struct newest n = {NULL, NULL};

    (void)state;
    assert_null(newest_take(&n));
    (void)newest_put(&n, snapshot(0, HEALTH_UP, 1));
    (void)newest_put(&n, snapshot(0, HEALTH_UP, 2));
    expect_sampled(newest_take(&n), 2);
    assert_null(newest_take(&n));
    newest_free(&n);
}

static void what_differs_stays(void **state)
{
    struct topology *known = snapshot(0, HEALTH_UP, 1);
    struct newest n = {NULL, NULL};

    (void)state;
    (void)newest_put(&n, snapshot(0, HEALTH_UP, 2));
    expect_sampled(newest_take_like(&n, known), 2);
    (void)newest_put(&n, snapshot(0, HEALTH_DOWN, 3));
    assert_null(newest_take_like(&n, known));
    expect_sampled(newest_take(&n), 3);
    newest_free(&n);
    topology_unref(known);
}

/* Told once that it changed, a thread that has not looked yet needs not be told that nothing more
 * did: it finds both. */
static void a_change_is_found_behind_what_moved_on(void **state)
{
    struct topology *known = snapshot(0, HEALTH_UP, 1);
    struct newest n = {NULL, NULL};

    (void)state;
    assert_true(newest_put(&n, snapshot(0, HEALTH_DOWN, 2)));
    assert_false(newest_put(&n, snapshot(0, HEALTH_DOWN, 3)));
    assert_null(newest_take_like(&n, known));
    expect_sampled(newest_take(&n), 3);
    newest_free(&n);
    topology_unref(known);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(wakes_for_health_and_primary_alone),
        cmocka_unit_test(wakes_for_maintenance),
        cmocka_unit_test(only_the_last_is_taken_and_once),
        cmocka_unit_test(what_differs_stays),
        cmocka_unit_test(a_change_is_found_behind_what_moved_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
