/* The primary is lost, or seems to be: what its other connections are asked, what is tried again,
 * and what of a transaction is repeated where. */
#include "base/clock.h"
#include "component/rig.h"
#include "proxy/session/session_hold.h"

static const char write_sql[] = "INSERT INTO t VALUES (1)";
static const char read_sql[] = "SELECT name FROM Product";

static void writes_on(struct peer *server, const char *sql)
{
    server_hears_query(server, sql);
    server_says(server, .affected = 1);
}

/* Idle, beside the till's own: another till was there in a transaction meanwhile, and has left. */
static struct peer *a_second_connection(struct rig *r, const struct scene *s)
{
    struct peer *till = rig_till(r, 0);
    struct peer *second;

    (void)client_hears_ok(till);
    RUNS(s->till, s->primary, "BEGIN", .status = STATUS_IN_TRANS);
    client_asks(till, write_sql);
    second = server_serves(&r->servers[PRIMARY]);
    writes_on(second, write_sql);
    (void)client_hears_ok(till);
    RUNS(s->till, s->primary, "COMMIT", .status = 0);
    return second;
}

static void loses_a_write(const struct scene *s)
{
    client_asks(s->till, write_sql);
    server_hears_query(s->primary, write_sql);
    peer_cut(s->primary);
    client_hears_error(s->till, 1158, "08S01", "Lost connection to server during query (primary");
}

static void writes_behind_a_loss(const struct scene *s, struct peer *other)
{
    loses_a_write(s);
    client_asks(s->till, write_sql);
    server_hears_command(other, COM_PING, (struct span){NULL, 0});
}

/* The server's process is gone, and its connections end one after the other: the first tells, and
 * the second is asked whether it is well before a write goes out on it. */
static void one_death_costs_a_till_one_write(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *other = a_second_connection(r, &s);

    (void)state;
    writes_behind_a_loss(&s, other);
    peer_cut(other);
    s.primary = server_serves(&r->servers[PRIMARY]);
    writes_on(s.primary, write_sql);
    (void)client_hears_ok(s.till);
}

static void a_connection_that_is_well_is_asked_once(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *other = a_second_connection(r, &s);

    (void)state;
    writes_behind_a_loss(&s, other);
    server_says_ok(other);
    writes_on(other, write_sql);
    (void)client_hears_ok(s.till);
    RUNS(s.till, other, write_sql, .affected = 1);
}

/* Connections that break are no reason to wait for another primary as long as there is none. */
static void a_primary_that_breaks_connections_is_tried_again(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct scene s = rig_scene(r);

    (void)state;
    peer_cut(s.primary);
    client_asks(s.till, write_sql);
    for (int i = 0; i < 4; i++)
        peer_cut(server_accepts(&r->servers[PRIMARY]));
    s.primary = server_serves(&r->servers[PRIMARY]);
    writes_on(s.primary, write_sql);
    (void)client_hears_ok(s.till);
}

/* A statement of the transaction, at its time. */
static void server_hears_again(struct peer *p, const char *sql)
{
    struct span command = peer_hears_first(p);

    assert_true(span_begins_with((struct span){command.p + 1, command.n - 1}, "SET timestamp="));
    server_says_ok(p);
    server_hears_query(p, sql);
}

static struct peer *takes_the_till(struct rig *r, int server)
{
    struct peer *primary = server_serves(&r->servers[server]);

    server_hears_again(primary, "BEGIN");
    return primary;
}

static struct peer *takes_the_till_back(struct rig *r)
{
    return takes_the_till(r, PRIMARY);
}

/* The second primary is lost before it has repeated anything, and a read waits for that. */
static void a_repetition_may_be_lost_under_a_read(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct scene s = rig_scene(r);

    (void)state;
    RUNS(s.till, s.primary, "BEGIN", .status = STATUS_IN_TRANS, .transaction = "T_______");
    RUNS(s.till, s.primary, write_sql, .status = STATUS_IN_TRANS, .transaction = "T___W___");
    client_asks(s.till, read_sql);
    server_hears_query(s.primary, read_sql);
    peer_cut(s.primary);
    peer_cut(takes_the_till_back(r));
    s.primary = takes_the_till_back(r);
    server_says(s.primary, .status = STATUS_IN_TRANS, .transaction = "T_______");
    server_hears_again(s.primary, write_sql);
    server_says(s.primary, .status = STATUS_IN_TRANS, .transaction = "T___W___");
    server_hears_query(s.primary, "SET timestamp=DEFAULT");
    server_says_ok(s.primary);
    server_hears_query(s.primary, read_sql);
    server_says_rows(s.primary, "tea");
    (void)client_hears_rows(s.till, "tea");
}

static void is_primary_since(struct rig *r, uint64_t ns)
{
    r->view->servers[PRIMARY].since_ns = ns;
    r->view->servers[SECOND].health = HEALTH_DOWN; /* so that it is news */
    rig_publish(r);
}

/* A till in a transaction, idle, and another one's first write after the primary is lost, and there
 * again since `since_ns`. Answers the other one. */
