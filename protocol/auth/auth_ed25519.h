/* The arithmetic of MariaDB's ed25519 plugin (client side: client_ed25519,
 * https://mariadb.com/kb/en/authentication-plugin-ed25519/): the client signs the server's nonce,
 * the server keeps the public key. It is Ed25519 of RFC 8032 but for one thing: the secret that is
 * hashed to the private scalar is the password, of any length, instead of 32 random bytes. So
 * verifying is anybody's Ed25519; signing needs the scalars.
 *
 * Nothing that signs again can be learnt from a signature: who shall log in to a server needs the
 * password itself. */
#ifndef PROTOCOL_AUTH_ED25519_H
#define PROTOCOL_AUTH_ED25519_H

#include "base/cursor.h"

enum { AUTH_ED25519_NONCE = 32, AUTH_ED25519_KEY = 32, AUTH_ED25519_REPLY = 64 };

#define AUTH_ED25519 "client_ed25519"

/* A nonce from random bytes. It does not end in NUL, which some clients (Go's) cut off any nonce.
 */
void auth_ed25519_make_nonce(const uint8_t random[AUTH_ED25519_NONCE],
                             uint8_t nonce[AUTH_ED25519_NONCE]);
/* The public key of a password, as the servers keep it. */
void auth_ed25519_key(struct span password, uint8_t key[AUTH_ED25519_KEY]);
/* The client's reply to a nonce. */
void auth_ed25519_reply(const uint8_t nonce[AUTH_ED25519_NONCE], struct span password,
                        uint8_t reply[AUTH_ED25519_REPLY]);
bool auth_ed25519_check(const uint8_t nonce[AUTH_ED25519_NONCE], struct span reply,
                        const uint8_t key[AUTH_ED25519_KEY]) MUST_CHECK;
/* Whether the key is that of a password; in constant time. */
bool auth_ed25519_fits(struct span password, const uint8_t key[AUTH_ED25519_KEY]) MUST_CHECK;
/* 43 characters of base64 without padding, as mysql.global_priv holds it. */
bool auth_ed25519_parse(struct span text, uint8_t key[AUTH_ED25519_KEY]) MUST_CHECK;

#endif
