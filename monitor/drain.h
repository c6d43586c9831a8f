/* 'tillway cluster drain': a server is in maintenance, and somebody waits until nothing of clients'
 * sessions is left there.
 *
 * What runs there ends as it would: reads, cursors, on a Galera node also the transactions of the
 * writer that it was. Connections close as soon as nothing runs on them; so the server is drained
 * when there is none left. Everything under the monitor's lock. */
#ifndef MONITOR_DRAIN_H
#define MONITOR_DRAIN_H

#include "base/clock.h"
#include "monitor/monitor.h"

#define DRAIN_WAIT_DEFAULT_NS (60 * CLOCK_NS_PER_S)

/* The one that is under way; all zero: none. */
struct drain {
    answer_fn line; /* who waits; NULL: nobody */
    void *ctx;
    int server;
    uint64_t begun_ns;
    uint64_t until_ns;
    uint64_t told_ns; /* when its connections were told last */
    int told;         /* how many they were; -1: not told yet */
};

static inline bool drain_is_on(const struct drain *d)
{
    return d->line != NULL;
}

/* The server is in maintenance from now on. */
void drain_begin(struct monitor *m, int server, uint64_t wait_ns, answer_fn line, void *ctx);
/* Tell how far it is, and end it where it is through; to be called often. */
void drain_look(struct monitor *m, uint64_t now_ns);
/* The monitor stops. */
void drain_stop(struct monitor *m);

/* What it would do. */
void drain_plan(struct monitor *m, int server, uint64_t wait_ns, answer_fn line, void *ctx);

#endif
