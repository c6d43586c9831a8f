/* What the parties of a log-in send each other by their plugins: under any bytes no read beyond
 * them, and nothing that was not made from the password lets anybody in. The first byte chooses. */
#include "protocol/attributes.h"
#include "protocol/auth/auth_ed25519.h"
#include "protocol/auth/auth_rsa.h"
#include "protocol/auth/auth_sha2.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const uint8_t nonce[AUTH_ED25519_NONCE + 1] = "0123456789abcdefghijklmnopqrstuv";

static void abort_unless(bool ok)
{
    if (!ok)
        abort();
}

/* A client's reply; the password is a secret of this process. */
static void check_replies(struct span in)
{
    static uint8_t stage1[AUTH_HASH], stage2[AUTH_HASH], key[AUTH_ED25519_KEY];
    static const struct span password = {(const uint8_t *)"only here", 9};
    uint8_t found[AUTH_HASH];

    if (!key[0]) {
        auth_stage1(password, stage1);
        auth_stage1((struct span){stage1, sizeof stage1}, stage2);
        auth_ed25519_key(password, key);
    }
    if (auth_native_check(nonce, in, stage2, found))
        abort_unless(memcmp(found, stage1, sizeof found) == 0);
    if (auth_sha2_check(nonce, in, password))
        abort_unless(in.n == AUTH_SHA2_HASH);
    if (auth_ed25519_check(nonce, in, key))
        abort_unless(in.n == AUTH_ED25519_REPLY);
    abort_unless(!auth_native_fits(in, stage2) || span_eq(in, "only here"));
    abort_unless(!auth_ed25519_fits(in, key) || span_eq(in, "only here"));
}

/* A password by RSA: what decrypts is shorter than the key. */
static void check_sealed(struct span in)
{
    static struct auth_rsa *rsa;
    struct buf password = buf_with_max(AUTH_RSA_BYTES);

    if (!rsa)
        abort_unless((rsa = auth_rsa_new()) != NULL);
    if (auth_rsa_decrypt(rsa, nonce, in, &password))
        abort_unless(in.n == AUTH_RSA_BYTES && password.len < AUTH_RSA_BYTES);
    buf_free(&password);
}

/* A server's key: whatever it is, the password is sealed for it or not sent. */
static void check_key(struct span in)
{
    struct buf sealed = buf_with_max(4096);

    if (auth_rsa_encrypt(in, nonce, span_of("secret"), &sealed))
        abort_unless(sealed.len > 0 && !memmem(sealed.data, sealed.len, "secret", 6));
    buf_free(&sealed);
}

/* What an account holds. */
static void check_texts(struct span in)
{
    uint8_t stage2[AUTH_HASH];
    uint8_t key[AUTH_ED25519_KEY];

    abort_unless(!auth_parse_stage2(in, stage2) || in.n == 41);
    abort_unless(!auth_ed25519_parse(in, key) || in.n == 43);
}

/* Introduced twice is introduced once, by the second address. */
static void check_attributes(struct span in)
{
    struct buf once = buf_with_max(1 << 16);
    struct buf twice = buf_with_max(1 << 16);

    attributes_introduce(&once, in, "10.0.0.1");
    abort_unless(span_eq(attribute_of(buf_span(&once), ATTRIBUTE_CLIENT_IP), "10.0.0.1"));
    abort_unless(once.len <= ATTRIBUTES_MAX + 20);
    attributes_introduce(&twice, buf_span(&once), "10.0.0.2");
    abort_unless(span_eq(attribute_of(buf_span(&twice), ATTRIBUTE_CLIENT_IP), "10.0.0.2"));
    abort_unless(twice.len <= once.len);
    buf_free(&once);
    buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static void (*const checks[])(struct span in) = {check_replies, check_sealed, check_key,
                                                     check_texts, check_attributes};

    if (n > 0)
        checks[data[0] % ARRAY_LEN(checks)]((struct span){data + 1, n - 1});
    return 0;
}
