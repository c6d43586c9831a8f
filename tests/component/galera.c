/* A node of a Galera cluster that is cut off from the others: what it says of that is the loss of a
 * server for the session, and no error of the till's. */
#include "component/rig.h"

#include <inttypes.h>

static const char write_sql[] = "INSERT INTO t VALUES (1)";

/* The scene's primary is the node that takes writes. */
static struct rig *cluster(bool exactly_once)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000, .exactly_once = exactly_once);

    r->view->galera = true;
    rig_publish(r);
    return r;
}

/* Another one does, and that one is known to be cut off. Answers a connection there. */
static struct peer *next_writer(struct rig *r)
{
    rig_make_primary(r, REPLICA);
    r->view->servers[PRIMARY].health = HEALTH_BROKEN;
    rig_publish(r);
    return server_serves(&r->servers[REPLICA]);
}

static void node_says_not_ready(struct peer *p)
{
    server_says_error(p, 1047, "08S01", "WSREP has not yet prepared node for application use");
}

static void node_says_cut_off(struct peer *p)
{
    server_says_error(p, 1180, "HY000",
                      "Error while appending streaming replication fragment(provider status: Not "
                      "connected to Primary Component)");
}

static void node_hears_questions(struct peer *p)
{
    (void)server_hears_about(p, "SET STATEMENT time_zone='+00:00' FOR SELECT CONCAT((SELECT");
    (void)server_hears_about(p, "SET STATEMENT wsrep_sync_wait=1 FOR SELECT IFNULL((SELECT number");
}

static void node_tells(struct peer *p, uint64_t number)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    node_hears_questions(p);
    server_says_rows(p, "0 1000");
    server_says_rows(p, text);
}

/* Answers the number in the row. */
static uint64_t commits_in_vain(const struct scene *s)
{
    uint64_t number;

    client_asks(s->till, write_sql);
    number = server_hears_once(s->primary, write_sql);
    node_says_cut_off(s->primary);
    peer_hears_end(s->primary);
    return number;
}

/* The transaction may have been on its way to the others, who know. */
static void a_commit_is_asked_for(void **state)
{
    struct rig *r = cluster(true);
    struct scene s = rig_scene(r);
    uint64_t number = commits_in_vain(&s);

    (void)state;
    s.primary = next_writer(r);
    node_tells(s.primary, number);
    assert_int_equal(client_hears_ok(s.till).last_insert_id, 7);
}

static void one_that_was_refused_is_written_again(void **state)
{
    struct rig *r = cluster(true);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, write_sql);
    (void)server_hears_once(s.primary, write_sql);
    node_says_not_ready(s.primary);
    peer_hears_end(s.primary);
    s.primary = next_writer(r);
    (void)server_hears_once(s.primary, write_sql);
    server_says_ok(s.primary);
    assert_int_equal(client_hears_ok(s.till).last_insert_id, 7);
}

/* The node itself is asked first where nobody knows yet; it must not count as an answer. */
static void a_node_that_knows_nothing_is_not_believed(void **state)
{
    struct rig *r = cluster(true);
    struct scene s = rig_scene(r);
    uint64_t number = commits_in_vain(&s);

    (void)state;
    s.primary = server_serves(&r->servers[PRIMARY]);
    node_hears_questions(s.primary);
    server_says_rows(s.primary, "0 1000");
    node_says_not_ready(s.primary);
    peer_hears_end(s.primary);
    s.primary = next_writer(r);
    node_tells(s.primary, number);
    assert_int_equal(client_hears_ok(s.till).last_insert_id, 7);
}

static void without_exactly_once_it_is_not_known(void **state)
{
    struct rig *r = cluster(false);
    struct scene s = rig_scene(r);

    (void)state;
    RUNS(s.till, s.primary, "BEGIN", .status = STATUS_IN_TRANS, .transaction = "T_______");
    RUNS(s.till, s.primary, write_sql, .status = STATUS_IN_TRANS, .transaction = "T___W___");
    client_asks(s.till, "COMMIT");
    server_hears_query(s.primary, "COMMIT");
    node_says_cut_off(s.primary);
    client_hears_error(s.till, 1158, "08S01", "whether it took effect is not known");
}

