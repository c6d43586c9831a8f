/* How the proxy logs in to servers by each plugin, and what failed log-ins come to. */
#include "component/plugins.h"
#include "protocol/auth/auth_ed25519.h"
#include "protocol/auth/auth_rsa.h"
#include "protocol/auth/auth_sha2.h"

#include <string.h>

#define ACCOUNTS "curve: secret\ntill: secret\nlocal: secret\nmodern: secret\nother: outdated\n"

/* A server whose account is by ed25519, though the client came by caching_sha2_password. */
static void a_server_is_logged_in_to_by_ed25519(void **state)
{
    struct rig *r = rig_start(.accounts = ACCOUNTS);
    struct peer *till = client_greeted(r);
    struct peer *primary;
    uint8_t nonce[AUTH_ED25519_NONCE];
    uint8_t key[AUTH_ED25519_KEY];

    (void)state;
    client_logs_in(till, .user = "curve");
    replies_ed25519(till, "secret", 0);
    primary = server_accepts(&r->servers[PRIMARY]);
    server_greets(primary);
    (void)server_hears_any_login(primary, "curve");
    server_asks(primary, AUTH_ED25519);
    for (size_t i = 0; i < sizeof nonce; i++)
        nonce[i] = primary->nonce[i % sizeof primary->nonce];
    auth_ed25519_key(span_of("secret"), key);
    assert_true(auth_ed25519_check(nonce, peer_hears_packet(primary), key));
    server_says_ok(primary);
    server_hears_setup(primary);
    (void)client_hears_ok(till);
}

/* The server wants more than a native log-in has shown; the next way it offers will do. */
static void a_server_goes_on_to_its_next_way(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);
    struct peer *primary;

    (void)state;
    client_logs_in(till, .user = "till");
    primary = server_accepts(&r->servers[PRIMARY]);
    server_greets(primary);
    server_hears_login(primary, "till", "secret");
    server_asks(primary, AUTH_ED25519);
    assert_int_equal(peer_hears_packet(primary).n, 0);
    server_asks(primary, AUTH_NATIVE);
    assert_int_equal(peer_hears_packet(primary).n, AUTH_HASH);
    server_says_ok(primary);
    server_hears_setup(primary);
    (void)client_hears_ok(till);
}

static void a_server_that_wants_the_password_is_named(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "till");
    for (int time = 0; time < 2; time++) { /* the second time with accounts that were read anew */
        struct peer *primary = server_accepts(&r->servers[PRIMARY]);

        server_greets(primary);
        server_hears_login(primary, "till", "secret");
        server_asks(primary, AUTH_ED25519);
        (void)peer_hears_packet(primary);
        server_says_error(primary, 1045, "28000", "Access denied");
    }
    client_is_refused(till, 1045, "28000", "the server asks for ed25519");
}

static struct peer *server_asks_for_sha2(struct rig *r)
{
    struct peer *till = client_greeted(r);
    struct peer *primary;

    LOGS_IN_BY_SHA2(till, "secret", .user = "till");
    hears_more(till, AUTH_SHA2_FAST_OK);
    primary = server_accepts(&r->servers[PRIMARY]);
    server_greets(primary);
    (void)server_hears_any_login(primary, "till");
    server_asks(primary, AUTH_SHA2);
    assert_true(auth_sha2_check(primary->nonce, peer_hears_packet(primary), span_of("secret")));
    return primary;
}

static void a_server_is_logged_in_to_by_sha2(void **state)
{
    struct rig *r = rig_start(.accounts = ACCOUNTS);
    struct peer *primary = server_asks_for_sha2(r);

    (void)state;
    peer_send_packet(primary, BYTES("\x01\x03"));
    server_says_ok(primary);
    server_hears_setup(primary);
}

static void a_server_gets_the_password_by_rsa(void **state)
{
    struct rig *r = rig_start(.accounts = ACCOUNTS);
    struct auth_rsa *key = auth_rsa_new(); /* takes a while: before anybody waits */
    struct peer *primary = server_asks_for_sha2(r);
    struct buf packet = buf_with_max(4096);
    struct buf password = buf_with_max(4096);

    (void)state;
    assert_non_null(key);
    peer_send_packet(primary, BYTES("\x01\x04"));
    assert_int_equal(*peer_hears_packet(primary).p, AUTH_SHA2_ASK_KEY);
    buf_put_u8(&packet, AUTH_SHA2_MORE);
    buf_put_span(&packet, auth_rsa_pem(key));
    peer_send_packet(primary, buf_span(&packet));
    assert_true(auth_rsa_decrypt(key, primary->nonce, peer_hears_packet(primary), &password));
    assert_true(span_eq(buf_span(&password), "secret"));
    server_says_ok(primary);
    server_hears_setup(primary);
    buf_free(&packet);
    buf_free(&password);
    auth_rsa_free(key);
}

