#include "protocol/auth/auth_ed25519.h"
#include "tests/unit/check.h"

static const uint8_t nonce[] = "0123456789abcdefghijklmnopqrstuv";
static char long_password[201];

/* Keys: what MariaDB 10.11 keeps for IDENTIFIED VIA ed25519 USING PASSWORD('…'). Replies: what
 * PyMySQL 1.0.2 (libsodium's scalars behind PyNaCl) answers to the nonce. */
static const struct {
    const char *password;
    const char *key; /* NULL: not asked of a server */
    struct span reply;
} rows[] = {
    {"secret", "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY",
     ROW_BYTES("\xf2\xbf\xd2\x5a\xd9\x72\x62\x0b\x23\x8b\x9a\xf9\xce\xa7\x7c\xf3"
               "\x6d\xa9\xc1\xe0\x84\x13\x01\x22\x80\x5b\x39\x95\x1e\x4c\x03\x9e"
               "\xb6\xaf\xe1\xaa\x46\xa2\x76\xda\x36\xb6\xbf\xc4\x4a\xf1\xa4\xb5"
               "\x38\x99\x4d\x4b\x36\x4f\xfc\x2d\xf0\x3c\x0c\xf2\xbf\x54\xf8\x07")},
    {"p\xc3\xa4ss w\xc3\xb6rd", NULL,
     ROW_BYTES("\x36\x61\x3f\x05\x95\xa4\xa4\x1d\x1e\x87\xb0\xba\x1b\xcb\xe7\x25"
               "\x6c\xad\x92\xaa\x77\x5d\xcc\x05\x55\xb2\xce\x26\x25\x5c\xf7\x05"
               "\x9d\xe1\xfb\x2e\x7d\x21\x5c\x7f\x59\x73\x93\x15\xec\x8b\x5a\x11"
               "\x13\xa5\x6a\x08\x8d\x51\xe9\x9a\x0c\x29\xc3\xcd\xbf\x1d\x2f\x0c")},
    {long_password, "e5HbLfRFhb6rEM7LQ9dsQkRCGYfoDJTApL9+CCscjD4",
     ROW_BYTES("\x1d\x9a\x7f\x22\x84\x69\xa0\x97\x58\x97\xb3\xe0\x36\x51\xaa\x7b"
               "\x28\xfd\xc0\x21\xed\xc7\xd6\xf8\x15\x7b\x33\xc2\x7a\xa8\x68\x20"
               "\x87\x95\x75\x46\x93\xe5\x9d\x78\x98\xf6\x7b\x5c\x97\x53\xa8\xd3"
               "\x2e\x3e\x07\xd4\xc6\x34\xf2\xb4\xb0\x15\xf6\x0c\xd9\x6b\xbf\x0d")},
    {"", NULL,
     ROW_BYTES("\xa5\x9d\x15\x88\x3c\xf5\x7b\x05\x7d\x97\x3c\x0b\x92\x15\x5a\x5c"
               "\xec\x6c\xd8\x32\x2e\x15\x16\x32\x6c\x04\xf2\x0e\xbc\x63\x3d\x71"
               "\xf8\x70\xa6\x8a\xc8\x4b\x94\x13\xd2\xc8\xb0\x5d\x9b\x55\x45\x04"
               "\x36\x7b\xf7\x1c\x71\x23\xa5\x68\x53\xda\x42\x98\x83\x77\x08\x01")},
};

static void keys_are_the_servers_own(void **state)
{
    uint8_t made[AUTH_ED25519_KEY];
    uint8_t kept[AUTH_ED25519_KEY];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!rows[i].key)
            continue;
        auth_ed25519_key(span_of(rows[i].password), made);
        assert_true(auth_ed25519_parse(span_of(rows[i].key), kept));
        assert_memory_equal(made, kept, sizeof made);
        assert_true(auth_ed25519_fits(span_of(rows[i].password), kept));
        assert_false(auth_ed25519_fits(span_of("guess"), kept));
    }
}

