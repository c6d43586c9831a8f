/* Who takes writes in a Galera cluster, and who may answer reads: pure.
 *
 * Nobody is promoted: each node accepts writes, and one is chosen so that they do not meet in
 * conflicts. Every Tillway of a cluster chooses the same without asking the others: of the nodes
 * that are in the part with the majority, ready and synced, those that the configuration prefers
 * first, then in the configuration's order. A node that comes back takes over only after it has
 * been well for GALERA_SETTLE_NS; one in maintenance passes them on; the next one after a lost
 * writer only when the cluster's view is another, so that what that one sent last is known there or
 * nowhere; one that is a donor or desynced is chosen where no other is left, and gets no reads. Of
 * two clusters among the servers the larger one counts. */
#ifndef MONITOR_GALERA_JUDGE_H
#define MONITOR_GALERA_JUDGE_H

#include "base/clock.h"
#include "monitor/judge.h"

#define GALERA_SETTLE_NS (10 * CLOCK_NS_PER_S)
/* Since the lost writer was heard last; longer than evs.inactive_timeout (15 s). */
#define GALERA_GIVE_UP_NS (20 * CLOCK_NS_PER_S)

/* Whether one of the servers is a node: then all are judged here. */
bool galera_is_cluster(const struct member *m, int n);
/* As judge(), which calls it; `v` is zeroed. */
void galera_judge(const struct member *m, int n, int before, uint64_t now_ns, struct verdict *v);

#endif
