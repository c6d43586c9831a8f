/* How the machine begins its tasks: for failover.c and failover_ask.c alone. */
#ifndef MONITOR_FAILOVER_BEGIN_H
#define MONITOR_FAILOVER_BEGIN_H

#include "monitor/failover.h"

/* Take the view in; the rest is to be called between this and the end of the caller's turn. */
void failover_look(struct failover *f, const struct failover_view *v, uint64_t now_ns);
/* Locks and promises of all that answer; old, candidate and subject are set. */
void failover_begin(struct failover *f, enum failover_task task, uint64_t epoch);
void failover_begin_failover(struct failover *f, bool forced);
void failover_begin_rejoin(struct failover *f, int server);
uint64_t failover_next_epoch(const struct failover *f);
const char *failover_name(const struct failover *f, int server);

#endif
