/* What sessions have under way on other servers than the primary, which knows nothing of it. For a
 * statement that reads the process list or explains what a session runs all workers are asked
 * first, one after the other; its session waits in ASK. */
#ifndef PROXY_SESSION_BUSY_H
#define PROXY_SESSION_BUSY_H

#include "base/buf.h"
#include "proxy/session/command_run.h"

struct session;

enum { BUSY_MAX = 128 * 1024 }; /* bytes of rows; those beyond are left out */

struct busy {
    struct buf rows; /* of a JSON array, by commas */
    bool unlisted;   /* some are of sessions without a connection to the primary */
};

static inline bool session_busy_any(const struct busy *busy)
{
    return busy->rows.len > 0;
}

/* Whether the statement reads the process list, or is EXPLAIN FOR CONNECTION of a session or one of
 * its likes. */
bool session_busy_wanted(struct session *s, struct span text);
/* Ask; ROUTE follows, with session->busy filled, or the statement bound for the server where the
 * explained one runs. */
enum step session_busy_ask(struct session *s);
void session_busy_forget(struct session *s);
/* As a table for a FROM clause, named `b`. Its columns: session, listed (0: without a connection to
 * the primary), user, host, db, command, time (seconds), time_ms, info, query. */
void session_busy_put_table(const struct busy *busy, struct buf *sql);

#endif
