/* Shared pipelining: short reads of several sessions under way on one connection, and all that may
 * happen to one of them while the others must not notice. */
#include "component/ride.h"
#include "protocol/packet.h"
#include "protocol/stmt.h"
#include "proxy/backend/history.h"

#include <stdio.h>

static struct ride ride_of(struct rig *r)
{
    struct scene scene = rig_scene(r);
    struct ride ride = {
        .rig = r, .first = scene.till, .primary = scene.primary, .second = rig_till(r, 0)};

    (void)client_hears_ok(ride.second);
    client_asks(ride.first, ride_read_sql);
    ride.line = server_serves(&r->servers[REPLICA]);
    ride_answers(ride.line, ride_read_sql, "1", ride.first);
    ride_gets_known(ride.first, ride.line, ride_read_sql, HISTORY_ENOUGH - 1);
    ride_gets_known(ride.first, ride.line, ride_other_sql, HISTORY_ENOUGH);
    return ride;
}

static void each_gets_its_own_reply(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);

    (void)state;
    for (int i = 0; i < 3; i++)
        ride_both(&ride);
    rig_counts(r, METRIC_SHARED, 6);
    server_is_left_alone(&r->servers[REPLICA], 50);
}

/* … also where several replies come in one piece, and one in many. */
static void replies_come_as_they_like(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);

    (void)state;
    ride.line->crumbs = true;
    for (int i = 0; i < 3; i++)
        ride_both(&ride);
}

static void what_is_not_known_goes_alone(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *own;

    (void)state;
    client_asks(ride.first, ride_read_sql);
    server_hears_query(ride.line, ride_read_sql);
    client_asks(ride.second, "SELECT d FROM t");
    own = server_serves(&r->servers[REPLICA]);
    ride_answers(own, "SELECT d FROM t", "4", ride.second);
    ride_line_says_rows(&ride, "1");
    (void)client_hears_rows(ride.first, "1");
}

/* It would be read under the other one's state. */
static void another_state_goes_alone(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *own;

    (void)state;
    RUNS(ride.second, ride.primary, "SET sql_mode=''", .variable = {"sql_mode", ""});
    rig_publish(r);
    client_asks(ride.first, ride_read_sql);
    server_hears_query(ride.line, ride_read_sql);
    client_asks(ride.second, ride_other_sql);
    own = server_serves(&r->servers[REPLICA]);
    server_hears_query(own, "SET sql_mode=''");
    server_says_ok(own);
    ride_answers(own, ride_other_sql, "2", ride.second);
    ride_line_says_rows(&ride, "1");
    (void)client_hears_rows(ride.first, "1");
}

static void executes(struct peer *till, uint32_t id, struct peer *server, uint32_t remote)
{
    client_executes(till, id);
    server_hears_execute(server, remote);
    server_says_rows(server, "1");
    (void)client_hears_rows(till, "1");
}

/* A prepared statement rides where it is known, and nowhere else. */
static void a_statement_rides_where_it_is_known(void **state)
{
    static const char prepared_sql[] = "SELECT e FROM t";
    static const char unknown_sql[] = "SELECT d FROM t";
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *own;
    uint32_t id;

    (void)state;
    client_asks(ride.first, unknown_sql);
    server_hears_query(ride.line, unknown_sql);
    client_sends(ride.second, COM_STMT_PREPARE, span_of(prepared_sql));
    own = server_serves(&r->servers[REPLICA]);
    server_hears(own, COM_STMT_PREPARE, prepared_sql);
    server_says_prepared(own, 7, 1, 0);
    id = client_hears_prepared(ride.second, 1, 0);
    server_says_rows(ride.line, "4");
    (void)client_hears_rows(ride.first, "4");
    for (int i = 0; i < HISTORY_ENOUGH; i++)
        executes(ride.second, id, own, 7);
    client_executes(ride.second, id);
    server_hears_execute(own, 7);
    client_asks(ride.first, ride_read_sql);
    server_hears_query(own, ride_read_sql);
    server_says_rows(own, "1");
    own->seq = 0;
    server_says_rows(own, "2");
    (void)client_hears_rows(ride.second, "1");
    (void)client_hears_rows(ride.first, "2");
    client_asks(ride.first, unknown_sql); /* now the other connection was used last */
    ride_answers(ride.line, unknown_sql, "4", ride.first);
    executes(ride.second, id, own, 7);
}

