/* The parts of a server connection's log-in; the connection alone uses them. */
#ifndef PROXY_BACKEND_LOGIN_H
#define PROXY_BACKEND_LOGIN_H

#include "proxy/backend/backend.h"

/* backend_auth.c: append what the server's plugin wants as a reply to its nonce; where the identity
 * does not have it, an empty reply, and `lacking` says so. False: a plugin that is not spoken. */
bool backend_auth_reply(struct backend *b, struct span plugin, struct span nonce,
                        struct buf *reply) MUST_CHECK;
/* What to answer to a packet of "more data" (behind its first byte); empty: nothing. */
bool backend_auth_more(struct backend *b, struct span data, struct buf *reply) MUST_CHECK;

/* backend_login.c: one step of the log-in with the bytes at hand; changes the state. */
void backend_login_step(struct backend *b);

#endif
