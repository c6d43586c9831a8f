/* A listening socket, TCP or unix. The control thread opens it and hands it to a worker, on whose
 * thread it accepts: a client that this worker keeps costs no wake-up of another thread. */
#ifndef PROXY_LISTENER_H
#define PROXY_LISTENER_H

#include "base/err.h"
#include "conf/conf.h"
#include "proxy/worker.h"

struct listener {
    struct worker *worker; /* NULL: not handed over yet */
    struct listener *next; /* of the same worker */
    uv_poll_t poll;
    bool has_poll;    /* it was set up */
    uv_timer_t pause; /* runs while the system has no descriptor or memory for another client */
    bool short_of;    /* it does; said once */
    int open_handles; /* of those that are closed at the end */
    struct log_limit full; /* lines about clients that are one too many */
    int fd;
    bool is_unix;
    int index; /* in the configuration */
    enum consistency consistency;
    struct tls_context *tls; /* what new clients are offered; NULL: none */
    char path[108];          /* of a unix socket: removed at the end */
};

/* The control thread. Clients wait in the backlog till it is handed over. */
bool listener_open(struct listener *l, const struct conf_listener *conf, struct err *e) MUST_CHECK;
/* … once. It stays where it is in memory until the worker has ended. */
bool listener_hand_to(struct listener *l, struct worker *w) MUST_CHECK; /* false: no memory */
/* Offer this from now on; takes the reference (NULL: TLS is not offered). */
void listener_set_tls(struct listener *l, struct tls_context *tls);

/* Its worker: all of `w` close, no client is accepted any more. */
void listener_close_all(struct worker *w);

/* A unix socket that listens at `path`, a dead one's remains removed; or -1. Also for the admin
 * socket. */
int listener_bind_unix(const char *path, struct err *e) MUST_CHECK;

#endif
