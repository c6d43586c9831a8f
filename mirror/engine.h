/* The mirror's work: from a checkpoint, or from nothing, to documents that follow the binlog.
 *
 * A batch is what the binlog brought since the last one. Its end is the place of a new consistent
 * snapshot of the source; all documents that the batch touches are computed in that snapshot and
 * written whole, then the checkpoint. So each document is exactly what SQL says at its GTID, and
 * doing a batch again does no harm. Snapshots of whole aggregates, single changes, catching up and
 * mending all go the same way.
 *
 * What goes wrong: whatever fails, the engine lets go of everything, waits a little, and begins
 * anew at the checkpoint. */
#ifndef MIRROR_ENGINE_H
#define MIRROR_ENGINE_H

#include "conf/conf.h"
#include "mirror/mapping/mapping.h"
#include "mirror/mapping/plan.h"
#include "mirror/notes.h"
#include "mirror/sink/sink.h"
#include "mirror/source/readers.h"

#include <pthread.h>
#include <stdatomic.h>

struct feed;

/* Connections of an engine to its source: its own, two for the snapshot before, and the readers'.
 */
enum { ENGINE_SOURCES = READERS_MAX + 3 };

/* What other threads may do to it. */
struct engine_handle {
    pthread_mutex_t lock; /* guards the pointers */
    struct feed *feed;
    struct source *sources[ENGINE_SOURCES];
    int n_sources;
};

struct engine {
    struct conf *conf; /* the caller's reference */
    struct mapping *mapping;
    int n;
    struct plan *plans[MAP_AGGREGATES_MAX];
    uint64_t fingerprint;
    bson_oid_t owner; /* this process's name in the status document */
    struct sink_target *target;
    struct notes notes;
    atomic_bool stop;
    bool once; /* end after the first snapshot that is asked for */
    struct engine_handle handle;
};

/* Before the first engine; more than once is fine. Control thread. */
bool engine_library_init(void) MUST_CHECK;
/* NULL with `e` where the mapping or the URI is off. Takes no reference of `c`, which must outlive
 * it. */
struct engine *engine_new(struct conf *c, struct err *e) MUST_CHECK;
void engine_free(struct engine *w);
/* Work until `stop`. With `once` until a snapshot is complete (true), or something went wrong (see
 * the notes' last error). For a thread of its own. */
bool engine_run(struct engine *w);
/* Set `stop` and wake it. Any thread. */
void engine_stop(struct engine *w);
/* Sleep, but no longer than until `stop`; false where it is set. */
bool engine_pause(struct engine *w, unsigned ms);

#endif
