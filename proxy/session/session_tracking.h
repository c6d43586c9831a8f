/* The client's own session_track_… variables: session_tracking.c. For the session_*.c files alone.
 */
#ifndef PROXY_SESSION_TRACKING_H
#define PROXY_SESSION_TRACKING_H

#include "proxy/session/session.h"

/* Have the connection report what the command under way needs it to: all, or under the client's own
 * session_track_… where it may show or set them. */
bool session_tracking_lay_on(struct session *s, struct backend *b) MUST_CHECK;
/* What that lays on counts as statements; before the command's text is fitted to the connection. */
void session_tracking_arrange(struct session *s, const struct backend *b);
/* The reply to EXPECT_TRACKING; EXPECT_REPORT went well; the command ended. */
void session_tracking_told(struct session *s, const struct backend *b, const struct reply *r);
void session_tracking_restored(struct session *s);
void session_tracking_end(struct session *s, struct backend *b);
/* The client's variables are the server's defaults again. */
void session_tracking_forget(struct session *s);
/* How the tracker is to treat OK packets of the reply to the client's command. */
void session_tracking_reply(const struct session *s, struct backend *b);
/* Append an OK packet to s->out, with those of its changes that the client wants; an EOF packet has
 * no room for them: they are kept. */
void session_tell(struct session *s, struct ok ok, uint8_t packet);
/* Append the OK packet that the reply tracker has just dropped to s->out, with the changes that the
 * client wants; or keep those that its EOF packet has no room for. */
void session_retell(struct session *s, struct backend *b);
void session_keep_untold(struct session *s, struct backend *b);
/* Append to `to` what a log-in's OK reports. */
void session_tracking_log_in(const struct session *s, struct buf *to);

#endif
