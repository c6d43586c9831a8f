/* How far a replica is behind, from what the primary's position was when: pure.
 *
 * The list holds the primary's positions in order, each with the time it was last seen. A replica
 * that has the newest is not behind. Otherwise the newest position it has was the primary's until
 * it was last seen; whatever the replica misses was committed after that: the time since then is an
 * upper bound of its lag. Where the list is full, the sample whose loss matters least, relative to
 * its age, goes: old times become coarser (by a few hundredths of their age), and bounds stay
 * bounds. */
#ifndef MONITOR_LAG_H
#define MONITOR_LAG_H

#include "protocol/gtid.h"

#include <stdint.h>

enum { LAG_SAMPLES = 512 };
#define LAG_UNKNOWN UINT64_MAX

struct lag_sample {
    struct gtid_set position;
    uint64_t last_ns;
};

struct lag {
    int count;
    struct lag_sample samples[LAG_SAMPLES];
};

/* Another primary: its past is not known. */
void lag_reset(struct lag *l);
/* The primary had `position` at `at_ns` (or later). Calls come in order of time. */
void lag_note(struct lag *l, const struct gtid_set *position, uint64_t at_ns);
/* Milliseconds, rounded up; LAG_UNKNOWN where the replica has none of the positions in the list. */
uint64_t lag_of(const struct lag *l, const struct gtid_set *replica, uint64_t now_ns);
/* When the primary was last sampled; 0: never. */
uint64_t lag_newest_ns(const struct lag *l);

#endif
