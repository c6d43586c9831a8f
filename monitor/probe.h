/* A connection to one server, for questions with a deadline. The only user of libmariadb here.
 *
 * Used by one thread, but for probe_cut. After anything but PROBE_OK and PROBE_DENIED the
 * connection is closed; the next question opens it again. */
#ifndef MONITOR_PROBE_H
#define MONITOR_PROBE_H

#include "base/compiler.h"
#include "conf/conf.h"
#include "monitor/probe_row.h"
#include "routing/topology.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum probe_result {
    PROBE_OK,
    PROBE_DENIED,  /* the server answers, with an error: to this account, or to this question */
    PROBE_CLOSED,  /* nobody listens, or the server says that it is shutting down: definite */
    PROBE_LOST,    /* an open connection broke: killed, restarted, cut */
    PROBE_TIMEOUT, /* no answer in time */
};

struct probe_answer {
    enum probe_result result;
    unsigned code; /* MariaDB's error number, or 0 */
    bool refused;  /* PROBE_CLOSED: nobody listens at the address */
    char why[SERVER_WHY_MAX];
};

struct probe;

struct probe_target {
    struct conf_address address;
    const char *user;
    const char *password;
    const struct conf_servers_tls *tls;
    uint64_t timeout_ns; /* connecting is limited to whole seconds, rounded up */
};

/* Call once before any other thread uses a probe. */
bool probe_library_init(struct err *e) MUST_CHECK;
/* The target's texts must live as long as the probe. Opens nothing yet; NULL: no memory. */
struct probe *probe_new(const struct probe_target *t) MUST_CHECK;
void probe_free(struct probe *p);

bool probe_is_open(const struct probe *p);
/* Connect and log in where that is not done yet. */
enum probe_result probe_open(struct probe *p, struct probe_answer *a);
/* Ask on the open connection; `row` NULL: what comes is thrown away; at most PROBE_ROWS_MAX rows
 * are read. */
enum { PROBE_ROWS_MAX = 1000000 };
enum probe_result probe_ask(struct probe *p, const char *sql, probe_row_fn row, void *ctx,
                            struct probe_answer *a);
/* CAP_* of the server's greeting; 0 where the connection is not open. */
uint64_t probe_capabilities(const struct probe *p);
void probe_close(struct probe *p);
/* Break the connection under a question that another thread waits in. Any thread. */
void probe_cut(struct probe *p);

#endif
