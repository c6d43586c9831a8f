/* Multiplexing: sessions that share server connections, and what each of them still sees as if it
 * had one of its own. */
#include "component/rig.h"
#include "proxy/backend/backend.h"
#include "proxy/session/session_hold.h"

static const char insert_sql[] = "INSERT INTO t (b) VALUES (1)";
static const char update_sql[] = "UPDATE t SET b=2";

/* A log-in that needs no server: the connection at hand fits it. */
static struct peer *another(struct rig *r)
{
    struct peer *till = rig_till(r, 0);

    (void)client_hears_ok(till);
    return till;
}

/* The till's insert has an id, which is asked for in front of the other one's statement. */
static void the_id_is_asked_for(struct scene *s, struct peer *other)
{
    RUNS(s->till, s->primary, insert_sql, .affected = 1, .insert_id = 7);
    client_asks(other, "COMMIT");
    server_hears_query(s->primary, session_rescue_sql);
    server_hears_query(s->primary, "COMMIT");
}

static void answers(struct peer *server, const char *sql, const char *value, struct peer *till)
{
    server_hears_query(server, sql);
    server_says_rows(server, value);
    (void)client_hears_rows(till, value);
}

static void two_tills_share_a_connection(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *other = another(r);

    (void)state;
    RUNS(s.till, s.primary, update_sql, .affected = 1);
    RUNS(other, s.primary, update_sql, .affected = 1);
    RUNS(s.till, s.primary, update_sql, .affected = 1);
    server_is_left_alone(&r->servers[PRIMARY], 50);
}

static void a_variable_is_laid_on_and_taken_off(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *other = another(r);

    (void)state;
    RUNS(s.till, s.primary, "SET sql_mode=''", .variable = {"sql_mode", ""});
    client_asks(other, update_sql);
    server_hears_query(s.primary, "SET sql_mode=DEFAULT");
    server_says_ok(s.primary);
    server_hears_query(s.primary, update_sql);
    server_says_ok(s.primary);
    (void)client_hears_ok(other);
    client_asks(s.till, update_sql);
    server_hears_query(s.primary, "SET sql_mode=''");
    server_says_ok(s.primary);
    server_hears_query(s.primary, update_sql);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
}

static void a_transaction_keeps_its_connection(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *other = another(r);
    struct peer *second;

    (void)state;
    RUNS(s.till, s.primary, "BEGIN", .status = STATUS_IN_TRANS);
    client_asks(other, update_sql);
    second = server_serves(&r->servers[PRIMARY]);
    server_hears_query(second, update_sql);
    server_says_ok(second);
    (void)client_hears_ok(other);
    RUNS(s.till, s.primary, "COMMIT", .status = 0);
    RUNS(other, second, update_sql, .status = 0); /* its own is there still */
}

/* The insert's id is asked for in the same write as the other till's statement, and given back. */
static void the_last_insert_id_comes_back(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *other = another(r);

    (void)state;
    RUNS(s.till, s.primary, insert_sql, .affected = 1, .insert_id = 7);
    client_asks(other, update_sql);
    server_hears_query(s.primary, session_rescue_sql);
    server_hears_query(s.primary, "SET last_insert_id=0"); /* the other has inserted nothing yet */
    server_hears_query(s.primary, update_sql);
    s.primary->seq = 0;
    server_says_rows(s.primary, "7 1 0");
    s.primary->seq = 0;
    server_says_ok(s.primary);
    s.primary->seq = 0;
    server_says_ok(s.primary);
    (void)client_hears_ok(other);
    client_asks(s.till, "SELECT LAST_INSERT_ID()");
    server_hears_query(s.primary, "SET last_insert_id=7");
    server_says_ok(s.primary);
    answers(s.primary, "SELECT LAST_INSERT_ID()", "7", s.till);
}

static void counts_are_written_into_the_text(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *other = another(r);

    (void)state;
    RUNS(s.till, s.primary, update_sql, .affected = 3);
    RUNS(other, s.primary, update_sql, .affected = 5);
    client_asks(s.till, "SELECT ROW_COUNT()");
    server_hears_query(s.primary, "SELECT IF(0,ROW_COUNT(),3) AS `ROW_COUNT()`");
    server_says_rows(s.primary, "3");
    (void)client_hears_rows(s.till, "3");
    client_asks(s.till, "SELECT ROW_COUNT()"); /* nobody was there meanwhile */
    answers(s.primary, "SELECT ROW_COUNT()", "-1", s.till);
}

