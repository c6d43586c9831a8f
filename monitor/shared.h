/* What the monitor's threads share. Everything under `lock` but what says otherwise. */
#ifndef MONITOR_SHARED_H
#define MONITOR_SHARED_H

#include "monitor/acting.h"
#include "monitor/board.h"
#include "monitor/doubt.h"
#include "monitor/drain.h"
#include "monitor/monitor.h"
#include "monitor/probe.h"

#include <pthread.h>

/* One server's thread: watch.c. */
struct watch {
    struct monitor *monitor;
    int index;
    bool started;
    pthread_t thread;
    pthread_cond_t wake;
    bool suspected;      /* probe now */
    unsigned suspicions; /* what of, since it was probed last: bits of enum suspicion */
    struct probe *probe; /* made before the thread starts; its own */
    struct doubt doubt;  /* the same */
};

/* The dictionary's thread: dictionary.c. */
struct dictionary {
    bool started;
    pthread_t thread;
    pthread_cond_t wake;
    bool awaits_server;      /* none answers yet, and it has read nothing so far */
    uint64_t objects_asked;  /* the number of the last monitor_refresh_objects */
    uint64_t objects_due_ns; /* the thread's own, as are the next two */
    bool objects_failing;    /* the last reading of them was refused, which was logged */
    bool failing;            /* the last reading failed, which was logged; the thread's own */
    struct catalog *now;     /* the last one published, or NULL; the thread's own */
    uint64_t seen;           /* requests when this reading began; the thread's own */
    struct probe *probes[SERVERS_MAX]; /* the thread's own, but for probe_cut */
};

/* The thread that judges and publishes: publish.c. */
struct publisher {
    bool started;
    pthread_t thread;
    pthread_cond_t wake;
    bool dirty;           /* facts or health changed since the last judgement */
    struct topology *now; /* the last one published */
};

struct monitor {
    struct conf *conf;        /* immutable */
    uint64_t id;              /* immutable; this Tillway's, of all that ask these servers */
    struct monitor_sink sink; /* immutable */
    pthread_mutex_t lock;
    bool stopping;
    bool leaving; /* for good: nobody sends anything any more */
    struct board *board;
    struct publisher publisher;
    struct dictionary dictionary;
    struct watch watches[SERVERS_MAX];
    struct acting acting;
    struct drain drain;
};

void *watch_run(void *watch);
void *dictionary_run(void *monitor);
void *publish_run(void *monitor);

/* A probe of server i with the monitor's account, whose questions take at most so long; NULL: no
 * memory. */
struct probe *shared_probe(const struct monitor *m, int i, uint64_t timeout_ns) MUST_CHECK;
/* A condition for shared_wait. */
void shared_init_cond(pthread_cond_t *cond);
/* Wait on a monotonic condition under the lock, until `at_ns` at the latest. */
void shared_wait(struct monitor *m, pthread_cond_t *cond, uint64_t at_ns);
/* Something changed: have it judged and published. Under the lock. */
void shared_changed(struct monitor *m);

#endif
