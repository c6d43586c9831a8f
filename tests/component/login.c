/* From the greeting to the first OK, as clients do it right and wrong. */
#include "component/rig.h"
#include "protocol/auth/auth.h"

#include <string.h>
#include <unistd.h>

enum { SHORT_MS = 200 };

/* The log-in came through to the primary, and the session works. */
static void is_in(struct rig *r, struct peer *till)
{
    struct peer *primary = server_serves(&r->servers[PRIMARY]);

    (void)client_hears_ok(till);
    client_asks(till, "INSERT INTO t VALUES (1)");
    server_hears_query(primary, "INSERT INTO t VALUES (1)");
    server_says(primary, .affected = 1);
    assert_int_equal(client_hears_ok(till).affected_rows, 1);
}

static void the_right_password_logs_in(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "till");
    is_in(r, till);
    server_is_left_alone(&r->servers[REPLICA], 0);
    assert_int_equal(atomic_load(&r->refreshes), 0);
}

static void the_greeting_is_the_servers_own(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_connects(r, 0);
    struct span packet = peer_hears_first(till);

    (void)state;
    assert_int_equal(packet.p[0], 10);
    assert_string_equal((const char *)packet.p + 1, "5.5.5-10.11.19-MariaDB-log");
}

static void a_wrong_password_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .password = "guess");
    client_is_refused(till, 1045, "28000",
                      "Access denied for user 'till'@'127.0.0.1' (using password: YES)");
    assert_int_equal(atomic_load(&r->refreshes), 1);
    rig_counts(r, METRIC_LOGINS_REFUSED, 1);
    server_is_left_alone(&r->servers[PRIMARY], 0);
}

static void a_missing_password_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .password = "");
    client_is_refused(till, 1045, "28000", "(using password: NO)");
}

static void an_unknown_user_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "nobody");
    while (client_is_asked(till)) /* as some account there is would be */
        peer_send_packet(till, BYTES("1234567890123456789012345678901234567890"));
    client_is_refused(till, 1045, "28000", "'nobody'@'127.0.0.1' (using password: YES)");
    assert_int_equal(atomic_load(&r->refreshes), 1);
}

static void a_locked_account_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "locked");
    client_is_refused(till, 4151, "HY000", "locked");
}

static void a_plugin_not_spoken_is_named(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "clever");
    client_is_refused(till, 1045, "28000", "plugin gssapi is not supported");
}

static void await_refresh(struct rig *r)
{
    while (atomic_load(&r->refreshes) == 0)
        (void)usleep(100);
}

static void fresh_is_in(struct rig *r, struct peer *till)
{
    struct peer *primary = server_accepts(&r->servers[PRIMARY]);

    server_greets(primary);
    server_hears_login(primary, "fresh", "secret");
    server_says_ok(primary);
    server_hears_setup(primary);
    (void)client_hears_ok(till);
}

static void a_new_account_is_found_after_a_refresh(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till;

    (void)state;
    catalog_unref(r->catalog);
    r->catalog = rig_catalog("fresh");
    till = client_greeted(r);
    client_logs_in(till, .user = "fresh");
    fresh_is_in(r, till);
    assert_int_equal(atomic_load(&r->refreshes), 1);
}

/* As after CREATE USER, when another session's DDL has the catalog read at the same time. */
static void a_catalog_read_before_it_was_asked_for_is_no_answer(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till;

    (void)state;
    catalog_unref(r->catalog);
    r->catalog = NULL;
    till = client_greeted(r);
    client_logs_in(till, .user = "fresh");
    await_refresh(r);
    rig_send_catalog(r, rig_catalog(NULL), 0); /* its reading began before */
    rig_barrier(r);
    peer_hears_nothing(till, 30);
    rig_send_catalog(r, rig_catalog("fresh"), 1);
    fresh_is_in(r, till);
    assert_int_equal(atomic_load(&r->refreshes), 1);
}

static void a_user_without_password_logs_in(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);
    struct peer *primary;

    (void)state;
    client_logs_in(till, .user = "guest", .password = "");
    primary = server_accepts(&r->servers[PRIMARY]);
    server_greets(primary);
    server_hears_login(primary, "guest", NULL);
    server_says_ok(primary);
    server_hears_setup(primary);
    (void)client_hears_ok(till);
}

static void a_password_where_there_is_none_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "guest", .password = "secret");
    client_is_refused(till, 1045, "28000", "using password: YES");
}

/* The till speaks another plugin first: it is asked for the one that is spoken here. */
static struct peer *switched(struct rig *r)
{
    struct peer *till = client_greeted(r);
    struct span packet;

    client_logs_in(till, .plugin = "caching_sha2_password");
    packet = peer_hears_packet(till);
    if (packet.n < 24 || packet.p[0] != 0xFE ||
        strcmp((const char *)packet.p + 1, "mysql_native_password") != 0)
        peer_fail(till, "is not asked for mysql_native_password");
    memcpy(till->nonce, packet.p + packet.n - 21, sizeof till->nonce);
    return till;
}

static void another_plugin_is_switched(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = switched(r);
    uint8_t reply[20];

    (void)state;
    client_native_reply(till, "secret", reply);
    peer_send_packet(till, (struct span){reply, sizeof reply});
    is_in(r, till);
}