static struct peer *writes_beside_a_lost_transaction(struct rig *r, struct scene *s,
                                                     uint64_t since_ns)
{
    struct peer *other = rig_till(r, 0);

    (void)client_hears_ok(other);
    RUNS(s->till, s->primary, "BEGIN", .status = STATUS_IN_TRANS, .transaction = "T_______");
    peer_cut(s->primary);
    while (!atomic_load(&r->shared.replays_due))
        rig_barrier(r);
    is_primary_since(r, since_ns);
    client_asks(other, write_sql);
    return other;
}

static void goes_on(struct peer *till, struct peer *primary)
{
    server_hears_query(primary, "SET timestamp=DEFAULT");
    server_says_ok(primary);
    server_hears_query(primary, write_sql);
    server_says(primary, .status = STATUS_IN_TRANS, .transaction = "T___W___");
    (void)client_hears_ok(till);
}

static void a_lost_transaction_goes_first(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct scene s = rig_scene(r);
    uint64_t tomorrow_ns = clock_mono_ns() + 86400 * CLOCK_NS_PER_S;
    struct peer *other = writes_beside_a_lost_transaction(r, &s, tomorrow_ns);
    struct peer *primary;

    (void)state;
    server_is_left_alone(&r->servers[PRIMARY], 1500);
    client_asks(s.till, write_sql);
    primary = takes_the_till_back(r);
    server_says(primary, .status = STATUS_IN_TRANS, .transaction = "T_______");
    goes_on(s.till, primary);
    writes_on(server_serves(&r->servers[PRIMARY]), write_sql);
    (void)client_hears_ok(other);
}

/* A till with a user variable, which writes when its transaction's primary is lost. `told`: what
 * the server answered when it was asked for it before the transaction began. */
static struct scene writes_with_a_user_variable(struct rig *r, const char *told)
{
    struct scene s = rig_scene(r);

    RUNS(s.till, s.primary, "SET @v=1", .state = true);
    client_asks(s.till, "BEGIN");
    server_hears_query(s.primary, session_rescue_sql);
    server_says_rows(s.primary, "0 0 0");
    (void)server_hears_about(s.primary, "SELECT IF(COUNT(*)=COUNT(v)");
    server_says_rows(s.primary, told);
    server_hears_query(s.primary, "BEGIN");
    server_says(s.primary, .status = STATUS_IN_TRANS, .transaction = "T_______");
    (void)client_hears_ok(s.till);
    peer_cut(s.primary);
    client_asks(s.till, write_sql);
    return s;
}

/* The next primary is given them first. */
static void user_variables_come_along(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct scene s = writes_with_a_user_variable(r, "@`v`:=1");

    (void)state;
    s.primary = server_serves(&r->servers[PRIMARY]);
    server_hears_query(s.primary, "SET @`v`:=1");
    server_says(s.primary, .state = true);
    server_hears_again(s.primary, "BEGIN");
    server_says(s.primary, .status = STATUS_IN_TRANS, .transaction = "T_______");
    goes_on(s.till, s.primary);
}

static void what_cannot_be_told_of_them_is_lost(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct scene s = writes_with_a_user_variable(r, "");

    (void)state;
    client_hears_error(s.till, 1158, "08S01", "Lost connection to server");
}

/* It breaks no connection: what was lost with it is known by the news of the next primary. */
static void freezes(struct rig *r)
{
    r->view->primary = -1;
    r->view->servers[PRIMARY].health = HEALTH_TIMEOUT;
    rig_publish(r);
}

/* The replica is, since tomorrow. */
static void promotes(struct rig *r)
{
    rig_make_primary(r, REPLICA);
    r->view->servers[REPLICA].since_ns = clock_mono_ns() + 86400 * CLOCK_NS_PER_S;
}

static void hears_news(struct rig *r, int worker)
{
    struct topology *t = topology_copy(r->view);

    assert_non_null(t);
    worker_send_topology(&r->workers[worker], t);
    rig_barrier(r);
}

/* On the first worker: a write waits for a primary. On another or the same: a till is in a
 * transaction on the frozen one, idle. */
static struct peer *waits_beside_a_transaction(struct rig *r, struct peer *till)
{
    struct peer *primary = server_serves(&r->servers[PRIMARY]);
    struct peer *other;

    (void)client_hears_ok(till);
    RUNS(till, primary, "BEGIN", .status = STATUS_IN_TRANS, .transaction = "T_______");
    other = rig_till(r, 0);
    (void)server_serves(&r->servers[PRIMARY]);
    (void)client_hears_ok(other);
    freezes(r);
    client_asks(other, write_sql);
    rig_barrier(r);
    promotes(r);
    return other;
}

static void repeats_before(struct rig *r, struct peer *till, struct peer *other)
{
    struct peer *primary;

    server_is_left_alone(&r->servers[REPLICA], 300);
    client_asks(till, write_sql);
    primary = takes_the_till(r, REPLICA);
    server_says(primary, .status = STATUS_IN_TRANS, .transaction = "T_______");
    goes_on(till, primary);
    writes_on(server_serves(&r->servers[REPLICA]), write_sql);
    (void)client_hears_ok(other);
}

