/* TLS towards clients: a session inside is like any other, and nothing that comes instead of a
 * proper handshake does harm. */
#include "component/secure.h"

#include <stdlib.h>
#include <unistd.h>

enum { SHORT_MS = 200, LARGE = 500000, MIB = 1 << 20 };

/* Logged in inside of TLS. */
static struct scene secure_scene(struct rig *r, enum secure_version version, bool crumbs)
{
    struct scene s = {.till = client_greeted(r)};

    s.till->crumbs = crumbs;
    secure_begins(s.till, version);
    client_logs_in(s.till, .user = NULL);
    s.primary = server_serves(&r->servers[PRIMARY]);
    (void)client_hears_ok(s.till);
    return s;
}

static void ask_and_hear(struct scene *s)
{
    client_asks(s->till, "UPDATE t SET a=1");
    server_hears(s->primary, COM_QUERY, "UPDATE t SET a=1");
    server_says(s->primary, .affected = 7);
    assert_int_equal(client_hears_ok(s->till).affected_rows, 7);
}

static void both_versions_serve(void **state)
{
    struct rig *r = rig_start(.holding = true, .workers = 1);
    struct scene s;

    (void)state;
    secure_offer(r);
    for (int version = SECURE_1_2; version <= SECURE_1_3; version++) {
        s = secure_scene(r, (enum secure_version)version, false);
        ask_and_hear(&s);
    }
}

static void records_may_come_byte_by_byte(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s;

    (void)state;
    secure_offer(r);
    s = secure_scene(r, SECURE_1_3, true);
    ask_and_hear(&s);
    ask_and_hear(&s);
}

/* The client does not wait for an answer to its request. */
static void the_hello_may_come_with_the_request(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till;
    struct buf hello = secure_hello();
    struct buf both = buf_with_max(MIB);

    (void)state;
    secure_offer(r);
    till = client_greeted(r);
    buf_put(&both, "\x20\x00\x00\x01\x08\xAA\x08\x00\x00\x00\x00\x01\x2d", 13);
    buf_put_zeros(&both, 23);
    buf_put_span(&both, buf_span(&hello));
    peer_send(till, buf_span(&both));
    assert_int_equal(peer_hears_bytes(till, 1).p[0], 0x16); /* the server's hello */
    buf_free(&hello);
    buf_free(&both);
}

/* More than buffers and records hold, in both directions, through the smallest buffer there is. */
static void large_values_stream(void **state)
{
    struct rig *r = rig_start(.workers = 1, .buffer_kib = 4);
    struct buf sql = buf_with_max(MIB);
    struct scene s;

    (void)state;
    secure_offer(r);
    s = secure_scene(r, SECURE_1_3, false);
    buf_put_str(&sql, "SELECT /* tillway: primary */ '");
    while (sql.len < LARGE)
        buf_put_u8(&sql, 'x');
    buf_put_u8(&sql, '\'');
    client_sends(s.till, COM_QUERY, buf_span(&sql));
    assert_int_equal(peer_hears_first(s.primary).n, sql.len + 1);
    server_says_rows(s.primary, buf_text(&sql));
    client_hears_rows(s.till, buf_text(&sql));
    buf_free(&sql);
}

static void garbage_instead_of_a_hello_ends_it(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till;

    (void)state;
    secure_offer(r);
    till = client_greeted(r);
    secure_asks(till);
    peer_send(till, BYTES("GET / HTTP/1.1\r\n\r\n"));
    rig_counts(r, METRIC_SESSIONS, 0);
}

/* What follows the request counts as TLS, whoever put it there. */
static void a_plain_login_after_the_request_ends_it(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till;

    (void)state;
    secure_offer(r);
    till = client_greeted(r);
    secure_asks(till);
    client_logs_in(till, .user = NULL);
    rig_counts(r, METRIC_SESSIONS, 0);
}

static void a_client_may_leave_at_any_step(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct buf hello = secure_hello();
    struct peer *till;

    (void)state;
    secure_offer(r);
    till = client_greeted(r);
    secure_asks(till);
    peer_cut(till);
    till = client_greeted(r);
    secure_asks(till);
    peer_send(till, (struct span){hello.data, hello.len / 2});
    peer_cut(till);
    till = client_greeted(r);
    secure_asks(till);
    peer_send(till, buf_span(&hello));
    peer_reset(till);
    till = client_greeted(r);
    secure_begins(till, SECURE_1_3);
    peer_cut(till);
    till = client_greeted(r);
    secure_begins(till, SECURE_1_3);
    secure_farewell(till);
    rig_counts(r, METRIC_SESSIONS, 0);
    rig_counts(r, METRIC_SESSIONS_OPENED, 5);
    buf_free(&hello);
}

static void half_a_handshake_times_out(void **state)
{
    struct rig *r = rig_start(.workers = 1, .login_timeout_ms = SHORT_MS);
    struct buf hello = secure_hello();
    struct peer *till;

    (void)state;
    secure_offer(r);
    till = client_greeted(r);
    secure_asks(till);
    peer_send(till, (struct span){hello.data, hello.len - 1});
    rig_counts(r, METRIC_SESSIONS, 0);
    buf_free(&hello);
}

