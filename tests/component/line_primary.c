/* Shared pipelining on the primary, where no replica serves: what rides goes over connections that
 * only read, and has no last word. */
#include "component/ride.h"
#include "proxy/backend/backend.h"
#include "proxy/backend/history.h"
#include "proxy/session/session_hold.h"

#include <stdio.h>

static const char unguard_sql[] = "SET SESSION tx_read_only=DEFAULT";

static struct ride ride_with(struct rig *r, int connections)
{
    struct ride ride = {.rig = r};
    struct scene scene;

    r->view->servers[REPLICA].health = HEALTH_DOWN;
    r->view->servers[PRIMARY].max_connections = (uint32_t)connections;
    rig_publish(r);
    scene = rig_scene(r);
    ride.first = scene.till;
    ride.line = ride.primary = scene.primary;
    ride.second = rig_till(r, 0);
    (void)client_hears_ok(ride.second);
    ride_gets_known(ride.first, ride.line, ride_read_sql, HISTORY_ENOUGH);
    ride_gets_known(ride.first, ride.line, ride_other_sql, HISTORY_ENOUGH);
    return ride;
}

static struct ride ride_of(struct rig *r)
{
    return ride_with(r, 0);
}

/* The guard goes off for it. */
static void writes_on_the_line(const struct ride *ride, struct peer *till, const char *sql)
{
    client_asks(till, sql);
    server_hears_query(ride->line, unguard_sql);
    server_says_ok(ride->line);
    server_hears_query(ride->line, sql);
    server_says_ok(ride->line);
    (void)client_hears_ok(till);
}

static void each_gets_its_own_reply(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);

    (void)state;
    for (int i = 0; i < 3; i++)
        ride_both(&ride);
    rig_counts(r, METRIC_SHARED, 6);
    assert_int_equal(ride.line->guards, 1);
    server_is_left_alone(&r->servers[PRIMARY], 50);
}

/* What is not a read finds another connection, … */
static void a_write_has_a_connection_that_writes(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *third = rig_till(r, 0);
    struct peer *own;

    (void)state;
    (void)client_hears_ok(third);
    ride_both_board(&ride);
    client_asks(third, "UPDATE t SET a=1");
    own = server_serves(&r->servers[PRIMARY]);
    server_hears_query(own, "UPDATE t SET a=1");
    server_says_ok(own);
    (void)client_hears_ok(third);
    ride_both_are_answered(&ride);
    client_asks(ride.first, "UPDATE t SET a=2"); /* rather one without a guard */
    server_hears_query(own, "UPDATE t SET a=2");
    server_says_ok(own);
    (void)client_hears_ok(ride.first);
}

/* … or, where there is no other, the same without its guard; and one that reads alone leaves it. */
static void the_only_connection_serves_both(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_with(r, 1);

    (void)state;
    for (int i = 1; i <= 2; i++) {
        ride_both(&ride);
        assert_int_equal(ride.line->guards, i);
        client_asks(ride.second, "SELECT d FROM t");
        ride_answers(ride.line, "SELECT d FROM t", "4", ride.second);
        client_asks(ride.first, "UPDATE t SET a=1");
        server_hears_query(ride.line, unguard_sql);
        server_says_ok(ride.line);
        server_hears_query(ride.line, "UPDATE t SET a=1");
        server_says_ok(ride.line);
        (void)client_hears_ok(ride.first);
    }
}

/* A session that reads only by its own will does so again. */
static void its_own_access_mode_comes_back(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_with(r, 1);

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct peer *till = i ? ride.second : ride.first;

        client_asks(till, "SET SESSION tx_read_only=0");
        if (i) { /* the other one's is on it */
            server_hears_query(ride.line, unguard_sql);
            server_says_ok(ride.line);
        }
        server_hears_query(ride.line, "SET SESSION tx_read_only=0");
        server_says(ride.line, .variable = {"tx_read_only", "OFF"});
        (void)client_hears_ok(till);
    }
    ride_both(&ride);
    client_asks(ride.first, "UPDATE t SET a=1");
    server_hears_query(ride.line, "SET SESSION tx_read_only=OFF");
    server_says_ok(ride.line);
    server_hears_query(ride.line, "UPDATE t SET a=1");
    server_says_ok(ride.line);
    (void)client_hears_ok(ride.first);
}

