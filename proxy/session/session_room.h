/* A write that found no room on the primary's disk. The monitor is told, and has a look
 * (monitor/doubt.h); where it can have another primary, the error waits for what it finds. */
#ifndef PROXY_SESSION_ROOM_H
#define PROXY_SESSION_ROOM_H

#include "proxy/session/held.h"
#include "proxy/session/session.h"

/* The reply that begins in the target's buffer, of which nothing is read yet: held back where it is
 * such an error. */
enum held session_room(struct session *s, const struct backend *b);
/* The number of the error that is next in the target's buffer, and the command's whole reply; 0: it
 * is something else. */
uint16_t session_error_ahead(const struct session *s, const struct backend *b);
/* Code that the command's statement runs may have written something before it came to what was
 * refused. */
bool session_may_have_begun(const struct session *s);
/* The connection with an error that waited is lost: that statement has had no effect. */
void session_room_lost(struct session *s);

#endif
