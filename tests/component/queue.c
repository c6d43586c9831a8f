/* Sessions that wait for a connection: a server has only so many. */
#include "component/rig.h"

#include <unistd.h>

static const char update_sql[] = "UPDATE t SET b=2";

/* What the till has asked for already. */
static void serves(struct peer *server, const char *sql, struct peer *till)
{
    server_hears_query(server, sql);
    server_says_ok(server);
    (void)client_hears_ok(till);
}

/* The primary has one connection for all. */
static struct scene one_for_all(struct rig *r)
{
    r->view->servers[PRIMARY].max_connections = 1;
    rig_publish(r);
    return rig_scene(r);
}

/* Two more tills ask while the first one's transaction has the connection. */
static void two_wait(struct rig *r, struct scene *s, struct peer *second, struct peer *third)
{
    (void)client_hears_ok(second);
    (void)client_hears_ok(third);
    RUNS(s->till, s->primary, "BEGIN", .status = STATUS_IN_TRANS);
    client_asks(second, "UPDATE second SET b=2");
    rig_counts(r, METRIC_WAITED, 1);
    client_asks(third, "UPDATE third SET b=2");
    rig_counts(r, METRIC_WAITED, 2);
}

static void who_comes_first_is_served_first(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = one_for_all(r);
    struct peer *second = rig_till(r, 0);
    struct peer *third = rig_till(r, 0);

    (void)state;
    two_wait(r, &s, second, third);
    peer_hears_nothing(second, 20);
    RUNS(s.till, s.primary, "COMMIT", .status = 0);
    serves(s.primary, "UPDATE second SET b=2", second);
    serves(s.primary, "UPDATE third SET b=2", third);
    server_is_left_alone(&r->servers[PRIMARY], 20);
}

static void who_waits_too_long_is_told(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pool_wait_ms = 50);
    struct scene s = one_for_all(r);
    struct peer *second = rig_till(r, 0);

    (void)state;
    (void)client_hears_ok(second);
    RUNS(s.till, s.primary, "BEGIN", .status = STATUS_IN_TRANS);
    client_asks(second, update_sql);
    client_hears_error(second, 1040, "08004", "Too many connections");
    RUNS(s.till, s.primary, "COMMIT", .status = 0);
    RUNS(second, s.primary, update_sql, .affected = 1);
}

static void who_leaves_the_queue_is_passed_over(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = one_for_all(r);
    struct peer *second = rig_till(r, 0);
    struct peer *third = rig_till(r, 0);

    (void)state;
    two_wait(r, &s, second, third);
    peer_reset(second);
    rig_counts(r, METRIC_SESSIONS, 2);
    RUNS(s.till, s.primary, "COMMIT", .status = 0);
    serves(s.primary, "UPDATE third SET b=2", third);
}

/* An idle connection of another account makes way. */
static void another_account_takes_the_place(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = one_for_all(r);
    struct peer *guest = client_connects(r, 0);
    struct peer *server;

    (void)state;
    client_hears_greeting(guest);
    client_logs_in(guest, .user = "guest", .password = "");
    peer_hears_end(s.primary);
    server = server_accepts(&r->servers[PRIMARY]);
    server_greets(server);
    server_hears_login(server, "guest", NULL);
    server_says_ok(server);
    server_hears_setup(server);
    (void)client_hears_ok(guest);
    RUNS(guest, server, update_sql, .affected = 1);
}

/* The limit is one for all workers: one gives up what it does not use. */
static void another_worker_gives_up_its_idle_one(void **state)
{
    struct rig *r = rig_start(.workers = 2);
    struct scene s = one_for_all(r);
    struct peer *other = rig_till(r, 1);
    struct peer *server;

    (void)state;
    peer_hears_end(s.primary);
    server = server_serves(&r->servers[PRIMARY]);
    (void)client_hears_ok(other);
    RUNS(other, server, update_sql, .affected = 1);
}

/* … and of one that has waited for longer than its own session what it needs itself. */
static void another_worker_lets_who_waited_longer_go_first(void **state)
{
    struct rig *r = rig_start(.workers = 2);
    struct scene s = one_for_all(r);
    struct peer *second = rig_till(r, 0);
    struct peer *other;
    struct peer *server;

    (void)state;
    (void)client_hears_ok(second);
    other = rig_till(r, 1);
    server = server_serves(&r->servers[PRIMARY]);
    (void)client_hears_ok(other);
    client_asks(s.till, "BEGIN");
    peer_hears_end(server);
    server = server_serves(&r->servers[PRIMARY]);
    server_hears_query(server, "BEGIN");
    server_says(server, .status = STATUS_IN_TRANS);
    (void)client_hears_ok(s.till);
    client_asks(other, "UPDATE other SET b=2");
    rig_counts(r, METRIC_WAITED, 3); /* the log-in and BEGIN waited, too */
    (void)usleep(100 * 1000);
    client_asks(second, "UPDATE second SET b=2");
    rig_counts(r, METRIC_WAITED, 4);
    RUNS(s.till, server, "COMMIT", .status = 0);
    peer_hears_end(server);
    server = server_serves(&r->servers[PRIMARY]);
    serves(server, "UPDATE other SET b=2", other);
    server = server_serves(&r->servers[PRIMARY]);
    serves(server, "UPDATE second SET b=2", second);
}

static void a_storm_of_logins_opens_few(void **state)
{
    enum { MANY = 40, OPENING_MAX = 16 };
    struct rig *r = rig_start(.workers = 1);
    struct peer *tills[MANY];
    struct peer *server;

    (void)state;
    for (int i = 0; i < MANY; i++)
        tills[i] = rig_till(r, 0);
    rig_counts(r, METRIC_WAITED, MANY - OPENING_MAX);
    server = server_serves(&r->servers[PRIMARY]);
    (void)server;
    for (int i = OPENING_MAX; i < MANY; i++) /* one by one, on the first that is there */
        (void)client_hears_ok(tills[i]);
    rig_counts(r, METRIC_BACKEND_CONNECTS, OPENING_MAX);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RIG_TEST(who_comes_first_is_served_first),
        RIG_TEST(who_waits_too_long_is_told),
        RIG_TEST(who_leaves_the_queue_is_passed_over),
        RIG_TEST(another_account_takes_the_place),
        RIG_TEST(another_worker_gives_up_its_idle_one),
        RIG_TEST(another_worker_lets_who_waited_longer_go_first),
        RIG_TEST(a_storm_of_logins_opens_few),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
