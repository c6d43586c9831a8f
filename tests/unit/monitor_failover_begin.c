/* When a failover begins by itself: the machine alone, before a view that the test makes. */
#include "monitor/failover.h"

#include "base/clock.h"
#include "tests/unit/check.h"

#include <string.h>

enum { LAST, SECOND, THIRD, SERVERS };

#define AT(s) ((s)*CLOCK_NS_PER_S)

static struct failover machine;
static struct failover_view view;

static void order(void *ctx, int server, const struct failover_order *o)
{
    (void)ctx;
    (void)server;
    (void)o;
}

static void say(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
}

static void ended(void *ctx, enum failover_task task, const char *why)
{
    (void)ctx;
    (void)task;
    (void)why;
}

/* The primary of epoch 7 and its replicas; the last one was not heard yet. */
static int set_up(void **state)
{
    const struct failover_effects fx = {.order = order, .say = say, .ended = ended};
    struct failover_rules rules = {.n = SERVERS,
                                   .majority = 2,
                                   .lease_ns = CLOCK_NS_PER_S,
                                   .wait_ns = CLOCK_NS_PER_S,
                                   .round_ns = CLOCK_NS_PER_S,
                                   .steal_ns = AT(5)};

    (void)state;
    memset(&view, 0, sizeof view);
    view.n = SERVERS;
    for (int i = 0; i < SERVERS; i++) {
        rules.names[i] = "a server";
        view.at[i] = (struct failover_member){.up = i != THIRD,
                                              .read_only = true,
                                              .enrolled = true,
                                              .source = -1,
                                              .row = {.epoch = 7, .joined = 7}};
    }
    view.at[LAST].row.primary = 7;
    failover_init(&machine, &rules, &fx, 1);
    return 0;
}

static bool has_begun(uint64_t now_ns)
{
    for (int i = 0; i < SERVERS; i++)
        view.at[i].heard_ns = view.at[i].up ? now_ns : view.at[i].heard_ns;
    failover_tick(&machine, &view, now_ns);
    return machine.state.now != FAILOVER_WATCH;
}

static void test_who_is_missing_is_awaited_where_the_last_primary_is_back(void **state)
{
    (void)state;
    assert_false(has_begun(AT(100)));
    assert_false(has_begun(AT(104)));
    assert_true(has_begun(AT(105)));
}

static void test_nobody_is_awaited_once_all_are_here(void **state)
{
    (void)state;
    assert_false(has_begun(AT(100)));
    view.at[THIRD].up = true;
    assert_true(has_begun(AT(101)));
}

static void test_a_server_in_maintenance_is_not_awaited(void **state)
{
    (void)state;
    view.at[THIRD].resting = true;
    assert_true(has_begun(AT(100)));
}

static void test_nobody_is_awaited_where_the_last_primary_is_gone(void **state)
{
    (void)state;
    view.at[LAST].gone = true; /* and no other sign of it yet */
    assert_true(has_begun(AT(100)));
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_who_is_missing_is_awaited_where_the_last_primary_is_back),
        TEST(test_nobody_is_awaited_once_all_are_here),
        TEST(test_a_server_in_maintenance_is_not_awaited),
        TEST(test_nobody_is_awaited_where_the_last_primary_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
