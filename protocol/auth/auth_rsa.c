#include "protocol/auth/auth_rsa.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

enum { PEM_MAX = 4096, KEY_BYTES_MAX = 1024 };

struct auth_rsa {
    EVP_PKEY *key;
    size_t pem_len;
    uint8_t pem[PEM_MAX];
};

static bool write_pem(struct auth_rsa *k)
{
    BIO *out = BIO_new(BIO_s_mem());
    int n = 0;

    if (out && PEM_write_bio_PUBKEY(out, k->key) == 1)
        n = BIO_read(out, k->pem, sizeof k->pem);
    BIO_free(out);
    k->pem_len = n > 0 ? (size_t)n : 0;
    return n > 0;
}

struct auth_rsa *auth_rsa_new(void)
{
    struct auth_rsa *k = calloc(1, sizeof *k);

    if (!k)
        return NULL;
    k->key = EVP_RSA_gen(AUTH_RSA_BITS);
    if (k->key && write_pem(k))
        return k;
    auth_rsa_free(k);
    ERR_clear_error();
    return NULL;
}

void auth_rsa_free(struct auth_rsa *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->key);
    free(k);
}

struct span auth_rsa_pem(const struct auth_rsa *k)
{
    return (struct span){k->pem, k->pem_len};
}

static void mask(uint8_t *p, size_t n, const uint8_t nonce[AUTH_NONCE])
{
    for (size_t i = 0; i < n; i++)
        p[i] ^= nonce[i % AUTH_NONCE];
}

static EVP_PKEY_CTX *context(EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *))
{
    EVP_PKEY_CTX *c = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;

    if (c && init(c) > 0 && EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) > 0)
        return c;
    EVP_PKEY_CTX_free(c);
    return NULL;
}

bool auth_rsa_decrypt(const struct auth_rsa *k, const uint8_t nonce[AUTH_NONCE], struct span in,
                      struct buf *password)
{
    EVP_PKEY_CTX *c = context(k->key, EVP_PKEY_decrypt_init);
    uint8_t plain[AUTH_RSA_BYTES];
    size_t n = sizeof plain;
    bool ok = in.n == AUTH_RSA_BYTES && c && EVP_PKEY_decrypt(c, plain, &n, in.p, in.n) > 0;

    if (ok) {
        mask(plain, n, nonce);
        ok = n > 0 && plain[n - 1] == 0;
    }
    if (ok)
        buf_put(password, plain, n - 1);
    OPENSSL_cleanse(plain, sizeof plain);
    EVP_PKEY_CTX_free(c);
    ERR_clear_error();
    return ok && buf_ok(password);
}

static bool seal(EVP_PKEY_CTX *c, const uint8_t *plain, size_t n, struct buf *out)
{
    size_t size = 0;
    uint8_t *to;

    if (EVP_PKEY_encrypt(c, NULL, &size, plain, n) <= 0 || size > KEY_BYTES_MAX)
        return false;
    to = buf_reserve(out, size);
    if (!to || EVP_PKEY_encrypt(c, to, &size, plain, n) <= 0)
        return false;
    out->len += size;
    return true;
}

bool auth_rsa_encrypt(struct span pem, const uint8_t nonce[AUTH_NONCE], struct span password,
                      struct buf *out)
{
    BIO *in = pem.n && pem.n <= PEM_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
    EVP_PKEY *key = in ? PEM_read_bio_PUBKEY(in, NULL, NULL, NULL) : NULL;
    EVP_PKEY_CTX *c = context(key, EVP_PKEY_encrypt_init);
    uint8_t plain[KEY_BYTES_MAX] = {0};
    bool ok = c && password.n < sizeof plain;

    if (ok) {
        if (password.n)
            memcpy(plain, password.p, password.n);
        mask(plain, password.n + 1, nonce);
        ok = seal(c, plain, password.n + 1, out);
    }
    OPENSSL_cleanse(plain, sizeof plain);
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(key);
    BIO_free(in);
    ERR_clear_error();
    return ok;
}
