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

static int primary_of(struct topology *t, int n, int *before)
{
    struct topology *own = topology_shared(t, n, before);
    int primary = own->primary;

    for (int i = 0; i < own->count; i++)
        assert_int_equal(own->servers[i].role == ROLE_PRIMARY, i == primary);
    assert_true(own->epoch == t->epoch);
    topology_unref(own);
    return primary;
}

static void several_writers_are_shared(void **state)
{
    struct topology *t = topology_new();
    int before[4] = {-1, -1, -1, -1};

    (void)state;
    t->count = 4;
    t->primary = 0;
    t->servers[0].role = ROLE_PRIMARY;
    t->servers[1].role = t->servers[2].role = t->servers[3].role = ROLE_REPLICA;
    for (int n = 0; n < 4; n++)
        assert_int_equal(primary_of(t, n, &before[n]), 0);
    assert_true(topology_writes(t, 0) && !topology_writes(t, 1));
    t->writers = 0xb; /* not the third */
    for (int n = 0; n < 4; n++)
        assert_int_equal(primary_of(t, n, &before[n]), ((const int[]){0, 1, 3, 0})[n]);
    assert_true(topology_writes(t, 1) && !topology_writes(t, 2));
    topology_unref(t);
}

static void nobody_leaves_a_writer_that_may_have_written(void **state)
{
    struct topology *t = topology_new();
    int before[2] = {-1, -1};

    (void)state;
    t->count = 3;
    t->primary = 0;
    t->servers[0].role = ROLE_PRIMARY;
    t->servers[1].role = t->servers[2].role = ROLE_REPLICA;
    t->writers = 7;
    assert_int_equal(primary_of(t, 0, &before[0]), 0);
    assert_int_equal(primary_of(t, 1, &before[1]), 1);
    t->writers = 5; /* the second is lost */
    t->undecided = 2;
    assert_int_equal(primary_of(t, 0, &before[0]), 0);
    assert_int_equal(primary_of(t, 1, &before[1]), -1);
    t->undecided = 0;
    assert_int_equal(primary_of(t, 1, &before[1]), 2);
    t->undecided = 2; /* it was never this one's, now */
    assert_int_equal(primary_of(t, 1, &before[1]), 2);
    topology_unref(t);
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
        cmocka_unit_test(several_writers_are_shared),
        cmocka_unit_test(nobody_leaves_a_writer_that_may_have_written),
        cmocka_unit_test(names),
        cmocka_unit_test(lagging_with_two_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
