/* Idle server connections: how many are kept ready, and for how long. */
#include "component/rig.h"

static const char update_sql[] = "UPDATE t SET b=2";
static const char read_sql[] = "SELECT name FROM Product";

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
    server_hears_query(replica, read_sql);
    server_says_rows(replica, "tea");
    (void)client_hears_rows(s.till, "tea");
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

/* Two idle ones of which one is used no more. */
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

static void the_last_ones_are_kept_beyond_their_time(void **state)
{
    struct rig *r = rig_start(.workers = 1, .min_idle = 1, .pool_idle_ms = 20);
    struct scene s = rig_scene(r);
    struct peer *other;

    (void)state;
    (void)server_serves(&r->servers[REPLICA]);
    two_idle(&s, r, &other);
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
