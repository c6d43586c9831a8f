/* Which server a statement goes to, and read-your-writes. */
#include "component/rig.h"
#include "proxy/backend/history.h"
#include "proxy/session/session_home.h"

static const char read_sql[] = "SELECT name FROM Product";
static const char wait_sql[] =
    "SELECT IF(MASTER_GTID_WAIT('0-1-5',0.250000)=0,@@global.gtid_slave_pos,NULL)";
static const char position_sql[] = "SELECT @@global.gtid_binlog_pos";

/* The till reads; `server` answers over a connection that it has. */
static void reads_at(struct scene *s, struct peer *server)
{
    client_asks(s->till, read_sql);
    server_hears_query(server, read_sql);
    server_says_rows(server, "tea");
    (void)client_hears_rows(s->till, "tea");
}

/* The till writes; the primary's OK tells this GTID. */
static void writes(struct scene *s, const char *gtid)
{
    client_asks(s->till, "UPDATE Product SET price=1");
    server_hears_query(s->primary, "UPDATE Product SET price=1");
    server_says(s->primary, .affected = 1, .gtid = gtid);
    assert_int_equal(client_hears_ok(s->till).affected_rows, 1);
}

/* The first read of a session: the replica gets a connection. */
static struct peer *first_read(struct rig *r, struct scene *s)
{
    struct peer *replica;

    client_asks(s->till, read_sql);
    replica = server_serves(&r->servers[REPLICA]);
    server_hears_query(replica, read_sql);
    server_says_rows(replica, "tea");
    (void)client_hears_rows(s->till, "tea");
    return replica;
}

static void reads_go_to_a_replica_and_writes_to_the_primary(void **state)
{
    static const char *const writing[] = {
        "CREATE TABLE t (a INT)",
        "INSERT INTO t VALUES (1)",
        "SELECT name FROM Product FOR UPDATE",
        "SELECT LAST_INSERT_ID()",
        "SELECT a_stored_function()",
        "SELECT @v:=1",
        "CALL place_order(1)",
        "SHOW TABLES",
        "SELECT 1; SELECT 2",
        "SELECT 'not finished",
        "",
    };
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica = first_read(r, &s);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(writing); i++) {
        client_asks(s.till, writing[i]);
        server_hears_query(s.primary, writing[i]);
        server_says_ok(s.primary);
        (void)client_hears_ok(s.till);
    }
    peer_hears_nothing(replica, 0);
    assert_int_equal(atomic_load(&r->shared.metrics.routed[REPLICA][ROUTE_BALANCED]), 1);
}

/* Once a connection, and again where the session's own variables may have taken it off. */
static void nothing_can_be_written_at_a_replica(void **state)
{
    struct rig *r = rig_start(.consistency = CONSISTENCY_EVENTUAL);
    struct scene s = rig_scene(r);
    struct peer *replica = first_read(r, &s);

    (void)state;
    assert_int_equal(replica->guards, 1);
    reads_at(&s, replica);
    assert_int_equal(replica->guards, 1);
    client_asks(s.till, "SET sql_select_limit=5");
    server_hears_query(s.primary, "SET sql_select_limit=5");
    server_says(s.primary, .variable = {"sql_select_limit", "5"});
    (void)client_hears_ok(s.till);
    client_asks(s.till, read_sql);
    server_hears_query(replica, "SET sql_select_limit=5");
    server_says_ok(replica);
    server_hears_query(replica, read_sql);
    assert_int_equal(replica->guards, 2);
    server_says_rows(replica, "tea");
    (void)client_hears_rows(s.till, "tea");
    assert_int_equal(s.primary->guards, 0);
}

/* A switchover has begun: a transaction that is open goes on where it is, its reads among it. */
static void a_transaction_without_a_primary_may_still_write(void **state)
{
    struct rig *r = rig_start(.failover_ms = 10000);
    struct scene s = rig_scene(r);

    (void)state;
    RUNS(s.till, s.primary, "BEGIN", .status = STATUS_IN_TRANS);
    r->view->primary = -1;
    rig_publish(r);
    client_asks(s.till, read_sql);
    server_hears_query(s.primary, read_sql);
    server_sends_rows(s.primary, &(struct says){.status = STATUS_IN_TRANS},
                      (const char *const[]){"tea", NULL});
    (void)client_hears_rows(s.till, "tea");
    RUNS(s.till, s.primary, "DELETE FROM Product", .status = STATUS_IN_TRANS);
    assert_int_equal(s.primary->guards, 0);
}

