/* Whether one server can be reached, from the results of its probes: pure.
 *
 *  - An answer: up, at once.
 *  - Nobody listens (connection refused), or a shutdown announced: down, at once. It is definite.
 *  - No answer in time, or a connection that broke and broke again when it was opened anew: only
 * after `limit` probes in a row; until then it keeps the health it had.
 *  - An error in answer to login or question: refused, at once. Nothing is wrong with the server.
 */
#ifndef MONITOR_HEALTH_H
#define MONITOR_HEALTH_H

#include "monitor/probe.h"
#include "routing/topology.h"

struct health {
    enum server_health now; /* never HEALTH_BROKEN: that takes a look at replication */
    uint32_t failures;      /* in a row */
    bool refused;           /* HEALTH_DOWN: nobody listens at its address */
    char why[SERVER_WHY_MAX];
    char last[SERVER_WHY_MAX]; /* why the last probe failed, whether that counts yet or not */
};

void health_note(struct health *h, const struct probe_answer *a, uint32_t limit);

#endif
