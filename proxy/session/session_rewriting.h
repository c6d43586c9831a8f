/* A statement that is being rewritten for one connection: session_rewrite.c, and
 * session_processlist.c for the process list. */
#ifndef PROXY_SESSION_REWRITING_H
#define PROXY_SESSION_REWRITING_H

#include "proxy/session/session.h"
#include "sql/spots.h"

struct rewriting {
    struct session *s;
    const struct backend *b; /* that will run it */
    struct span text;        /* the whole statement */
    struct sql_spots spots;
    struct buf *out;
};

/* The table as a subquery; `bare`: without an alias behind it. The catalog knows its columns. */
void processlist_put_table(struct rewriting *r, bool bare);
/* SHOW [FULL] PROCESSLIST as a query of the same columns, types and order. */
void processlist_put_show(struct rewriting *r, bool full);

#endif