static void a_session_that_is_measured_stays_on_the_primary(void **state)
{
    struct rig *r = rig_start(.consistency = CONSISTENCY_EVENTUAL);
    struct scene s = rig_scene(r);
    struct peer *replica = first_read(r, &s);

    (void)state;
    client_asks(s.till, "SHOW GLOBAL STATUS LIKE 'Uptime'");
    server_hears_query(s.primary, "SHOW GLOBAL STATUS LIKE 'Uptime'");
    server_says_rows(s.primary, "9");
    (void)client_hears_rows(s.till, "9");
    reads_at(&s, replica);
    client_asks(s.till, "FLUSH STATUS");
    server_hears_query(s.primary, "FLUSH STATUS");
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
    reads_at(&s, s.primary);
}

static void a_listener_of_the_primary_does_not_split(void **state)
{
    struct rig *r = rig_start(.consistency = CONSISTENCY_PRIMARY);
    struct scene s = rig_scene(r);

    (void)state;
    reads_at(&s, s.primary);
    server_is_left_alone(&r->servers[REPLICA], 0);
}

static void a_read_comes_after_the_own_write(void **state)
{
    struct rig *r = rig_start(.no_waiting = true);
    struct scene s = rig_scene(r);
    struct peer *replica = first_read(r, &s);

    (void)state;
    writes(&s, "0-1-5");
    reads_at(&s, s.primary); /* nobody knows that the replica has it */
    rig_position(r, PRIMARY, "0-1-5");
    rig_position(r, REPLICA, "0-1-4");
    rig_publish(r);
    reads_at(&s, s.primary); /* it is known to lack it */
    rig_position(r, REPLICA, "0-1-5");
    rig_publish(r);
    reads_at(&s, replica);
}

static void an_eventual_read_does_not_care(void **state)
{
    struct rig *r = rig_start(.consistency = CONSISTENCY_EVENTUAL);
    struct scene s = rig_scene(r);
    struct peer *replica = first_read(r, &s);

    (void)state;
    writes(&s, "0-1-5");
    reads_at(&s, replica);
}

/* Global: what the primary has when the read begins bounds it, whoever wrote it. */
static void a_global_read_has_what_anybody_wrote(void **state)
{
    struct rig *r = rig_start(.consistency = CONSISTENCY_GLOBAL);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    client_asks(s.till, read_sql);
    server_hears_query(s.primary, position_sql);
    server_says_rows(s.primary, "0-1-1");
    replica = server_serves(&r->servers[REPLICA]);
    server_hears_query(replica, read_sql); /* it is known to be there */
    server_says_rows(replica, "tea");
    (void)client_hears_rows(s.till, "tea");

    client_asks(s.till, read_sql);
    server_hears_query(s.primary, position_sql);
    server_says_rows(s.primary, "0-1-5");
    server_hears_query(replica, wait_sql);
    server_hears_query(replica, read_sql);
    replica->seq = 0;
    server_says_rows(replica, "0-1-5");
    replica->seq = 0;
    server_says_rows(replica, "tea");
    (void)client_hears_rows(s.till, "tea");

    client_asks(s.till, read_sql); /* nobody can tell: the primary it is */
    server_hears_query(s.primary, position_sql);
    server_says_rows(s.primary, "\\N");
    server_hears_query(s.primary, read_sql);
    server_says_rows(s.primary, "tea");
    (void)client_hears_rows(s.till, "tea");
}

static void a_comment_asks_for_consistency(void **state)
{
    static const char sql[] = "/* tillway: consistency=global */ SELECT name FROM Product";
    struct rig *r = rig_start(.consistency = CONSISTENCY_EVENTUAL);
    struct scene s = rig_scene(r);
    struct peer *replica = first_read(r, &s);

    (void)state;
    client_asks(s.till, sql);
    server_hears_query(s.primary, position_sql);
    server_says_rows(s.primary, "0-1-1");
    server_hears_query(replica, sql);
    server_says_rows(replica, "tea");
    (void)client_hears_rows(s.till, "tea");
}