/* What an insert left on the primary is asked for when a read elsewhere has counted anew. */
static void a_read_since_is_newer_than_what_comes_back(void **state)
{
    static const char read_sql[] = "SELECT name FROM Product";
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *other = another(r);

    (void)state;
    RUNS(s.till, s.primary, insert_sql, .affected = 1, .insert_id = 7);
    rig_publish(r);
    client_asks(s.till, read_sql);
    answers(server_serves(&r->servers[REPLICA]), read_sql, "tea", s.till);
    client_asks(other, "COMMIT");
    server_hears_query(s.primary, session_rescue_sql);
    server_hears_query(s.primary, "COMMIT");
    s.primary->seq = 0;
    server_says_rows(s.primary, "7 1 9");
    s.primary->seq = 0;
    server_says_ok(s.primary);
    (void)client_hears_ok(other);
    client_asks(s.till, "SELECT FOUND_ROWS(), ROW_COUNT()");
    answers(s.primary,
            "SELECT IF(0,FOUND_ROWS(),1) AS `FOUND_ROWS()`, IF(0,ROW_COUNT(),-1) AS `ROW_COUNT()`",
            "1", s.till);
}

static void who_asks_too_soon_waits(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *other = another(r);
    struct peer *second;

    (void)state;
    the_id_is_asked_for(&s, other);
    client_asks(s.till, "SELECT LAST_INSERT_ID()");
    server_is_left_alone(&r->servers[PRIMARY], 50);
    s.primary->seq = 0;
    server_says_rows(s.primary, "7 1 0");
    second = server_serves(&r->servers[PRIMARY]);
    server_hears_query(second, "SET last_insert_id=7");
    server_says_ok(second);
    answers(second, "SELECT LAST_INSERT_ID()", "7", s.till);
    s.primary->seq = 0;
    server_says_ok(s.primary);
    (void)client_hears_ok(other);
}

static void a_rescue_that_is_lost_holds_nobody_up(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *other = another(r);
    struct peer *second;

    (void)state;
    the_id_is_asked_for(&s, other);
    client_asks(s.till, update_sql);
    peer_cut(s.primary);
    client_hears_error(other, 1158, "08S01", "Lost connection");
    second = server_serves(&r->servers[PRIMARY]);
    server_hears_query(second, update_sql);
    server_says_ok(second);
    (void)client_hears_ok(s.till);
}

/* A connection with warnings is its session's alone, as long as others can be had: also behind a
 * statement that leaves the warnings there. */
static void warnings_wait_for_their_session(void **state)
{
    struct rig *r = rig_start(.workers = 1, .diagnostics_ms = 1, .pool_idle_ms = 1);
    struct scene s = rig_scene(r);
    struct peer *other = another(r);
    struct peer *second;

    (void)state;
    RUNS(s.till, s.primary, update_sql, .warnings = 1);
    RUNS(s.till, s.primary, "SET sql_notes=1", .variable = {"sql_notes", "1"});
    server_is_left_alone(&r->servers[PRIMARY], 250); /* the janitor comes by */
    client_asks(other, update_sql);
    second = server_serves(&r->servers[PRIMARY]);
    server_hears_query(second, update_sql);
    server_says_ok(second);
    (void)client_hears_ok(other);
    client_asks(s.till, "SHOW WARNINGS");
    answers(s.primary, "SHOW WARNINGS", "careful", s.till);
}

/* The primary allows no second connection, and the first has been idle for a while. */
static void has_no_other(struct rig *r)
{
    r->view->servers[PRIMARY].max_connections = 1;
    rig_publish(r);
}

static void warnings_are_not_shown_to_others(void **state)
{
    struct rig *r = rig_start(.workers = 1, .diagnostics_ms = 1);
    struct scene s = rig_scene(r);
    struct peer *other = another(r);

    (void)state;
    RUNS(s.till, s.primary, update_sql, .warnings = 1);
    has_no_other(r);
    client_asks(other, "SHOW WARNINGS");
    server_hears_query(s.primary, "SELECT 1 FROM (SELECT 1) x");
    server_hears_query(s.primary, "SHOW WARNINGS");
    s.primary->seq = 0;
    server_says_rows(s.primary, "1");
    s.primary->seq = 0;
    server_says_rows(s.primary, "nothing");
    (void)client_hears_rows(other, "nothing");
}

