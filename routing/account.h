/* An account as mysql.global_priv has it: who it is for, the ways it may log in, and what else must
 * hold. Part of a catalog and immutable with it. */
#ifndef ROUTING_ACCOUNT_H
#define ROUTING_ACCOUNT_H

#include "base/cursor.h"
#include "protocol/auth/auth.h"
#include "protocol/auth/auth_ed25519.h"

/* By the server's plugin. */
enum way_kind {
    WAY_NATIVE,  /* mysql_native_password */
    WAY_ED25519, /* ed25519 */
    WAY_SHA2,    /* caching_sha2_password: the servers alone can check its hash */
    WAY_SOCKET,  /* unix_socket: the client's process runs as the right user of the system */
    WAY_OTHER,   /* not spoken here */
};

/* One way of those that stand between OR in IDENTIFIED VIA. */
struct account_way {
    enum way_kind kind;
    char *plugin; /* the server's name for it */
    char *text;   /* what stands behind USING, e.g. the system's user of unix_socket */
    bool empty;   /* native: no password */
    union {
        uint8_t stage2[AUTH_HASH];     /* native; zeros where it is none: no password fits */
        uint8_t key[AUTH_ED25519_KEY]; /* ed25519; the same */
    };
};

/* What REQUIRE asks of the client's TLS, with the server's own numbers. */
enum account_tls { ACCOUNT_TLS_NONE, ACCOUNT_TLS_ANY, ACCOUNT_TLS_X509, ACCOUNT_TLS_SPECIFIED };

struct account {
    char *user;               /* "" is the anonymous user */
    char *host;               /* pattern: %, _, address, address/mask, name */
    struct account_way *ways; /* in the order in which the server tries them; at least one */
    size_t way_count;
    bool is_role; /* cannot log in */
    bool locked;
    bool limited; /* the server counts its connections: none may be kept for later */
    enum account_tls tls;
    char *tls_cipher; /* ACCOUNT_TLS_SPECIFIED: "" where it is not asked for */
    char *tls_issuer;
    char *tls_subject;
    uint64_t access; /* global privileges as mysql.global_priv has them */
};

#define ACCESS_SUPER            (1ULL << 15)
#define ACCESS_PROCESS          (1ULL << 8)
#define ACCESS_CONNECTION_ADMIN (1ULL << 33)

/* Add a way, from a plugin's name ("" is mysql_native_password) and its authentication string,
 * which may be something that no password gives (Debian's root has "invalid"). False: no memory. */
bool account_add_way(struct account *a, const char *plugin, const char *text) MUST_CHECK;
/* What it points to; all may be NULL. */
void account_clear(struct account *a);

#endif
