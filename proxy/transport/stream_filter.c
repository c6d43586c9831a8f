#include "proxy/transport/stream_filter.h"

#include <assert.h>
#include <stdlib.h>

/* Bytes. Of what is compressed: one frame, and those of the bytes behind it. */
enum { WIRE_MAX = 1 << 18, PACKED_MAX = (1 << 24) + (1 << 16) };

static size_t chunk_left(const struct chunk *c)
{
    return c->end - c->start;
}

static struct span chunk_span(const struct chunk *c)
{
    return (struct span){c->p ? c->p + c->start : NULL, chunk_left(c)};
}

static void chunk_give_back(struct stream *s, struct chunk *c)
{
    if (!c->p || chunk_left(c) > 0)
        return;
    buffers_give(s->buffers, c->p);
    *c = (struct chunk){NULL, 0, 0};
}

/* How many bytes fit behind those that are there. */
static size_t chunk_room(struct stream *s, struct chunk *c)
{
    if (!c->p)
        c->p = buffers_take(s->buffers);
    if (!c->p)
        return 0;
    if (c->start > 0)
        memmove(c->p, c->p + c->start, chunk_left(c));
    c->end = chunk_left(c);
    c->start = 0;
    return s->buffers->size - c->end;
}

uv_buf_t filter_alloc(struct stream *s)
{
    struct chunk *raw = &s->filter->raw;
    size_t room = chunk_room(s, raw);

    return uv_buf_init(room ? (char *)raw->p + raw->end : NULL, (unsigned)room);
}

/* The socket is read while the owner reads and there is room for what it gives. */
static void adjust_socket(struct stream *s)
{
    struct filter *f = s->filter;
    bool on = s->reading && !f->socket_eof && chunk_left(&f->raw) < s->buffers->size;

    if (on == f->socket_reading || s->closing)
        return;
    f->socket_reading = on;
    stream_read_socket(s, on);
}

static void on_again(uv_idle_t *idle);

static void come_again(struct stream *s)
{
    (void)uv_idle_start(&s->filter->again, on_again);
}

/* The next bytes for one write to the socket: at most a record, gathered where the parts are small.
 */
static struct span next_plain(struct filter *f, uint8_t gathered[TLS_RECORD])
{
    size_t n = 0;

    while (f->next < f->count && n < TLS_RECORD) {
        struct span part = f->parts[f->next];
        size_t left = part.n - f->offset;
        size_t take = left < TLS_RECORD - n ? left : TLS_RECORD - n;

        if (n == 0 && take == TLS_RECORD) {
            f->offset += take;
            return (struct span){part.p + f->offset - take, take};
        }
        if (take)
            memcpy(gathered + n, part.p + f->offset, take);
        n += take;
        f->offset += take;
        if (f->offset == part.n) {
            f->next++;
            f->offset = 0;
        }
    }
    return (struct span){gathered, n};
}

static void on_written(uv_write_t *req, int status);

/* Hand `wire` to the kernel; BLOCKED: some of it is under way still. */
static enum stream_sent flush(struct stream *s)
{
    struct filter *f = s->filter;
    uv_buf_t rest = uv_buf_init((char *)f->wire.data, (unsigned)f->wire.len);
    int rc;

    if (f->sending.len)
        return STREAM_BLOCKED;
    if (f->wire.len == 0)
        return STREAM_SENT;
    rc = stream_try_write(s, &rest, 1, f->wire.len);
    if (rc < 0 && rc != UV_EAGAIN)
        return stream_fail(s, rc);
    if (rc > 0 && (size_t)rc == f->wire.len) {
        buf_free(&f->wire);
        return STREAM_SENT;
    }
    buf_consume(&f->wire, rc > 0 ? (size_t)rc : 0);
    f->sending = f->wire;
    f->wire = buf_with_max(WIRE_MAX);
    rest = uv_buf_init((char *)f->sending.data, (unsigned)f->sending.len);
    s->write_req.data = s;
    rc = uv_write(&s->write_req, &s->uv.any, &rest, 1, on_written);
    return rc != 0 ? stream_fail(s, rc) : STREAM_BLOCKED;
}

/* At most a record. */
static bool encipher(struct filter *f, struct span plain)
{
    return tls_write(f->tls, plain, &f->wire) == TLS_FINE;
}

/* The next piece of what is compressed: by TLS a record, else all. */
static bool send_packed(struct filter *f)
{
    size_t left = f->packed.len - f->packed_sent;
    size_t n = left < TLS_RECORD ? left : TLS_RECORD;

    if (!f->tls) {
        f->wire = f->packed;
        f->packed = buf_with_max(PACKED_MAX);
        return true;
    }
    if (!encipher(f, (struct span){f->packed.data + f->packed_sent, n}))
        return false;
    f->packed_sent += n;
    if (n == left) {
        buf_free(&f->packed);
        f->packed_sent = 0;
    }
    return true;
}

_Static_assert((int)TLS_RECORD <= (int)COMPRESS_FRAME_MAX, "what is gathered fits a frame");