static void a_comment_asks_for_a_server(void **state)
{
    struct rig *r = rig_start(.consistency = CONSISTENCY_EVENTUAL);
    struct scene s = rig_scene(r);
    struct peer *third;
    char sql[128];

    (void)state;
    r->view->count = 3;
    rig_position(r, SECOND, "0-1-1");
    rig_publish(r);
    (void)snprintf(sql, sizeof sql, "/* tillway: server=%s */ SELECT name FROM Product",
                   r->servers[SECOND].name);
    client_asks(s.till, sql);
    third = server_serves(&r->servers[SECOND]);
    for (int i = 0; i < 5; i++) {
        server_hears_query(third, sql);
        server_says_rows(third, "tea");
        (void)client_hears_rows(s.till, "tea");
        client_asks(s.till, sql);
    }
    server_hears_query(third, sql);
    server_says_rows(third, "tea");
    (void)client_hears_rows(s.till, "tea");
    (void)snprintf(sql, sizeof sql, "/* tillway: server=%s */ DELETE FROM Product",
                   r->servers[SECOND].name);
    client_asks(s.till, sql); /* a wish, no order */
    server_hears_query(s.primary, sql);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
    (void)snprintf(sql, sizeof sql, "/* tillway: server=%s */ SELECT name FROM Product",
                   r->servers[PRIMARY].name);
    client_asks(s.till, sql);
    server_hears_query(s.primary, sql);
    server_says_rows(s.primary, "tea");
    (void)client_hears_rows(s.till, "tea");
}

/* The server keeps the time; afterwards the session's own limit holds again. */
static void a_comment_limits_the_time(void **state)
{
    static const char sql[] = "SELECT name /* tillway: timeout=1500ms */ FROM Product";
    struct rig *r = rig_start(.consistency = CONSISTENCY_EVENTUAL);
    struct scene s = rig_scene(r);
    struct peer *replica = first_read(r, &s);

    (void)state;
    client_asks(s.till, sql);
    server_hears_query(replica, "SET SESSION max_statement_time=1.500");
    server_says_ok(replica);
    server_hears_query(replica, sql);
    server_says_rows(replica, "tea");
    (void)client_hears_rows(s.till, "tea");
    client_asks(s.till, read_sql);
    server_hears_query(replica, "SET SESSION max_statement_time=DEFAULT");
    server_says_ok(replica);
    server_hears_query(replica, read_sql);
    server_says_rows(replica, "tea");
    (void)client_hears_rows(s.till, "tea");
}

static void another_sessions_write_does_not_count(void **state)
{
    struct rig *r = rig_start(.holding = true, .no_waiting = true);
    struct scene s = rig_scene(r);
    struct scene other = rig_scene(r);
    struct peer *replica = first_read(r, &s);

    (void)state;
    writes(&other, "0-1-5");
    reads_at(&s, replica);
}

/* A read that waits for the replica: the wait and the statement come in one go. */
static struct peer *waits(struct rig *r, struct scene *s)
{
    struct peer *replica = first_read(r, s);

    writes(s, "0-1-5");
    client_asks(s->till, read_sql);
    server_hears_query(replica, wait_sql);
    server_hears_query(replica, read_sql);
    return replica;
}

static void a_replica_catches_up(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica = waits(r, &s);

    (void)state;
    replica->seq = 0;
    server_says_rows(replica, "0-1-5");
    replica->seq = 0;
    server_says_rows(replica, "tea");
    (void)client_hears_rows(s.till, "tea");
    peer_hears_nothing(s.primary, 0);
    rig_counts(r, METRIC_STALE_WAITS, 0);
}