static void a_wrong_password_after_the_switch_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = switched(r);

    (void)state;
    peer_send_packet(till, BYTES("12345678901234567890"));
    client_is_refused(till, 1045, "28000", "using password: YES");
}

static void garbage_instead_of_a_login_is_refused(void **state)
{
    static const char *const garbage[] = {
        "\x05",
        "GET / HTTP/1.1 Host: example.com and so on and on and on",
        "\xFF\xFF\xFF\xFF",
        "\x0D\xA6\x03",
        "",
    };
    struct rig *r = rig_start(.workers = 1);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(garbage); i++) {
        struct peer *till = client_greeted(r);

        peer_send_packet(till, span_of(garbage[i]));
        client_is_refused(till, 1043, "08S01", "");
    }
    rig_counts(r, METRIC_SESSIONS, 0);
}

static void a_tls_request_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);
    uint8_t request[32] = {0x00, 0x8A, 0x00, 0x00};

    (void)state;
    peer_send_packet(till, (struct span){request, sizeof request});
    client_is_refused(till, 1043, "08S01", "");
}

static void an_oversized_login_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    peer_send(till, BYTES("\x01\x40\x00\x01"));
    client_is_refused(till, 1153, "08S01", "max_allowed_packet");
}

static void a_wrong_sequence_number_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    till->seq = 4;
    client_logs_in(till, .user = "till");
    till->seq = 0;
    client_is_refused(till, 1156, "08S01", "out of order");
}

static void a_login_may_come_byte_by_byte(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);
    uint8_t reply[20];
    uint8_t login[] = "\x00\x00\x00\x01\x00\x82\x08\x00\x00\x00\x00\x01\x2D"
                      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                      "till\0\x14++++++++++++++++++++mysql_native_password";

    (void)state;
    login[0] = sizeof login - 4;
    client_native_reply(till, "secret", reply);
    memcpy(login + 4 + 32 + 6, reply, sizeof reply);
    for (size_t i = 0; i < sizeof login; i++) {
        peer_send(till, (struct span){login + i, 1});
        (void)usleep(200);
    }
    till->seq = 1;
    till->caps = CAP_PROTOCOL_41 | CAP_SECURE_CONNECTION;
    is_in(r, till);
}

static void half_a_packet_times_out(void **state)
{
    struct rig *r = rig_start(.login_timeout_ms = SHORT_MS);
    struct peer *till = client_greeted(r);

    (void)state;
    peer_send(till, BYTES("\x40\x00\x00\x01 and not much more"));
    client_is_refused(till, 1159, "08S01", "timeout");
}

static void a_silent_client_times_out(void **state)
{
    struct rig *r = rig_start(.login_timeout_ms = SHORT_MS);
    struct peer *till = client_greeted(r);

    (void)state;
    client_hears_error(till, 1159, "08S01", "timeout");
    peer_hears_end(till);
    rig_counts(r, METRIC_SESSIONS, 0);
}

static void the_greeting_waits_for_the_catalog(void **state)
{
    struct rig *r = rig_start(.no_catalog = true);
    struct peer *till = client_connects(r, 0);

    (void)state;
    peer_hears_nothing(till, 30);
    rig_send_catalog(r, rig_catalog(NULL), 0);
    client_hears_greeting(till);
    client_logs_in(till, .user = "till");
    is_in(r, till);
}

static void without_a_catalog_it_is_not_the_clients_fault(void **state)
{
    struct rig *r = rig_start(.no_catalog = true, .login_timeout_ms = SHORT_MS);
    struct peer *till = client_connects(r, 0);

    (void)state;
    till->seq = UINT8_MAX;
    client_is_refused(till, 1158, "08S01", "its log says why");
    rig_counts(r, METRIC_BAD_CLIENTS, 0);
}

static void a_refresh_that_never_ends_times_out(void **state)
{
    struct rig *r = rig_start(.login_timeout_ms = SHORT_MS);
    struct peer *till = client_greeted(r);

    (void)state;
    catalog_unref(r->catalog);
    r->catalog = NULL;
    client_logs_in(till, .password = "guess");
    client_is_refused(till, 1159, "08S01", "timeout");
}

static void a_client_may_leave_at_any_step(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_connects(r, 0);

    (void)state;
    peer_cut(till); /* before the greeting */
    till = client_greeted(r);
    peer_cut(till); /* instead of the log-in */
    till = client_greeted(r);
    peer_send(till, BYTES("\x20\x00\x00\x01half"));
    peer_cut(till); /* in the middle of it */
    till = client_greeted(r);
    peer_reset(till);
    till = switched(r);
    peer_cut(till); /* instead of the reply to the switch */
    rig_counts(r, METRIC_SESSIONS, 0);
    rig_counts(r, METRIC_SESSIONS_OPENED, 5);
}

static void a_client_may_leave_while_its_server_logs_in(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);
    struct peer *primary;

    (void)state;
    client_logs_in(till, .user = "till");
    primary = server_accepts(&r->servers[PRIMARY]);
    server_greets(primary);
    server_hears_login(primary, "till", "secret");
    peer_cut(till);
    rig_barrier(r);
    server_says_ok(primary);
    server_hears_setup(primary);
    rig_counts(r, METRIC_SESSIONS, 0);
}

