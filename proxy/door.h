/* Whether a client may come in, and to which worker. On the thread of the worker that accepted it.
 */
#ifndef PROXY_DOOR_H
#define PROXY_DOOR_H

#include "proxy/worker.h"

/* A client has come at a listener of `w`; takes what it is handed. `full` is the listener's. */
void door_enter(struct worker *w, struct log_limit *full, const struct client_socket *c);

#endif
