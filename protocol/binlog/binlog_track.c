#include "protocol/binlog/binlog_track.h"

static bool bad(const struct binlog_event *ev, struct err *e, const char *why)
{
    return err_set(e, ERR_DATA, "binlog event %s that ends at %u: %s",
                   binlog_type_name(ev->head.type), ev->head.end_pos, why);
}

static bool begin(struct binlog_track *t, const struct binlog_event *ev, struct binlog_mark *m,
                  struct err *e)
{
    if (t->open)
        return bad(ev, e, "a transaction begins within another");
    t->open = true;
    t->gtid = ev->gtid;
    t->gtid.xa = (struct binlog_xa){0};
    m->begins = true;
    return true;
}

static bool end(struct binlog_track *t, struct binlog_mark *m, enum binlog_end how)
{
    t->open = false;
    m->ends = true;
    m->end = how;
    return true;
}

static bool query(struct binlog_track *t, const struct binlog_event *ev, struct binlog_mark *m,
                  struct err *e)
{
    m->query = binlog_query_kind(ev->query.text);
    if (!t->open)
        return bad(ev, e, "a statement outside of a transaction");
    switch (m->query) {
    case BINLOG_QUERY_COMMIT:
        return end(t, m, BINLOG_END_COMMIT);
    case BINLOG_QUERY_ROLLBACK:
        return end(t, m, BINLOG_END_ROLLBACK);
    case BINLOG_QUERY_XA_COMMIT:
        return end(t, m, BINLOG_END_XA_COMMIT);
    case BINLOG_QUERY_XA_ROLLBACK:
        return end(t, m, BINLOG_END_XA_ROLLBACK);
    default:
        return t->gtid.flags & BINLOG_GTID_STANDALONE ? end(t, m, BINLOG_END_COMMIT) : true;
    }
}

bool binlog_track_feed(struct binlog_track *t, const struct binlog_event *ev, struct binlog_mark *m,
                       struct err *e)
{
    *m = (struct binlog_mark){0};
    switch (ev->body) {
    case BINLOG_GTID:
        return begin(t, ev, m, e);
    case BINLOG_QUERY:
        return query(t, ev, m, e);
    case BINLOG_XID:
        return t->open ? end(t, m, BINLOG_END_COMMIT) : bad(ev, e, "no transaction to commit");
    case BINLOG_XA_PREPARE:
        if (!t->open)
            return bad(ev, e, "no transaction to prepare");
        return end(t, m, ev->xa_prepare.one_phase ? BINLOG_END_COMMIT : BINLOG_END_XA_PREPARE);
    case BINLOG_TABLE_MAP:
    case BINLOG_ROWS:
        return t->open || bad(ev, e, "rows outside of a transaction");
    case BINLOG_FORMAT:
        return t->open ? end(t, m, BINLOG_END_ABANDONED) : true; /* a group never spans files */
    case BINLOG_INCIDENT:
        return err_set(
            e, ERR_DATA,
            "the server lost binlog events (INCIDENT %u: %.*s): a new snapshot is needed",
            ev->incident.number, (int)ev->incident.text.n, (const char *)ev->incident.text.p);
    default:
        return true;
    }
}