static void a_write_that_failed_is_reset_for_others(void **state)
{
    struct rig *r = rig_start(.workers = 1, .diagnostics_ms = 1);
    struct scene s = rig_scene(r);
    struct peer *other = another(r);

    (void)state;
    client_asks(s.till, update_sql);
    server_hears_query(s.primary, update_sql);
    server_says_error(s.primary, 1062, "23000", "Duplicate entry");
    client_hears_error(s.till, 1062, "23000", "Duplicate entry");
    has_no_other(r);
    client_asks(other, update_sql);
    server_hears_query(s.primary, session_rescue_sql);
    server_hears(s.primary, COM_RESET_CONNECTION, "");
    server_hears_query(s.primary, backend_setup_sql);
    s.primary->seq = 0;
    server_says_rows(s.primary, "0 -1 0");
    s.primary->seq = 0;
    server_says_ok(s.primary);
    s.primary->seq = 0;
    server_says_ok(s.primary);
    server_hears_query(s.primary, update_sql);
    server_says_ok(s.primary);
    (void)client_hears_ok(other);
}

/* Who comes later finds what global variables are by then, not what a connection began with. */
static void a_global_variable_counts_for_new_sessions(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *other;
    struct peer *second;

    (void)state;
    RUNS(s.till, s.primary, "SET GLOBAL sql_mode=''", .affected = 0);
    other = rig_till(r, 0);
    second = server_serves(&r->servers[PRIMARY]);
    (void)client_hears_ok(other);
    RUNS(s.till, s.primary, update_sql, .affected = 1);
    RUNS(other, second, update_sql, .affected = 1);
}

/* Prepared once, executed by both; closed when both have closed it. */
static void a_statement_is_shared(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *other = another(r);
    uint32_t first;
    uint32_t second;

    (void)state;
    client_sends(s.till, COM_STMT_PREPARE, span_of(update_sql));
    server_hears(s.primary, COM_STMT_PREPARE, update_sql);
    server_says_prepared(s.primary, 70, 0, 0);
    first = client_hears_prepared(s.till, 0, 0);
    client_sends(other, COM_STMT_PREPARE, span_of(update_sql));
    server_hears_command(s.primary, COM_STMT_CLOSE, BYTES("\x46\0\0\0"));
    server_hears(s.primary, COM_STMT_PREPARE, update_sql);
    server_says_prepared(s.primary, 71, 0, 0);
    second = client_hears_prepared(other, 0, 0);
    client_sends(s.till, COM_STMT_EXECUTE,
                 (struct span){(uint8_t[]){(uint8_t)first, 0, 0, 0, 0, 1, 0, 0, 0}, 9});
    server_hears_command(s.primary, COM_STMT_EXECUTE, BYTES("\x47\0\0\0\0\x01\0\0\0"));
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
    client_sends(s.till, COM_STMT_CLOSE, (struct span){(uint8_t[]){(uint8_t)first, 0, 0, 0}, 4});
    client_sends(s.till, COM_PING, BYTES(""));
    (void)client_hears_ok(s.till);
    client_sends(other, COM_STMT_CLOSE, (struct span){(uint8_t[]){(uint8_t)second, 0, 0, 0}, 4});
    client_asks(other, update_sql);
    server_hears_command(s.primary, COM_STMT_CLOSE, BYTES("\x47\0\0\0"));
    server_hears_query(s.primary, update_sql);
    server_says_ok(s.primary);
    (void)client_hears_ok(other);
}

