/* KILL, by the ids that the proxy greeted with, or of a user; whichever workers they live on. The
 * killer waits in ASK for the answer. */
#ifndef PROXY_SESSION_SESSION_KILL_H
#define PROXY_SESSION_SESSION_KILL_H

#include "proxy/session/session.h"

enum step session_kill(struct session *s, const struct sql_kill *kill);
enum step session_kill_user(struct session *s, const struct sql_kill *kill);
/* State ASK. */
enum step session_ask(struct session *s);

/* On the victim's worker. */
void session_kill_victim(struct session *victim, const struct sql_kill *kill);
/* Its account may kill everybody's sessions. */
bool session_kills_all(const struct session *s);

/* Close the connections that were opened before `before_ns` to carry a KILL to a server. */
void session_kill_trim(struct worker *w, uint64_t before_ns);

#endif