/* Make the next bytes for the socket; there may be none yet. */
static bool transform(struct stream *s)
{
    struct filter *f = s->filter;
    uint8_t gathered[TLS_RECORD];
    struct span plain;

    if (f->packed.len)
        return send_packed(f);
    plain = next_plain(f, gathered);
    if (!f->compress)
        return plain.n == 0 || encipher(f, plain);
    compress_write(f->compress, &s->buffers->deflaters, plain, &f->packed);
    return buf_ok(&f->packed);
}

/* Transform and write as much of the owner's parts as the kernel takes. */
static enum stream_sent push(struct stream *s)
{
    struct filter *f = s->filter;
    enum stream_sent sent = s->error ? STREAM_FAILED : flush(s);

    while (sent == STREAM_SENT && (f->packed.len || f->next < f->count)) {
        if (f->tls && !tls_is_ready(f->tls))
            return STREAM_BLOCKED;
        if (!transform(s))
            return stream_fail(s, UV_EPROTO);
        sent = flush(s);
    }
    return sent;
}

/* Go on with what the owner has pinned, and tell it once all of it went. Where nothing is pinned it
 * is told of a failure all the same: what the handshake says itself did not go. */
static void push_pinned(struct stream *s)
{
    enum stream_sent sent;

    if (s->closing)
        return;
    sent = push(s);
    if (sent == STREAM_BLOCKED || (sent == STREAM_SENT && !s->writing))
        return;
    if (sent == STREAM_FAILED)
        stream_read(s, false);
    if (!s->writing) {
        s->ops->readable(s->owner);
        return;
    }
    s->writing = false;
    s->ops->drained(s->owner);
}

static void on_written(uv_write_t *req, int status)
{
    struct stream *s = req->data;

    buf_free(&s->filter->sending);
    if (s->closing)
        return;
    if (status != 0)
        (void)stream_fail(s, status);
    push_pinned(s);
}

enum stream_sent filter_write(struct stream *s, const struct span *parts, int n)
{
    struct filter *f = s->filter;
    enum stream_sent sent;

    memcpy(f->parts, parts, (size_t)n * sizeof *parts);
    f->count = n;
    f->next = 0;
    f->offset = 0;
    sent = push(s);
    s->writing = sent == STREAM_BLOCKED;
    return sent;
}

static void note_result(struct stream *s, enum tls_result result)
{
    if (result == TLS_FAILED)
        (void)stream_fail(s, UV_EPROTO);
    else if (result == TLS_ENDED)
        s->eof = true;
}

/* Out of TLS into the room behind `to`; how many bytes. */
static size_t decipher(struct stream *s, uint8_t *to, size_t room)
{
    struct filter *f = s->filter;
    struct span in = chunk_span(&f->raw);
    size_t made = 0;

    if (room && !s->eof)
        note_result(s, tls_read(f->tls, &in, to, room, &made, &f->wire));
    f->raw.start = f->raw.end - in.n;
    return made;
}

static size_t inflate_from(struct stream *s, struct chunk *from, uint8_t *to, size_t room)
{
    struct filter *f = s->filter;
    struct span in = chunk_span(from);
    size_t made = 0;

    if (room && !s->error && !compress_read(f->compress, &in, to, room, &made))
        (void)stream_fail(s, UV_EPROTO);
    from->start = from->end - in.n;
    return made;
}

/* Both, until nothing moves any more. An end that TLS told is not the owner's before it has what
 * came in front of it. */
static size_t decipher_and_inflate(struct stream *s, uint8_t *to, size_t room)
{
    struct filter *f = s->filter;
    size_t total = 0;
    size_t moved;

    do {
        size_t space = chunk_room(s, &f->mid);
        size_t got = decipher(s, space ? f->mid.p + f->mid.end : NULL, space);

        f->mid.end += got;
        moved = inflate_from(s, &f->mid, to + total, room - total);
        total += moved;
        moved += got;
    } while (moved > 0 && total < room);
    chunk_give_back(s, &f->mid);
    return total;
}

/* Move what fits from the socket's bytes to the owner's buffer. */
static void fill(struct stream *s)
{
    struct filter *f = s->filter;
    uint8_t *to;
    size_t made;
    size_t room;

    stream_make_room(s);
    room = s->in ? s->buffers->size - s->end : 0;
    to = s->in ? s->in + s->end : NULL;
    if (!s->in)
        (void)stream_fail(s, UV_ENOMEM);
    if (f->tls && f->compress)
        made = decipher_and_inflate(s, to, room);
    else if (f->tls)
        made = decipher(s, to, room);
    else
        made = inflate_from(s, &f->raw, to, room);
    s->end += made;
    f->more = made == room || (f->compress && compress_is_ahead(f->compress));
    if (f->socket_eof && !f->more)
        s->eof = true;
    stream_give_back_empty(s);
    chunk_give_back(s, &f->raw);
}

