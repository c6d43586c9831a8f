/* Who logs in to the servers for a session: user, the recovered password hash, and the capabilities
 * that change what statements mean. Connections of one identity may serve any session of the same
 * identity. Ref-counted, one worker thread. */
#ifndef PROXY_IDENTITY_H
#define PROXY_IDENTITY_H

#include "protocol/auth.h"
#include "protocol/consts.h"

enum { IDENTITY_ADDRESS_MAX = 64 };

struct identity {
    int refs;
    uint64_t caps;                      /* CAPS_SEMANTIC bits of the client's */
    char address[IDENTITY_ADDRESS_MAX]; /* of the client, for servers that are told; else "" */
    bool has_password;
    uint8_t stage1[AUTH_HASH];
    uint32_t user_len;
    uint8_t user[]; /* user_len bytes */
};

/* MariaDB's own capabilities that are offered where all servers have them. Metadata caching is not:
 * a server leaves metadata out by what it sent on its own connection, which need not be what the
 * client has seen. */
#define CAPS_MARIADB \
    (CAP_MARIADB_PROGRESS | CAP_MARIADB_BULK | CAP_MARIADB_EXTENDED | CAP_MARIADB_BULK_RESULTS)

/* Capabilities of a client that its server connections must have, too. */
#define CAPS_SEMANTIC                                                                \
    (CAP_FOUND_ROWS | CAP_LONG_FLAG | CAP_NO_SCHEMA | CAP_ODBC | CAP_LOCAL_FILES |   \
     CAP_IGNORE_SPACE | CAP_INTERACTIVE | CAP_MULTI_STATEMENTS | CAP_MULTI_RESULTS | \
     CAP_PS_MULTI_RESULTS | CAP_EXPIRED_PASSWORDS | CAPS_MARIADB)

/* `stage1` NULL: no password. NULL where memory refuses. */
struct identity *identity_new(struct span user, const uint8_t *stage1, uint64_t client_caps);
/* The servers are to be told where the client comes from. Before anybody else refers to it. */
void identity_set_address(struct identity *i, const char *address);
struct identity *identity_ref(struct identity *i);
void identity_unref(struct identity *i); /* NULL allowed */
bool identity_equal(const struct identity *a, const struct identity *b);

static inline struct span identity_user(const struct identity *i)
{
    return (struct span){i->user, i->user_len};
}

#endif
