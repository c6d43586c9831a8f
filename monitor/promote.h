/* What failover's orders are to a MariaDB server: sequences of statements on one session, the one
 * that holds the server's lock. The sequences were tried and measured (docs/failover.md). */
#ifndef MONITOR_PROMOTE_H
#define MONITOR_PROMOTE_H

#include "monitor/facts.h"
#include "monitor/failover.h"

struct promote_terms {
    const char *user; /* the account that replicas log in with */
    const char *password;
    uint32_t domain; /* of the epochs' marks */
    bool semi_sync;
    const struct conf_server *source; /* ORDER_JOIN */
    uint64_t settle_ns;               /* how long all proxies need to notice a new epoch */
    uint64_t *holder;                 /* our session that last got the lock there; 0: none yet */
};

/* Carry out the order; its answer is filled. Blocks, at most a question's timeout longer than the
 * order's limit. ORDER_LOCK opens the session; anything else fails where it is not open any more.
 */
void promote_carry_out(struct probe *p, const struct promote_terms *t,
                       const struct failover_order *o, struct failover_answer *a);

#endif
