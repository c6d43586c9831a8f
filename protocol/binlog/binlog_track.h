/* Where groups (transactions, or DDL statements) begin and end in a stream of events. Plain value.
 */
#ifndef PROTOCOL_BINLOG_TRACK_H
#define PROTOCOL_BINLOG_TRACK_H

#include "protocol/binlog/binlog_event.h"
#include "protocol/binlog/binlog_query.h"

enum binlog_end {
    BINLOG_END_COMMIT,     /* XID, COMMIT, or a statement by itself */
    BINLOG_END_ROLLBACK,   /* rows of transactional tables don't count, others do */
    BINLOG_END_XA_PREPARE, /* rows count when XA_COMMIT of the same name comes, maybe much later */
    BINLOG_END_XA_COMMIT,  /* no rows of its own */
    BINLOG_END_XA_ROLLBACK,
    BINLOG_END_ABANDONED, /* the server stopped within it: nothing of it counts, nor its GTID */
};

struct binlog_track {
    bool open;                     /* within a group */
    struct binlog_gtid_event gtid; /* the last group's, but without its XA name */
};

struct binlog_mark {
    bool begins;
    bool ends;
    enum binlog_end end;          /* where it ends */
    enum binlog_query_kind query; /* of a BINLOG_QUERY */
};

/* What the event does to the group. False with `e` for an order that no server makes: a group
 * within a group, a change outside of one. */
bool binlog_track_feed(struct binlog_track *t, const struct binlog_event *ev, struct binlog_mark *m,
                       struct err *e) MUST_CHECK;

#endif
