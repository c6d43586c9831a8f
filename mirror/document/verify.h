/* Compares every document with the SQL, while writes go on.
 *
 * First all of them at one snapshot. What differs there may only be older or newer than the
 * snapshot, so each such key is looked at again: with the checkpoint known to cover a new snapshot,
 * a document whose own GTID the snapshot covers must equal it; if it doesn't, that is a difference.
 * A document that was written after the snapshot was made anew from SQL since: it is tried again,
 * and counted as rewritten when that never ends. */
#ifndef MIRROR_VERIFY_H
#define MIRROR_VERIFY_H

#include "mirror/engine.h"
#include "mirror/repair.h"

#include <stdio.h>

struct verify_options {
    FILE *out;            /* takes differing keys and fields … */
    unsigned list;        /* … at most so many */
    unsigned wait_ms;     /* how long the checkpoint may take to reach a snapshot */
    double sample;        /* the share of key ranges to look at, 0 < … ≤ 1 */
    struct repair *found; /* takes the documents that differ; may be NULL */
};

struct verify_result {
    uint64_t documents; /* compared */
    uint64_t differences;
    uint64_t rewritten; /* of the compared: too busy to be caught standing still */
};

/* False with `e` where it can't be finished. */
bool verify_run(struct engine *w, const struct verify_options *o, struct verify_result *r,
                struct err *e) MUST_CHECK;

#endif
