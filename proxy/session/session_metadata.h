/* Column definitions that a client need not be sent again: it is as if it spoke to one server. */
#ifndef PROXY_SESSION_METADATA_H
#define PROXY_SESSION_METADATA_H

#include "proxy/session/session.h"

/* backend_feed for a reply that goes to the client. *seen: the definitions that it was sent last
 * for the statement under way; those of this step once it has gone out. */
void session_feed(struct session *s, struct backend *b, uint8_t *at, size_t n,
                  struct metadata_mark *seen, struct reply_out *step);

#endif
