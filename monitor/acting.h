/* Runs the failover machine: one thread that thinks, and a hand for each server, a thread with the
 * session that orders are carried out in. Everything under the monitor's lock but what says
 * otherwise. */
#ifndef MONITOR_ACTING_H
#define MONITOR_ACTING_H

#include "monitor/failover.h"
#include "monitor/monitor.h"
#include "monitor/probe.h"

#include <pthread.h>

struct hand {
    struct monitor *monitor;
    int index;
    bool started;
    pthread_t thread;
    pthread_cond_t wake;
    struct probe *probe; /* the thread's own, but for probe_cut */
    uint64_t holder;     /* the thread's own; struct promote_terms */
    bool has_order;
    bool working;
    bool release; /* close the session */
    bool has_answer;
    struct failover_order order;
    struct failover_answer answer;
};

/* An operator's task, and who waits for its end. */
struct asker {
    answer_fn line; /* NULL: nobody */
    void *ctx;
    enum failover_task task;
    int target;
    bool begun;        /* the machine is at it */
    uint64_t until_ns; /* what holds it up is waited for */
};

struct acting {
    bool started;
    pthread_t thread;
    pthread_cond_t wake;
    struct failover machine;
    struct failover_view view;
    struct asker asker;
    struct hand hands[SERVERS_MAX];
};

/* Makes probes and the machine; false: no memory. */
bool acting_init(struct monitor *m) MUST_CHECK;
bool acting_start(struct monitor *m) MUST_CHECK;
/* An operator's task, once nothing else is under way, here or at another Tillway; what is is waited
 * for some seconds. `line` is told each step, and how it ended, later or before this returns. */
void acting_ask(struct monitor *m, enum failover_task task, int target, answer_fn line, void *ctx);
/* Wake everybody up and cut what they wait for: the monitor stops. Without the lock. */
void acting_cut(struct monitor *m);
void acting_join(struct monitor *m);
void acting_free(struct monitor *m);

#endif
