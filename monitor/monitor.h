/* Watches the servers: one thread a server probes it, judges all of them together, and publishes
 * what came out as immutable snapshots; one more thread reads the dictionary (accounts, variables,
 * collations, stored functions and views) into a catalog.
 *
 * What health and lag mean, and what rights the monitor's account needs, is in docs/monitor.md; how
 * a lost primary is replaced, where the configuration says so, in docs/failover.md. */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include "base/answer.h"
#include "base/compiler.h"
#include "base/err.h"
#include "conf/conf.h"
#include "routing/catalog.h"
#include "routing/topology.h"

struct monitor;

/* Called on the monitor's own threads (the first topology: on the thread that starts it), one call
 * at a time for each of the two functions, in the order things happened. Each gives a reference,
 * which the sink unrefs. Must not block for long and must not call monitor_stop. */
struct monitor_sink {
    void *ctx;
    void (*topology)(void *ctx, struct topology *t);
    /* `answers`: the last request (monitor_refresh_…) that came before its reading began. */
    void (*catalog)(void *ctx, struct catalog *c, uint64_t answers);
    /* How many connections clients' sessions have to a server; false where one that knows nothing
     * of its maintenance yet may still begin. Under the monitor's lock. Asked for 'cluster drain'
     * only: NULL where nobody says that. */
    bool (*connections)(void *ctx, int server, int *count);
    /* The least `left` of the topologies by which statements are sent anywhere just now. */
    uint64_t (*left)(void *ctx);
};

/* Start the threads and return at once; the first topology (all servers HEALTH_UNKNOWN) is
 * published before this returns, later ones when anything changed, positions and their sampling
 * times included, at most every MONITOR_PUBLISH_MS. `c` must have its monitor section; it is
 * referenced. `resting`: the servers that are in maintenance, as bits, which a predecessor that was
 * stopped has told. `id`: this process's, never another one's. NULL with `e` set where the system
 * refuses threads or memory. */
enum { MONITOR_PUBLISH_MS = 5 };
struct monitor *monitor_start(struct conf *c, const struct monitor_sink *sink, uint64_t id,
                              uint32_t resting, struct err *e) MUST_CHECK;

/* Read the dictionary again soon. Any thread, does not block. Ends in sink.catalog also where
 * nothing changed or no server could be asked (then with the catalog known so far; if none was ever
 * read, as soon as one is), so that a login that waits for it can go on. Answers the request's
 * number, never 0: a catalog that comes with a smaller one may have been read before. Numbers go on
 * over all monitors of the process, so that a monitor answers what its predecessor was asked. */
uint64_t monitor_refresh_accounts(struct monitor *m);

/* The same for stored code and views, which are otherwise read at every accounts_interval: some of
 * them may just have changed. A catalog whose `objects_number` is smaller may have them as they
 * were before. `m` NULL: the next monitor is asked. */
uint64_t monitor_refresh_objects(struct monitor *m);

/* A session doubts servers[server]: probe it now instead of at the next interval, and look into
 * what is said of it (doubt.h). Any thread, does not block. */
void monitor_suspect(struct monitor *m, int server, enum suspicion why);

/* An operator's command, the words behind 'tillway cluster'. Lines come on any thread, while the
 * monitor is locked (so `line` must neither block nor call back); the last one in any case. Any
 * thread. */
void monitor_cluster(struct monitor *m, const char *words, answer_fn line, void *ctx);

/* Ask the threads to end, cut their connections, join them, free all. No sink call comes after.
 * `leaving`: nobody sends anything to the servers any more, of which these are told. Answers which
 * servers are in maintenance. */
uint32_t monitor_stop(struct monitor *m, bool leaving);

#endif
