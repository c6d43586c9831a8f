/* What the text of a QUERY event is, as far as a reader of row changes must know. */
#ifndef PROTOCOL_BINLOG_QUERY_H
#define PROTOCOL_BINLOG_QUERY_H

#include "base/cursor.h"

enum binlog_query_kind {
    BINLOG_QUERY_BEGIN,
    BINLOG_QUERY_COMMIT,
    BINLOG_QUERY_ROLLBACK,
    BINLOG_QUERY_SAVEPOINT,
    BINLOG_QUERY_RELEASE,
    BINLOG_QUERY_ROLLBACK_TO,
    BINLOG_QUERY_XA, /* START, END, PREPARE: no change of its own */
    BINLOG_QUERY_XA_COMMIT,
    BINLOG_QUERY_XA_ROLLBACK,
    BINLOG_QUERY_DDL,       /* definitions, accounts, upkeep: CREATE, GRANT, ANALYZE, … */
    BINLOG_QUERY_TRUNCATE,  /* TRUNCATE TABLE: a DDL that removes rows */
    BINLOG_QUERY_STATEMENT, /* all else: it may have changed rows that are not in the log */
};

/* One pass over the first words. Comments are skipped, executable ones are read. */
enum binlog_query_kind binlog_query_kind(struct span text);

/* The savepoint's name of SAVEPOINT, RELEASE and ROLLBACK TO, with its quotes; an empty span if
 * none. */
struct span binlog_query_savepoint(struct span text);

/* A table's name as written, without its quotes (a doubled one within stays doubled). */
struct binlog_query_table {
    struct span schema; /* empty: the event's default schema */
    struct span name;
};

/* The table of a TRUNCATE; false where the text is none. */
bool binlog_query_truncated(struct span text, struct binlog_query_table *t) MUST_CHECK;

#endif
