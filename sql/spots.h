/* The places in a statement's text where clients and servers mean different numbers by a
 * connection's id, or by what the statement before has left on a connection: what must be put there
 * instead is the caller's matter (proxy/session/session_rewrite.c).
 *
 * Nothing is found in a definition that outlives its session (views, routines, defaults): there the
 * servers' ids stay. Nothing is found either where the lexer cannot follow. Pure; any thread. */
#ifndef SQL_SPOTS_H
#define SQL_SPOTS_H

#include "sql/classify.h"

enum sql_spot_kind {
    SPOT_CONNECTION_ID, /* CONNECTION_ID() */
    SPOT_HOLDER,        /* empty, before IS_USED_LOCK(…), which tells who holds a lock */
    SPOT_HOLDER_END,    /* empty, behind it; its argument may hold other spots */
    SPOT_ROW_COUNT,     /* ROW_COUNT() */
    SPOT_FOUND_ROWS,    /* FOUND_ROWS() */
    SPOT_HEADING, /* empty, behind an item of a select list that has a spot, or is a column where
                     the process list is read, and no alias of its own: `text` is what the
                     server would head the column with */
    SPOT_PROCESSLIST,           /* the table in a FROM clause; `bare`: without an alias behind it */
    SPOT_SHOW_PROCESSLIST,      /* the whole statement */
    SPOT_SHOW_FULL_PROCESSLIST, /* the same */
    SPOT_THREAD,                /* an id as a number: EXPLAIN FOR CONNECTION 17 */
    SPOT_KILL,                  /* empty, before the expression of a KILL: KILL @id */
    SPOT_KILL_END,              /* empty, behind it; `text` is the expression */
    SPOT_KILL_HOLDER,           /* IS_USED_LOCK(…) in it */
};

struct sql_spot {
    enum sql_spot_kind kind;
    struct span where;
    struct span text;
    bool bare;
};

static inline bool sql_spot_lists_processes(const struct sql_spot *spot)
{
    return spot->kind == SPOT_PROCESSLIST || spot->kind == SPOT_SHOW_PROCESSLIST ||
           spot->kind == SPOT_SHOW_FULL_PROCESSLIST;
}

enum { SPOTS_MAX = 64 };

struct sql_spots {
    int count;
    struct sql_spot spots[SPOTS_MAX]; /* in the order of the text; none overlaps another */
    bool several;                     /* the text holds more than one statement */
};

/* `in_schema`: information_schema is the default schema. False: there are none, or more than fit,
 * or the text cannot be followed. */
bool sql_spots_find(struct span text, struct sql_mode mode, bool in_schema, struct sql_spots *out);

#endif
