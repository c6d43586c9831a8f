/* How far the documents are behind the primary, from samples of its GTID position. Plain values,
 * one thread. */
#ifndef MIRROR_BEHIND_H
#define MIRROR_BEHIND_H

#include "protocol/gtid.h"

#include <stdbool.h>

enum { BEHIND_SAMPLES = 128 };

/* A ring of (time, position); when it is full every second sample goes, so that it reaches ever
 * further back. */
struct behind {
    int n;
    struct behind_sample {
        uint64_t wall_ms;
        struct gtid_set gtid;
    } at[BEHIND_SAMPLES];
};

/* The primary stood at `gtid`; older samples that `applied` covers go. */
void behind_add(struct behind *l, uint64_t wall_ms, const struct gtid_set *gtid);
/* Milliseconds since the first sample that is not applied; 0: all are. */
uint64_t behind_ms(struct behind *l, uint64_t wall_ms, const struct gtid_set *applied);

#endif