/* What the replica says to MASTER_GTID_WAIT, and to the read behind it, is not to be seen. */
static void goes_to_the_primary_after(const char *waited)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica = waits(r, &s);

    replica->seq = 0;
    if (waited)
        server_says_rows(replica, waited);
    else
        server_says_error(replica, 1105, "HY000", "no idea");
    server_hears_query(s.primary, read_sql);
    server_says_rows(s.primary, "coffee");
    (void)client_hears_rows(s.till, "coffee");
    if (waited) { /* the connection is still good once the stale reply came */
        replica->seq = 0;
        server_says_rows(replica, "tea");
        rig_position(r, REPLICA, "0-1-5");
        rig_publish(r);
        reads_at(&s, replica);
        rig_counts(r, METRIC_STALE_WAITS, 1);
    }
}

static void a_replica_that_is_not_there_in_time_is_left(void **state)
{
    (void)state;
    goes_to_the_primary_after("\\N");
}

static void a_replica_that_cannot_wait_is_left(void **state)
{
    (void)state;
    goes_to_the_primary_after(NULL);
}

static void the_stale_reply_may_come_late(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica = waits(r, &s);

    (void)state;
    replica->seq = 0;
    server_says_rows(replica, "\\N");
    server_hears_query(s.primary, read_sql);
    server_says_rows(s.primary, "coffee");
    (void)client_hears_rows(s.till, "coffee");
    rig_position(r, REPLICA, "0-1-5");
    rig_publish(r);
    client_asks(s.till, read_sql); /* behind the first one it would wait as long as that */
    server_hears_query(s.primary, read_sql);
    server_says_rows(s.primary, "coffee");
    (void)client_hears_rows(s.till, "coffee");
    replica->seq = 0;
    server_says_rows(replica, "stale");
    rig_position(r, REPLICA, "0-1-5");
    rig_publish(r);
    reads_at(&s, replica);
}

/* After a look at the primary a replica must be as far as the primary was: it is asked how far. */
static void the_primary_is_asked_how_far_it_is(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica = first_read(r, &s);

    (void)state;
    rig_publish(r);
    client_asks(s.till, "SHOW TABLES");
    server_hears_query(s.primary, "SHOW TABLES");
    server_says_rows(s.primary, "Product");
    (void)client_hears_rows(s.till, "Product");
    client_asks(s.till, read_sql);
    server_hears_query(s.primary, position_sql);
    server_says_rows(s.primary, "0-1-5");
    server_hears_query(replica, wait_sql);
    server_hears_query(replica, read_sql);
    replica->seq = 0;
    server_says_rows(replica, "0-1-5");
    replica->seq = 0;
    server_says_rows(replica, "tea");
    (void)client_hears_rows(s.till, "tea");
}

static void a_primary_that_dies_when_asked_is_done_without(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica = first_read(r, &s);

    (void)state;
    rig_publish(r);
    client_asks(s.till, "SHOW TABLES");
    server_hears_query(s.primary, "SHOW TABLES");
    server_says_rows(s.primary, "Product");
    (void)client_hears_rows(s.till, "Product");
    server_close(&r->servers[PRIMARY]);
    client_asks(s.till, read_sql);
    server_hears_query(s.primary, position_sql);
    peer_cut(s.primary);
    client_hears_error(s.till, 1158, "08S01", "Lost connection");
    rig_publish(r);
    reads_at(&s, replica);
}

static void a_read_stays_where_it_read_last(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s;
    struct peer *read_at[RIG_SERVERS];
    int first;

    (void)state;
    r->view->count = 3;
    rig_publish(r);
    s = rig_scene(r);
    client_asks(s.till, read_sql);
    rig_counts(r, METRIC_BACKEND_CONNECTS, 2);
    first = atomic_load(&r->shared.metrics.routed[SECOND][ROUTE_BALANCED]) ? SECOND : REPLICA;
    read_at[first] = server_serves(&r->servers[first]);
    server_hears_query(read_at[first], read_sql);
    server_says_rows(read_at[first], "tea");
    (void)client_hears_rows(s.till, "tea");
    for (int i = 0; i < 6; i++)
        reads_at(&s, read_at[first]);
    assert_int_equal(atomic_load(&r->shared.metrics.routed[first][ROUTE_REPLICA_STAYED]), 6);
}