/* Its transaction would be one that only reads. */
static void a_read_that_begins_a_transaction_is_not_guarded(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_with(r, 1);
    const struct says end = {.status = STATUS_IN_TRANS, .autocommit_off = true};

    (void)state;
    client_asks(ride.second, "SET autocommit=0");
    server_hears_query(ride.line, "SET autocommit=0");
    server_says(ride.line, .autocommit_off = true, .variable = {"autocommit", "OFF"});
    (void)client_hears_ok(ride.second);
    client_asks(ride.first, ride_read_sql);
    server_hears_query(ride.line, "SET autocommit=DEFAULT");
    server_says_ok(ride.line);
    ride_answers(ride.line, ride_read_sql, "1", ride.first);
    client_asks(ride.first, ride_read_sql);
    ride_answers(ride.line, ride_read_sql, "1", ride.first);
    assert_int_equal(ride.line->guards, 1);
    client_asks(ride.second, ride_read_sql);
    server_hears_query(ride.line, unguard_sql);
    server_says_ok(ride.line);
    server_hears_query(ride.line, "SET autocommit='OFF'");
    server_says_ok(ride.line);
    server_hears_query(ride.line, ride_read_sql);
    server_sends_rows(ride.line, &end, (const char *const[]){"1", NULL});
    (void)client_hears_rows(ride.second, "1");
}

/* An error may be the guard's: the read is asked again where all may be done. */
static void an_error_is_not_the_last_word(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *own;

    (void)state;
    ride_both_board(&ride);
    ride.line->seq = 0;
    server_says_error(ride.line, 1792, "25006", "Cannot execute in a READ ONLY transaction");
    own = server_serves(&r->servers[PRIMARY]);
    server_hears_query(own, ride_read_sql);
    server_says_error(own, 1054, "42S22", "Unknown column 'a' in 'SELECT'");
    client_hears_error(ride.first, 1054, "42S22", "Unknown column");
    ride_line_says_rows(&ride, "2");
    (void)client_hears_rows(ride.second, "2");
    assert_int_equal(own->guards, 0);
    ride_both(&ride);
}

/* The connection is the last one: the guard is taken off it first. */
static void an_error_is_asked_again_without_the_guard(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_with(r, 1);

    (void)state;
    ride_both_board(&ride);
    ride.line->seq = 0;
    server_says_error(ride.line, 1792, "25006", "Cannot execute in a READ ONLY transaction");
    ride_line_says_rows(&ride, "2");
    (void)client_hears_rows(ride.second, "2");
    server_hears_query(ride.line, unguard_sql);
    server_says_ok(ride.line);
    ride_answers(ride.line, ride_read_sql, "1", ride.first);
}

/* The primary lives: on another connection all is asked again there. */
static void what_a_lost_connection_leaves_is_asked_again(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *own[2];
    struct peer *tills[2] = {ride.second, ride.first};
    const char *const asked[2] = {ride_other_sql, ride_read_sql};

    (void)state;
    ride_both_board(&ride);
    peer_cut(ride.line);
    for (int i = 0; i < 2; i++)
        own[i] = server_serves(&r->servers[PRIMARY]);
    for (int i = 0; i < 2; i++)
        ride_answers(own[i], asked[i], "1", tills[i]);
}

/* Not for ever. */
static void a_primary_that_is_gone_is_told(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);

    (void)state;
    ride_both_board(&ride);
    server_close(&r->servers[PRIMARY]);
    peer_cut(ride.line);
    client_hears_error(ride.first, 1158, "08S01", "no server is available");
    client_hears_error(ride.second, 1158, "08S01", "no server is available");
}

/* It has the connection to itself, and leaves it as one that reads; its list of warnings, too. */
static void a_slow_one_holds_nobody_up(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *own;

    (void)state;
    ride_both_board(&ride);
    rig_hurries_lines(r);
    own = server_serves(&r->servers[PRIMARY]);
    ride_answers(own, ride_other_sql, "2", ride.second);
    ride_line_says_rows(&ride, "1");
    (void)client_hears_rows(ride.first, "1");
    ride_line_says_rows(&ride, "dropped");
    rig_idle(r, PRIMARY, 2);
    writes_on_the_line(&ride, ride.first, "UPDATE t SET a=1");
}

