/* What a client, or all of one address or user, may use, and how long a session waits for one. */
#include "component/rig.h"
#include "protocol/packet.h"

#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

enum { SHORT_MS = 60 };

static struct peer *logs_in(struct rig *r, const char *user)
{
    struct peer *till = client_greeted(r);

    client_logs_in(till, .user = user);
    return till;
}

/* The next log-in is on its way to the connection that the one before left. */
static void is_let_in(struct rig *r, struct peer *primary)
{
    (void)logs_in(r, "till");
    (void)peer_hears_first(primary);
}

/* ER_CON_COUNT_ERROR stands in the greeting's place. */
static void an_address_may_have_so_many_sessions(void **state)
{
    struct rig *r = rig_start(.workers = 1, .max_address_sessions = 2);
    struct peer *first = rig_scene(r).till;
    struct peer *second = client_connects(r, 0);
    struct peer *third = client_connects(r, 0);

    (void)state;
    client_hears_greeting(second);
    third->seq = UINT8_MAX;
    client_is_refused(third, 1040, "08004", "Too many connections");
    rig_counts(r, METRIC_TURNED_AWAY, 1);
    peer_cut(first);
    peer_cut(second);
    rig_counts(r, METRIC_SESSIONS, 0);
    client_hears_greeting(client_connects(r, 0));
}

/* Of whom a trusted proxy speaks, not the proxy itself. */
static void an_address_behind_a_proxy_counts_for_itself(void **state)
{
    struct rig *r =
        rig_start(.holding = true, .workers = 1, .max_address_sessions = 1, .proxy_trusted = true);
    static const char *const from[] = {"10.0.0.1", "10.0.0.2", "10.0.0.1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(from); i++) {
        struct peer *till = client_connects(r, 0);
        char header[80];

        client_hears_greeting(till);
        (void)snprintf(header, sizeof header, "PROXY TCP4 %s 10.9.9.9 40000 3306\r\n", from[i]);
        peer_send(till, span_of(header));
        client_logs_in(till, .user = "till");
        if (i == 2)
            client_is_refused(till, 1040, "08004", "Too many connections");
        else
            (void)server_serves(&r->servers[PRIMARY]);
        if (i != 2)
            (void)client_hears_ok(till);
    }
}

static void a_user_may_have_so_many_sessions(void **state)
{
    struct rig *r = rig_start(.holding = true, .workers = 1, .max_user_sessions = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_is_refused(logs_in(r, "till"), 1203, "42000",
                      "User till already has more than 'max_user_connections' active connections");
    (void)logs_in(r, "other");
    server_greets(server_accepts(&r->servers[PRIMARY]));
    peer_cut(s.till);
    rig_counts(r, METRIC_SESSIONS, 1);
    is_let_in(r, s.primary);
}

/* COM_CHANGE_USER moves the session from one user's count to the other's. */
static void changing_the_user_changes_who_is_counted(void **state)
{
    struct rig *r = rig_start(.holding = true, .workers = 1, .max_user_sessions = 1);
    struct scene s = rig_scene(r);
    struct peer *guests;

    (void)state;
    client_sends(s.till, COM_CHANGE_USER, BYTES("guest\0\0\0\x2D\0mysql_native_password\0"));
    guests = server_accepts(&r->servers[PRIMARY]);
    server_greets(guests);
    server_hears_login(guests, "guest", NULL);
    server_says_ok(guests);
    server_hears_setup(guests);
    (void)client_hears_ok(s.till);
    is_let_in(r, s.primary);
    client_is_refused(logs_in(r, "till"), 1203, "42000", "User till already");
}

static void a_login_has_so_many_packets(void **state)
{
    static const uint8_t reply[64];
    struct rig *r = rig_start(.workers = 1, .login_packets = 2);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "two", .plugin = "dialog");
    assert_true(client_is_asked(till)); /* by ed25519 */
    peer_send_packet(till, (struct span){reply, sizeof reply});
    assert_true(client_is_asked(till)); /* by mysql_native_password, that account's other way */
    peer_send_packet(till, (struct span){reply, AUTH_HASH});
    client_is_refused(till, 1043, "08S01", "too many packets");
}

/* Their texts are kept for servers that do not know them. */
static void prepared_statements_have_so_much_memory(void **state)
{
    enum { TEXT = 30000, MANY = 3 };
    struct rig *r = rig_start(.holding = true, .workers = 1, .session_memory_kib = 64);
    struct scene s = rig_scene(r);
    static char text[TEXT + 1];
    uint32_t id = 0;

    (void)state;
    (void)snprintf(text, sizeof text, "INSERT INTO t VALUES (?)%*s", TEXT - 24, "");
    for (uint32_t i = 1; i < MANY; i++) {
        text[12] =
            (char)('a' + i); /* the table: equal texts would be one statement on the server */
        client_sends(s.till, COM_STMT_PREPARE, span_of(text));
        server_hears(s.primary, COM_STMT_PREPARE, text);
        server_says_prepared(s.primary, i, 0, 1);
        id = client_hears_prepared(s.till, 0, 1);
    }
    client_sends(s.till, COM_STMT_PREPARE, span_of(text));
    client_hears_error(s.till, 1461, "42000", "(current value: 2)");
    client_sends(s.till, COM_STMT_CLOSE, (struct span){(const uint8_t *)&id, sizeof id});
    client_sends(s.till, COM_STMT_PREPARE, span_of(text));
    server_hears_command(s.primary, COM_STMT_CLOSE, BYTES("\x02\0\0\0"));
    server_hears(s.primary, COM_STMT_PREPARE, text);
}

