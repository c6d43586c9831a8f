/* Idle server connections: how many are kept ready, for how long, which one a session gets, and
 * whether it still works. */
#include "component/rig.h"

#include <unistd.h>

static const char update_sql[] = "UPDATE t SET b=2";
static const char read_sql[] = "SELECT name FROM Product";

/* It has asked for it. */
static void serves_tea(struct peer *server, struct peer *till)
{
    server_hears_query(server, read_sql);
    server_says_rows(server, "tea");
    (void)client_hears_rows(till, "tea");
}

static void some_are_opened_ahead(void **state)
{
    struct rig *r = rig_start(.workers = 1, .min_idle = 2);

    (void)state;
    (void)rig_scene(r);
    (void)server_serves(&r->servers[PRIMARY]); /* besides the log-in's */
    (void)server_serves(&r->servers[REPLICA]);
    (void)server_serves(&r->servers[REPLICA]);
    rig_idle(r, PRIMARY, 2);
    rig_idle(r, REPLICA, 2);
    server_is_left_alone(&r->servers[PRIMARY], 150);
    server_is_left_alone(&r->servers[REPLICA], 150);
}

static void sessions_use_them(void **state)
{
    struct rig *r = rig_start(.workers = 1, .min_idle = 1);
    struct scene s = rig_scene(r);
    struct peer *replica = server_serves(&r->servers[REPLICA]);

    (void)state;
    rig_idle(r, REPLICA, 1);
    client_asks(s.till, read_sql);
    serves_tea(replica, s.till);
}

static void one_that_ends_is_replaced(void **state)
{
    struct rig *r = rig_start(.workers = 1, .min_idle = 1);
    struct scene s = rig_scene(r);
    struct peer *primary;

    (void)state;
    peer_hang_up(server_serves(&r->servers[REPLICA]));
    (void)server_serves(&r->servers[REPLICA]);
    peer_hang_up(s.primary);
    primary = server_serves(&r->servers[PRIMARY]);
    rig_idle(r, PRIMARY, 1);
    RUNS(s.till, primary, update_sql, .affected = 1);
}

/* A server that is down is left alone; nobody has to come for it to be used again. */
static void a_server_that_comes_back_is_prepared_for(void **state)
{
    struct rig *r = rig_start(.workers = 1, .min_idle = 1);

    (void)state;
    r->view->servers[REPLICA].health = HEALTH_DOWN;
    rig_publish(r);
    (void)rig_scene(r);
    server_is_left_alone(&r->servers[REPLICA], 150);
    r->view->servers[REPLICA].health = HEALTH_UP;
    rig_publish(r);
    (void)server_serves(&r->servers[REPLICA]);
}

static void the_last_ones_are_kept_beyond_their_time(void **state)
{
    struct rig *r = rig_start(.workers = 1, .min_idle = 1, .pool_idle_ms = 20);
    struct scene s = rig_scene(r);
    struct peer *second = rig_till(r, 0);
    struct peer *other;

    (void)state;
    (void)client_hears_ok(second);
    RUNS(s.till, s.primary, "BEGIN", .status = STATUS_IN_TRANS); /* now none is idle there */
    other = server_serves(&r->servers[PRIMARY]);
    rig_idle(r, PRIMARY, 1);
    RUNS(second, other, update_sql, .affected = 1);
    RUNS(s.till, s.primary, "COMMIT", .status = 0);
    peer_hears_end(other);
    peer_hears_nothing(s.primary, 250);
    RUNS(s.till, s.primary, update_sql, .affected = 1);
}

static void old_ones_are_replaced_while_they_idle(void **state)
{
    struct rig *r = rig_start(.workers = 1, .min_idle = 1, .max_age_ms = 20);
    struct scene s = rig_scene(r);

    (void)state;
    peer_hears_end(s.primary);
    (void)server_serves(&r->servers[PRIMARY]);
}

static void an_account_that_is_denied_is_left_alone(void **state)
{
    struct rig *r = rig_start(.workers = 1, .min_idle = 1);
    struct scene s = rig_scene(r);

    (void)state;
    server_refuses(&r->servers[REPLICA], 1045, "28000", "Access denied");
    rig_connections(r, REPLICA, 0);
    peer_hang_up(s.primary);
    server_is_left_alone(&r->servers[PRIMARY], 300);
}

/* What is opened ahead counts as what sessions open. */
static void a_server_gets_no_more_than_it_may_have(void **state)
{
    struct rig *r = rig_start(.workers = 1, .min_idle = 3);

    (void)state;
    r->view->servers[PRIMARY].max_connections = 2;
    rig_publish(r);
    (void)rig_scene(r);
    (void)server_serves(&r->servers[PRIMARY]);
    server_is_left_alone(&r->servers[PRIMARY], 300);
}