/* Move bytes in both directions and tell the owner what came of it. */
static void progress(struct stream *s)
{
    struct filter *f = s->filter;
    size_t before = stream_left(s);

    if (s->eof || s->closing)
        return;
    fill(s);
    if (s->eof || (s->in && s->end == s->buffers->size))
        stream_read(s, false);
    adjust_socket(s);
    if (s->error)
        (void)flush(s); /* the alert that tells the peer why */
    if (s->eof || stream_left(s) > before)
        s->ops->readable(s->owner);
    if (!s->error && (f->wire.len || s->writing))
        push_pinned(s);
}

static void on_again(uv_idle_t *idle)
{
    (void)uv_idle_stop(idle);
    progress(idle->data);
}

void filter_on_read(struct stream *s, ssize_t n)
{
    struct filter *f = s->filter;

    if (n > 0)
        f->raw.end += (size_t)n;
    chunk_give_back(s, &f->raw);
    if (n >= 0) {
        if (n > 0)
            progress(s);
        return;
    }
    f->socket_eof = true;
    if (n != UV_EOF) {
        (void)stream_fail(s, (int)n);
        stream_read(s, false);
        s->ops->readable(s->owner);
        return;
    }
    progress(s);
}

void filter_read(struct stream *s, bool on)
{
    struct filter *f = s->filter;

    adjust_socket(s);
    if (on && (f->more || chunk_left(&f->raw) > 0 || f->socket_eof))
        come_again(s);
    else if (!on)
        (void)uv_idle_stop(&f->again);
}

/* What was read already belongs to what begins now. */
static void take_over_input(struct stream *s, struct chunk *to)
{
    assert(!to->p);
    *to = (struct chunk){s->in, s->start, s->end};
    s->in = NULL;
    s->start = s->end = 0;
    chunk_give_back(s, to);
    adjust_socket(s);
    come_again(s);
}

/* The stream's filter, made where there is none; NULL: no memory. */
static struct filter *filter_of(struct stream *s)
{
    struct filter *f = s->filter;

    assert(!s->writing && s->open && !s->closing);
    if (f)
        return f;
    f = calloc(1, sizeof *f);
    if (!f || uv_idle_init(s->uv.handle.loop, &f->again) != 0) {
        free(f);
        return NULL;
    }
    f->again.data = s;
    f->wire = f->sending = buf_with_max(WIRE_MAX);
    f->packed = buf_with_max(PACKED_MAX);
    f->socket_reading = s->reading;
    s->filter = f;
    return f;
}

bool stream_start_tls(struct stream *s, struct tls *tls)
{
    struct filter *f = tls ? filter_of(s) : NULL;

    if (!f) {
        tls_free(tls);
        return false;
    }
    assert(!f->tls);
    f->tls = tls;
    take_over_input(s, &f->raw);
    return true;
}

bool stream_start_compression(struct stream *s, enum compress_by by, int level)
{
    struct compress *c = calloc(1, sizeof *c);
    struct filter *f = c ? filter_of(s) : NULL;

    if (!f) {
        free(c);
        return false;
    }
    assert(!f->compress);
    compress_init(c, by, level);
    f->compress = c;
    take_over_input(s, f->tls ? &f->mid : &f->raw);
    return true;
}

void stream_next_command(struct stream *s)
{
    struct filter *f = s->filter;

    if (!f || !f->compress)
        return;
    compress_next(f->compress);
    if (f->more && s->reading)
        come_again(s);
}

bool stream_is_tls(const struct stream *s)
{
    return s->filter && s->filter->tls && tls_is_ready(s->filter->tls);
}

bool stream_tls_peer(const struct stream *s, struct tls_peer *out)
{
    *out = (struct tls_peer){.cipher = "", .version = ""};
    if (!stream_is_tls(s))
        return false;
    tls_describe(s->filter->tls, out);
    return true;
}

const uint8_t *stream_tls_fingerprint(const struct stream *s)
{
    return stream_is_tls(s) ? tls_fingerprint(s->filter->tls) : NULL;
}

const char *filter_why(const struct filter *f)
{
    return f->compress && f->compress->why[0] ? f->compress->why : f->tls ? tls_why(f->tls) : "";
}

static void on_closed(uv_handle_t *handle)
{
    struct stream *s = handle->data;

    s->filter->closed = true;
    stream_finish_close(s);
}

bool filter_gone(struct stream *s)
{
    struct filter *f = s->filter;

    if (!f)
        return true;
    if (!f->closed)
        return false;
    if (f->raw.p)
        buffers_give(s->buffers, f->raw.p);
    if (f->mid.p)
        buffers_give(s->buffers, f->mid.p);
    buf_free(&f->packed);
    buf_free(&f->wire);
    buf_free(&f->sending);
    tls_free(f->tls);
    if (f->compress)
        compress_free(f->compress);
    free(f->compress);
    free(f);
    s->filter = NULL;
    return true;
}

void filter_close(struct stream *s)
{
    struct filter *f = s->filter;

    if (f->tls && !s->error && f->sending.len == 0 && f->packed.len == 0 && f->next == f->count) {
        tls_close(f->tls, &f->wire);
        (void)flush(s);
    }
    uv_close((uv_handle_t *)&f->again, on_closed);
}
