#include "mirror/source/binlog_stream.h"

#include "mirror/source/binlog_link.h"
#include "protocol/binlog/binlog_track.h"

#include <stdlib.h>

enum {
    KEEP_BUFFER = 1 << 20,
    STATUS_OK = 0x00,
    STATUS_EOF = 0xFE,
    STATUS_ERR = 0xFF,
    DEFAULT_HEARTBEAT_MS = 1000,
    DEFAULT_TIMEOUT_MS = 5000,
};

#define DEFAULT_MAX_EVENT ((1ULL << 30) + (1ULL << 20))

struct binlog_stream {
    struct binlog_link *link;
    struct binlog_format format;
    struct buf inflated;
    struct binlog_track track;
    struct binlog_position position;
};

struct binlog_stream *binlog_stream_open(const struct binlog_source *source,
                                         const struct gtid_set *from, struct err *e)
{
    struct binlog_source filled = *source;
    struct binlog_stream *s;

    if (!filled.server_id) {
        (void)err_set(e, ERR_USAGE, "reading the binlog needs a server_id that is not 0");
        return NULL;
    }
    if (!filled.heartbeat_ms)
        filled.heartbeat_ms = DEFAULT_HEARTBEAT_MS;
    if (!filled.timeout_ms)
        filled.timeout_ms = DEFAULT_TIMEOUT_MS;
    if (!filled.max_event)
        filled.max_event = DEFAULT_MAX_EVENT;
    s = calloc(1, sizeof *s);
    if (!s) {
        (void)err_set(e, ERR_IO, "no memory for the binlog's reader");
        return NULL;
    }
    s->inflated = buf_with_max(filled.max_event);
    s->position.done = *from;
    s->link = binlog_link_open(&filled, from, e);
    if (s->link)
        return s;
    free(s);
    return NULL;
}

void binlog_stream_close(struct binlog_stream *s)
{
    if (!s)
        return;
    binlog_link_close(s->link);
    buf_free(&s->inflated);
    free(s);
}

void binlog_stream_interrupt(struct binlog_stream *s)
{
    binlog_link_interrupt(s->link);
}

size_t binlog_stream_waiting(const struct binlog_stream *s)
{
    return binlog_link_waiting(s->link);
}

const struct binlog_position *binlog_stream_position(const struct binlog_stream *s)
{
    return &s->position;
}

static void set_file(struct binlog_position *p, struct span name)
{
    size_t n = name.n < sizeof p->file ? name.n : sizeof p->file - 1;

    memcpy(p->file, name.p, n);
    p->file[n] = 0;
}

/* Events carry 32 bits; a file may be longer when one transaction is. */
static void move_to(struct binlog_position *p, uint32_t end)
{
    uint64_t low = p->end & UINT32_MAX;

    p->end += end - low + (end < low ? 1ULL << 32 : 0);
}

static void track_place(struct binlog_position *p, const struct binlog_event *ev)
{
    if (ev->head.timestamp)
        p->timestamp = ev->head.timestamp;
    if (ev->body == BINLOG_ROTATE) {
        set_file(p, ev->rotate.file);
        p->end = ev->rotate.position;
    } else if (ev->body != BINLOG_HEARTBEAT && ev->head.end_pos &&
               !(ev->head.flags & BINLOG_FLAG_ARTIFICIAL)) {
        move_to(p, ev->head.end_pos);
    }
}

static bool track(struct binlog_stream *s, const struct binlog_event *ev, struct err *e)
{
    struct binlog_mark mark;

    track_place(&s->position, ev);
    if (!binlog_track_feed(&s->track, ev, &mark, e))
        return false;
    if (!mark.ends || mark.end == BINLOG_END_ABANDONED)
        return true;
    return gtid_set_put(&s->position.done, &s->track.gtid.gtid) ||
           err_set(e, ERR_DATA, "more than %d GTID domains", GTID_DOMAINS_MAX);
}

static bool decode(struct binlog_stream *s, struct span payload, struct binlog_event *out,
                   struct err *e)
{
    uint8_t status = payload.n ? payload.p[0] : STATUS_EOF;

    if (status == STATUS_ERR)
        return binlog_link_refused(payload, e);
    if (status == STATUS_EOF)
        return err_set(e, ERR_IO, "the server ended the binlog's stream");
    if (status != STATUS_OK)
        return err_set(e, ERR_DATA, "a packet that is no binlog event: first byte %u", status);
    payload.p++;
    payload.n--;
    return binlog_event_decode(payload, &s->format, &s->inflated, out, e) && track(s, out, e);
}

enum binlog_next binlog_stream_next(struct binlog_stream *s, uint64_t deadline_ns,
                                    struct binlog_event *out, struct err *e)
{
    struct span payload;
    int got;

    if (s->inflated.cap > KEEP_BUFFER)
        buf_free(&s->inflated);
    got = binlog_link_next(s->link, deadline_ns, &payload, e);
    if (got == 0)
        return BINLOG_IDLE;
    if (got < 0 || !decode(s, payload, out, e))
        return BINLOG_FAILED;
    return BINLOG_EVENT;
}
