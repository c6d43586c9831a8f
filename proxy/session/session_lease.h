/* A reply that comes when the lease on its primary is over: another server may be the primary by
 * then, and MariaDB says of commits that wait for a replica that they are through when it is shut
 * down, or when those that wait are ended. docs/decisions/0024-replies-count-within-the-lease.md.
 */
#ifndef PROXY_SESSION_LEASE_H
#define PROXY_SESSION_LEASE_H

#include "proxy/session/held.h"
#include "proxy/session/session.h"

/* The command goes out on this connection. */
void session_lease_begin(struct session *s, const struct backend *b);
/* What has come of its reply and is not read yet. Lost: another primary has taken the place of this
 * one, or for too long nobody knew whether one has. */
enum held session_lease(struct session *s, struct backend *b);

#endif
