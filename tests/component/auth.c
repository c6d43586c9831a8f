/* Authentication plugins towards clients and servers, each right, wrong, cut short and replayed. */
#include "component/plugins.h"
#include "protocol/auth/auth_ed25519.h"
#include "protocol/auth/auth_rsa.h"
#include "protocol/auth/auth_sha2.h"

#include <string.h>

#define ACCOUNTS "curve: secret\ntill: secret\nlocal: secret\nmodern: secret\nother: outdated\n"
#define MYSQL_9                 \
    BYTES("\x0c_client_name"    \
          "\x08libmysql"        \
          "\x0f_client_version" \
          "\x05"                \
          "9.1.0")

static void ed25519_logs_in_where_the_password_is_known(void **state)
{
    struct rig *r = rig_start(.accounts = ACCOUNTS);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "curve");
    replies_ed25519(till, "secret", 0);
    is_in(r, till, "curve", "secret");
}

static void ed25519_without_the_password_says_so(void **state)
{
    struct rig *r = rig_start(.accounts = ACCOUNTS);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "secretive");
    replies_ed25519(till, "secret", 0);
    client_is_refused(till, 1045, "28000", "accounts_file must have it");
    server_is_left_alone(&r->servers[PRIMARY], 0);
}

static void a_wrong_ed25519_reply_is_refused(void **state)
{
    struct rig *r = rig_start(.accounts = ACCOUNTS);

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct peer *till = client_greeted(r);

        client_logs_in(till, .user = "curve");
        replies_ed25519(till, i ? "secret" : "guess", i);
        client_is_refused(till, 1045, "28000", "'curve'@'127.0.0.1' (using password: YES)");
    }
}

static void a_replayed_ed25519_reply_is_refused(void **state)
{
    struct rig *r = rig_start(.accounts = ACCOUNTS);
    struct peer *first = client_greeted(r);
    struct peer *till = client_greeted(r);
    uint8_t reply[AUTH_ED25519_REPLY];

    (void)state;
    client_logs_in(first, .user = "curve");
    auth_ed25519_reply(client_hears_switch(first, AUTH_ED25519).p, span_of("secret"), reply);
    client_logs_in(till, .user = "curve");
    (void)client_hears_switch(till, AUTH_ED25519);
    peer_send_packet(till, (struct span){reply, sizeof reply});
    client_is_refused(till, 1045, "28000", "using password: YES");
}

static void a_reply_cut_short_is_refused(void **state)
{
    struct rig *r = rig_start(.accounts = ACCOUNTS);
    static const char *const replies[] = {"", "x", "123456789012345678901234567890123"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        struct peer *till = client_greeted(r);

        client_logs_in(till, .user = "curve");
        (void)client_hears_switch(till, AUTH_ED25519);
        peer_send_packet(till, span_of(replies[i]));
        client_is_refused(till, 1045, "28000", "Access denied for user 'curve'");
    }
}

static void the_second_way_is_tried(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "two", .password = "two");
    replies_ed25519(till, "two", 0); /* the first way wants "secret" */
    is_in(r, till, "two", "two");    /* by what it said at first */
    assert_int_equal(atomic_load(&r->refreshes), 0);
}

static void no_way_fits_and_none_is_asked_twice(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "two", .password = "guess");
    replies_ed25519(till, "guess", 0);
    client_is_refused(till, 1045, "28000", "using password: YES");
    assert_int_equal(atomic_load(&r->refreshes), 1);
}

/* Known is an ed25519 account still; by now it is one of mysql_native_password. A client is asked
 * to switch once at most: Go's takes a second time for a malformed packet. */
static void a_change_of_plugin_behind_the_first_question_needs_no_second(void **state)
{
    struct rig *r = rig_start(.accounts = ACCOUNTS);
    struct peer *till = client_greeted(r);

    (void)state;
    rig_changes_passwords(r);
    client_logs_in(till, .user = "curve", .password = "changed");
    replies_ed25519(till, "changed", 0);
    is_in(r, till, "curve", "changed");
    assert_int_equal(atomic_load(&r->refreshes), 1);
}

