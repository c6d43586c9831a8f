/* From events to committed changes: knows the table maps, and where a group (a transaction, or a
 * DDL statement) begins and ends. Pure but for the memory of the table descriptors. One thread.
 *
 *     for each event:
 *         binlog_group_feed(g, &ev, &step, &e)
 *         step.kind == BINLOG_STEP_ROWS: while (binlog_group_row(g, &change, &e) == 1) …
 *         step.ended: the group is over, see step.end
 */
#ifndef PROTOCOL_BINLOG_GROUP_H
#define PROTOCOL_BINLOG_GROUP_H

#include "protocol/binlog/binlog_row.h"
#include "protocol/binlog/binlog_track.h"

enum {
    BINLOG_TABLES_MAX = 1024, /* table maps of one statement */
    BINLOG_SAVEPOINTS_MAX = 65536
};

enum binlog_step_kind {
    BINLOG_STEP_NONE,
    BINLOG_STEP_BEGIN, /* gtid: a group begins */
    BINLOG_STEP_ROWS, /* rows wait in binlog_group_row, if they are wanted; table, op, rows_index */
    BINLOG_STEP_DDL,  /* query: CREATE, ALTER, GRANT, …; tables may have changed */
    BINLOG_STEP_TRUNCATE,    /* query; binlog_query_truncated says of which table */
    BINLOG_STEP_STATEMENT,   /* query: a change in statement format: its rows are not here */
    BINLOG_STEP_ROLLBACK_TO, /* keep: rows of this group from ROWS steps with rows_index >= keep
                                don't count (they were rolled back to a savepoint) */
};

struct binlog_step {
    enum binlog_step_kind kind;
    bool ended;          /* after `kind` has been dealt with */
    enum binlog_end end; /* where ended */
    struct gtid gtid;    /* the group's */
    uint8_t gtid_flags;  /* BINLOG_GTID_* */
    /* ROWS: of what, until the next feed. One that can't be read (a type we don't know) has no
     * columns, and binlog_group_row says why. */
    const struct binlog_table *table;
    enum binlog_op op;
    uint32_t timestamp;        /* the event's: seconds since 1970 on the server that wrote it */
    uint32_t rows_index;       /* ROWS: 0, 1, … within the group */
    uint32_t keep;             /* ROLLBACK_TO */
    struct binlog_query query; /* as long as the event */
    struct binlog_xa xa;       /* of XA ends; as long as the event (XA_COMMIT, XA_ROLLBACK: the
                                  group's, as long as the group) */
};

struct binlog_change {
    const struct binlog_table *table; /* until the next feed */
    /* Changes whenever a descriptor is made anew: what was worked out for (table, serial) holds. */
    uint64_t table_serial;
    enum binlog_op op;
    const struct binlog_value *before; /* table->n_columns; NULL for INSERT; until the next row */
    const struct binlog_value *after;  /* NULL for DELETE */
};

struct binlog_group;

/* max_scratch: bytes that one row's padded and inflated values may take. NULL: no memory. */
struct binlog_group *binlog_group_new(size_t max_scratch);
void binlog_group_free(struct binlog_group *g);

/* False with `e` for what can't be (rows without a table map, a group in a group), an INCIDENT, or
 * no memory. The group is then unusable: begin anew from the last complete one. */
bool binlog_group_feed(struct binlog_group *g, const struct binlog_event *ev,
                       struct binlog_step *step, struct err *e) MUST_CHECK;
/* The next row of the ROWS event just fed (whose bytes must still be there): 1, 0 at the end, -1
 * with `e`. */
int binlog_group_row(struct binlog_group *g, struct binlog_change *c, struct err *e) MUST_CHECK;
/* Forget everything, for a new connection. */
void binlog_group_reset(struct binlog_group *g);

#endif
