#include "protocol/auth/auth_sha2.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

/* Fails only where OpenSSL has no SHA256 or no memory for a context: nothing can be done then. */
static void sha256(const uint8_t *p, size_t n, uint8_t out[AUTH_SHA2_HASH])
{
    unsigned size = 0;
    int ok = EVP_Digest(p, n, out, &size, EVP_sha256(), NULL);

    assert(ok == 1 && size == AUTH_SHA2_HASH);
}

void auth_sha2_reply(const uint8_t nonce[AUTH_NONCE], struct span password,
                     uint8_t reply[AUTH_SHA2_HASH])
{
    static const uint8_t nothing[1];
    uint8_t stage1[AUTH_SHA2_HASH];
    uint8_t joined[AUTH_SHA2_HASH + AUTH_NONCE];

    sha256(password.n ? password.p : nothing, password.n, stage1);
    sha256(stage1, sizeof stage1, joined);
    memcpy(joined + AUTH_SHA2_HASH, nonce, AUTH_NONCE);
    sha256(joined, sizeof joined, reply);
    for (size_t i = 0; i < AUTH_SHA2_HASH; i++)
        reply[i] ^= stage1[i];
    OPENSSL_cleanse(stage1, sizeof stage1);
}

bool auth_sha2_check(const uint8_t nonce[AUTH_NONCE], struct span reply, struct span password)
{
    uint8_t expected[AUTH_SHA2_HASH];

    auth_sha2_reply(nonce, password, expected);
    return reply.n == AUTH_SHA2_HASH && CRYPTO_memcmp(reply.p, expected, AUTH_SHA2_HASH) == 0;
}