/* Nobody may be hit by a KILL that was meant for the one before. */
static void a_killed_connection_is_not_shared(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *other = another(r);
    struct peer *side;
    struct peer *second;
    char kill[64];

    (void)state;
    client_asks(s.till, update_sql);
    server_hears_query(s.primary, update_sql);
    (void)snprintf(kill, sizeof kill, "KILL QUERY %u", s.till->thread_id);
    client_asks(other, kill);
    (void)client_hears_ok(other);
    side = server_serves(&r->servers[PRIMARY]);
    (void)side;
    server_says_ok(s.primary); /* it was through already */
    (void)client_hears_ok(s.till);
    peer_hears_end(s.primary);
    client_asks(other, update_sql);
    second = server_serves(&r->servers[PRIMARY]);
    server_hears_query(second, update_sql);
    server_says_ok(second);
    (void)client_hears_ok(other);
}

/* What a procedure leaves may be locks, which no server tells. */
static void code_unseen_keeps_its_connection(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *other = another(r);
    struct peer *second;

    (void)state;
    RUNS(s.till, s.primary, "CALL p()", .affected = 0);
    client_asks(other, update_sql);
    second = server_serves(&r->servers[PRIMARY]);
    server_hears_query(second, update_sql);
    server_says_ok(second);
    (void)client_hears_ok(other);
    peer_cut(s.till); /* locks go with it, at once */
    peer_hears_end(s.primary);
}

/* The reply to a read that was given up comes while another connection is being opened for it: that
 * one is not given back. */
static void a_late_reply_does_not_take_the_next_connection(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;
    struct peer *second;

    (void)state;
    r->view->count = 3;
    rig_publish(r);
    RUNS(s.till, s.primary, update_sql, .gtid = "0-1-7");
    client_asks(s.till, "SELECT a FROM t");
    replica = server_accepts(&r->servers[REPLICA]);
    server_greets(replica);
    server_hears_login(replica, "till", "secret");
    server_says_ok(replica);
    server_hears_setup(replica);
    server_hears_wait(replica, "0-1-7");
    server_hears_query(replica, "SELECT a FROM t");
    replica->seq = 0;
    server_says_rows(replica, "\\N");
    second = server_accepts(&r->servers[SECOND]);
    replica->seq = 0;
    server_says_rows(replica, "late");
    rig_barrier(r);
    server_greets(second);
    server_hears_login(second, "till", "secret");
    server_says_ok(second);
    server_hears_setup(second);
    server_hears_wait(second, "0-1-7");
    server_hears_query(second, "SELECT a FROM t");
    second->seq = 0;
    server_says_rows(second, "0-1-7");
    second->seq = 0;
    server_says_rows(second, "tea");
    (void)client_hears_rows(s.till, "tea");
}

/* Idle for too long: it is closed, but what the till left on it is kept. */
static void what_is_left_outlives_the_connection(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pool_idle_ms = 1);
    struct scene s = rig_scene(r);
    struct peer *second;

    (void)state;
    RUNS(s.till, s.primary, insert_sql, .affected = 1, .insert_id = 7);
    server_hears_query(s.primary, session_rescue_sql);
    server_says_rows(s.primary, "7 1 0");
    peer_hears_end(s.primary);
    client_asks(s.till, "SELECT LAST_INSERT_ID()");
    second = server_serves(&r->servers[PRIMARY]);
    server_hears_query(second, "SET last_insert_id=7");
    server_says_ok(second);
    answers(second, "SELECT LAST_INSERT_ID()", "7", s.till);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RIG_TEST(two_tills_share_a_connection),
        RIG_TEST(a_variable_is_laid_on_and_taken_off),
        RIG_TEST(a_transaction_keeps_its_connection),
        RIG_TEST(the_last_insert_id_comes_back),
        RIG_TEST(counts_are_written_into_the_text),
        RIG_TEST(a_read_since_is_newer_than_what_comes_back),
        RIG_TEST(who_asks_too_soon_waits),
        RIG_TEST(a_rescue_that_is_lost_holds_nobody_up),
        RIG_TEST(warnings_wait_for_their_session),
        RIG_TEST(warnings_are_not_shown_to_others),
        RIG_TEST(a_write_that_failed_is_reset_for_others),
        RIG_TEST(a_global_variable_counts_for_new_sessions),
        RIG_TEST(a_statement_is_shared),
        RIG_TEST(a_killed_connection_is_not_shared),
        RIG_TEST(code_unseen_keeps_its_connection),
        RIG_TEST(a_late_reply_does_not_take_the_next_connection),
        RIG_TEST(what_is_left_outlives_the_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
