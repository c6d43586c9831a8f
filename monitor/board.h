/* All that is known of the servers, and the topology that follows from it. Pure but for the log;
 * the monitor's lock is held around every call. */
#ifndef MONITOR_BOARD_H
#define MONITOR_BOARD_H

#include "conf/conf.h"
#include "monitor/facts.h"
#include "monitor/failover_view.h"
#include "monitor/health.h"
#include "monitor/judge.h"
#include "monitor/lag.h"

struct board {
    const struct conf *conf;
    int count;
    struct facts facts[SERVERS_MAX];
    struct health health[SERVERS_MAX];
    struct lag lag;         /* of lag_primary */
    int lag_primary;        /* -1: none yet */
    int judged;             /* the primary by roles alone */
    int last_primary;       /* the last one there was, or -1 */
    uint64_t epoch;         /* failover: the newest one, as of the last verdict */
    uint32_t resting;       /* servers in maintenance, as bits: an operator's word */
    struct verdict verdict; /* the last one that was logged and shown */
};

/* NULL: no memory. board_free it. */
struct board *board_new(const struct conf *c) MUST_CHECK;
void board_free(struct board *b);

/* A first snapshot: names and addresses, nothing known. NULL: no memory. */
struct topology *board_first(const struct board *b) MUST_CHECK;
/* The snapshot after `old`, or NULL where nothing changed (or memory refuses). Logs what became
 * different for a person. */
struct topology *board_next(struct board *b, const struct topology *old,
                            uint64_t now_ns) MUST_CHECK;

/* How many probes of server i in a row have to fail in silence before it counts as lost: one of a
 * replica, whose reads others can answer meanwhile; `monitor.failures` of any other. */
uint32_t board_patience(const struct board *b, int i);
/* The servers as failover sees them, by the last verdict. */
void board_look(const struct board *b, struct failover_view *view);
/* Whether the servers are a Galera cluster, which needs nobody to promote or to rejoin. */
bool board_is_galera(const struct board *b);
/* Whether there is something that may only change with time: a lease that runs out. */
bool board_may_expire(const struct board *b);

#endif