static void an_old_client_cannot_be_asked(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "curve", .without = CAP_PLUGIN_AUTH);
    client_hears_error(till, 1251, "08004", "Client does not support authentication protocol");
    peer_hears_end(till);
}

static void sha2_is_switched_to_native(void **state)
{
    struct rig *r = rig_start(.rsa = true);
    struct peer *till = client_greeted(r);
    uint8_t reply[AUTH_HASH];

    (void)state;
    LOGS_IN_BY_SHA2(till, "secret", .user = "super");
    (void)client_hears_switch(till, AUTH_NATIVE);
    client_native_reply(till, "secret", reply);
    peer_send_packet(till, (struct span){reply, sizeof reply});
    is_in(r, till, "super", "secret");
}

static void sha2_is_fast_where_the_password_is_known(void **state)
{
    struct rig *r = rig_start(.accounts = ACCOUNTS);
    struct peer *till = client_greeted(r);

    (void)state;
    LOGS_IN_BY_SHA2(till, "secret", .user = "till");
    hears_more(till, AUTH_SHA2_FAST_OK);
    is_in(r, till, "till", "secret");
}

static void an_outdated_password_in_the_file_does_no_harm(void **state)
{
    struct rig *r = rig_start(.accounts = ACCOUNTS);
    struct peer *till = client_greeted(r);
    uint8_t reply[AUTH_HASH];

    (void)state;
    LOGS_IN_BY_SHA2(till, "outdated", .user = "other");
    (void)client_hears_switch(till, AUTH_NATIVE);
    client_native_reply(till, "outdated", reply);
    peer_send_packet(till, (struct span){reply, sizeof reply});
    client_is_refused(till, 1045, "28000", "using password: YES");
}

static void a_client_of_mysql_9_says_its_password_by_rsa(void **state)
{
    struct rig *r = rig_start(.rsa = true);
    struct peer *till = client_greeted(r);

    (void)state;
    LOGS_IN_BY_SHA2(till, "secret", .user = "till", .attributes = MYSQL_9,
                    .with = CAP_CONNECT_ATTRS);
    says_password_by_rsa(till, "secret", till->nonce);
    is_in(r, till, "till", "secret");
}

static void a_wrong_password_by_rsa_is_refused(void **state)
{
    struct rig *r = rig_start(.rsa = true);
    struct peer *till = client_greeted(r);

    (void)state;
    LOGS_IN_BY_SHA2(till, "guess", .user = "secretive");
    says_password_by_rsa(till, "guess", till->nonce);
    client_is_refused(till, 1045, "28000", "using password: YES");
}

static void a_password_encrypted_for_another_connection_is_refused(void **state)
{
    struct rig *r = rig_start(.rsa = true);
    struct peer *till = client_greeted(r);
    uint8_t nonce[AUTH_NONCE];

    (void)state;
    memcpy(nonce, till->nonce, sizeof nonce);
    nonce[6] ^= 1;
    LOGS_IN_BY_SHA2(till, "secret", .user = "secretive");
    says_password_by_rsa(till, "secret", nonce);
    client_is_refused(till, 1045, "28000", "using password: YES");
}

/* On a connection that others may hear, what is not encrypted is no password. */
static void a_clear_password_on_tcp_is_refused(void **state)
{
    struct rig *r = rig_start(.rsa = true);
    struct peer *till = client_greeted(r);

    (void)state;
    LOGS_IN_BY_SHA2(till, "secret", .user = "secretive");
    hears_more(till, AUTH_SHA2_FULL);
    peer_send_packet(till, BYTES("secret\0"));
    client_is_refused(till, 1045, "28000", "using password: YES");
}

static void the_key_is_sent_once(void **state)
{
    struct rig *r = rig_start(.rsa = true);
    struct peer *till = client_greeted(r);

    (void)state;
    LOGS_IN_BY_SHA2(till, "secret", .user = "secretive");
    hears_more(till, AUTH_SHA2_FULL);
    peer_send_packet(till, BYTES("\x02"));
    assert_true(peer_hears_packet(till).n > 200);
    peer_send_packet(till, BYTES("\x02"));
    client_is_refused(till, 1045, "28000", "using password: YES");
}

