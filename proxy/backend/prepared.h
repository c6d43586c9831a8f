/* Which statements a server connection has prepared, by what they mean there (text, schema and
 * variables) and not by which session asked: sessions that prepare the same share them. In the
 * order of their last use; whoever adds one closes the oldest while there are more bytes than
 * allowed.
 *
 * Beside it, how many statements of a worker's sessions mean a key: one that no session means any
 * more is closed on every connection that knows it, before that serves its next command. One worker
 * thread. */
#ifndef PROXY_PREPARED_H
#define PROXY_PREPARED_H

#include "proxy/backend/metadata.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct prepared_key {
    uint64_t low;
    uint64_t high;
};

/* A statement on one connection. */
struct prepared {
    UT_hash_handle hh;
    struct prepared_key key;
    uint32_t id; /* the server's; STMT_ID_LAST until its reply is there */
    uint64_t
        types; /* which parameter types it was executed with last, see stmt.types_mark; 0: none */
    size_t bytes;
    struct metadata metadata; /* of its last reply that had some; only where it is cached */
    unsigned refs; /* the set's, and those of replies that are still to come: it may have left */
    bool left;     /* the set */
};

struct prepared_set {
    struct prepared *by_key; /* the first is the one not used for the longest time */
    size_t bytes;            /* of all, roughly what the server spends */
    uint64_t swept;          /* prepared_uses.closings when unused ones were closed here last */
};

/* NULL: not known there. It counts as used now. */
struct prepared *prepared_find(struct prepared_set *all, struct prepared_key key);
/* The same, and it counts no more than before. */
const struct prepared *prepared_peek(const struct prepared_set *all, struct prepared_key key);
/* One of a text of n bytes that is not known there yet; NULL where memory refuses. */
struct prepared *prepared_add(struct prepared_set *all, struct prepared_key key, size_t n);
/* From now on it is known by another key, or by none where memory refuses. */
void prepared_rekey(struct prepared_set *all, struct prepared *p, struct prepared_key key);
void prepared_remove(struct prepared_set *all, struct prepared *p);
void prepared_clear(struct prepared_set *all);
struct prepared *prepared_ref(struct prepared *p);
void prepared_unref(struct prepared *p); /* NULL allowed */
/* The definitions that came last; *m is none then. */
void prepared_keep_metadata(struct prepared_set *all, struct prepared *p, struct metadata *m);
/* Walk from the oldest on; the one at hand may be removed once the next is known. */
static inline struct prepared *prepared_next(const struct prepared *p)
{
    return p->hh.next;
}

struct prepared_use;

struct prepared_uses {
    struct prepared_use *by_key;
    uint64_t closings; /* counts keys that fell out of use */
};

/* False where memory refuses. */
bool prepared_use(struct prepared_uses *all, struct prepared_key key) MUST_CHECK;
void prepared_unuse(struct prepared_uses *all, struct prepared_key key);
bool prepared_is_used(const struct prepared_uses *all, struct prepared_key key);

#endif
