/* The engine's parts that touch data; for engine.c. */
#ifndef MIRROR_ENGINE_BATCH_H
#define MIRROR_ENGINE_BATCH_H

#include "mirror/checkpoint.h"
#include "mirror/debt.h"
#include "mirror/document/directory.h"
#include "mirror/engine.h"
#include "mirror/feed.h"
#include "mirror/pass.h"
#include "mirror/source/snapshot.h"

/* What one connection to a source has. */
struct work {
    struct engine *w;
    struct sink *sink;
    struct source *source;
    /* Where foreign keys act, or arrays have pages: another connection, inside the snapshot where
     * the last batch ended (`kept`), in which nothing was read yet: so it holds up no ALTER. The
     * next such is begun beside each batch's own, at the same place (`twin`). */
    struct source *before;
    struct source *spare;
    bool kept, twin;
    /* Whether no document can be half written by a mirror before, which pages may be: a changed
     * element then leads to its page alone. Else that is known again when all is written that the
     * primary had when the claim was made (`claimed_ns`, `intact_at` once it `is_asked`). */
    bool intact;
    bool is_asked;
    struct gtid_set intact_at;
    uint64_t claimed_ns;
    bool writing; /* a batch has begun, and its checkpoint is not there yet */
    /* For what is large: threads that read, with as many connections as there are beside `source`,
     * each in a snapshot of its own where it is `crewed`. NULL: nothing was large yet. */
    struct readers *readers;
    struct source *crew[READERS_MAX];
    unsigned n_crew;
    bool crewed;
    struct source *joined[READERS_MAX]; /* those of the crew that stand where `source` does */
    unsigned n_joined;
    struct cascade *cascade;
    uint64_t since_ns; /* when its binlog began to be followed */
    int server;        /* its number in the configuration */
    uint32_t avoid;    /* a bit: the server that did not follow the primary */
    struct touch *touch;
    struct debts debts[MAP_AGGREGATES_MAX];
    unsigned slices[MAP_AGGREGATES_MAX]; /* roots that were good for one, last */
    struct directory directories[MAP_AGGREGATES_MAX];
    bool paged; /* some aggregate has a paged array */
    bool owing; /* some debt is not paid: the checkpoint stays where it is */
    struct feed feed;
    struct checkpoint at;
    bool fenced;                    /* another one has taken over */
    bson_oid_t repairing, repaired; /* the last that was begun, and that was done */
    bson_oid_t asked;               /* the rebuild that was asked for when this attempt began */
    uint64_t written;               /* documents, by the sinks before */
    uint64_t saved_ns;              /* when the checkpoint was written */
};

/* What engine_stop may interrupt: the connections of now, or none. */
void work_publish(struct work *k, bool on);
/* Learn which foreign keys act; again after a DDL. */
bool work_cascades(struct work *k, struct err *e) MUST_CHECK;
/* All aggregates from one snapshot, then the checkpoint. */
bool work_snapshot(struct work *k, struct err *e) MUST_CHECK;
/* The indexes that the mapping asks for. */
bool work_indexes(struct work *k, struct err *e) MUST_CHECK;
/* For people: how far a pass is. */
void work_note(struct work *k, const struct pass_progress *at);
/* Its parts, for both: a pass over aggregate `i` as of a position … */
struct pass work_pass(struct work *k, int i, const struct gtid_set *gtid);
/* … over all of it. */
bool work_whole(struct work *k, struct pass *p, struct err *e) MUST_CHECK;
/* Whether some aggregate is read by several connections: those without pages are. */
bool work_has_readers(const struct work *k);
/* A snapshot, and a twin of it for later where foreign keys act or arrays have pages. With `large`
 * several connections read it at once. */
bool work_begin_snapshot(struct work *k, bool large, struct snapshot *at, struct err *e) MUST_CHECK;
/* The readers may read from now on, and nothing may be read in an older snapshot until this one
 * ends: an ALTER that waits for one connection would hold up the others, and they it. */
bool work_use_readers(struct work *k, struct err *e) MUST_CHECK;
/* Let go of the readers, before their source is closed. */
void work_close_readers(struct work *k);
/* The batch is done: its snapshot's twin becomes the one before the next. */
bool work_end_snapshot(struct work *k, struct err *e) MUST_CHECK;
/* Where the checkpoint stands in the source's binlog, and the checkpoint itself. */
void work_place(struct work *k, const char *file, uint64_t position);
bool work_save(struct work *k, const struct gtid_set *gtid, struct err *e) MUST_CHECK;
/* Apply what the feed has touched; some of it may stay owing. */
bool work_batch(struct work *k, struct err *e) MUST_CHECK;
/* Nothing was touched: move the checkpoint now and then, and keep a snapshot of where it stands. */
bool work_idle(struct work *k, struct err *e) MUST_CHECK;

#endif