static void a_password_by_rsa_serves_an_ed25519_account(void **state)
{
    struct rig *r = rig_start(.rsa = true);
    struct peer *till = client_greeted(r);

    (void)state;
    LOGS_IN_BY_SHA2(till, "secret", .user = "secretive");
    says_password_by_rsa(till, "secret", till->nonce);
    is_in(r, till, "secretive", "secret");
}

static void a_unix_socket_takes_the_password_as_it_is(void **state)
{
    struct rig *r = rig_start(.rsa = true, .unix_clients = true);
    struct peer *till = client_greeted(r);

    (void)state;
    LOGS_IN_BY_SHA2(till, "secret", .user = "secretive");
    hears_more(till, AUTH_SHA2_FULL);
    peer_send_packet(till, BYTES("secret\0"));
    is_in(r, till, "secretive", "secret");
}

static void clear_text_counts_on_a_unix_socket(void **state)
{
    struct rig *r = rig_start(.unix_clients = true);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "till", .plugin = "mysql_clear_password",
                   .auth = BYTES("secret\0"));
    is_in(r, till, "till", "secret");
    till = client_greeted(r);
    client_logs_in(till, .user = "till", .plugin = "mysql_clear_password",
                   .auth = BYTES("Secret\0"));
    client_is_refused(till, 1045, "28000", "'till'@'localhost' (using password: YES)");
}

static void clear_text_does_not_count_on_tcp(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "till", .plugin = "mysql_clear_password",
                   .auth = BYTES("secret\0"));
    (void)client_hears_switch(till, AUTH_NATIVE);
    peer_cut(till);
    rig_counts(r, METRIC_SESSIONS, 0);
}

static void the_systems_user_is_not_that_user(void **state)
{
    struct rig *r = rig_start(.unix_clients = true);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "local");
    client_is_refused(till, 1698, "28000", "Access denied for user 'local'@'localhost'");
}

static void a_socket_account_is_not_for_tcp(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "local");
    client_is_refused(till, 1698, "28000", "Access denied for user 'local'@'127.0.0.1'");
}

static void an_account_that_wants_tls_is_refused_without(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "sealed");
    client_is_refused(till, 1045, "28000", "'sealed'@'127.0.0.1' (using password: YES)");
}

static void a_locked_account_is_told_only_to_who_knows_the_password(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "locked", .password = "guess");
    client_is_refused(till, 1045, "28000", "using password: YES");
    till = client_greeted(r);
    client_logs_in(till, .user = "locked");
    client_is_refused(till, 4151, "HY000", "locked");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(ed25519_logs_in_where_the_password_is_known),
        RIG_TEST(ed25519_without_the_password_says_so),
        RIG_TEST(a_wrong_ed25519_reply_is_refused),
        RIG_TEST(a_replayed_ed25519_reply_is_refused),
        RIG_TEST(a_reply_cut_short_is_refused),
        RIG_TEST(the_second_way_is_tried),
        RIG_TEST(no_way_fits_and_none_is_asked_twice),
        RIG_TEST(a_change_of_plugin_behind_the_first_question_needs_no_second),
        RIG_TEST(an_old_client_cannot_be_asked),
        RIG_TEST(sha2_is_switched_to_native),
        RIG_TEST(sha2_is_fast_where_the_password_is_known),
        RIG_TEST(an_outdated_password_in_the_file_does_no_harm),
        RIG_TEST(a_client_of_mysql_9_says_its_password_by_rsa),
        RIG_TEST(a_wrong_password_by_rsa_is_refused),
        RIG_TEST(a_password_encrypted_for_another_connection_is_refused),
        RIG_TEST(a_clear_password_on_tcp_is_refused),
        RIG_TEST(the_key_is_sent_once),
        RIG_TEST(a_password_by_rsa_serves_an_ed25519_account),
        RIG_TEST(a_unix_socket_takes_the_password_as_it_is),
        RIG_TEST(clear_text_counts_on_a_unix_socket),
        RIG_TEST(clear_text_does_not_count_on_tcp),
        RIG_TEST(the_systems_user_is_not_that_user),
        RIG_TEST(a_socket_account_is_not_for_tcp),
        RIG_TEST(an_account_that_wants_tls_is_refused_without),
        RIG_TEST(a_locked_account_is_told_only_to_who_knows_the_password),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
