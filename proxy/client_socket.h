/* A client that was accepted and is not a session yet. */
#ifndef PROXY_CLIENT_SOCKET_H
#define PROXY_CLIENT_SOCKET_H

#include "proxy/transport/tls.h"
#include "routing/wish.h"

#include <stdbool.h>
#include <stdint.h>

struct client_socket {
    int fd;
    int listener; /* index in the configuration */
    bool is_unix;
    struct tls_context *tls; /* a reference, or NULL: TLS is not offered */
    enum consistency consistency;
    char address[64]; /* the peer's, as text; "localhost" for a unix socket */
    uint16_t port;    /* the peer's; 0: none */
};

/* Nobody wants it after all: close the descriptor, let the reference go. */
void client_socket_drop(const struct client_socket *c);

#endif
