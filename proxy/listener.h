/* A listening socket, TCP or unix, on the control thread: accepts and hands the descriptors on. */
#ifndef PROXY_LISTENER_H
#define PROXY_LISTENER_H

#include "base/err.h"
#include "conf/conf.h"
#include "proxy/worker.h"

struct listener {
    uv_poll_t poll;
    uv_timer_t pause; /* runs while the system has no descriptor or memory for another client */
    bool short_of;    /* it does; said once */
    int open_handles; /* of the two that are closed at the end */
    int fd;
    bool is_unix;
    int index; /* in the configuration */
    enum consistency consistency;
    struct tls_context *tls; /* what new clients are offered; NULL: none */
    char path[108];          /* of a unix socket: removed at the end */
    void (*accepted)(void *ctx, const struct client_socket *c);
    void *ctx;
};

bool listener_open(struct listener *l, uv_loop_t *loop, const struct conf_listener *conf,
                   struct err *e) MUST_CHECK;
/* Offer this from now on; takes the reference (NULL: TLS is not offered). */
void listener_set_tls(struct listener *l, struct tls_context *tls);
void listener_close(struct listener *l);

/* A unix socket that listens at `path`, a dead one's remains removed; or -1. Also for the admin
 * socket. */
int listener_bind_unix(const char *path, struct err *e) MUST_CHECK;

#endif
