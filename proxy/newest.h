/* The newest snapshot of the servers on its way to a thread. It lies here until the thread looks:
 * positions move on at every probe, and a thread that was woken for each would do little else while
 * its sessions are idle. Only what cannot wait has it woken: who is well, who the primary is, and
 * what hardly ever changes.
 *
 *     monitor ──put──▶ [newest] ──take──▶ thread
 *
 * One thread at a time puts, another one takes. */
#ifndef PROXY_NEWEST_H
#define PROXY_NEWEST_H

#include "routing/topology.h"

struct newest {
    _Atomic(struct topology *) waits; /* not taken yet; NULL: nothing is newer */
    struct topology *told;            /* the last one put; the putting thread's own */
};

/* Neither puts any more. */
void newest_free(struct newest *n);
/* Takes the reference over. True: it differs in what the thread must be woken for. */
bool newest_put(struct newest *n, struct topology *t);
/* What was put last, the caller's reference; NULL: there is nothing new. */
struct topology *newest_take(struct newest *n);
/* The same, but NULL where it differs from `known` in what the thread is woken for: it stays. */
struct topology *newest_take_like(struct newest *n, const struct topology *known);
/* Whether the two differ in what cannot wait. */
bool newest_differs(const struct topology *a, const struct topology *b);

#endif