/* Of two idle connections the one that was not used last. */
static void one_that_knows_the_statement_is_preferred(void **state)
{
    static const char sql[] = "DELETE FROM t";
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *second = rig_till(r, 0);
    struct peer *third = rig_till(r, 0);
    struct peer *knows;
    uint32_t id;

    (void)state;
    (void)client_hears_ok(second);
    (void)client_hears_ok(third);
    RUNS(second, s.primary, "BEGIN", .status = STATUS_IN_TRANS);
    client_sends(third, COM_STMT_PREPARE, span_of(sql));
    knows = server_serves(&r->servers[PRIMARY]);
    server_hears(knows, COM_STMT_PREPARE, sql);
    server_says_prepared(knows, 7, 0, 0);
    id = client_hears_prepared(third, 0, 0);
    RUNS(s.till, knows, "BEGIN", .status = STATUS_IN_TRANS); /* it is not the third's any more */
    RUNS(s.till, knows, "COMMIT", .status = 0);
    RUNS(second, s.primary, "COMMIT", .status = 0);
    client_executes(third, id);
    server_hears_execute(knows, 7);
    server_says_ok(knows);
    (void)client_hears_ok(third);
}

/* ---- what idled for long is asked whether it still works ---- */

enum { CHECK_MS = 20 };

static void idle_for_long(void)
{
    (void)usleep(2 * CHECK_MS * 1000);
}

static void who_idled_for_long_is_asked_first(void **state)
{
    struct rig *r = rig_start(.workers = 1, .check_ms = CHECK_MS);
    struct scene s = rig_scene(r);

    (void)state;
    idle_for_long();
    client_asks(s.till, update_sql);
    server_hears(s.primary, COM_PING, "");
    peer_hears_nothing(s.primary, 20);
    server_says_ok(s.primary);
    server_hears_query(s.primary, update_sql);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
}

/* Two idle ones to the primary. */
static void two_idle(struct scene *s, struct rig *r, struct peer **other)
{
    struct peer *second = rig_till(r, 0);

    (void)client_hears_ok(second);
    RUNS(s->till, s->primary, "BEGIN", .status = STATUS_IN_TRANS);
    client_asks(second, update_sql);
    *other = server_serves(&r->servers[PRIMARY]);
    server_hears_query(*other, update_sql);
    server_says_ok(*other);
    (void)client_hears_ok(second);
    RUNS(s->till, s->primary, "COMMIT", .status = 0);
}

/* Those that idled as long are not even asked. */
static void who_keeps_silent_is_left(void **state)
{
    struct rig *r = rig_start(.workers = 1, .check_ms = CHECK_MS, .connect_timeout_ms = 2000);
    struct scene s = rig_scene(r);
    struct peer *other;
    struct peer *fresh;

    (void)state;
    two_idle(&s, r, &other);
    rig_idle(r, PRIMARY, 2);
    idle_for_long();
    client_asks(s.till, update_sql);
    server_hears(s.primary, COM_PING, "");
    fresh = server_serves(&r->servers[PRIMARY]);
    server_hears_query(fresh, update_sql);
    server_says_ok(fresh);
    (void)client_hears_ok(s.till);
    peer_hears_end(s.primary);
    peer_hears_end(other);
}

static void who_ends_then_is_replaced(void **state)
{
    struct rig *r = rig_start(.workers = 1, .check_ms = CHECK_MS);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    client_asks(s.till, read_sql);
    replica = server_serves(&r->servers[REPLICA]);
    serves_tea(replica, s.till);
    idle_for_long();
    client_asks(s.till, read_sql);
    server_hears(replica, COM_PING, "");
    peer_hang_up(replica);
    serves_tea(server_serves(&r->servers[REPLICA]), s.till); /* nothing else is wrong with it */
}

/* A question would come between the statement and what is asked about it. */
static void who_is_asked_about_before_is_not_asked(void **state)
{
    static const char ask_sql[] = "SHOW WARNINGS";
    struct rig *r = rig_start(.workers = 1, .check_ms = CHECK_MS);
    struct scene s = rig_scene(r);

    (void)state;
    RUNS(s.till, s.primary, update_sql, .warnings = 1);
    idle_for_long();
    client_asks(s.till, ask_sql);
    server_hears_query(s.primary, ask_sql);
    server_says_rows(s.primary, "truncated");
    (void)client_hears_rows(s.till, "truncated");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RIG_TEST(some_are_opened_ahead),
        RIG_TEST(sessions_use_them),
        RIG_TEST(one_that_ends_is_replaced),
        RIG_TEST(a_server_that_comes_back_is_prepared_for),
        RIG_TEST(the_last_ones_are_kept_beyond_their_time),
        RIG_TEST(old_ones_are_replaced_while_they_idle),
        RIG_TEST(an_account_that_is_denied_is_left_alone),
        RIG_TEST(a_server_gets_no_more_than_it_may_have),
        RIG_TEST(one_that_knows_the_statement_is_preferred),
        RIG_TEST(who_idled_for_long_is_asked_first),
        RIG_TEST(who_keeps_silent_is_left),
        RIG_TEST(who_ends_then_is_replaced),
        RIG_TEST(who_is_asked_about_before_is_not_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
