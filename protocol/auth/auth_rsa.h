/* A password on its way over a connection without TLS, as caching_sha2_password wants it: the
 * password with its NUL, XORed with the nonce again and again, then encrypted with the server's RSA
 * key (OAEP with SHA1). The receiver's key goes over the same connection, so this keeps out who
 * listens, not who sits in between. */
#ifndef PROTOCOL_AUTH_RSA_H
#define PROTOCOL_AUTH_RSA_H

#include "base/buf.h"
#include "protocol/auth/auth.h"

enum { AUTH_RSA_BITS = 2048, AUTH_RSA_BYTES = AUTH_RSA_BITS / 8 };

struct auth_rsa; /* a key pair; immutable, any thread */

/* A new key pair (a matter of 100 ms or so); NULL: OpenSSL could not. */
struct auth_rsa *auth_rsa_new(void);
void auth_rsa_free(struct auth_rsa *k);             /* NULL allowed */
struct span auth_rsa_pem(const struct auth_rsa *k); /* the public half, as text */

/* Append the password that a client has encrypted, without its NUL. False: it is none. */
bool auth_rsa_decrypt(const struct auth_rsa *k, const uint8_t nonce[AUTH_NONCE], struct span in,
                      struct buf *password) MUST_CHECK;
/* Append a password encrypted for whoever sent this public key. False: the key is none, or too
 * small for the password. */
bool auth_rsa_encrypt(struct span pem, const uint8_t nonce[AUTH_NONCE], struct span password,
                      struct buf *out) MUST_CHECK;

#endif
