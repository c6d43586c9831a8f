/* Counters of the whole process, any thread, relaxed: what `tillway stats` prints. One table names
 * them. */
#ifndef PROXY_METRICS_H
#define PROXY_METRICS_H

#include "base/buf.h"
#include "routing/route.h"

#include <stdatomic.h>

enum metric {
    METRIC_SESSIONS,        /* now open */
    METRIC_SESSIONS_OPENED, /* since start */
    METRIC_LOGINS_REFUSED,
    METRIC_BACKEND_CONNECTS,
    METRIC_BACKEND_LOST,
    METRIC_WAITED, /* sessions that had to wait for a connection */
    METRIC_STATEMENTS,
    METRIC_SHARED,       /* reads sent together with others' on one connection */
    METRIC_RETRIED,      /* reads sent again elsewhere, unseen by the client */
    METRIC_REPLAYED,     /* transactions done again on another primary */
    METRIC_NOT_REPLAYED, /* error 1213 in the place of that */
    METRIC_POSITIONS,    /* questions for the primary's position, each for one session or several */
    METRIC_WAITS_SHARED, /* reads that waited for another session's MASTER_GTID_WAIT */
    METRIC_STALE_WAITS,  /* MASTER_GTID_WAIT ran out: the read went to the primary */
    METRIC_ERRORS,       /* ERR packets of the proxy's own */
    METRIC_BAD_CLIENTS,  /* sessions ended because of what the client sent, or did not send */
    METRIC_BAD_REPLIES,  /* server connections given up because of what the server sent */
    METRIC_TURNED_AWAY,  /* clients that were one too many, or come from a blocked address */
    METRIC_COUNT,
};

struct metrics {
    atomic_llong value[METRIC_COUNT];
    atomic_llong routed[SERVERS_MAX][ROUTE_REASON_COUNT];
    atomic_llong
        because[SQL_REASON_COUNT]; /* statements on the primary that are not reads, by reason */
};

static inline void metric_add(struct metrics *m, enum metric which, long long n)
{
    atomic_fetch_add_explicit(&m->value[which], n, memory_order_relaxed);
}

void metrics_count_route(struct metrics *m, const struct route *r, enum sql_reason reason);
/* Text for people: totals, then a line a server and reason, names from the topology. */
void metrics_print(const struct metrics *m, const struct topology *t,
                   const struct server_load *loads, struct buf *out);
/* The same as members of a JSON object. */
void metrics_print_json(const struct metrics *m, const struct topology *t, struct buf *out);

#endif
