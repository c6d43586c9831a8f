/* The PROXY protocol: who may say for whom he speaks, and what servers are told. */
#include "component/rig.h"
#include "protocol/proxy_header.h"

#include <stdio.h>
#include <unistd.h>

static const char text[] = "PROXY TCP4 203.0.113.7 10.0.0.1 5123 3306\r\n";

/* A wrong password: the error names the address that counts. */
static void is_known_as(struct peer *till, const char *address)
{
    char who[100];

    (void)snprintf(who, sizeof who, "'till'@'%s'", address);
    client_logs_in(till, .password = "wrong");
    client_hears_error(till, 1045, "28000", who);
    peer_hears_end(till);
}

static void both_versions_tell_the_address(void **state)
{
    struct rig *r = rig_start(.workers = 1, .proxy_trusted = true);
    struct peer *till = client_greeted(r);
    struct buf b = buf_with_max(1024);

    (void)state;
    peer_send(till, span_of(text));
    is_known_as(till, "203.0.113.7");
    till = client_greeted(r);
    proxy_header_encode(&b, "2001:db8::7");
    peer_send(till, buf_span(&b));
    is_known_as(till, "2001:db8::7");
    buf_free(&b);
}

static void a_header_may_come_byte_by_byte(void **state)
{
    struct rig *r = rig_start(.workers = 1, .proxy_trusted = true);
    struct peer *till = client_greeted(r);

    (void)state;
    till->crumbs = true;
    peer_send(till, span_of(text));
    is_known_as(till, "203.0.113.7");
}

static void a_header_need_not_come(void **state)
{
    struct rig *r = rig_start(.workers = 1, .proxy_trusted = true);
    struct peer *till = client_greeted(r);

    (void)state;
    is_known_as(till, "127.0.0.1");
}

static void a_header_of_nobody_changes_nothing(void **state)
{
    struct rig *r = rig_start(.workers = 1, .proxy_trusted = true);
    struct peer *till = client_greeted(r);

    (void)state;
    peer_send(till, span_of("PROXY UNKNOWN\r\n"));
    is_known_as(till, "127.0.0.1");
}

static void a_header_from_elsewhere_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    peer_send(till, span_of(text));
    till->seq = 1; /* as if the log-in had been sent */
    client_hears_error(till, 1043, "08S01", "Proxy header is not accepted from 127.0.0.1");
    peer_hears_end(till);
}

static void a_broken_header_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1, .proxy_trusted = true);
    struct peer *till = client_greeted(r);

    (void)state;
    peer_send(till, span_of("PROXY TCP4 203.0.113 10.0.0.1 5123 3306\r\n"));
    till->seq = 1; /* as if the log-in had been sent */
    client_hears_error(till, 1043, "08S01", "no valid source address");
    peer_hears_end(till);
}

static void a_second_header_is_no_log_in(void **state)
{
    struct rig *r = rig_start(.workers = 1, .proxy_trusted = true);
    struct peer *till = client_greeted(r);

    (void)state;
    peer_send(till, span_of(text));
    peer_send(till, span_of(text));
    client_hears_error(till, 1153, "08S01", "");
    peer_hears_end(till);
}

static void a_client_may_leave_in_the_middle_of_it(void **state)
{
    struct rig *r = rig_start(.workers = 1, .proxy_trusted = true);
    struct peer *till = client_greeted(r);

    (void)state;
    peer_send(till, (struct span){(const uint8_t *)text, 20});
    peer_cut(till);
    rig_counts(r, METRIC_SESSIONS, 0);
}

static void a_server_is_told_the_address(void **state)
{
    struct rig *r = rig_start(.workers = 1, .proxy_trusted = true);
    struct buf b = buf_with_max(1024);
    struct peer *primary;
    struct peer *till;
    struct span heard;

    (void)state;
    r->view->servers[PRIMARY].proxy_protocol = true;
    rig_publish(r);
    till = client_greeted(r);
    peer_send(till, span_of(text));
    client_logs_in(till, .user = NULL);
    primary = server_accepts(&r->servers[PRIMARY]);
    proxy_header_encode(&b, "203.0.113.7");
    heard = peer_hears_bytes(primary, b.len);
    assert_memory_equal(heard.p, b.data, b.len);
    server_greets(primary);
    server_hears_login(primary, "till", "secret");
    server_says_ok(primary);
    server_hears_setup(primary);
    (void)client_hears_ok(till);
    buf_free(&b);
}

/* Same user, other address: another connection. */
static void connections_told_of_one_address_serve_no_other(void **state)
{
    struct rig *r = rig_start(.workers = 1, .proxy_trusted = true);
    struct buf b = buf_with_max(1024);

    (void)state;
    r->view->servers[PRIMARY].proxy_protocol = true;
    rig_publish(r);
    proxy_header_encode(&b, "203.0.113.7");
    for (int i = 0; i < 2; i++) {
        struct peer *till = client_greeted(r);
        struct peer *primary;

        peer_send(till, i == 0 ? span_of(text) : span_of("PROXY TCP4 203.0.113.8 ::1 1 2\r\n"));
        client_logs_in(till, .user = NULL);
        primary = server_accepts(&r->servers[PRIMARY]);
        assert_int_equal(peer_hears_bytes(primary, b.len).p[19], 7 + i);
        server_greets(primary);
        server_hears_login(primary, "till", "secret");
        server_says_ok(primary);
        server_hears_setup(primary);
        (void)client_hears_ok(till);
        client_sends(till, COM_QUIT, (struct span){NULL, 0});
        rig_counts(r, METRIC_SESSIONS, 0);
    }
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(both_versions_tell_the_address),
        RIG_TEST(a_header_may_come_byte_by_byte),
        RIG_TEST(a_header_need_not_come),
        RIG_TEST(a_header_of_nobody_changes_nothing),
        RIG_TEST(a_header_from_elsewhere_is_refused),
        RIG_TEST(a_broken_header_is_refused),
        RIG_TEST(a_second_header_is_no_log_in),
        RIG_TEST(a_client_may_leave_in_the_middle_of_it),
        RIG_TEST(a_server_is_told_the_address),
        RIG_TEST(connections_told_of_one_address_serve_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