static void all_know_their_loss_before_one_goes_on(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct peer *till = rig_till(r, 0);
    struct peer *other = waits_beside_a_transaction(r, till);

    (void)state;
    hears_news(r, 0);
    assert_int_equal(atomic_load(&r->shared.replays_due), 1);
    repeats_before(r, till, other);
}

static void a_worker_that_has_not_heard_yet_is_waited_for(void **state)
{
    struct rig *r = rig_start(.workers = 2, .failover_ms = 60000);
    struct peer *till = rig_till(r, 1);
    struct peer *other = waits_beside_a_transaction(r, till);

    (void)state;
    r->view->left = 2;
    hears_news(r, 0);
    assert_int_equal(atomic_load(&r->workers[0].left), 2); /* for other Tillways to know */
    assert_int_equal(atomic_load(&r->workers[1].left), 0);
    assert_int_equal(atomic_load(&r->shared.replays_due), 0);
    server_is_left_alone(&r->servers[REPLICA], 300);
    hears_news(r, 1);
    assert_int_equal(atomic_load(&r->shared.replays_due), 1);
    repeats_before(r, till, other);
}

static struct peer *begins_elsewhere(struct rig *r, struct peer *till)
{
    struct peer *server;

    client_asks(till, "BEGIN");
    server = server_serves(&r->servers[PRIMARY]);
    server_hears_query(server, "BEGIN");
    server_says(server, .status = STATUS_IN_TRANS, .transaction = "T_______");
    (void)client_hears_ok(till);
    return server;
}

/* A write in a transaction, under way when the primary is lost, could take an id that another
 * transaction is about to repeat. */
static void what_is_new_in_one_waits_for_the_others(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct scene s = rig_scene(r);
    struct peer *other = rig_till(r, 0);
    struct peer *primary;

    (void)state;
    (void)client_hears_ok(other);
    RUNS(s.till, s.primary, "BEGIN", .status = STATUS_IN_TRANS, .transaction = "T_______");
    primary = begins_elsewhere(r, other);
    client_asks(other, write_sql);
    server_hears_query(primary, write_sql);
    is_primary_since(r, clock_mono_ns() + 86400 * CLOCK_NS_PER_S);
    peer_cut(s.primary);
    while (!atomic_load(&r->shared.replays_due))
        rig_barrier(r);
    peer_cut(primary);
    primary = takes_the_till_back(r);
    server_says(primary, .status = STATUS_IN_TRANS, .transaction = "T_______");
    peer_hears_nothing(primary, 200);
    client_asks(s.till, write_sql);
    s.primary = takes_the_till_back(r);
    server_says(s.primary, .status = STATUS_IN_TRANS, .transaction = "T_______");
    goes_on(s.till, s.primary);
    goes_on(other, primary);
}

/* Its client may not come back for hours. */
static void an_idle_transaction_holds_nobody_up_for_long(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct scene s = rig_scene(r);
    uint64_t a_while_ago_ns = clock_mono_ns() - 2 * CLOCK_NS_PER_S;
    struct peer *other = writes_beside_a_lost_transaction(r, &s, a_while_ago_ns);
    struct peer *primary = server_serves(&r->servers[PRIMARY]);

    (void)state;
    writes_on(primary, write_sql);
    (void)client_hears_ok(other);
    assert_int_equal(atomic_load(&r->shared.replays_due), 1);
}

/* Who comes while there is no server waits as a statement does. */
static void a_login_waits_for_a_server(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct peer *till;

    (void)state;
    r->view->primary = -1;
    r->view->servers[PRIMARY].health = r->view->servers[REPLICA].health = HEALTH_BROKEN;
    rig_publish(r);
    till = rig_till(r, 0);
    peer_hears_nothing(till, 50);
    r->view->primary = PRIMARY;
    r->view->servers[PRIMARY].health = HEALTH_UP;
    rig_publish(r);
    (void)server_serves(&r->servers[PRIMARY]);
    (void)client_hears_ok(till);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(one_death_costs_a_till_one_write),
        RIG_TEST(a_connection_that_is_well_is_asked_once),
        RIG_TEST(a_primary_that_breaks_connections_is_tried_again),
        RIG_TEST(a_repetition_may_be_lost_under_a_read),
        RIG_TEST(a_lost_transaction_goes_first),
        RIG_TEST(all_know_their_loss_before_one_goes_on),
        RIG_TEST(a_worker_that_has_not_heard_yet_is_waited_for),
        RIG_TEST(user_variables_come_along),
        RIG_TEST(what_cannot_be_told_of_them_is_lost),
        RIG_TEST(what_is_new_in_one_waits_for_the_others),
        RIG_TEST(an_idle_transaction_holds_nobody_up_for_long),
        RIG_TEST(a_login_waits_for_a_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
