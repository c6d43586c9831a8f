#include "protocol/auth/auth.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

/* Fails only where OpenSSL has no SHA1 or no memory for a context: nothing can be done then. */
static void sha1(const uint8_t *p, size_t n, uint8_t out[AUTH_HASH])
{
    unsigned size = 0;
    int ok = EVP_Digest(p, n, out, &size, EVP_sha1(), NULL);

    assert(ok == 1 && size == AUTH_HASH);
}

/* SHA1(nonce . stage2), what the client XORs its stage1 with. */
static void mask_of(const uint8_t nonce[AUTH_NONCE], const uint8_t stage2[AUTH_HASH],
                    uint8_t mask[AUTH_HASH])
{
    uint8_t joined[AUTH_NONCE + AUTH_HASH];

    memcpy(joined, nonce, AUTH_NONCE);
    memcpy(joined + AUTH_NONCE, stage2, AUTH_HASH);
    sha1(joined, sizeof joined, mask);
}

void auth_stage1(struct span password, uint8_t stage1[AUTH_HASH])
{
    static const uint8_t nothing[1];

    sha1(password.n ? password.p : nothing, password.n, stage1);
}

void auth_native_reply(const uint8_t nonce[AUTH_NONCE], const uint8_t stage1[AUTH_HASH],
                       uint8_t reply[AUTH_HASH])
{
    uint8_t stage2[AUTH_HASH];
    uint8_t mask[AUTH_HASH];

    sha1(stage1, AUTH_HASH, stage2);
    mask_of(nonce, stage2, mask);
    for (size_t i = 0; i < AUTH_HASH; i++)
        reply[i] = stage1[i] ^ mask[i];
}

bool auth_native_check(const uint8_t nonce[AUTH_NONCE], struct span reply,
                       const uint8_t stage2[AUTH_HASH], uint8_t stage1[AUTH_HASH])
{
    uint8_t candidate[AUTH_HASH];
    uint8_t hashed[AUTH_HASH];

    if (reply.n != AUTH_HASH)
        return false;
    mask_of(nonce, stage2, candidate);
    for (size_t i = 0; i < AUTH_HASH; i++)
        candidate[i] ^= reply.p[i];
    sha1(candidate, sizeof candidate, hashed);
    if (CRYPTO_memcmp(hashed, stage2, AUTH_HASH) != 0)
        return false;
    memcpy(stage1, candidate, AUTH_HASH);
    return true;
}

void auth_native_proof(const uint8_t nonce[AUTH_NONCE], const uint8_t stage1[AUTH_HASH],
                       const uint8_t fingerprint[AUTH_SHA256], uint8_t proof[AUTH_PROOF])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t joined[AUTH_HASH + AUTH_NONCE + AUTH_SHA256];
    uint8_t hash[AUTH_SHA256];
    unsigned size = 0;
    int ok;

    sha1(stage1, AUTH_HASH, joined);
    memcpy(joined + AUTH_HASH, nonce, AUTH_NONCE);
    memcpy(joined + AUTH_HASH + AUTH_NONCE, fingerprint, AUTH_SHA256);
    ok = EVP_Digest(joined, sizeof joined, hash, &size, EVP_sha256(), NULL);
    assert(ok == 1 && size == AUTH_SHA256);
    proof[0] = 1;
    for (size_t i = 0; i < AUTH_SHA256; i++) {
        proof[1 + 2 * i] = (uint8_t)digits[hash[i] >> 4];
        proof[2 + 2 * i] = (uint8_t)digits[hash[i] & 15];
    }
}

bool auth_native_fits(struct span password, const uint8_t stage2[AUTH_HASH])
{
    uint8_t stage1[AUTH_HASH];
    uint8_t hashed[AUTH_HASH];

    auth_stage1(password, stage1);
    sha1(stage1, sizeof stage1, hashed);
    return CRYPTO_memcmp(hashed, stage2, AUTH_HASH) == 0;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool auth_parse_stage2(struct span text, uint8_t stage2[AUTH_HASH])
{
    if (text.n != 1 + 2 * AUTH_HASH || text.p[0] != '*')
        return false;
    for (size_t i = 0; i < AUTH_HASH; i++) {
        int high = hex_digit(text.p[1 + 2 * i]);
        int low = hex_digit(text.p[2 + 2 * i]);

        if (high < 0 || low < 0)
            return false;
        stage2[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Seven bits, so that clients may take it for text; '$' is a separator in some accounts' hashes. */
void auth_make_nonce(const uint8_t random[AUTH_NONCE], uint8_t nonce[AUTH_NONCE])
{
    for (size_t i = 0; i < AUTH_NONCE; i++) {
        uint8_t c = random[i] & 0x7F;

        nonce[i] = c == 0 || c == '$' ? (uint8_t)(c + 1) : c;
    }
}
