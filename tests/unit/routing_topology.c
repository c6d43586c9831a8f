#include "routing/topology.h"

#include "tests/unit/check.h"

static void a_new_one_is_empty(void **state)
{
    struct topology *t = topology_new();

    (void)state;
    assert_non_null(t);
    assert_int_equal(t->primary, -1);
    assert_int_equal(t->count, 0);
    assert_true(t->epoch == 0);
    assert_int_equal(t->servers[0].health, HEALTH_UNKNOWN);
    assert_int_equal(t->servers[0].role, ROLE_UNKNOWN);
    topology_unref(t);
    topology_unref(NULL);
}

static void a_copy_is_the_next_and_lives_alone(void **state)
{
    struct topology *t = topology_new();
    struct topology *copy;

    (void)state;
    t->count = 2;
    t->primary = 1;
    t->servers[1].weight = 7;
    t->epoch = 41;
    topology_ref(t);
    topology_ref(t);
    copy = topology_copy(t);
    assert_true(copy->epoch == 42);
    assert_int_equal(copy->count, 2);
    assert_int_equal(copy->primary, 1);
    assert_int_equal(copy->servers[1].weight, 7);
    copy->servers[1].weight = 8;
    assert_int_equal(t->servers[1].weight, 7);
    topology_unref(t);
    topology_unref(t);
    assert_int_equal(t->servers[1].weight, 7); /* one reference is left */
    topology_unref(t);
    assert_int_equal(copy->servers[1].weight, 8);
    topology_unref(copy);
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(server_role_name(ROLE_PRIMARY), "primary");
    assert_string_equal(server_role_name(ROLE_REPLICA), "replica");
    assert_string_equal(server_role_name(ROLE_UNKNOWN), "unknown");
    for (int h = 0; h < HEALTH_COUNT; h++)
        assert_true(strlen(server_health_name((enum server_health)h)) > 0);
    assert_string_equal(server_health_name(HEALTH_BROKEN), "broken");
}

static void lagging_with_two_limits(void **state)
{
    (void)state;
    assert_false(topology_lags(false, 1000, 1000, 400));
    assert_true(topology_lags(false, 1001, 1000, 400));
    assert_true(topology_lags(true, 1000, 1000, 400));
    assert_true(topology_lags(true, 401, 1000, 400));
    assert_false(topology_lags(true, 400, 1000, 400));
    assert_true(topology_lags(true, UINT64_MAX, UINT64_MAX - 1, 0));
    assert_true(topology_lags(false, UINT64_MAX, 1000, 400));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_one_is_empty),
        cmocka_unit_test(a_copy_is_the_next_and_lives_alone),
        cmocka_unit_test(names),
        cmocka_unit_test(lagging_with_two_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
