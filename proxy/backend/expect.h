/* Replies that a server connection still owes, and why it ended. */
#ifndef PROXY_EXPECT_H
#define PROXY_EXPECT_H

#include "protocol/consts.h"

#include <stdbool.h>
#include <stdint.h>

/* What a reply is for. All but EXPECT_CLIENT are swallowed by the proxy. */
enum expect_role {
    EXPECT_CLIENT,
    EXPECT_SETUP,     /* tracking switched on, connection reset */
    EXPECT_STATE,     /* schema, variables: an error means that the state cannot be laid on here */
    EXPECT_CARRIED,   /* what never fails is laid on: the command need not wait for it */
    EXPECT_RESCUE,    /* asks what the session before has left: proxy/session/session_hold.c */
    EXPECT_WAIT,      /* MASTER_GTID_WAIT or Galera's barrier: behind NULL the reply is stale */
    EXPECT_PREPARE,   /* a statement prepared again on this server */
    EXPECT_PROBE,     /* asks whether the session really holds what it may hold */
    EXPECT_STATUS,    /* PING: whether the session is in a transaction */
    EXPECT_VARIABLES, /* variables set to what they are: the reply reports them */
    EXPECT_USERVARS,  /* the user variables: proxy/replay/session_uservars.h */
    EXPECT_POSITION,  /* the primary's: bounds what the session has seen there */
    EXPECT_TRACKING,  /* the client's session_track_… variables */
    EXPECT_REPORT,    /* as EXPECT_STATE, and what the server reports is news */
    EXPECT_ONCE,      /* exactly_once: its row, its COMMIT, its question */
    EXPECT_DISCARD,   /* the session went elsewhere meanwhile */
};

struct prepared;

struct expect {
    uint8_t kind;              /* enum reply_kind */
    uint8_t role;              /* enum expect_role */
    uint32_t stmt;             /* PREPARE: the client's id of it */
    struct prepared *prepared; /* executed, or prepared again; NULL: neither. Referred to */
};

struct backend_error {
    bool preparing; /* no more than a statement could not be prepared again */
    uint16_t code;
    char sqlstate[6];
    char text[300];
};

/* Whether it is the account that the server does not want. */
static inline bool backend_error_denies(const struct backend_error *e)
{
    return e->code == ER_ACCESS_DENIED_ERROR || e->code == ER_ACCESS_DENIED_NO_PASSWORD_ERROR;
}

#endif
