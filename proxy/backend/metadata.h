/* Column definitions of a prepared statement's results, as they were sent last: see
 * docs/decisions/0029-definitions-a-client-has-are-left-out.md.
 *
 * A server connection keeps them, for the server leaves them out where they are the same again. Of
 * what a client was sent its session keeps no more than the mark. */
#ifndef PROXY_METADATA_H
#define PROXY_METADATA_H

#include "base/buf.h"

/* Stands for definitions, however their packets are numbered; zeros: none. */
struct metadata_mark {
    uint64_t low;
    uint64_t high;
};

struct metadata {
    struct metadata_mark mark; /* set once they are complete */
    struct buf packets;        /* with headers */
};

struct metadata metadata_none(void);
/* Some bytes more of those that are just coming. */
void metadata_gather(struct metadata *m, struct span bytes);
/* They are complete. Where memory refused they count as none. */
void metadata_complete(struct metadata *m);
/* *to is what *from was, which is none then. */
void metadata_move(struct metadata *to, struct metadata *from);
void metadata_free(struct metadata *m);

/* Whether both are known, and the same. */
static inline bool metadata_is_same(struct metadata_mark a, struct metadata_mark b)
{
    return a.low == b.low && a.high == b.high && (a.low | a.high);
}

#endif
