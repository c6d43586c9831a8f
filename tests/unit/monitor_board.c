/* From facts to topologies. */
#include "base/clock.h"
#include "base/log.h"
#include "monitor/board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS CLOCK_NS_PER_MS

static struct conf_server servers[2] = {
    {"a", {"10.0.0.1", 1001, "10.0.0.1:1001"}, 1, 0, "", false, CANDIDATE_NORMAL},
    {"b", {"/tmp/b.sock", 0, "/tmp/b.sock"}, 7, 0, "reporting", false, CANDIDATE_NORMAL},
};
static struct conf conf = {.server_count = 2, .servers = servers, .monitor.failures = 3};

static struct board *board;
static struct topology *now;

static struct gtid_set at(uint64_t seq)
{
    struct gtid_set s = {.count = 1};

    s.at[0] = (struct gtid){0, 1, seq};
    return s;
}

static int set_up(void **state)
{
    (void)state;
    board = board_new(&conf);
    assert_non_null(board);
    now = board_first(board);
    assert_non_null(now);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    topology_unref(now);
    board_free(board);
    return 0;
}

/* The next snapshot takes the place of `now`; false where nothing changed. */
static bool next(uint64_t now_ms)
{
    struct topology *t = board_next(board, now, now_ms * MS);

    if (!t)
        return false;
    assert_int_equal(t->epoch, now->epoch + 1);
    topology_unref(now);
    now = t;
    return true;
}

static void sample(int i, uint64_t seq, uint64_t at_ms)
{
    board->facts[i].known = true;
    board->facts[i].server_id = (uint32_t)i + 1;
    board->facts[i].sampled_ns = at_ms * MS;
    board->facts[i].binlog_pos = at(seq);
    board->facts[i].slave_pos = i ? at(seq) : (struct gtid_set){.count = 0};
    board->health[i].now = HEALTH_UP;
}

static void make_cluster(void)
{
    sample(0, 10, 100);
    sample(1, 10, 100);
    board->facts[1].read_only = true;
    board->facts[1].channel_count = 1;
    board->facts[1].channels[0] =
        (struct channel){.master_id = 1, .io = CHANNEL_RUNNING, .sql_running = true};
}

static void test_first(void **state)
{
    (void)state;
    assert_int_equal(now->count, 2);
    assert_int_equal(now->primary, -1);
    assert_string_equal(now->servers[0].name, "a");
    assert_string_equal(now->servers[0].host, "10.0.0.1");
    assert_int_equal(now->servers[0].port, 1001);
    assert_string_equal(now->servers[1].host, "/tmp/b.sock");
    assert_int_equal(now->servers[1].port, 0);
    assert_int_equal(now->servers[1].weight, 7);
    assert_string_equal(now->servers[1].group, "reporting");
    assert_int_equal(now->servers[0].health, HEALTH_UNKNOWN);
    assert_true(now->servers[0].lag_ms == UINT64_MAX);
}

static void test_nothing_new_is_not_published(void **state)
{
    (void)state;
    assert_false(next(50));
    make_cluster();
    assert_true(next(100));
    assert_false(next(101));
    sample(1, 10, 120); /* the same position, known for a later time */
    assert_true(next(121));
    assert_int_equal(now->servers[1].sampled_ns, 120 * MS);
    assert_false(next(122));
}

static void test_roles_positions_since(void **state)
{
    (void)state;
    make_cluster();
    assert_true(next(100));
    assert_int_equal(now->primary, 0);
    assert_int_equal(now->servers[0].role, ROLE_PRIMARY);
    assert_int_equal(now->servers[0].lag_ms, 0);
    assert_int_equal(now->servers[1].role, ROLE_REPLICA);
    assert_int_equal(now->servers[1].lag_ms, 0);
    assert_int_equal(now->servers[1].since_ns, 100 * MS);
    board->facts[1].binlog_pos = at(99); /* an errant write of its own is not the primary's */
    sample(0, 11, 150);
    assert_true(next(150));
    assert_int_equal(now->servers[0].position.at[0].seq, 11);
    assert_int_equal(now->servers[1].position.at[0].seq, 10);
    assert_int_equal(now->servers[1].since_ns, 100 * MS);
    board->health[1].now = HEALTH_DOWN;
    assert_true(next(200));
    assert_int_equal(now->servers[1].since_ns, 200 * MS);
    assert_int_equal(now->servers[1].role, ROLE_REPLICA);
}

