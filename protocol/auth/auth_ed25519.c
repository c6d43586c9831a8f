#include "protocol/auth/auth_ed25519.h"

#include <assert.h>
#include <sodium.h>

enum { SCALAR = crypto_core_ed25519_SCALARBYTES, TEXT = 43 };

struct secret {
    uint8_t scalar[SCALAR];
    uint8_t prefix[32]; /* makes the signature's own nonce */
};

static void secret_of(struct span password, struct secret *s)
{
    static const uint8_t nothing[1];
    uint8_t hash[crypto_hash_sha512_BYTES];

    (void)crypto_hash_sha512(hash, password.n ? password.p : nothing, password.n);
    memcpy(s->scalar, hash, sizeof s->scalar);
    memcpy(s->prefix, hash + sizeof s->scalar, sizeof s->prefix);
    s->scalar[0] &= 0xF8;
    s->scalar[SCALAR - 1] = (uint8_t)((s->scalar[SCALAR - 1] & 0x7F) | 0x40);
    sodium_memzero(hash, sizeof hash);
}

/* A scalar times the base point; no scalar met here is zero. */
static void point_of(const uint8_t scalar[SCALAR], uint8_t point[AUTH_ED25519_KEY])
{
    int rc = crypto_scalarmult_ed25519_base_noclamp(point, scalar);

    assert(rc == 0);
}

/* SHA512 of up to three parts, modulo the group's order. */
static void hash_to_scalar(const struct span *parts, int n, uint8_t scalar[SCALAR])
{
    crypto_hash_sha512_state h;
    uint8_t wide[crypto_hash_sha512_BYTES];

    (void)crypto_hash_sha512_init(&h);
    for (int i = 0; i < n; i++)
        (void)crypto_hash_sha512_update(&h, parts[i].p, parts[i].n);
    (void)crypto_hash_sha512_final(&h, wide);
    crypto_core_ed25519_scalar_reduce(scalar, wide);
    sodium_memzero(wide, sizeof wide);
}

void auth_ed25519_make_nonce(const uint8_t random[AUTH_ED25519_NONCE],
                             uint8_t nonce[AUTH_ED25519_NONCE])
{
    uint8_t *last = &nonce[AUTH_ED25519_NONCE - 1];

    memcpy(nonce, random, AUTH_ED25519_NONCE);
    *last = *last ? *last : 1;
}

void auth_ed25519_key(struct span password, uint8_t key[AUTH_ED25519_KEY])
{
    struct secret s;

    secret_of(password, &s);
    point_of(s.scalar, key);
    sodium_memzero(&s, sizeof s);
}

/* RFC 8032, 5.1.6: R = r B, S = r + SHA512(R . key . message) a. */
void auth_ed25519_reply(const uint8_t nonce[AUTH_ED25519_NONCE], struct span password,
                        uint8_t reply[AUTH_ED25519_REPLY])
{
    struct secret s;
    uint8_t key[AUTH_ED25519_KEY];
    uint8_t r[SCALAR];
    uint8_t k[SCALAR];
    const struct span message = {nonce, AUTH_ED25519_NONCE};

    secret_of(password, &s);
    point_of(s.scalar, key);
    hash_to_scalar((const struct span[]){{s.prefix, sizeof s.prefix}, message}, 2, r);
    point_of(r, reply);
    hash_to_scalar((const struct span[]){{reply, 32}, {key, sizeof key}, message}, 3, k);
    crypto_core_ed25519_scalar_mul(k, k, s.scalar);
    crypto_core_ed25519_scalar_add(reply + 32, k, r);
    sodium_memzero(&s, sizeof s);
    sodium_memzero(r, sizeof r);
}

bool auth_ed25519_check(const uint8_t nonce[AUTH_ED25519_NONCE], struct span reply,
                        const uint8_t key[AUTH_ED25519_KEY])
{
    return reply.n == AUTH_ED25519_REPLY &&
           crypto_sign_verify_detached(reply.p, nonce, AUTH_ED25519_NONCE, key) == 0;
}

bool auth_ed25519_fits(struct span password, const uint8_t key[AUTH_ED25519_KEY])
{
    uint8_t made[AUTH_ED25519_KEY];

    auth_ed25519_key(password, made);
    return sodium_memcmp(made, key, sizeof made) == 0;
}

bool auth_ed25519_parse(struct span text, uint8_t key[AUTH_ED25519_KEY])
{
    size_t n = 0;

    return text.n == TEXT &&
           sodium_base642bin(key, AUTH_ED25519_KEY, (const char *)text.p, text.n, NULL, &n, NULL,
                             sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
           n == AUTH_ED25519_KEY;
}
