#include "protocol/auth/auth_rsa.h"
#include "protocol/auth/auth_sha2.h"
#include "tests/unit/check.h"

static const uint8_t nonce[AUTH_NONCE + 1] = "0123456789abcdefghij";

/* As PyMySQL 1.0.2's scramble_caching_sha2 answers to the nonce. */
static const struct {
    const char *password;
    struct span reply;
} rows[] = {
    {"secret", ROW_BYTES("\x7e\x4a\xdd\xa2\xf2\xd5\xef\x09\xb4\x14\x75\x18\xbe\xcb\x0c\xee"
                         "\x29\x39\x37\x62\x03\x65\x0a\x8c\x2b\xb2\x81\x59\x59\x36\x4b\xd0")},
    {"p\xc3\xa4ss w\xc3\xb6rd",
     ROW_BYTES("\xd5\x24\x1b\xd2\x55\xdd\x80\x1c\xc6\x2f\x13\x1a\x02\x69\xe2\x4b"
               "\x69\x1f\xa3\xed\xe6\x8b\x1a\x5e\x46\xd8\x34\xed\xb1\xd7\x5c\x5d")},
};

static void replies_are_the_clients_own_and_pass(void **state)
{
    uint8_t reply[AUTH_SHA2_HASH];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auth_sha2_reply(nonce, span_of(rows[i].password), reply);
        check_bytes((struct span){reply, sizeof reply}, rows[i].reply);
        assert_true(auth_sha2_check(nonce, rows[i].reply, span_of(rows[i].password)));
    }
}

static void anything_else_does_not(void **state)
{
    uint8_t reply[AUTH_SHA2_HASH + 1] = {0};
    uint8_t other[AUTH_NONCE];

    (void)state;
    auth_sha2_reply(nonce, span_of("secret"), reply);
    assert_false(auth_sha2_check(nonce, (struct span){NULL, 0}, span_of("secret")));
    assert_false(auth_sha2_check(nonce, (struct span){reply, 31}, span_of("secret")));
    assert_false(auth_sha2_check(nonce, (struct span){reply, 33}, span_of("secret")));
    assert_false(auth_sha2_check(nonce, (struct span){reply, 32}, span_of("Secret")));
    assert_false(auth_sha2_check(nonce, (struct span){reply, 32}, span_of("")));
    for (size_t i = 0; i < AUTH_SHA2_HASH; i++) {
        reply[i] ^= 0x80;
        assert_false(auth_sha2_check(nonce, (struct span){reply, 32}, span_of("secret")));
        reply[i] ^= 0x80;
    }
    memcpy(other, nonce, sizeof other);
    other[0] ^= 1;
    assert_false(auth_sha2_check(other, (struct span){reply, 32}, span_of("secret")));
}

static struct auth_rsa *key;

static int make_key(void **state)
{
    (void)state;
    key = auth_rsa_new();
    return key ? 0 : -1;
}

static int free_key(void **state)
{
    (void)state;
    auth_rsa_free(key);
    return 0;
}

static void a_password_goes_there_and_back(void **state)
{
    static const char *const passwords[] = {"secret", "", "p\xc3\xa4ss w\xc3\xb6rd",
                                            "more than twenty bytes, so that the nonce repeats"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(passwords); i++) {
        struct buf sealed = buf_with_max(4096);
        struct buf open = buf_with_max(4096);

        assert_true(auth_rsa_encrypt(auth_rsa_pem(key), nonce, span_of(passwords[i]), &sealed));
        assert_int_equal(sealed.len, AUTH_RSA_BYTES);
        assert_true(auth_rsa_decrypt(key, nonce, buf_span(&sealed), &open));
        check_span(buf_span(&open), passwords[i]);
        buf_free(&sealed);
        buf_free(&open);
    }
}

static void what_is_not_encrypted_for_it_is_refused(void **state)
{
    struct buf sealed = buf_with_max(4096);
    struct buf open = buf_with_max(4096);
    uint8_t other[AUTH_NONCE];
    uint8_t noise[AUTH_RSA_BYTES];

    (void)state;
    memset(noise, 0x5A, sizeof noise);
    memcpy(other, nonce, sizeof other);
    other[6] ^= 1; /* masks the closing NUL: replayed on another connection */
    assert_true(auth_rsa_encrypt(auth_rsa_pem(key), nonce, span_of("secret"), &sealed));
    assert_false(auth_rsa_decrypt(key, other, buf_span(&sealed), &open));
    assert_false(auth_rsa_decrypt(key, nonce, (struct span){noise, sizeof noise}, &open));
    assert_false(auth_rsa_decrypt(key, nonce, (struct span){sealed.data, 255}, &open));
    assert_false(auth_rsa_decrypt(key, nonce, (struct span){NULL, 0}, &open));
    assert_int_equal(open.len, 0);
    sealed.data[100] ^= 1;
    assert_false(auth_rsa_decrypt(key, nonce, buf_span(&sealed), &open));
    buf_free(&sealed);
    buf_free(&open);
}

static void what_is_no_key_does_not_encrypt(void **state)
{
    static const char *const bad[] = {
        "",
        "not a key",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        /* an Ed25519 key: no RSA */
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
        "-----END PUBLIC KEY-----\n",
    };
    struct buf out = buf_with_max(4096);
    char too_long[400];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(auth_rsa_encrypt(span_of(bad[i]), nonce, span_of("secret"), &out));
    memset(too_long, 'x', sizeof too_long);
    too_long[sizeof too_long - 1] = 0;
    assert_false(auth_rsa_encrypt(auth_rsa_pem(key), nonce, span_of(too_long), &out));
    assert_int_equal(out.len, 0);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_the_clients_own_and_pass),
        cmocka_unit_test(anything_else_does_not),
        cmocka_unit_test(a_password_goes_there_and_back),
        cmocka_unit_test(what_is_not_encrypted_for_it_is_refused),
        cmocka_unit_test(what_is_no_key_does_not_encrypt),
    };

    return cmocka_run_group_tests(tests, make_key, free_key);
}
