/* How long to wait before the next probe: the interval while all is well, then doubling: pure. */
#ifndef MONITOR_BACKOFF_H
#define MONITOR_BACKOFF_H

#include "base/clock.h"
#include "monitor/probe.h"

/* Caps where they are above the interval. A server that is down is asked often, so that its return
 * is seen soon; one that refuses the account seldom, since each try is a failed login in its log.
 */
#define BACKOFF_DOWN_NS   (250 * CLOCK_NS_PER_MS)
#define BACKOFF_DENIED_NS (2 * CLOCK_NS_PER_S)

struct backoff {
    uint64_t delay_ns; /* 0: nothing failed yet */
};

/* The pause after a probe with this result. */
uint64_t backoff_next(struct backoff *b, enum probe_result r, uint64_t interval_ns);

#endif