static void the_reply_of_one_that_left_is_dropped(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);

    (void)state;
    ride_both_board(&ride);
    peer_reset(ride.first);
    rig_counts(r, METRIC_SESSIONS, 1);
    ride_line_says_rows(&ride, "not for anybody");
    ride_line_says_rows(&ride, "2");
    (void)client_hears_rows(ride.second, "2");
    client_asks(ride.second, ride_read_sql);
    ride_answers(ride.line, ride_read_sql, "3", ride.second);
}

/* The primary has the last word; the other one's reply is its own. */
static void an_error_is_one_session_s(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);

    (void)state;
    ride_both_board(&ride);
    ride.line->seq = 0;
    server_says_error(ride.line, 1054, "42S22", "Unknown column 'a' in 'SELECT'");
    ride_line_says_rows(&ride, "2");
    (void)client_hears_rows(ride.second, "2");
    ride_answers(ride.primary, ride_read_sql, "1", ride.first);
    rig_publish(r);
    ride_both(&ride);
}

/* Who is behind it goes elsewhere; its own reply is waited for. */
static void a_slow_one_holds_nobody_up(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *own;

    (void)state;
    ride_both_board(&ride);
    rig_hurries_lines(r);
    own = server_serves(&r->servers[REPLICA]);
    ride_answers(own, ride_other_sql, "2", ride.second);
    ride_line_says_rows(&ride, "1");
    (void)client_hears_rows(ride.first, "1");
    ride_line_says_rows(&ride, "dropped");
    rig_counts(r, METRIC_RETRIED, 1);
    client_asks(ride.first, "SELECT d FROM t");
    ride_answers(ride.line, "SELECT d FROM t", "4", ride.first);
}

static void what_a_lost_connection_leaves_unanswered_is_asked_elsewhere(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *own;

    (void)state;
    ride_both_board(&ride);
    peer_cut(ride.line);
    ride_answers(ride.primary, ride_read_sql, "1", ride.first);
    own = server_serves(&r->servers[REPLICA]);
    ride_answers(own, ride_other_sql, "2", ride.second);
}

/* The first one's reply is cut in the middle: it ends, as on any connection; the other does not. */
static void a_reply_that_was_begun_is_lost_alone(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *own;

    (void)state;
    ride_both_board(&ride);
    ride.line->seq = 0;
    server_says_columns(ride.line, 1);
    server_says_row(ride.line, "1");
    client_hears_columns(ride.first, 1);
    client_hears_row(ride.first, "1");
    peer_cut(ride.line);
    peer_hears_end(ride.first);
    own = server_serves(&r->servers[REPLICA]);
    ride_answers(own, ride_other_sql, "2", ride.second);
}

/* Its client does not read: the connection is its own then. */
static void a_client_that_does_not_read_holds_nobody_up(void **state)
{
    enum { MUCH = 24 << 20 };
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct buf rows = buf_with_max(MUCH);
    struct peer *own;

    (void)state;
    ride_both_board(&ride);
    ride.line->seq = 0;
    server_says_columns(ride.line, 1);
    memset(buf_reserve(&rows, MUCH), 0, MUCH);
    rows.len = MUCH;
    for (size_t at = 0, seq = 3; at + 4 + 1000 <= MUCH; at += 4 + 1000, seq++) {
        packet_header_write(rows.data + at, 1000, (uint8_t)seq);
        rows.data[at + 4] = 0xFC;
        rows.data[at + 5] = (uint8_t)(997 & 0xFF);
        rows.data[at + 6] = (uint8_t)(997 >> 8);
    }
    (void)peer_pour(ride.line, buf_span(&rows));
    buf_free(&rows);
    own = server_serves(&r->servers[REPLICA]);
    ride_answers(own, ride_other_sql, "2", ride.second);
}

static void kills(struct peer *till, const char *what, const struct peer *victim)
{
    char sql[64];

    (void)snprintf(sql, sizeof sql, "KILL %s %u", what, victim->thread_id);
    client_asks(till, sql);
}

static struct peer *killer_of(struct rig *r)
{
    struct peer *till = rig_till(r, 0);

    (void)client_hears_ok(till);
    return till;
}

