/* Another server becomes the primary, as at a switchover: what becomes of sessions that may have
 * left something at the one before. */
#include "component/rig.h"
#include "proxy/session/session_hold.h"
#include "proxy/session/session_home.h"

static const char call_sql[] = "CALL sell(1)";
static const char read_only[] = "The MariaDB server is running with the --read-only option so it "
                                "cannot execute this statement";

/* The last epoch's primary is fenced, the next one's is not chosen yet. */
static void nobody_is_primary(struct rig *r)
{
    r->view->primary = -1;
    rig_publish(r);
}

static void another_is_primary(struct rig *r)
{
    rig_make_primary(r, REPLICA);
    rig_publish(r);
}

static struct rig *failing_rig(bool exactly_once)
{
    return rig_start(.workers = 1, .failover_ms = 60000, .exactly_once = exactly_once);
}

/* A till that has called a procedure; the server has been asked for what it left, not yet whether
 * that is all. */
static struct scene called(struct rig *r)
{
    struct scene s = rig_scene(r);

    RUNS(s.till, s.primary, call_sql, .affected = 1);
    server_hears_probe(s.primary, "0 1 0");
    return s;
}

static void runs_on(struct peer *server, const struct scene *s)
{
    server_hears_query(server, call_sql);
    server_says(server, .affected = 1);
    (void)client_hears_ok(s->till);
}

/* The call in its transaction, up to the COMMIT. */
static void hears_once(struct peer *server)
{
    server_hears_query(server, "BEGIN");
    server_says(server, .status = STATUS_IN_TRANS);
    (void)server_hears_row(server);
    server_says(server, .affected = 1, .status = STATUS_IN_TRANS);
    server_hears_query(server, call_sql);
    server_says(server, .affected = 1, .status = STATUS_IN_TRANS);
    server_hears_query(server, session_rescue_sql);
    server_says_rows(server, "0 1 0");
    server_hears_query(server, "COMMIT");
}

static void commits(struct peer *server, const struct scene *s)
{
    server_says_ok(server);
    (void)client_hears_ok(s->till);
}

static void runs_once_on(struct peer *server, const struct scene *s)
{
    hears_once(server);
    commits(server, s);
}

static void an_answer_that_is_on_its_way_is_waited_for(void **state)
{
    struct rig *r = failing_rig(false);
    struct scene s = called(r);

    (void)state;
    nobody_is_primary(r);
    client_asks(s.till, call_sql);
    peer_hears_nothing(s.primary, 100);
    server_says_rows(s.primary, "0/");
    server_is_left_alone(&r->servers[REPLICA], 100);
    another_is_primary(r);
    runs_on(server_serves(&r->servers[REPLICA]), &s);
}

/* Warnings kept it from being asked before: the client might have looked at them. */
static void what_was_not_asked_is_asked(void **state)
{
    struct rig *r = failing_rig(false);
    struct scene s = rig_scene(r);
    struct peer *other;

    (void)state;
    RUNS(s.till, s.primary, call_sql, .affected = 1, .warnings = 1);
    nobody_is_primary(r);
    client_asks(s.till, call_sql);
    server_hears_probe(s.primary, "0 1 0");
    server_says_rows(s.primary, "0/");
    another_is_primary(r);
    other = server_serves(&r->servers[REPLICA]);
    server_hears_query(other, session_clear_sql); /* the new connection has none of the warnings */
    server_says_rows(other, "1");
    runs_on(other, &s);
}

/* A temporary table: it is lost, which is told once, and no code runs on the server that takes no
 * writes any more. */
static void what_is_there_is_lost_once(void **state)
{
    struct rig *r = failing_rig(false);
    struct scene s = called(r);

    (void)state;
    server_says_rows(s.primary, "1/");
    another_is_primary(r);
    client_asks(s.till, call_sql);
    client_hears_error(s.till, 1158, "08S01", "temporary tables");
    peer_hears_end(s.primary);
    client_asks(s.till, call_sql);
    runs_on(server_serves(&r->servers[REPLICA]), &s);
}

/* Its row was refused, as it is itself: it has had no effect. */
static void a_call_that_came_too_late_is_sent_again(void **state)
{
    struct rig *r = failing_rig(true);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, call_sql);
    server_hears_query(s.primary, "BEGIN");
    server_says(s.primary, .status = STATUS_IN_TRANS);
    (void)server_hears_row(s.primary);
    server_says_error(s.primary, 1290, "HY000", read_only);
    server_hears_query(s.primary, call_sql);
    nobody_is_primary(r);
    server_says_error(s.primary, 1290, "HY000", read_only);
    peer_hears_end(s.primary); /* a transaction is open there */
    another_is_primary(r);
    runs_once_on(server_serves(&r->servers[REPLICA]), &s);
}

/* What is under way at the next primary does not go with a connection to the last one, which was
 * kept for what a procedure may have locked there. */
static void a_call_that_runs_elsewhere_stays(void **state)
{
    struct rig *r = failing_rig(true);
    struct scene s = rig_scene(r);
    struct peer *other;

    (void)state;
    client_asks(s.till, call_sql);
    runs_once_on(s.primary, &s);
    another_is_primary(r);
    client_asks(s.till, call_sql);
    other = server_serves(&r->servers[REPLICA]);
    hears_once(other);
    peer_cut(s.primary);
    rig_connections(r, PRIMARY, 0);
    commits(other, &s);
    client_asks(s.till, call_sql);
    runs_once_on(other, &s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(an_answer_that_is_on_its_way_is_waited_for),
        RIG_TEST(what_was_not_asked_is_asked),
        RIG_TEST(what_is_there_is_lost_once),
        RIG_TEST(a_call_that_came_too_late_is_sent_again),
        RIG_TEST(a_call_that_runs_elsewhere_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
