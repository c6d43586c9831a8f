/* What is particular about servers that are nodes of a Galera cluster: docs/galera.md. */
#ifndef PROXY_SESSION_GALERA_H
#define PROXY_SESSION_GALERA_H

#include "proxy/session/session.h"

enum { GALERA_RETRIES = 16 };

/* Before a SELECT: it is executed when the node has applied all that its cluster had committed when
 * it was asked. */
#define GALERA_CAUSAL "SET STATEMENT wsrep_sync_wait=1 FOR "
/* Answered, with 0, when the node has applied all that its cluster had committed when it was asked.
 */
extern const char session_galera_barrier[];

/* Not at a Galera node: behind COM_RESET_CONNECTION the barrier is answered at once, whatever is
 * still to be applied (MariaDB 10.11.19). Such a connection is closed instead. */
bool session_galera_may_reset(const struct session *s);

/* A variable that the barrier has changed and set back: servers report it with the reply behind. */
bool session_galera_restores(const struct session *s, struct span name);

/* The node would not take a statement, with this error: it is cut off from its cluster or not
 * ready, and the statement has had no effect. */
bool session_galera_unready(const struct session *s, uint16_t code);
/* The node found at a commit that it is cut off from its cluster: it has rolled back, and whether
 * the others have the transaction nobody knows, for it may have been on its way. */
bool session_galera_cut_off(const struct session *s, const struct server_error *e);
/* The statement under way, which is a transaction by itself, lost against another node's: it was
 * rolled back, and may be executed again. At most GALERA_RETRIES times for one command. */
bool session_galera_conflict(const struct session *s, uint16_t code);

#endif
