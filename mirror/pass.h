/* Writes documents as a snapshot has them: those of some keys, or a whole aggregate. */
#ifndef MIRROR_PASS_H
#define MIRROR_PASS_H

#include "mirror/debt.h"
#include "mirror/document/fetch.h"
#include "mirror/sink/sink.h"
#include "protocol/gtid.h"

#include <stdatomic.h>

struct pass_progress {
    const struct plan *plan;
    const struct span *key;
    uint64_t done, total; /* documents; the total is an estimate */
};

struct pass {
    const struct plan *plan;
    struct source *source; /* inside its snapshot, whose GTID position is `gtid` */
    struct sink *sink;
    char gtid[GTID_SET_TEXT_MAX];
    struct directory *directory; /* of a paged aggregate */
    atomic_bool *stop;           /* checked between slices */
    unsigned *slice; /* roots that were good for a slice in the pass before; 0: nobody knows */
    struct readers *readers; /* in the same snapshot; may be NULL */
    /* Monotonic: what is left at `until_ns` goes into the debt, or, where nothing waits for the end
     * of this, at `latest_ns`; 0: all is done. */
    uint64_t until_ns, latest_ns;
    bool follow_all; /* links, however many, before anything is written; else the rest is owed */
    bool (*waits)(void *to); /* whether something waits; may be NULL */
    /* Of a whole pass that another has begun: under which claim, up to which key, and how many
     * documents that were. Zero: it begins at the start. */
    int64_t from;
    const struct keyset *after;
    uint64_t done;
    uint64_t total; /* of a whole pass; for its progress */
    /* Called between slices of a whole pass, with the last key that was handed to the sink; may be
     * NULL. */
    bool (*progress)(void *to, const struct pass_progress *at, struct err *e);
    void *to;
};

/* The documents of what was touched: links are followed, then written or deleted; not flushed. Of
 * links what a statement doesn't take, of documents what is left at `until_ns` goes into the debts
 * (t->all where they are full). False with ERR_STOPPED
 * where `stop` was set. */
bool pass_touched(struct pass *p, struct touched *t, struct debts *debts, struct err *e) MUST_CHECK;
/* Pay some of the debts: a slice at least, then until `until_ns`, or until they are full. */
bool pass_debts(struct pass *p, struct debts *debts, struct err *e) MUST_CHECK;

/* Every document of the aggregate, into a collection that takes the place of the one that is read
 * when it is complete. Flushed. */
bool pass_all(struct pass *p, struct err *e) MUST_CHECK;

#endif
