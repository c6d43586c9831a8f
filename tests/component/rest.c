/* A server in maintenance: what runs there ends as it would, and then its connection closes. */
#include "component/rig.h"
#include "proxy/session/session_hold.h"

static const char update_sql[] = "UPDATE t SET b=2";
static const char read_sql[] = "SELECT name FROM Product";

/* As the monitor tells of it. */
static void rests(struct rig *r, int server)
{
    r->view->servers[server].health = HEALTH_BROKEN;
    r->view->servers[server].resting = true;
    rig_publish(r);
}

static struct peer *reads(struct rig *r, struct peer *till)
{
    struct peer *replica;

    client_asks(till, read_sql);
    replica = server_serves(&r->servers[REPLICA]);
    server_hears_query(replica, read_sql);
    return replica;
}

static void hears_tea(struct peer *replica, struct peer *till)
{
    server_says_rows(replica, "tea");
    (void)client_hears_rows(till, "tea");
}

static void idle_connections_close(void **state)
{
    struct rig *r = rig_start(.workers = 1, .min_idle = 2);
    struct peer *first;
    struct peer *second;

    (void)state;
    (void)rig_scene(r);
    first = server_serves(&r->servers[REPLICA]);
    second = server_serves(&r->servers[REPLICA]);
    rig_idle(r, REPLICA, 2);
    rests(r, REPLICA);
    peer_hears_end(first);
    peer_hears_end(second);
    rig_connections(r, REPLICA, 0);
    server_is_left_alone(&r->servers[REPLICA], 150);
}

static void a_read_ends_there(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica = reads(r, s.till);

    (void)state;
    rests(r, REPLICA);
    hears_tea(replica, s.till);
    peer_hears_end(replica);
    rig_connections(r, REPLICA, 0);
    client_asks(s.till, read_sql); /* the next one goes elsewhere */
    server_hears_query(s.primary, read_sql);
    hears_tea(s.primary, s.till);
}

/* Sessions that keep their connections let go of this one. */
static void who_holds_lets_go(void **state)
{
    struct rig *r = rig_start(.workers = 1, .holding = true);
    struct scene s = rig_scene(r);
    struct peer *replica = reads(r, s.till);

    (void)state;
    hears_tea(replica, s.till);
    rests(r, REPLICA);
    peer_hears_end(replica);
    rig_connections(r, REPLICA, 0);
    RUNS(s.till, s.primary, update_sql, .affected = 1);
}

/* A Galera node that took writes before: another one does now. */
static void a_transaction_ends_there(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct scene s = rig_scene(r);

    (void)state;
    RUNS(s.till, s.primary, "BEGIN", .status = STATUS_IN_TRANS);
    RUNS(s.till, s.primary, update_sql, .affected = 1, .status = STATUS_IN_TRANS);
    r->view->galera = true;
    rig_make_primary(r, REPLICA);
    rests(r, PRIMARY);
    RUNS(s.till, s.primary, update_sql, .affected = 1, .status = STATUS_IN_TRANS);
    client_asks(s.till, update_sql); /* also one that is under way when that is told again */
    server_hears_query(s.primary, update_sql);
    r->view->servers[SECOND].health = HEALTH_DOWN;
    rig_publish(r);
    server_says(s.primary, .affected = 1, .status = STATUS_IN_TRANS);
    (void)client_hears_ok(s.till);
    RUNS(s.till, s.primary, "COMMIT", .status = 0);
    peer_hears_end(s.primary);
    rig_connections(r, PRIMARY, 0);
}

/* What only the connection knows is asked for before it closes. */
static void what_was_left_there_is_saved(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    RUNS(s.till, s.primary, "INSERT INTO t (b) VALUES (1)", .affected = 1, .insert_id = 7);
    rig_make_primary(r, REPLICA);
    rests(r, PRIMARY);
    server_hears_query(s.primary, session_rescue_sql);
    server_says_rows(s.primary, "7 1 0");
    peer_hears_end(s.primary);
    client_asks(s.till, "SELECT LAST_INSERT_ID()");
    s.primary = server_serves(&r->servers[REPLICA]);
    server_hears_query(s.primary, "SET last_insert_id=7");
    server_says_ok(s.primary);
    server_hears_query(s.primary, "SELECT LAST_INSERT_ID()");
    server_says_rows(s.primary, "7");
    (void)client_hears_rows(s.till, "7");
}

static void it_is_used_again(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    rests(r, REPLICA);
    r->view->servers[REPLICA].health = HEALTH_UP;
    r->view->servers[REPLICA].resting = false;
    rig_publish(r);
    hears_tea(reads(r, s.till), s.till);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(idle_connections_close),
        RIG_TEST(a_read_ends_there),
        RIG_TEST(who_holds_lets_go),
        RIG_TEST(a_transaction_ends_there),
        RIG_TEST(what_was_left_there_is_saved),
        RIG_TEST(it_is_used_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
