/* A write that found no room on the primary's disk. The monitor is told, and has a look
 * (monitor/doubt.h); where it can have another primary, the error waits for what it finds. */
#ifndef PROXY_SESSION_ROOM_H
#define PROXY_SESSION_ROOM_H

#include "proxy/session/session.h"

enum room {
    ROOM_OTHERWISE, /* the reply is another one, or the error is the client's to see */
    ROOM_AWAITED,   /* the error stays where it is; the session's deadline looks again */
    ROOM_ELSEWHERE, /* another primary took the place of this one */
};

/* What to do with the reply that begins in the target's buffer, of which nothing is read yet. */
enum room session_room(struct session *s, const struct backend *b);
/* Code that the command's statement runs may have written something before it came to what was
 * refused. */
bool session_may_have_begun(const struct session *s);
/* The connection with an error that waited is lost: that statement has had no effect. */
void session_room_lost(struct session *s);

#endif
