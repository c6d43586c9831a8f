/* The admin socket: a unix socket (mode 0600) that takes one line and answers with text, then
 * closes. The answer's last line begins with a control character: EOT, all is well; or NAK, and why
 * nothing came of it.
 *
 *   stats [json]   counters: sessions, and statements by server and reason
 *   sessions       one line a session: id, user, address, schema, state, statements, connections,
 * why pinned
 *
 * Control thread. */
#ifndef PROXY_ADMIN_H
#define PROXY_ADMIN_H

#include "base/err.h"
#include "proxy/daemon.h"

struct admin;

struct admin *admin_open(struct daemon *d, uv_loop_t *loop, const char *path,
                         struct err *e) MUST_CHECK;
void admin_close(struct admin *a);

/* The other side: ask a running daemon, copy its answer to stdout, line by line as it comes.
 * Blocking, for the command line. False, with `e` set: it cannot be asked, or answers that nothing
 * came of it. */
bool admin_ask(const char *path, const char *line, struct err *e) MUST_CHECK;

#endif
