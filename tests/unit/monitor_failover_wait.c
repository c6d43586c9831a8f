/* How long a failover waits for the proxies of a primary that is silent: the machine alone, whose
 * orders the test answers. */
#include "monitor/failover.h"

#include "base/clock.h"
#include "tests/unit/check.h"

#include <string.h>

enum { LOST, SECOND, THIRD, SERVERS };

#define MS CLOCK_NS_PER_MS
/* The primary is missed from here on. */
#define BEGIN_NS (100 * CLOCK_NS_PER_S)
#define LEASE_NS (1000 * MS)

static struct failover machine;
static struct failover_view view;
static struct failover_order orders[SERVERS]; /* the last one to each server */
static uint64_t now_ns;

static void order(void *ctx, int server, const struct failover_order *o)
{
    (void)ctx;
    orders[server] = *o;
}

static void nothing(void *ctx)
{
    (void)ctx;
}

static void say(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
}

static void hear_replicas(void)
{
    view.at[SECOND].heard_ns = view.at[THIRD].heard_ns = now_ns;
}

static void tick(uint64_t at_ns)
{
    now_ns = at_ns;
    hear_replicas();
    failover_tick(&machine, &view, now_ns);
}

static void answer(int server, bool ok)
{
    const struct failover_answer a = {.kind = orders[server].kind,
                                      .serial = orders[server].serial,
                                      .ok = ok,
                                      .acks = true,
                                      .row = {.epoch = 7, .joined = 7}};

    failover_take(&machine, server, &a, &view, now_ns);
}

static void both_answer(void)
{
    answer(SECOND, true);
    answer(THIRD, true);
}

/* The primary of epoch 7 was heard last just before the lease that is over, its replicas are; up to
 * the point where only the proxies are to be awaited. */
static int set_up(void **state)
{
    const struct failover_effects fx = {.order = order, .look = nothing, .say = say};
    struct failover_rules rules = {.n = SERVERS,
                                   .majority = 2,
                                   .semi_sync = true,
                                   .domain = 9,
                                   .lease_ns = LEASE_NS,
                                   .wait_ns = LEASE_NS,
                                   .round_ns = 10 * LEASE_NS,
                                   .drain_ns = 10 * LEASE_NS,
                                   .steal_ns = 10 * LEASE_NS};

    (void)state;
    memset(&view, 0, sizeof view);
    view.n = SERVERS;
    for (int i = 0; i < SERVERS; i++) {
        rules.names[i] = "a server";
        view.at[i] = (struct failover_member){.up = true,
                                              .read_only = i != LOST,
                                              .enrolled = true,
                                              .source = i == LOST ? -1 : LOST,
                                              .row = {.epoch = 7, .joined = 7}};
    }
    view.at[LOST].row.primary = 7;
    view.at[LOST].heard_ns = BEGIN_NS - LEASE_NS;
    failover_init(&machine, &rules, &fx, 1);
    tick(BEGIN_NS);
    for (int round = 0; round < 3; round++) /* lock, promise, survey */
        both_answer();
    assert_int_equal(machine.state.now, FAILOVER_DRAIN);
    answer(machine.candidate, true);
    return 0;
}

static void test_nobody_is_awaited_once_all_have_left(void **state)
{
    (void)state;
    assert_int_equal(machine.state.now, FAILOVER_WAIT);
    assert_int_equal(orders[SECOND].kind, ORDER_AWAIT);
    assert_int_equal(orders[THIRD].kind, ORDER_AWAIT);
    both_answer();
    assert_int_equal(machine.state.now, FAILOVER_REPOINT);
    assert_false(orders[SECOND + THIRD - machine.candidate].expel);
}

static void test_who_has_not_left_has_its_lease_and_is_expelled(void **state)
{
    (void)state;
    answer(SECOND, true);
    answer(THIRD, false);
    tick(BEGIN_NS + LEASE_NS - MS);
    assert_int_equal(machine.state.now, FAILOVER_WAIT);
    tick(BEGIN_NS + LEASE_NS);
    assert_int_equal(machine.state.now, FAILOVER_REPOINT);
    assert_true(orders[SECOND + THIRD - machine.candidate].expel);
}

static void test_a_primary_that_is_gone_is_not_waited_for(void **state)
{
    (void)state;
    view.at[LOST].gone = true;
    tick(BEGIN_NS + MS);
    assert_int_equal(machine.state.now, FAILOVER_REPOINT);
    assert_false(orders[SECOND + THIRD - machine.candidate].expel);
}

static void test_a_majority_where_one_is_not_enrolled_is_none(void **state)
{
    struct failover_gate g;

    (void)state;
    view.at[LOST].heard_ns = now_ns;
    g = failover_gate(&view, LEASE_NS, now_ns);
    assert_int_equal(g.primary, LOST);
    view.at[SECOND].enrolled = view.at[THIRD].enrolled = false;
    g = failover_gate(&view, LEASE_NS, now_ns);
    assert_false(g.majority);
    assert_int_equal(g.primary, -1);
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nobody_is_awaited_once_all_have_left),
        TEST(test_who_has_not_left_has_its_lease_and_is_expelled),
        TEST(test_a_primary_that_is_gone_is_not_waited_for),
        TEST(test_a_majority_where_one_is_not_enrolled_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
