/* Carries what a server sends on an encrypted connection of libmariadb to a pair of sockets, so
 * that the binlog's reader can wait for it, and be interrupted, as if it came in the clear:
 * libmariadb tells nobody what its TLS has in hand. A thread of its own that is behind by what the
 * pair holds: a reader that does not read stops the server. */
#ifndef MIRROR_BINLOG_PUMP_H
#define MIRROR_BINLOG_PUMP_H

#include "base/err.h"

struct st_mysql;
struct binlog_pump;

/* The connection is the pump's until the end. NULL with `e`. */
struct binlog_pump *binlog_pump_start(struct st_mysql *mysql, struct err *e) MUST_CHECK;
/* The server's packets, in the protocol's framing, are read from here; at the end of the connection
 * comes the end of the stream. */
int binlog_pump_fd(const struct binlog_pump *p);
/* Why the stream ended, once it did; returns false. */
bool binlog_pump_failed(struct binlog_pump *p, struct err *e);
/* End it, whatever it is doing. The connection is of no use afterwards, but still to be closed. */
void binlog_pump_stop(struct binlog_pump *p);

#endif
