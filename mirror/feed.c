#include "mirror/feed.h"

#include "base/clock.h"

#include <stdio.h>

enum {
    ROW_MAX = 256 << 20,
    LIVE_MS = 1500,
    HEARTBEATS_BYTES = 160, /* less than any transaction has, and more than some heartbeats */
};

bool feed_open(struct feed *f, const struct binlog_source *at, const struct gtid_set *from,
               struct touch *touch, bool xa, struct err *e)
{
    *f = (struct feed){.touch = touch, .xa = xa, .changes = f->changes};
    f->group = binlog_group_new(ROW_MAX);
    if (!f->group)
        return err_set(e, ERR_IO, "out of memory");
    f->stream = binlog_stream_open(at, from, e);
    if (f->stream)
        return true;
    feed_close(f);
    return false;
}

void feed_close(struct feed *f)
{
    if (f->stream)
        binlog_stream_close(f->stream);
    if (f->group)
        binlog_group_free(f->group);
    f->stream = NULL;
    f->group = NULL;
}

void feed_interrupt(struct feed *f)
{
    if (f->stream)
        binlog_stream_interrupt(f->stream);
}

/* Heartbeats say how far the server has read when it has nothing to send. */
static void note_place(struct feed *f, const struct binlog_event *ev)
{
    const struct binlog_position *p = binlog_stream_position(f->stream);

    if (snapshot_compare(p->file, p->end, f->file, f->position) > 0) {
        (void)snprintf(f->file, sizeof f->file, "%s", p->file);
        f->position = p->end;
    }
    if (ev->body == BINLOG_HEARTBEAT && span_eq(ev->heartbeat, f->file) &&
        ev->head.end_pos > f->position && !f->in_group)
        f->position = ev->head.end_pos;
}

/* The time of the commit, as well as it can be known: events have seconds. */
static void note_time(struct feed *f, uint32_t timestamp)
{
    uint64_t now = clock_wall_ms();
    uint64_t committed = timestamp * 1000ULL;

    if (f->first_ns)
        return;
    f->first_ns = clock_mono_ns();
    f->first_wall_ms = committed + LIVE_MS < now ? committed : now;
}

static bool rows(struct feed *f, const struct binlog_step *step, struct err *e)
{
    struct binlog_change change;
    int got;

    if (!touch_wants(f->touch, step->table))
        return true;
    while ((got = binlog_group_row(f->group, &change, e)) == 1) {
        if (!touch_change(f->touch, &change, e))
            return false;
        f->changes++;
        f->xa |= f->prepared;
        f->xa_seen |= f->prepared;
    }
    return got == 0;
}

static bool statement(struct feed *f, const struct binlog_step *step, struct err *e)
{
    int n = step->query.text.n > 200 ? 200 : (int)step->query.text.n;

    if (!touch_statement(f->touch, &step->query))
        return true;
    return err_set(
        e, ERR_USAGE,
        "a change in statement format, whose rows can't be known: `%.*s` (GTID %u-%u-%llu);"
        " use binlog_format=ROW everywhere, then `tillway mirror rebuild`",
        n, (const char *)step->query.text.p, step->gtid.domain, step->gtid.server,
        (unsigned long long)step->gtid.seq);
}

static bool take(struct feed *f, const struct binlog_step *step, struct err *e)
{
    switch (step->kind) {
    case BINLOG_STEP_BEGIN:
        f->in_group = true;
        f->prepared = (step->gtid_flags & BINLOG_GTID_PREPARED_XA) != 0;
        return true;
    case BINLOG_STEP_ROWS:
        return rows(f, step, e);
    case BINLOG_STEP_DDL:
    case BINLOG_STEP_TRUNCATE:
        touch_ddl(f->touch, &step->query);
        return true;
    case BINLOG_STEP_STATEMENT:
        return statement(f, step, e);
    case BINLOG_STEP_NONE:
    case BINLOG_STEP_ROLLBACK_TO: /* what was touched for nothing is computed for nothing */
        return true;
    }
    return true;
}

/* The end of a group, whose place note_place has just taken. What an XA transaction changed long
 * ago is not known any more. */
static void end(struct feed *f, const struct binlog_step *step)
{
    f->in_group = false;
    (void)snprintf(f->end_file, sizeof f->end_file, "%s", f->file);
    f->end_position = f->position;
    if (step->end == BINLOG_END_XA_COMMIT && f->xa)
        touch_all(f->touch);
    note_time(f, step->timestamp);
}

enum feed_got feed_read(struct feed *f, uint64_t deadline_ns, struct err *e)
{
    struct binlog_event event;
    struct binlog_step step;
    enum binlog_next next = binlog_stream_next(f->stream, deadline_ns, &event, e);

    if (next != BINLOG_EVENT)
        return next == BINLOG_IDLE ? FEED_IDLE : FEED_FAILED;
    f->events++;
    if (!binlog_group_feed(f->group, &event, &step, e) || !take(f, &step, e))
        return FEED_FAILED;
    note_place(f, &event);
    if (step.ended)
        end(f, &step);
    return FEED_EVENT;
}

enum feed_got feed_drain(struct feed *f, const struct snapshot *to, uint64_t deadline_ns,
                         struct err *e)
{
    while (f->in_group || snapshot_compare(f->file, f->position, to->file, to->position) < 0) {
        enum feed_got got = feed_read(f, deadline_ns, e);

        if (got != FEED_EVENT)
            return got;
    }
    return FEED_EVENT;
}

bool feed_ahead(const struct feed *f, const struct snapshot *of)
{
    return snapshot_compare(f->end_file, f->end_position, of->file, of->position) > 0;
}

bool feed_waits(const struct feed *f)
{
    return binlog_stream_waiting(f->stream) > HEARTBEATS_BYTES;
}

const struct gtid_set *feed_gtid(const struct feed *f)
{
    return &binlog_stream_position(f->stream)->done;
}

void feed_applied(struct feed *f)
{
    f->first_ns = 0;
    f->first_wall_ms = 0;
}
