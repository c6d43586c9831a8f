/* The arithmetic of caching_sha2_password
 * (https://mariadb.com/kb/en/connection/, MySQL's sha2_password plugin).
 *
 *   stage1 = SHA256(password)   stage2 = SHA256(stage1)
 *   reply  = stage1 XOR SHA256(stage2 . nonce)          ("fast")
 *
 * A server that has no stage2 at hand asks for the password itself ("full"): as it is over TLS or a
 * unix socket, else encrypted with its RSA key, see auth_rsa.h. */
#ifndef PROTOCOL_AUTH_SHA2_H
#define PROTOCOL_AUTH_SHA2_H

#include "protocol/auth/auth.h"

enum { AUTH_SHA2_HASH = 32 };

#define AUTH_SHA2 "caching_sha2_password"

/* A packet of "more data" (first byte 1) says how it goes on; a client's single byte 2 asks for the
 * RSA key. */
enum {
    AUTH_SHA2_MORE = 0x01,
    AUTH_SHA2_ASK_KEY = 0x02,
    AUTH_SHA2_FAST_OK = 0x03,
    AUTH_SHA2_FULL = 0x04,
};

/* The client's reply to a nonce. */
void auth_sha2_reply(const uint8_t nonce[AUTH_NONCE], struct span password,
                     uint8_t reply[AUTH_SHA2_HASH]);
/* Whether a reply is that of this password; in constant time. */
bool auth_sha2_check(const uint8_t nonce[AUTH_NONCE], struct span reply,
                     struct span password) MUST_CHECK;

#endif
