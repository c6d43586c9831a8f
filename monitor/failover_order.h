/* What the failover machine tells a server to do, and what comes back. */
#ifndef MONITOR_FAILOVER_ORDER_H
#define MONITOR_FAILOVER_ORDER_H

#include "monitor/failover_view.h"

enum order_kind {
    ORDER_LOCK,    /* take the lock; answers its row, also where it refuses: it has promised a newer
                    * epoch than `epoch`, or (`fresh`) just this one */
    ORDER_PROMISE, /* promise `epoch` */
    ORDER_QUIESCE, /* wait until no transaction is open, at most `limit_ns`; never fails for that */
    ORDER_FENCE,   /* read-only; answers its position */
    ORDER_SURVEY,  /* stop receiving; answers what was received. On what is no replica: ORDER_FENCE
                    */
    ORDER_DRAIN,   /* apply all up to `position` */
    ORDER_AWAIT,   /* until every Tillway that is enrolled there has left the epochs before */
    ORDER_JOIN,    /* read-only, and replicate from servers[source] */
    ORDER_PROMOTE, /* replicate from nobody, become writable, mark the epoch; the row says primary
                    */
    ORDER_COUNT,
};

struct failover_order {
    enum order_kind kind;
    uint32_t serial; /* comes back with the answer */
    uint64_t epoch;
    uint64_t limit_ns; /* how long it may take; later answers are of no use */
    int source;
    bool fresh;
    bool steal; /* end the session of whoever holds the lock */
    bool expel; /* ORDER_JOIN, ORDER_PROMOTE: Tillways that have not left the epochs before have had
                 * a lease's time: they send nothing any more, and are to enrol anew */
    bool acks;  /* this server's acknowledgements count (semi-sync) */
    bool follow; /* ORDER_PROMOTE: it was a replica till now */
    bool leap;   /* ORDER_PROMOTE: some server may have lost transactions that another one has */
    bool alone;  /* ORDER_PROMOTE: nobody follows it yet whose acknowledgement could be waited for;
                  * it takes no writes now */
    struct gtid_set position;
};

struct failover_answer {
    enum order_kind kind;
    uint32_t serial;
    bool ok;
    bool errant;             /* ORDER_JOIN: it has transactions that the primary does not have */
    bool acks;               /* ORDER_SURVEY: as in struct failover_member */
    struct failover_row row; /* ORDER_LOCK, also where it is refused */
    struct gtid_set position;
    char why[SERVER_WHY_MAX]; /* where not ok */
};

#endif