/* The reply to the guard comes in front of one that nobody wants any more. */
static void the_first_leaves_before_the_guard_is_there(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);

    (void)state;
    client_asks(ride.first, ride_read_sql);
    rig_counts(r, METRIC_SHARED, 1);
    client_asks(ride.second, ride_other_sql);
    rig_counts(r, METRIC_SHARED, 2);
    peer_reset(ride.first);
    rig_counts(r, METRIC_SESSIONS, 1);
    server_hears_query(ride.line, ride_read_sql);
    server_hears_query(ride.line, ride_other_sql);
    ride_line_says_rows(&ride, "not for anybody");
    ride_line_says_rows(&ride, "2");
    (void)client_hears_rows(ride.second, "2");
    assert_int_equal(ride.line->guards, 1);
}

/* They are had by running it again. */
static void warnings_are_still_to_be_had(void **state)
{
    const struct says warned = {.warnings = 1};
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_with(r, 1);

    (void)state;
    ride_both_board(&ride);
    ride.line->seq = 0;
    server_sends_rows(ride.line, &warned, (const char *const[]){"1", NULL});
    ride_line_says_rows(&ride, "2");
    (void)client_hears_rows(ride.first, "1");
    (void)client_hears_rows(ride.second, "2");
    client_asks(ride.first, "SHOW WARNINGS");
    server_hears_query(ride.line, unguard_sql);
    server_says_ok(ride.line);
    server_hears_query(ride.line, ride_read_sql);
    server_sends_rows(ride.line, &warned, (const char *const[]){"1", NULL});
    ride_answers(ride.line, "SHOW WARNINGS", "w", ride.first);
}

/* What its insert left stays with it, until another session wants the connection. */
static void who_has_left_an_insert_id_goes_alone(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_with(r, 1);

    (void)state;
    RUNS(ride.first, ride.line, "INSERT INTO t (a) VALUES (1)", .affected = 1, .insert_id = 7);
    client_asks(ride.first, ride_read_sql);
    ride_answers(ride.line, ride_read_sql, "1", ride.first);
    rig_counts(r, METRIC_SHARED, 0);
    assert_int_equal(ride.line->guards, 0);
    client_asks(ride.second, "SELECT d FROM t");
    server_hears_query(ride.line, session_rescue_sql);
    server_says_rows(ride.line, "7 -1 1");
    ride_answers(ride.line, "SELECT d FROM t", "4", ride.second);
    ride_both(&ride);
    rig_counts(r, METRIC_SHARED, 2);
    writes_on_the_line(&ride, ride.first, "UPDATE t SET a=LAST_INSERT_ID()");
}

/* The primary has the last word on what a replica could not answer. */
static void what_a_replica_failed_does_not_ride(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *replica;

    (void)state;
    r->view->servers[REPLICA].health = HEALTH_UP;
    rig_publish(r);
    client_asks(ride.first, ride_read_sql);
    replica = server_serves(&r->servers[REPLICA]);
    server_hears_query(replica, ride_read_sql);
    server_says_error(replica, 1146, "42S02", "Table 'shop.t' doesn't exist");
    server_hears_query(ride.line, ride_read_sql);
    server_says_error(ride.line, 1146, "42S02", "Table 'shop.t' doesn't exist");
    client_hears_error(ride.first, 1146, "42S02", "doesn't exist");
    assert_int_equal(ride.line->guards, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(each_gets_its_own_reply),
        RIG_TEST(a_write_has_a_connection_that_writes),
        RIG_TEST(the_only_connection_serves_both),
        RIG_TEST(its_own_access_mode_comes_back),
        RIG_TEST(a_read_that_begins_a_transaction_is_not_guarded),
        RIG_TEST(an_error_is_not_the_last_word),
        RIG_TEST(an_error_is_asked_again_without_the_guard),
        RIG_TEST(what_a_lost_connection_leaves_is_asked_again),
        RIG_TEST(a_primary_that_is_gone_is_told),
        RIG_TEST(a_slow_one_holds_nobody_up),
        RIG_TEST(the_first_leaves_before_the_guard_is_there),
        RIG_TEST(warnings_are_still_to_be_had),
        RIG_TEST(who_has_left_an_insert_id_goes_alone),
        RIG_TEST(what_a_replica_failed_does_not_ride),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
