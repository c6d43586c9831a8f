#include "protocol/auth/auth.h"
#include "tests/unit/check.h"

/* As SELECT PASSWORD('…') of MariaDB 10.11 answers. */
static const struct {
    const char *password;
    const char *stored;
} accounts[] = {
    {"till", "*736304A180CFC7262687D518DCC5449804DFDA66"},
    {"secret", "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7"},
    {"p\xc3\xa4ss w\xc3\xb6rd", "*8FD0F5148138E420D84E3BB37856B3AAE07A29AB"},
};

static const uint8_t nonce[AUTH_NONCE + 1] = "0123456789abcdefghij";

static void stage2_of(const char *stored, uint8_t stage2[AUTH_HASH])
{
    assert_true(auth_parse_stage2(span_of(stored), stage2));
}

static void a_right_password_passes_and_gives_stage1(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(accounts); i++) {
        uint8_t stage1[AUTH_HASH];
        uint8_t stage2[AUTH_HASH];
        uint8_t reply[AUTH_HASH];
        uint8_t found[AUTH_HASH] = {0};

        auth_stage1(span_of(accounts[i].password), stage1);
        auth_native_reply(nonce, stage1, reply);
        stage2_of(accounts[i].stored, stage2);
        assert_true(auth_native_check(nonce, (struct span){reply, AUTH_HASH}, stage2, found));
        assert_memory_equal(found, stage1, AUTH_HASH);
    }
}

static void anything_else_does_not(void **state)
{
    uint8_t stage1[AUTH_HASH];
    uint8_t stage2[AUTH_HASH];
    uint8_t reply[AUTH_HASH + 1] = {0};
    uint8_t found[AUTH_HASH] = {0};
    static const uint8_t untouched[AUTH_HASH] = {0};

    (void)state;
    auth_stage1(span_of("till"), stage1);
    auth_native_reply(nonce, stage1, reply);
    stage2_of(accounts[1].stored, stage2);
    assert_false(auth_native_check(nonce, (struct span){reply, AUTH_HASH}, stage2, found));
    stage2_of(accounts[0].stored, stage2);
    assert_false(auth_native_check(nonce, (struct span){NULL, 0}, stage2, found));
    assert_false(auth_native_check(nonce, (struct span){reply, AUTH_HASH - 1}, stage2, found));
    assert_false(auth_native_check(nonce, (struct span){reply, AUTH_HASH + 1}, stage2, found));
    for (size_t i = 0; i < AUTH_HASH; i++) {
        reply[i] ^= 1;
        assert_false(auth_native_check(nonce, (struct span){reply, AUTH_HASH}, stage2, found));
        reply[i] ^= 1;
    }
    assert_memory_equal(found, untouched, AUTH_HASH);
    assert_true(auth_native_check(nonce, (struct span){reply, AUTH_HASH}, stage2, found));
}

static void another_nonce_does_not_fit(void **state)
{
    uint8_t other[AUTH_NONCE];
    uint8_t stage1[AUTH_HASH];
    uint8_t stage2[AUTH_HASH];
    uint8_t reply[AUTH_HASH];

    (void)state;
    memcpy(other, nonce, sizeof other);
    other[19] ^= 1;
    auth_stage1(span_of("till"), stage1);
    auth_native_reply(nonce, stage1, reply);
    stage2_of(accounts[0].stored, stage2);
    assert_false(auth_native_check(other, (struct span){reply, AUTH_HASH}, stage2, stage1));
}

static void a_password_fits_its_account_alone(void **state)
{
    uint8_t stage2[AUTH_HASH];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(accounts); i++) {
        stage2_of(accounts[i].stored, stage2);
        for (size_t k = 0; k < ARRAY_LEN(accounts); k++)
            assert_int_equal(auth_native_fits(span_of(accounts[k].password), stage2), i == k);
    }
    memset(stage2, 0, sizeof stage2);
    assert_false(auth_native_fits((struct span){NULL, 0}, stage2));
}

static void an_empty_password_hashes(void **state)
{
    uint8_t stage1[AUTH_HASH];

    (void)state;
    auth_stage1((struct span){NULL, 0}, stage1);
    assert_memory_equal(stage1,
                        "\xda\x39\xa3\xee\x5e\x6b\x4b\x0d\x32\x55\xbf\xef\x95\x60\x18\x90\xaf\xd8"
                        "\x07\x09",
                        AUTH_HASH);
}

static void stored_hashes(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        {"*0123456789abcdefABCDEF012345678901234567", true},
        {"", false},
        {"*", false},
        {"0123456789abcdefABCDEF0123456789012345678", false},
        {"*0123456789abcdefABCDEF01234567890123456", false},
        {"*0123456789abcdefABCDEF0123456789012345678", false},
        {"*0123456789abcdefABCDEF01234567890123456g", false},
        {"*0123456789abcdefABCDEF0123456789012345 7", false},
    };
    uint8_t stage2[AUTH_HASH];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(auth_parse_stage2(span_of(rows[i].text), stage2), rows[i].ok);
    assert_true(auth_parse_stage2(span_of(rows[0].text), stage2));
    assert_memory_equal(stage2,
                        "\x01\x23\x45\x67\x89\xab\xcd\xef\xab\xcd\xef\x01\x23\x45\x67\x89\x01\x23"
                        "\x45\x67",
                        AUTH_HASH);
}

static void nonces_have_no_nul_and_are_ascii(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        uint8_t random[AUTH_NONCE];
        uint8_t made[AUTH_NONCE];

        for (size_t i = 0; i < AUTH_NONCE; i++)
            random[i] = (uint8_t)(first + i);
        auth_make_nonce(random, made);
        for (size_t i = 0; i < AUTH_NONCE; i++) {
            assert_in_range(made[i], 1, 127);
            assert_int_not_equal(made[i], '$');
        }
    }
}

/* By hand: printf %s 'till' | sha1 twice, joined with the nonce and 32 bytes of 0xAB, sha256. */
static void the_proof_is_bound_to_password_nonce_and_certificate(void **state)
{
    uint8_t fingerprint[AUTH_SHA256];
    uint8_t stage1[AUTH_HASH];
    uint8_t proof[AUTH_PROOF];

    (void)state;
    memset(fingerprint, 0xAB, sizeof fingerprint);
    auth_stage1(span_of("till"), stage1);
    auth_native_proof(nonce, stage1, fingerprint, proof);
    assert_memory_equal(proof,
                        "\x01"
                        "6fc6d698eefe0300817453157b1da561abe2fbb4983ca8d97eebd21276bb9595",
                        AUTH_PROOF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_proof_is_bound_to_password_nonce_and_certificate),
        cmocka_unit_test(a_right_password_passes_and_gives_stage1),
        cmocka_unit_test(anything_else_does_not),
        cmocka_unit_test(another_nonce_does_not_fit),
        cmocka_unit_test(a_password_fits_its_account_alone),
        cmocka_unit_test(an_empty_password_hashes),
        cmocka_unit_test(stored_hashes),
        cmocka_unit_test(nonces_have_no_nul_and_are_ascii),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
