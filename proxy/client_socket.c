#include "proxy/client_socket.h"

#include <unistd.h>

void client_socket_drop(const struct client_socket *c)
{
    (void)close(c->fd);
    tls_context_unref(c->tls);
}