/* Another error at a commit is the statement's own. */
static void an_error_of_the_commit_is_the_tills(void **state)
{
    struct rig *r = cluster(false);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, write_sql);
    server_hears_query(s.primary, write_sql);
    server_says_error(s.primary, 1180, "HY000", "Got error 5 during COMMIT");
    client_hears_error(s.till, 1180, "HY000", "Got error 5");
}

static void takes_writes(struct rig *r, int node)
{
    rig_make_primary(r, node);
    rig_publish(r);
}

/* A connection on which the session wrote, and read when the node took no writes, writes again
 * where it takes some again, and has all that the session left on it. */
static void a_node_takes_writes_again(void **state)
{
    struct rig *r = cluster(false);
    struct scene s = rig_scene(r);

    (void)state;
    RUNS(s.till, s.primary, write_sql, .affected = 1, .insert_id = 7);
    takes_writes(r, REPLICA);
    client_asks(s.till, "SELECT name FROM Product");
    server_hears_query(s.primary, "SELECT name FROM Product");
    server_says_rows(s.primary, "tea");
    (void)client_hears_rows(s.till, "tea");
    takes_writes(r, PRIMARY);
    client_asks(s.till, write_sql);
    server_hears_query(s.primary, "SET SESSION tx_read_only=DEFAULT");
    server_says_ok(s.primary);
    server_hears_query(s.primary, write_sql);
    server_says(s.primary, .affected = 1, .insert_id = 8);
    assert_int_equal(client_hears_ok(s.till).last_insert_id, 8);
    RUNS(s.till, s.primary, write_sql, .affected = 1, .insert_id = 9);
    server_is_left_alone(&r->servers[PRIMARY], 50);
}

/* A till in a transaction that has inserted so many rows, whose node is lost. */
static struct peer *goes_on_elsewhere(struct rig *r, uint64_t rows)
{
    struct scene s = rig_scene(r);

    RUNS(s.till, s.primary, "BEGIN", .status = STATUS_IN_TRANS, .transaction = "T_______");
    RUNS(s.till, s.primary, write_sql, .status = STATUS_IN_TRANS, .transaction = "T___W___",
         .affected = rows, .insert_id = 100);
    peer_hang_up(s.primary);
    client_asks(s.till, write_sql);
    return s.till;
}

static void one_row_is_inserted_again(void **state)
{
    struct rig *r = cluster(false);
    struct peer *node;

    (void)state;
    (void)goes_on_elsewhere(r, 1);
    node = next_writer(r);
    (void)server_hears_about(node, "SET STATEMENT wsrep_sync_wait=1 FOR SELECT 0");
    server_hears_query(node, "SET last_insert_id=100");
    server_says_rows(node, "0");
    server_says_ok(node);
    (void)server_hears_about(node, "SET timestamp=");
    server_hears_query(node, "BEGIN");
}

/* The ids that the till counts on from the first one would be others. */
static void several_rows_are_not(void **state)
{
    struct rig *r = cluster(false);
    struct peer *till = goes_on_elsewhere(r, 3);

    (void)state;
    takes_writes(r, REPLICA);
    client_hears_error(till, 1213, "40001", "Deadlock found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_commit_is_asked_for),
        RIG_TEST(one_that_was_refused_is_written_again),
        RIG_TEST(a_node_that_knows_nothing_is_not_believed),
        RIG_TEST(without_exactly_once_it_is_not_known),
        RIG_TEST(an_error_of_the_commit_is_the_tills),
        RIG_TEST(a_node_takes_writes_again),
        RIG_TEST(one_row_is_inserted_again),
        RIG_TEST(several_rows_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
