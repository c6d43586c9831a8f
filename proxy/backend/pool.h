/* A worker's idle server connections, ready to be used again by a session of the same identity. A
 * connection may still have something on it that the session which used it last will ask for
 * (`last_of`, see proxy/session/session_hold.c): others take it only where nothing better is idle,
 * and if those are warnings (it is awaited then), only where no other can be had, or very many are
 * awaited. One worker thread. */
#ifndef PROXY_POOL_H
#define PROXY_POOL_H

#include "proxy/backend/backend.h"

/* Linked through backend->next and prev. */
struct pool_list {
    struct backend *head; /* the one added last */
    struct backend *tail;
};
void pool_list_add(struct pool_list *l, struct backend *b);
void pool_list_remove(struct pool_list *l, struct backend *b);

struct pool {
    struct pool_list of[SERVERS_MAX];   /* most recently used first */
    int count;                          /* of all servers */
    int max;                            /* idle connections kept at most */
    void (*give_up)(struct backend *b); /* ends one that is well, and was taken out */
};

/* What a session looks for. */
struct pool_want {
    int server;
    const struct identity *identity;
    const char *schema; /* "": it has none; a connection that has one cannot lose it again */
    uint64_t vars;      /* fingerprint of its variables */
    const struct prepared_key *stmt; /* what it is about to execute; NULL: no statement */
    unsigned global_sets; /* when the session began: older connections have other values */
    bool no_other;        /* nor can one be opened */
    uint64_t
        awaited_before_ns; /* one whose session may ask for warnings: only if idle since then */
    bool as_is;            /* only one to which nothing has to be done */
    bool guarded;          /* rather one that only reads; else one that does not */
};

/* What stays in the pool. */
struct pool_keep {
    uint64_t used_since_ns;   /* what was used since then, … */
    int min_idle;             /* … and so many of each account and server, used last, besides; */
    uint64_t opened_since_ns; /* all this only if it was opened since then */
};

void pool_init(struct pool *p, int max, void (*give_up)(struct backend *b));
/* A ready connection, taken out of the pool, or NULL. Those come first that have nothing of
 * another session's, know the statement, and have the state already, in this order. */
struct backend *pool_take(struct pool *p, const struct pool_want *want);
/* The one that was not used for the longest time, rather none that is awaited; NULL: none is idle,
 * or only those that are awaited for a shorter time. */
struct backend *pool_take_oldest(struct pool *p, int server, uint64_t awaited_before_ns);
/* The same for one that is known to be in the pool. */
void pool_remove(struct pool *p, struct backend *b);
/* Give a clean, ready connection with nothing under way; the pool closes it when it dies, is too
 * old, or is one too many. */
void pool_give(struct pool *p, struct backend *b);
/* Give up what does not stay, but for those that are awaited. */
void pool_trim(struct pool *p, const struct pool_keep *keep);
/* How many are idle there that sessions of the identity may use; at most `most` are counted. */
int pool_count(const struct pool *p, int server, const struct identity *identity, int most);
/* Close those to `server` that were not used since then: they are of no use any more. */
void pool_drop_unused(struct pool *p, int server, uint64_t since_ns);
/* Close all connections to `server`, or to all where it is -1. */
void pool_drop(struct pool *p, int server);

static inline bool pool_has(const struct pool *p, const struct backend *b)
{
    return b->owner == p;
}

#endif