/* The server works on the first one's: that is killed, and the other one goes elsewhere. */
static void the_first_is_killed_on_its_server(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *killer = killer_of(r);
    struct peer *peers[2];
    char sql[64];

    (void)state;
    ride_both_board(&ride);
    kills(killer, "QUERY", ride.first);
    (void)client_hears_ok(killer);
    (void)snprintf(sql, sizeof sql, "KILL QUERY %u", ride.line->thread_id);
    for (int i = 0; i < 2; i++)
        peers[i] = server_serves(&r->servers[REPLICA]);
    ride_answers(peers[0], ride_other_sql, "2", ride.second);
    server_hears_query(peers[1], sql);
    server_says_ok(peers[1]);
    ride.line->seq = 0;
    server_says_error(ride.line, 1317, "70100", "Query execution was interrupted");
    client_hears_error(ride.first, 1317, "70100", "interrupted");
}

/* The server has not come to the second one's: it never will, as far as its client can see. */
static void the_second_is_killed_in_its_place(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *killer = killer_of(r);

    (void)state;
    ride_both_board(&ride);
    kills(killer, "QUERY", ride.second);
    (void)client_hears_ok(killer);
    client_hears_error(ride.second, 1317, "70100", "interrupted");
    ride_line_says_rows(&ride, "1");
    ride_line_says_rows(&ride, "dropped");
    (void)client_hears_rows(ride.first, "1");
    ride_both(&ride);
}

static void a_killed_connection_leaves_the_others(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *killer = killer_of(r);

    (void)state;
    ride_both_board(&ride);
    kills(killer, "CONNECTION", ride.second);
    (void)client_hears_ok(killer);
    client_hears_error(ride.second, 1927, "70100", "Connection was killed");
    ride_line_says_rows(&ride, "1");
    ride_line_says_rows(&ride, "dropped");
    (void)client_hears_rows(ride.first, "1");
}

static void a_server_that_is_down_is_left(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *own;

    (void)state;
    ride_both_board(&ride);
    r->view->servers[REPLICA].health = HEALTH_DOWN;
    rig_publish(r);
    ride_answers(ride.primary, ride_other_sql, "2", ride.second);
    own = server_serves(&r->servers[PRIMARY]);
    ride_answers(own, ride_read_sql, "1", ride.first);
}

/* Its warnings are told by the primary, where it is run again, for the list is gone. */
static void warnings_are_still_to_be_had(void **state)
{
    const struct says warned = {.warnings = 1};
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);

    (void)state;
    ride_both_board(&ride);
    ride.line->seq = 0;
    server_sends_rows(ride.line, &warned, (const char *const[]){"1", NULL});
    ride_line_says_rows(&ride, "2");
    (void)client_hears_rows(ride.first, "1");
    (void)client_hears_rows(ride.second, "2");
    client_asks(ride.first, "SHOW WARNINGS");
    server_hears_query(ride.primary, ride_read_sql);
    server_sends_rows(ride.primary, &warned, (const char *const[]){"1", NULL});
    ride_answers(ride.primary, "SHOW WARNINGS", "w", ride.first);
}

static struct peer *another_till(struct rig *r)
{
    struct peer *till = rig_till(r, 0);

    (void)client_hears_ok(till);
    return till;
}

/* A second connection to the replica, idle as the line's is. */
static struct peer *another_connection(struct ride *ride)
{
    static const char strange_sql[] = "SELECT d FROM t";
    struct peer *till = another_till(ride->rig);
    struct peer *other;

    ride_both_board(ride);
    client_asks(till, strange_sql);
    other = server_serves(&ride->rig->servers[REPLICA]);
    ride_answers(other, strange_sql, "4", till);
    ride_both_are_answered(ride);
    return other;
}

static void another_line_is_begun_behind_many(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *other = another_connection(&ride);
    struct peer *last = another_till(r);
    struct peer *tills[LINE_AIM];

    (void)state;
    for (int i = 0; i < LINE_AIM; i++) {
        tills[i] = another_till(r);
        client_asks(tills[i], ride_read_sql);
        server_hears_query(ride.line, ride_read_sql);
    }
    client_asks(last, ride_read_sql);
    ride_answers(other, ride_read_sql, "3", last);
    for (int i = 0; i < LINE_AIM; i++) {
        ride_line_says_rows(&ride, "1");
        (void)client_hears_rows(tills[i], "1");
    }
}

