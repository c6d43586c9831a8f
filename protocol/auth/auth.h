/* The arithmetic of mysql_native_password
 * (https://mariadb.com/kb/en/connection/#mysql_native_password-plugin).
 *
 *   stage1 = SHA1(password)   stage2 = SHA1(stage1)   (the servers keep stage2, as "*HEX")
 *   reply  = stage1 XOR SHA1(nonce . stage2)
 *
 * Who knows stage2 and sees a valid reply therefore knows stage1, which logs in to any server. */
#ifndef PROTOCOL_AUTH_H
#define PROTOCOL_AUTH_H

#include "base/cursor.h"

enum { AUTH_NONCE = 20, AUTH_HASH = 20, AUTH_SHA256 = 32, AUTH_PROOF = 65 };

#define AUTH_NATIVE "mysql_native_password"

/* stage1 of a clear-text password. */
void auth_stage1(struct span password, uint8_t stage1[AUTH_HASH]);
/* The client's reply to a nonce. */
void auth_native_reply(const uint8_t nonce[AUTH_NONCE], const uint8_t stage1[AUTH_HASH],
                       uint8_t reply[AUTH_HASH]);
/* Check a client's reply against stage2, in constant time, and recover stage1. An empty `reply` is
 * never valid here: accounts without a password are the caller's business. */
bool auth_native_check(const uint8_t nonce[AUTH_NONCE], struct span reply,
                       const uint8_t stage2[AUTH_HASH], uint8_t stage1[AUTH_HASH]) MUST_CHECK;
/* Whether stage2 is that of a clear-text password; in constant time. */
bool auth_native_fits(struct span password, const uint8_t stage2[AUTH_HASH]) MUST_CHECK;
/* "*" and 40 hex digits, as mysql.global_priv holds it. */
bool auth_parse_stage2(struct span text, uint8_t stage2[AUTH_HASH]) MUST_CHECK;
/* What MariaDB 11.4's clients look for in the OK packet after a log-in by TLS where they could not
 * verify the certificate themselves: 0x01 and, in hex, SHA256(stage2 . nonce . fingerprint). Who
 * sends it knows the password's hash, and saw the certificate that the client saw. AUTH_PROOF
 * bytes. `fingerprint`: SHA-256 of the certificate. */
void auth_native_proof(const uint8_t nonce[AUTH_NONCE], const uint8_t stage1[AUTH_HASH],
                       const uint8_t fingerprint[AUTH_SHA256], uint8_t proof[AUTH_PROOF]);
/* A nonce of AUTH_NONCE bytes without NUL, from random bytes. */
void auth_make_nonce(const uint8_t random[AUTH_NONCE], uint8_t nonce[AUTH_NONCE]);

#endif
