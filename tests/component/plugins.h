/* What a client does by each authentication plugin. */
#ifndef COMPONENT_PLUGINS_H
#define COMPONENT_PLUGINS_H

#include "component/rig.h"
#include "protocol/auth/auth_ed25519.h"
#include "protocol/auth/auth_rsa.h"
#include "protocol/auth/auth_sha2.h"

/* The primary is logged in to by native password, and the client with it. */
void is_in(struct rig *r, struct peer *till, const char *user, const char *password);

/* The till is asked for ed25519, and answers; `twist` is flipped in the answer's first byte. */
void replies_ed25519(struct peer *till, const char *password, unsigned twist);

/* caching_sha2_password's reply to the till's nonce; static memory. */
struct span sha2_reply(const struct peer *till, const char *password);
#define LOGS_IN_BY_SHA2(till, password, ...) \
    client_logs_in((till), .plugin = AUTH_SHA2, .auth = sha2_reply((till), (password)), __VA_ARGS__)
/* "More data" of one byte. */
void hears_more(struct peer *till, uint8_t what);
/* The till is asked for the password itself, and says it by RSA. */
void says_password_by_rsa(struct peer *till, const char *password, const uint8_t *nonce);

#endif