static void a_client_may_leave_while_accounts_are_read(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    catalog_unref(r->catalog);
    r->catalog = NULL;
    client_logs_in(till, .password = "guess");
    await_refresh(r);
    peer_reset(till);
    rig_counts(r, METRIC_SESSIONS, 0);
}

static void a_client_may_leave_while_its_state_is_laid_on(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);
    struct peer *primary;

    (void)state;
    client_logs_in(till, .schema = "shop");
    primary = server_serves(&r->servers[PRIMARY]);
    server_hears(primary, COM_INIT_DB, "shop");
    peer_reset(till);
    rig_counts(r, METRIC_SESSIONS, 0);
    peer_hears_end(primary);
}

static void a_client_may_come_by_a_unix_socket(void **state)
{
    struct rig *r = rig_start(.unix_clients = true);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "till");
    is_in(r, till);
}

static void the_default_schema_is_laid_on(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);
    struct peer *primary;

    (void)state;
    client_logs_in(till, .schema = "shop");
    primary = server_serves(&r->servers[PRIMARY]);
    server_hears(primary, COM_INIT_DB, "shop");
    server_says(primary, .schema = "shop");
    (void)client_hears_ok(till);
}

static void an_unknown_schema_is_the_servers_error(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);
    struct peer *primary;

    (void)state;
    client_logs_in(till, .schema = "shap");
    primary = server_serves(&r->servers[PRIMARY]);
    server_hears(primary, COM_INIT_DB, "shap");
    server_says_error(primary, 1049, "42000", "Unknown database 'shap'");
    client_is_refused(till, 1049, "42000", "Unknown database 'shap'");
    rig_counts(r, METRIC_SESSIONS, 0);
}

/* Cut, it is still no name that a server knows. */
static void a_schema_name_too_long_is_the_servers_error(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);
    struct peer *primary;
    char name[400];

    (void)state;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    client_logs_in(till, .schema = name);
    primary = server_serves(&r->servers[PRIMARY]);
    assert_true(peer_hears_first(primary).n > 64);
    server_says_error(primary, 1102, "42000", "Incorrect database name");
    client_is_refused(till, 1102, "42000", "Incorrect database name");
}

/* Whoever has not got in yet, and is still there, is one that a worker may let gather. */
static void a_worker_knows_how_many_are_logging_in(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);
    struct peer *other = client_greeted(r);

    (void)state;
    rig_barrier(r);
    assert_int_equal(atomic_load(&r->workers[0].logging_in), 2);
    client_logs_in(till, .user = "till");
    is_in(r, till);
    rig_barrier(r);
    assert_int_equal(atomic_load(&r->workers[0].logging_in), 1);
    peer_hang_up(other);
    rig_counts(r, METRIC_SESSIONS, 1);
    rig_barrier(r);
    assert_int_equal(atomic_load(&r->workers[0].logging_in), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(the_right_password_logs_in),
        RIG_TEST(the_greeting_is_the_servers_own),
        RIG_TEST(a_worker_knows_how_many_are_logging_in),
        RIG_TEST(a_wrong_password_is_refused),
        RIG_TEST(a_missing_password_is_refused),
        RIG_TEST(an_unknown_user_is_refused),
        RIG_TEST(a_locked_account_is_refused),
        RIG_TEST(a_plugin_not_spoken_is_named),
        RIG_TEST(a_new_account_is_found_after_a_refresh),
        RIG_TEST(a_catalog_read_before_it_was_asked_for_is_no_answer),
        RIG_TEST(a_user_without_password_logs_in),
        RIG_TEST(a_password_where_there_is_none_is_refused),
        RIG_TEST(another_plugin_is_switched),
        RIG_TEST(a_wrong_password_after_the_switch_is_refused),
        RIG_TEST(garbage_instead_of_a_login_is_refused),
        RIG_TEST(a_tls_request_is_refused),
        RIG_TEST(an_oversized_login_is_refused),
        RIG_TEST(a_wrong_sequence_number_is_refused),
        RIG_TEST(a_login_may_come_byte_by_byte),
        RIG_TEST(half_a_packet_times_out),
        RIG_TEST(a_silent_client_times_out),
        RIG_TEST(the_greeting_waits_for_the_catalog),
        RIG_TEST(without_a_catalog_it_is_not_the_clients_fault),
        RIG_TEST(a_refresh_that_never_ends_times_out),
        RIG_TEST(a_client_may_leave_at_any_step),
        RIG_TEST(a_client_may_leave_while_its_server_logs_in),
        RIG_TEST(a_client_may_leave_while_accounts_are_read),
        RIG_TEST(a_client_may_leave_while_its_state_is_laid_on),
        RIG_TEST(a_client_may_come_by_a_unix_socket),
        RIG_TEST(the_default_schema_is_laid_on),
        RIG_TEST(an_unknown_schema_is_the_servers_error),
        RIG_TEST(a_schema_name_too_long_is_the_servers_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