static void a_second_request_inside_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till;

    (void)state;
    secure_offer(r);
    till = client_greeted(r);
    secure_begins(till, SECURE_1_2);
    secure_asks(till);
    client_hears_error(till, 1043, "08S01", "");
    rig_counts(r, METRIC_SESSIONS, 0);
}

static void renegotiation_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s;

    (void)state;
    secure_offer(r);
    s = secure_scene(r, SECURE_1_2, false);
    secure_is_refused_anew(s.till);
    peer_cut(s.till);
    rig_counts(r, METRIC_SESSIONS, 0);
}

/* A byte changed on the way. */
static void a_forged_record_ends_it(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct buf forged = buf_with_max(MIB);
    struct scene s;

    (void)state;
    secure_offer(r);
    s = secure_scene(r, SECURE_1_3, false);
    s.till->veil.out(s.till->veil.ctx, BYTES("\x01\x00\x00\x00\x0e"), &forged);
    forged.data[forged.len - 1] ^= 1;
    peer_send_raw(s.till, buf_span(&forged));
    rig_counts(r, METRIC_SESSIONS, 0);
    buf_free(&forged);
}

static void a_required_listener_refuses_plain_logins(void **state)
{
    struct rig *r = rig_start(.workers = 1, .tls_required = true);
    struct peer *till;
    struct scene s;

    (void)state;
    secure_offer(r);
    till = client_greeted(r);
    client_logs_in(till, .user = NULL);
    client_hears_error(till, 1043, "08S01", "insecure transport");
    peer_hears_end(till);
    s = secure_scene(r, SECURE_1_3, false);
    ask_and_hear(&s);
}

static void a_session_ends_with_a_farewell(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s;

    (void)state;
    secure_offer(r);
    s = secure_scene(r, SECURE_1_3, false);
    client_sends(s.till, COM_QUIT, (struct span){NULL, 0});
    peer_hears_end(s.till);
    rig_counts(r, METRIC_SESSIONS, 0);
}

/* One side takes what the other has sent. */
static void takes(struct tls *t, struct buf *sent, struct buf *answer)
{
    struct span in = buf_span(sent);
    uint8_t plain[256];
    size_t made;

    assert_int_equal(tls_read(t, &in, plain, sizeof plain, &made, answer), TLS_FINE);
    buf_clear(sent);
}

/* Both ends in memory, until neither has more to say; whether the handshake was a short one. */
static bool is_resumed(struct tls_context *server, struct tls_context *client, int index)
{
    struct tls *ends[] = {tls_accept(server), tls_connect(client, index, "127.0.0.1")};
    struct buf sent[] = {buf_with_max(MIB), buf_with_max(MIB)};
    struct tls_peer peer;

    assert_true(ends[0] && ends[1]);
    takes(ends[1], &sent[0], &sent[1]); /* says hello */
    while (sent[0].len || sent[1].len) {
        takes(ends[0], &sent[1], &sent[0]);
        takes(ends[1], &sent[0], &sent[1]);
    }
    assert_true(tls_is_ready(ends[0]) && tls_is_ready(ends[1]));
    tls_describe(ends[1], &peer);
    for (int i = 0; i < 2; i++) {
        tls_close(ends[i], &sent[i]); /* without a farewell OpenSSL trusts its ticket no more */
        tls_free(ends[i]);
        buf_free(&sent[i]);
    }
    return peer.resumed;
}

/* Each server's own ticket, and none of one that does not know it. */
static void connections_to_servers_resume(void **state)
{
    const char *file = secure_file();
    const struct conf_listener_tls offered = {.certificate = file, .key = file, .ca = ""};
    const struct conf_servers_tls wanted = {
        .mode = CONF_TLS_REQUIRE, .ca = "", .certificate = "", .key = ""};
    struct err e;
    struct tls_context *servers[] = {tls_context_server(&offered, &e),
                                     tls_context_server(&offered, &e)};
    struct tls_context *client = tls_context_client(&wanted, &e);

    (void)state;
    assert_true(servers[0] && servers[1] && client);
    assert_false(is_resumed(servers[0], client, 0));
    assert_true(is_resumed(servers[0], client, 0));
    assert_true(is_resumed(servers[0], client, 0));
    assert_false(is_resumed(servers[1], client, 1));
    assert_true(is_resumed(servers[1], client, 1));
    assert_false(is_resumed(servers[1], client, 0)); /* it has another's */
    assert_true(is_resumed(servers[1], client, 0));
    tls_context_unref(servers[0]);
    tls_context_unref(servers[1]);
    tls_context_unref(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(both_versions_serve),
        RIG_TEST(records_may_come_byte_by_byte),
        RIG_TEST(the_hello_may_come_with_the_request),
        RIG_TEST(large_values_stream),
        RIG_TEST(garbage_instead_of_a_hello_ends_it),
        RIG_TEST(a_plain_login_after_the_request_ends_it),
        RIG_TEST(a_client_may_leave_at_any_step),
        RIG_TEST(half_a_handshake_times_out),
        RIG_TEST(a_second_request_inside_is_refused),
        RIG_TEST(renegotiation_is_refused),
        RIG_TEST(a_forged_record_ends_it),
        RIG_TEST(a_required_listener_refuses_plain_logins),
        RIG_TEST(a_session_ends_with_a_farewell),
        RIG_TEST(connections_to_servers_resume),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