static void an_idle_session_ends_without_a_word(void **state)
{
    struct rig *r = rig_start(.workers = 1, .wait_timeout_ms = SHORT_MS);
    struct scene s = rig_scene(r);

    (void)state;
    peer_hears_end(s.till);
    rig_counts(r, METRIC_SESSIONS, 0);
    rig_counts(r, METRIC_BAD_CLIENTS, 0);
}

static void an_interactive_client_has_a_limit_of_its_own(void **state)
{
    struct rig *r =
        rig_start(.workers = 1, .wait_timeout_ms = 3600 * 1000, .interactive_timeout_ms = SHORT_MS);
    struct peer *till = client_connects(r, 0);

    (void)state;
    client_hears_greeting(till);
    client_logs_in(till, .user = "till", .with = CAP_INTERACTIVE);
    (void)server_serves(&r->servers[PRIMARY]);
    (void)client_hears_ok(till);
    peer_hears_end(till);
}

/* The session's own wait_timeout, and work that takes longer than it does. */
static void a_session_at_work_is_not_idle(void **state)
{
    struct rig *r = rig_start(.workers = 1, .wait_timeout_ms = 3600 * 1000);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, "SET wait_timeout=1");
    server_hears_query(s.primary, "SET wait_timeout=1");
    server_says(s.primary, .variable = {"wait_timeout", "1"});
    (void)client_hears_ok(s.till);
    client_asks(s.till, "INSERT INTO t VALUES (1)");
    server_hears_query(s.primary, "INSERT INTO t VALUES (1)");
    peer_hears_nothing(s.till, 1500);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
    peer_hears_end(s.till);
}

/* Crumbs do not put it off. */
static void half_a_command_has_so_much_time(void **state)
{
    struct rig *r = rig_start(.workers = 1, .read_timeout_ms = 500);
    struct scene s = rig_scene(r);
    bool open = true;

    (void)state;
    peer_send(s.till, BYTES("\x40\x00\x00\x00\x03SELECT"));
    while (open) {
        uint8_t byte;
        struct timespec pause = {.tv_nsec = 50000000};

        (void)nanosleep(&pause, NULL);
        if (recv(s.till->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
            open = false;
        else
            (void)!send(s.till->fd, " ", 1, MSG_NOSIGNAL);
    }
    s.till->seq = 0;
    client_hears_error(s.till, 1159, "08S01", "Got timeout reading");
    rig_counts(r, METRIC_BAD_CLIENTS, 1);
    rig_counts(r, METRIC_SESSIONS, 0);
}

static void a_reply_that_nobody_takes_is_given_up(void **state)
{
    enum { ROWS = 64 };
    static char row[200000];
    struct rig *r = rig_start(.workers = 1, .write_timeout_ms = SHORT_MS);
    struct scene s = rig_scene(r);
    struct buf rows = buf_with_max(1u << 26);

    (void)state;
    memset(row, 'x', sizeof row - 1);
    client_asks(s.till, "SELECT big FROM t FOR UPDATE");
    server_hears_query(s.primary, "SELECT big FROM t FOR UPDATE");
    server_says_columns(s.primary, 1);
    for (int i = 0; i < ROWS; i++) {
        size_t at = packet_begin(&rows);

        buf_put_lenenc_bytes(&rows, span_of(row));
        packet_end(&rows, at, (uint8_t)(s.primary->seq + 1 + i));
    }
    (void)peer_pour(s.primary, buf_span(&rows));
    buf_free(&rows);
    rig_counts(r, METRIC_BAD_CLIENTS, 1);
    rig_counts(r, METRIC_SESSIONS, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(an_address_may_have_so_many_sessions),
        RIG_TEST(an_address_behind_a_proxy_counts_for_itself),
        RIG_TEST(a_user_may_have_so_many_sessions),
        RIG_TEST(changing_the_user_changes_who_is_counted),
        RIG_TEST(a_login_has_so_many_packets),
        RIG_TEST(prepared_statements_have_so_much_memory),
        RIG_TEST(an_idle_session_ends_without_a_word),
        RIG_TEST(an_interactive_client_has_a_limit_of_its_own),
        RIG_TEST(a_session_at_work_is_not_idle),
        RIG_TEST(half_a_command_has_so_much_time),
        RIG_TEST(a_reply_that_nobody_takes_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