static void replies_are_the_clients_own_and_pass(void **state)
{
    uint8_t reply[AUTH_ED25519_REPLY];
    uint8_t key[AUTH_ED25519_KEY];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auth_ed25519_reply(nonce, span_of(rows[i].password), reply);
        check_bytes((struct span){reply, sizeof reply}, rows[i].reply);
        auth_ed25519_key(span_of(rows[i].password), key);
        assert_true(auth_ed25519_check(nonce, rows[i].reply, key));
    }
}

static void anything_else_does_not(void **state)
{
    uint8_t reply[AUTH_ED25519_REPLY + 1];
    uint8_t other[AUTH_ED25519_NONCE];
    uint8_t key[AUTH_ED25519_KEY];
    static const uint8_t zeros[AUTH_ED25519_REPLY];

    (void)state;
    auth_ed25519_key(span_of("secret"), key);
    auth_ed25519_reply(nonce, span_of("secret"), reply);
    assert_false(auth_ed25519_check(nonce, (struct span){NULL, 0}, key));
    assert_false(auth_ed25519_check(nonce, (struct span){reply, 63}, key));
    assert_false(auth_ed25519_check(nonce, (struct span){reply, 65}, key));
    assert_false(auth_ed25519_check(nonce, (struct span){zeros, 64}, key));
    assert_false(auth_ed25519_check(nonce, rows[1].reply, key));
    for (size_t i = 0; i < AUTH_ED25519_REPLY; i++) {
        reply[i] ^= 1;
        assert_false(auth_ed25519_check(nonce, (struct span){reply, 64}, key));
        reply[i] ^= 1;
    }
    memcpy(other, nonce, sizeof other);
    other[31] ^= 1;
    assert_false(auth_ed25519_check(other, (struct span){reply, 64}, key)); /* replayed */
    assert_true(auth_ed25519_check(nonce, (struct span){reply, 64}, key));
}

/* go-sql-driver 1.9.3 takes a NUL at a nonce's end for a terminator, and what is left for
 * malformed. */
static void nonces_do_not_end_in_nul(void **state)
{
    uint8_t random[AUTH_ED25519_NONCE] = {1, 0, 255};
    uint8_t made[AUTH_ED25519_NONCE];

    (void)state;
    for (unsigned last = 0; last < 256; last++) {
        random[31] = (uint8_t)last;
        auth_ed25519_make_nonce(random, made);
        assert_memory_equal(made, random, 31);
        assert_int_equal(made[31], last ? last : 1);
    }
}

/* A key of all zeros, as an account with an unreadable one gets, lets nobody in: its point is of
 * small order, and with such a key signatures could be made up. */
static void no_key_lets_nobody_in(void **state)
{
    static const uint8_t no_key[AUTH_ED25519_KEY];
    uint8_t forged[AUTH_ED25519_REPLY] = {1}; /* R neutral, S zero */

    (void)state;
    assert_false(auth_ed25519_check(nonce, (struct span){forged, 64}, no_key));
    assert_false(auth_ed25519_check(nonce, rows[0].reply, no_key));
}

static void stored_keys(void **state)
{
    static const char *const bad[] = {
        "",
        "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJ",
        "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY=",
        "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJYA",
        "ZIgUREUg5PVgQ6LskhXmO-eZLS0nC8be6HPjYWR4YJY",
        "ZIgUREUg5PVgQ6LskhXmO eZLS0nC8be6HPjYWR4YJY",
        "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7",
    };
    uint8_t key[AUTH_ED25519_KEY];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(auth_ed25519_parse(span_of(bad[i]), key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_the_servers_own),
        cmocka_unit_test(stored_keys),
        cmocka_unit_test(replies_are_the_clients_own_and_pass),
        cmocka_unit_test(anything_else_does_not),
        cmocka_unit_test(no_key_lets_nobody_in),
        cmocka_unit_test(nonces_do_not_end_in_nul),
    };

    memset(long_password, 'x', sizeof long_password - 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