static void test_lag(void **state)
{
    (void)state;
    make_cluster();
    assert_true(next(100));
    sample(0, 11, 150);
    assert_true(next(150));
    assert_int_equal(now->servers[1].lag_ms, 50);
    sample(0, 12, 200);
    assert_true(next(400));
    assert_int_equal(now->servers[1].lag_ms, 300);
    sample(1, 12, 450);
    assert_true(next(450));
    assert_int_equal(now->servers[1].lag_ms, 0);
}

/* Out at one limit, in again at a lower one. */
static void test_lagging(void **state)
{
    (void)state;
    conf.routing.max_lag_ns = 200 * MS;
    conf.routing.resume_lag_ns = 60 * MS;
    assert_true(now->servers[1].lagging); /* nothing is known yet */
    make_cluster();
    assert_true(next(100));
    assert_false(now->servers[1].lagging);
    sample(0, 11, 150);
    assert_true(next(350));
    assert_int_equal(now->servers[1].lag_ms, 250);
    assert_true(now->servers[1].lagging);
    sample(0, 11, 360);
    assert_true(next(360));
    sample(1, 11, 365);
    sample(0, 12, 370);
    assert_true(next(450)); /* it has what was the newest at 360 */
    assert_int_equal(now->servers[1].lag_ms, 90);
    assert_true(now->servers[1].lagging);
    sample(1, 12, 460);
    assert_true(next(460));
    assert_false(now->servers[1].lagging);
}

/* Without a primary what was known stays: lag does not grow for want of news. */
static void test_lag_without_a_primary(void **state)
{
    (void)state;
    make_cluster();
    assert_true(next(100));
    sample(0, 11, 150);
    board->health[0].now = HEALTH_DOWN;
    assert_true(next(150));
    assert_int_equal(now->primary, -1);
    assert_int_equal(now->servers[0].role, ROLE_PRIMARY); /* it was, and nobody else is */
    assert_int_equal(now->servers[1].lag_ms, 0);
    assert_false(next(60000));
}

static void test_lag_of_another_primary_begins_anew(void **state)
{
    (void)state;
    make_cluster();
    assert_true(next(100));
    board->health[0].now = HEALTH_DOWN;
    board->facts[1].channel_count = 0;
    board->facts[1].read_only = false;
    sample(1, 20, 150);
    assert_true(next(150));
    assert_int_equal(now->primary, 1);
    board->health[0].now = HEALTH_UP;
    sample(0, 10, 200);
    board->facts[0].read_only = true;
    board->facts[0].slave_pos = at(10);
    board->facts[0].channel_count = 1;
    board->facts[0].channels[0] =
        (struct channel){.master_id = 2, .io = CHANNEL_RUNNING, .sql_running = true};
    assert_true(next(200));
    assert_int_equal(now->servers[0].role, ROLE_REPLICA);
    assert_true(now->servers[0].lag_ms == UINT64_MAX);
    board->facts[0].slave_pos = at(20);
    assert_true(next(250));
    assert_int_equal(now->servers[0].lag_ms, 0);
}

static void test_maintenance(void **state)
{
    (void)state;
    make_cluster();
    board->resting = 3; /* the primary takes writes all the same */
    assert_true(next(100));
    assert_false(now->servers[0].resting);
    assert_int_equal(now->servers[0].health, HEALTH_UP);
    assert_true(now->servers[1].resting);
    assert_int_equal(now->servers[1].health, HEALTH_BROKEN);
    assert_string_equal(now->servers[1].why, "in maintenance");
    board->health[1].now = HEALTH_DOWN;
    assert_true(next(150));
    assert_true(now->servers[1].resting); /* until an operator says otherwise */
    board->resting = 0;
    assert_true(next(200));
    assert_false(now->servers[1].resting);
}