static void a_busy_replica_is_left_alone(void **state)
{
    struct rig *r = rig_start(.holding = true, .workers = 1);
    struct scene slow;
    struct scene s;
    struct peer *busy;

    (void)state;
    slow = rig_scene(r);
    s = rig_scene(r);
    busy = first_read(r, &slow);
    client_asks(slow.till, read_sql); /* and no answer */
    server_hears_query(busy, read_sql);
    r->view->count = 3;
    rig_publish(r);
    client_asks(s.till, read_sql);
    server_hears_query(server_serves(&r->servers[SECOND]), read_sql);
}

static void a_replica_too_far_behind_takes_no_reads(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s;

    (void)state;
    r->view->servers[REPLICA].lagging = true;
    rig_publish(r);
    s = rig_scene(r);
    reads_at(&s, s.primary);
    assert_int_equal(atomic_load(&r->shared.metrics.routed[PRIMARY][ROUTE_NO_REPLICA]), 1);
}

static void a_hint_keeps_a_read_on_the_primary(void **state)
{
    static const char sql[] = "SELECT /* tillway:primary */ name FROM Product";
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    enum sql_reason why = SQL_HINT_PRIMARY;

    (void)state;
    client_asks(s.till, sql);
    server_hears_query(s.primary, sql);
    server_says_rows(s.primary, "tea");
    (void)client_hears_rows(s.till, "tea");
    assert_int_equal(atomic_load(&r->shared.metrics.because[why]), 1);
}

static void questions_about_the_last_statement_follow_it(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica = first_read(r, &s);

    (void)state;
    client_asks(s.till, "SHOW WARNINGS");
    server_hears_query(replica, "SHOW WARNINGS");
    server_says_rows(replica, "Note");
    (void)client_hears_rows(s.till, "Note");
}

/* What CALL left behind is asked for, which costs the primary more than some reads that are known
 * to be short do. */
static void short_reads_come_before_the_question(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct scene s = rig_scene(r);
    struct peer *replica = first_read(r, &s);

    (void)state;
    for (int i = 1; i < HISTORY_ENOUGH; i++)
        reads_at(&s, replica);
    for (int calls = 0; calls < 2; calls++) {
        RUNS(s.till, s.primary, "CALL place_order(1)", .state = true);
        for (int i = 0; i < HOME_READS_FIRST; i++)
            reads_at(&s, s.primary);
    }
    rig_publish(r);
    client_asks(s.till, read_sql);
    server_hears_probe(s.primary, "0 -1 0");
    server_says_rows(s.primary, "0/");
    server_hears_query(replica, read_sql);
    server_says_rows(replica, "tea");
    (void)client_hears_rows(s.till, "tea");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(reads_go_to_a_replica_and_writes_to_the_primary),
        RIG_TEST(nothing_can_be_written_at_a_replica),
        RIG_TEST(a_transaction_without_a_primary_may_still_write),
        RIG_TEST(a_global_read_has_what_anybody_wrote),
        RIG_TEST(a_comment_asks_for_consistency),
        RIG_TEST(a_comment_asks_for_a_server),
        RIG_TEST(a_comment_limits_the_time),
        RIG_TEST(a_session_that_is_measured_stays_on_the_primary),
        RIG_TEST(a_listener_of_the_primary_does_not_split),
        RIG_TEST(a_read_comes_after_the_own_write),
        RIG_TEST(an_eventual_read_does_not_care),
        RIG_TEST(another_sessions_write_does_not_count),
        RIG_TEST(a_replica_catches_up),
        RIG_TEST(a_replica_that_is_not_there_in_time_is_left),
        RIG_TEST(a_replica_that_cannot_wait_is_left),
        RIG_TEST(the_stale_reply_may_come_late),
        RIG_TEST(the_primary_is_asked_how_far_it_is),
        RIG_TEST(a_primary_that_dies_when_asked_is_done_without),
        RIG_TEST(a_read_stays_where_it_read_last),
        RIG_TEST(a_busy_replica_is_left_alone),
        RIG_TEST(a_replica_too_far_behind_takes_no_reads),
        RIG_TEST(a_hint_keeps_a_read_on_the_primary),
        RIG_TEST(questions_about_the_last_statement_follow_it),
        RIG_TEST(short_reads_come_before_the_question),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
