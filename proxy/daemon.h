/* The control thread: starts the workers, opens the listeners and hands them out, carries snapshots
 * from the monitor to the workers, handles signals, configuration and the admin socket. */
#ifndef PROXY_DAEMON_H
#define PROXY_DAEMON_H

#include "base/answer.h"
#include "conf/conf.h"
#include "proxy/worker.h"

struct daemon;

/* What the composition root wires in. `ctx` goes to every call. suspect and refresh_…: any thread.
 * reload: control thread, with a configuration whose servers are the same. */
struct daemon_hooks {
    void *ctx;
    void (*suspect)(void *ctx, int server, enum suspicion why);
    /* Answers the request's number, which the catalog that answers it comes with; 0: no monitor
     * runs, but one that starts will publish its own. */
    uint64_t (*refresh_accounts)(void *ctx);
    /* The same for stored code and views; without a monitor the next one is asked. */
    uint64_t (*refresh_objects)(void *ctx);
    /* An operator's words about the cluster; `line` is called with each line of the answer, on any
     * thread, and must not block. Control thread. */
    void (*cluster)(void *ctx, const char *words, answer_fn line, void *line_ctx);
    void (*reload)(void *ctx, struct conf *c);
};

/* Whether the files that the configuration names (certificates) and its rules' patterns are right.
 */
bool daemon_check(struct conf *c, struct err *e) MUST_CHECK;
/* The signals that the daemon handles wait until it does. On the only thread there is yet. */
void daemon_hold_signals(void);
/* Opens the listeners and starts the workers; NULL with `e` set. */
struct daemon *daemon_start(struct conf *c, const struct daemon_hooks *hooks,
                            struct err *e) MUST_CHECK;
/* This process's number, never another one's. */
uint64_t daemon_id(const struct daemon *d);
/* The least `left` (topology.h) of what its workers go by. Any thread. */
uint64_t daemon_left(const struct daemon *d);
/* Any thread; each takes the reference over. */
void daemon_publish_topology(struct daemon *d, struct topology *t);
void daemon_publish_catalog(struct daemon *d, struct catalog *c, uint64_t answers);
/* How many connections the sessions have to a server, idle ones in the pools included. False where
 * a worker does not know yet that the server is in maintenance, so that one more may begin. Any
 * thread. */
bool daemon_connections(const struct daemon *d, int server, int *count) MUST_CHECK;
/* Serve until SIGTERM or SIGINT; then drain, and return when the last session is gone. */
void daemon_run(struct daemon *d);
void daemon_free(struct daemon *d);

/* For admin.c. */
struct shared *daemon_shared(struct daemon *d);
struct topology *daemon_topology(struct daemon *d); /* control thread; no reference given */
const struct daemon_hooks *daemon_hooks(const struct daemon *d);
const struct rules *daemon_rules(const struct daemon *d); /* the same; NULL: there are none */
struct mailbox *daemon_mailbox(struct daemon *d);

#endif