static void test_patience(void **state)
{
    (void)state;
    assert_int_equal(board_patience(board, 1), 3); /* not known yet */
    make_cluster();
    assert_true(next(100));
    assert_int_equal(board_patience(board, 0), 3);
    assert_int_equal(board_patience(board, 1), 1);
    board->verdict.writers = 3; /* Galera, several writers */
    assert_int_equal(board_patience(board, 1), 3);
}

/* Reads are not sent to a server that would not get a write either: it has been silent for a lease,
 * though not as long as the monitor takes to call it lost. */
static void test_who_is_silent_for_a_lease_is_not_read(void **state)
{
    (void)state;
    conf.failover.enabled = true;
    conf.failover.lease_ns = 500 * MS;
    make_cluster();
    for (int i = 0; i < 2; i++) {
        board->facts[i].row = (struct failover_row){.epoch = 3, .joined = 3};
        board->facts[i].enrolled = true;
    }
    board->facts[0].row.primary = 3;
    assert_true(next(100));
    assert_int_equal(now->primary, 0);
    assert_int_equal(now->servers[1].health, HEALTH_UP);
    sample(0, 10, 599);
    (void)next(599);
    assert_int_equal(now->servers[1].health, HEALTH_UP);
    (void)snprintf(board->health[1].last, sizeof board->health[1].last, "its disk is full");
    assert_true(next(600));
    assert_int_equal(now->servers[1].health, HEALTH_TIMEOUT);
    assert_string_equal(now->servers[1].why, "its disk is full");
    assert_int_equal(now->servers[0].health, HEALTH_UP);
    conf.failover.enabled = false;
}

/* It sends nobody to a primary of an epoch before the newest one that is known; what it sends to
 * while servers have not been asked yet nobody knows. */
static void test_epochs_that_are_left(void **state)
{
    (void)state;
    conf.failover.enabled = true;
    conf.failover.lease_ns = 500 * MS;
    make_cluster();
    board->facts[0].row = (struct failover_row){.epoch = 2, .joined = 2, .primary = 2};
    board->facts[1].row = (struct failover_row){.epoch = 3, .joined = 2};
    board->facts[0].enrolled = board->facts[1].enrolled = true;
    board->health[1].now = HEALTH_UNKNOWN;
    assert_true(next(100));
    assert_int_equal(now->left, 0);
    board->health[1].now = HEALTH_UP;
    assert_true(next(101));
    assert_int_equal(now->primary, -1);
    assert_int_equal(now->left, 3);
    conf.failover.enabled = false;
}

/* The lease ends where the primary, or one of those that make up the majority, was heard too long
 * ago; at once where something is known of the server itself. */
static void test_leases(void **state)
{
    (void)state;
    conf.failover.enabled = true;
    conf.failover.lease_ns = 500 * MS;
    make_cluster();
    assert_true(next(100));
    assert_true(now->servers[0].lease_ns == UINT64_MAX); /* there are no epochs yet */
    for (int i = 0; i < 2; i++) {
        board->facts[i].row = (struct failover_row){.epoch = 3, .joined = 3};
        board->facts[i].enrolled = true;
    }
    board->facts[0].row.primary = 3;
    sample(0, 10, 200);
    assert_true(next(201));
    assert_int_equal(now->servers[0].lease_ns, 600 * MS);
    sample(1, 10, 300);
    assert_true(next(301));
    assert_int_equal(now->servers[0].lease_ns, 700 * MS);
    board->facts[1].enrolled = false;
    assert_true(next(302));
    assert_int_equal(now->servers[0].lease_ns, 0);
    board->facts[1].enrolled = true;
    board->health[0].now = HEALTH_DOWN;
    assert_true(next(303));
    assert_int_equal(now->servers[0].lease_ns, 0);
    conf.failover.enabled = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_new_is_not_published, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_roles_positions_since, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lag, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lagging, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lag_without_a_primary, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lag_of_another_primary_begins_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_maintenance, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_epochs_that_are_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_leases, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_patience, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_is_silent_for_a_lease_is_not_read, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
