/* Who logs in to the servers for a session: user, what is known of the password, and the
 * capabilities that change what statements mean. Connections of one identity may serve any session
 * of the same identity. Ref-counted, one worker thread. */
#ifndef PROXY_IDENTITY_H
#define PROXY_IDENTITY_H

#include "protocol/auth/auth.h"
#include "protocol/consts.h"

enum { IDENTITY_ADDRESS_MAX = 64 };

/* What a log-in has shown of the password: enough for mysql_native_password, or all of it. */
struct secret {
    enum { SECRET_NONE, SECRET_STAGE1, SECRET_PASSWORD } kind;
    uint8_t stage1[AUTH_HASH]; /* of SECRET_STAGE1; identity_new makes it from the password */
    struct span password;      /* of SECRET_PASSWORD; never empty */
};

struct identity {
    int refs;
    uint64_t caps;                      /* CAPS_SEMANTIC bits of the client's */
    char address[IDENTITY_ADDRESS_MAX]; /* of the client, for servers that are told; else "" */
    bool unchecked;                     /* only the server can tell whether the password is right */
    bool limited;       /* the server counts its connections: they are not kept for others */
    uint64_t proven_ns; /* when a server last let it in; 0: none did yet */
    bool by_attributes; /* connections are shared where the attributes are equal, too */
    struct secret secret;
    struct span attributes; /* to log in with; the address is among them */
    uint32_t user_len;
    uint8_t bytes[]; /* the user, the attributes, then the password */
};

/* MariaDB's own capabilities that are offered where all servers have them. */
#define CAPS_MARIADB                                                                           \
    (CAP_MARIADB_PROGRESS | CAP_MARIADB_BULK | CAP_MARIADB_EXTENDED | CAP_MARIADB_CACHE_META | \
     CAP_MARIADB_BULK_RESULTS)

/* Capabilities of a client that its server connections must have, too. */
#define CAPS_SEMANTIC                                                                \
    (CAP_FOUND_ROWS | CAP_LONG_FLAG | CAP_NO_SCHEMA | CAP_ODBC | CAP_LOCAL_FILES |   \
     CAP_IGNORE_SPACE | CAP_INTERACTIVE | CAP_MULTI_STATEMENTS | CAP_MULTI_RESULTS | \
     CAP_PS_MULTI_RESULTS | CAP_EXPIRED_PASSWORDS | CAPS_MARIADB)

/* NULL where memory refuses. */
struct identity *identity_new(struct span user, struct span attributes, const struct secret *secret,
                              uint64_t client_caps);
/* The servers are to be told where the client comes from. Before anybody else refers to it. */
void identity_set_address(struct identity *i, const char *address);
/* The same with the secret of another one of this user, which proved right later. NULL: no memory.
 */
struct identity *identity_renew(const struct identity *old, const struct identity *proven);
struct identity *identity_ref(struct identity *i);
void identity_unref(struct identity *i); /* NULL allowed */
/* Whether the servers cannot tell them apart. */
bool identity_equal(const struct identity *a, const struct identity *b);

/* Whether its connections serve any session of the account, not one client's alone. */
static inline bool identity_is_shared(const struct identity *i)
{
    return !i->limited && !i->by_attributes && !i->address[0];
}

static inline struct span identity_user(const struct identity *i)
{
    return (struct span){i->bytes, i->user_len};
}

#endif