/* … and not behind one of them, when the other's reply is through. */
static void another_line_is_begun_behind_long_ones(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);
    struct peer *other = another_connection(&ride);
    struct peer *third = another_till(r);

    (void)state;
    rig_has_long_riders(r);
    ride_both_board(&ride);
    client_asks(third, ride_read_sql);
    ride_answers(other, ride_read_sql, "3", third);
    ride_line_says_rows(&ride, "1");
    (void)client_hears_rows(ride.first, "1");
    client_asks(ride.first, ride_other_sql);
    server_hears_query(ride.line, ride_other_sql);
    ride_line_says_rows(&ride, "2");
    (void)client_hears_rows(ride.second, "2");
    ride_line_says_rows(&ride, "1");
    (void)client_hears_rows(ride.first, "1");
}

/* The replica may have no more connections than the line. */
static struct ride ride_of_the_only_one(struct rig *r)
{
    r->view->servers[REPLICA].max_connections = 1;
    rig_publish(r);
    return ride_of(r);
}

static void who_finds_the_line_full_boards_in_turn(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of_the_only_one(r);
    struct peer *tills[LINE_DEPTH + 1];

    (void)state;
    for (int i = 0; i <= LINE_DEPTH; i++) {
        tills[i] = another_till(r);
        client_asks(tills[i], ride_read_sql);
        if (i < LINE_DEPTH)
            server_hears_query(ride.line, ride_read_sql);
    }
    rig_counts(r, METRIC_WAITED, 1);
    ride_line_says_rows(&ride, "0");
    (void)client_hears_rows(tills[0], "0");
    server_hears_query(ride.line, ride_read_sql);
    for (int i = 1; i <= LINE_DEPTH; i++) {
        ride_line_says_rows(&ride, "1");
        (void)client_hears_rows(tills[i], "1");
    }
}

static void who_needs_a_connection_is_not_overtaken(void **state)
{
    static const char strange_sql[] = "SELECT c FROM t";
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of_the_only_one(r);
    struct peer *third = another_till(r);

    (void)state;
    ride_both_board(&ride);
    client_asks(third, strange_sql);
    rig_counts(r, METRIC_WAITED, 1);
    ride_line_says_rows(&ride, "1");
    (void)client_hears_rows(ride.first, "1");
    client_asks(ride.first, ride_read_sql);
    rig_counts(r, METRIC_WAITED, 2);
    ride_line_says_rows(&ride, "2");
    (void)client_hears_rows(ride.second, "2");
    ride_answers(ride.line, strange_sql, "3", third);
    ride_answers(ride.line, ride_read_sql, "1", ride.first);
}

static void the_daemon_ends_under_way(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct ride ride = ride_of(r);

    (void)state;
    ride_both_board(&ride);
    rig_drain(r, 100);
    client_hears_error(ride.first, 1053, "08S01", "shutdown");
    client_hears_error(ride.second, 1053, "08S01", "shutdown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(each_gets_its_own_reply),
        RIG_TEST(replies_come_as_they_like),
        RIG_TEST(what_is_not_known_goes_alone),
        RIG_TEST(another_state_goes_alone),
        RIG_TEST(a_statement_rides_where_it_is_known),
        RIG_TEST(the_reply_of_one_that_left_is_dropped),
        RIG_TEST(an_error_is_one_session_s),
        RIG_TEST(a_slow_one_holds_nobody_up),
        RIG_TEST(what_a_lost_connection_leaves_unanswered_is_asked_elsewhere),
        RIG_TEST(a_reply_that_was_begun_is_lost_alone),
        RIG_TEST(a_client_that_does_not_read_holds_nobody_up),
        RIG_TEST(the_first_is_killed_on_its_server),
        RIG_TEST(the_second_is_killed_in_its_place),
        RIG_TEST(a_killed_connection_leaves_the_others),
        RIG_TEST(a_server_that_is_down_is_left),
        RIG_TEST(warnings_are_still_to_be_had),
        RIG_TEST(another_line_is_begun_behind_many),
        RIG_TEST(another_line_is_begun_behind_long_ones),
        RIG_TEST(who_finds_the_line_full_boards_in_turn),
        RIG_TEST(who_needs_a_connection_is_not_overtaken),
        RIG_TEST(the_daemon_ends_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