static void a_server_whose_key_is_none_is_left(void **state)
{
    struct rig *r = rig_start(.accounts = ACCOUNTS);
    struct peer *primary = server_asks_for_sha2(r);

    (void)state;
    peer_send_packet(primary, BYTES("\x01\x04"));
    assert_int_equal(*peer_hears_packet(primary).p, AUTH_SHA2_ASK_KEY);
    peer_send_packet(primary, BYTES("\x01no key at all"));
    peer_hears_end(primary);
    rig_counts(r, METRIC_SESSIONS, 0);
}

/* The hash of a caching_sha2_password account is the server's alone: its log-in is the check. */
static void the_server_checks_what_the_proxy_cannot(void **state)
{
    struct rig *r = rig_start(.rsa = true);
    struct peer *till = client_greeted(r);
    struct peer *primary;

    (void)state;
    LOGS_IN_BY_SHA2(till, "guess", .user = "modern");
    says_password_by_rsa(till, "guess", till->nonce);
    primary = server_accepts(&r->servers[PRIMARY]);
    server_greets(primary);
    (void)server_hears_any_login(primary, "modern");
    server_says_error(primary, 1045, "28000", "Access denied for user 'modern'");
    client_is_refused(till, 1045, "28000", "Access denied for user 'modern'");
}

static void a_server_that_counts_gets_its_connection_back(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);
    struct peer *primary;

    (void)state;
    client_logs_in(till, .user = "counted");
    primary = server_accepts(&r->servers[PRIMARY]);
    server_greets(primary);
    server_hears_login(primary, "counted", "secret");
    server_says_ok(primary);
    server_hears_setup(primary);
    (void)client_hears_ok(till);
    client_sends(till, COM_QUIT, (struct span){NULL, 0});
    peer_hears_end(primary);
}

static void fails_once(struct rig *r)
{
    struct peer *till = client_greeted(r);

    client_logs_in(till, .password = "guess");
    client_is_refused(till, 1045, "28000", "using password: YES");
}

static void is_blocked(struct rig *r)
{
    struct peer *till = client_connects(r, 0);

    till->seq = UINT8_MAX;
    client_hears_error(till, 1129, "HY000", "is blocked because of many connection errors");
    peer_hears_end(till);
}

static void too_many_failures_block_an_address(void **state)
{
    struct rig *r = rig_start(.max_login_errors = 3, .address = "10.1.2.3");

    (void)state;
    for (int i = 0; i < 3; i++)
        fails_once(r);
    is_blocked(r);
    r->options.address = "10.1.2.4"; /* another is not */
    fails_once(r);
}

static void a_success_begins_the_count_anew(void **state)
{
    struct rig *r = rig_start(.max_login_errors = 3, .address = "2001:db8::1");
    struct peer *till;

    (void)state;
    fails_once(r);
    fails_once(r);
    till = client_greeted(r);
    client_logs_in(till, .user = "till");
    is_in(r, till, "till", "secret");
    fails_once(r);
    fails_once(r);
    r->options.address = "2001:db8::2"; /* of the same network */
    fails_once(r);
    is_blocked(r);
}

static void this_machine_is_never_blocked(void **state)
{
    struct rig *r = rig_start(.max_login_errors = 1);

    (void)state;
    fails_once(r);
    fails_once(r);
    fails_once(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_server_is_logged_in_to_by_ed25519),
        RIG_TEST(a_server_goes_on_to_its_next_way),
        RIG_TEST(a_server_that_wants_the_password_is_named),
        RIG_TEST(a_server_is_logged_in_to_by_sha2),
        RIG_TEST(a_server_gets_the_password_by_rsa),
        RIG_TEST(a_server_whose_key_is_none_is_left),
        RIG_TEST(the_server_checks_what_the_proxy_cannot),
        RIG_TEST(a_server_that_counts_gets_its_connection_back),
        RIG_TEST(too_many_failures_block_an_address),
        RIG_TEST(a_success_begins_the_count_anew),
        RIG_TEST(this_machine_is_never_blocked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
