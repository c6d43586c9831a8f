/* A worker's idle server connections, ready to be used again by a session of the same identity. One
 * worker thread. */
#ifndef PROXY_POOL_H
#define PROXY_POOL_H

#include "proxy/backend.h"

struct pool {
    struct backend *head; /* most recently used first */
    int count;
    int max; /* idle connections kept at most */
};

void pool_init(struct pool *p, int max);
/* A ready connection to `server` for `identity`, taken out of the pool, or NULL. `with_schema`: the
 * session has a default schema (a connection that has one cannot lose it again). */
struct backend *pool_take(struct pool *p, int server, const struct identity *identity,
                          bool with_schema);
/* Give a clean, ready connection with nothing under way; the pool closes it when it dies, is too
 * old, or is one too many. */
void pool_give(struct pool *p, struct backend *b);
/* Close what is idle since before `before_ns`. */
void pool_trim(struct pool *p, uint64_t before_ns);
/* Close all connections to `server`, or to all where it is -1. */
void pool_drop(struct pool *p, int server);

#endif
