#include "proxy/stream_filter.h"

#include <assert.h>
#include <stdlib.h>

enum { WIRE_MAX = 1 << 18 };

static size_t raw_left(const struct filter *f)
{
    return f->raw_end - f->raw_start;
}

static void give_back_raw(struct stream *s)
{
    struct filter *f = s->filter;

    if (!f->raw || raw_left(f) > 0)
        return;
    buffers_give(s->buffers, f->raw);
    f->raw = NULL;
    f->raw_start = f->raw_end = 0;
}

uv_buf_t filter_alloc(struct stream *s)
{
    struct filter *f = s->filter;

    if (!f->raw)
        f->raw = buffers_take(s->buffers);
    if (!f->raw)
        return uv_buf_init(NULL, 0);
    if (f->raw_start > 0) {
        memmove(f->raw, f->raw + f->raw_start, raw_left(f));
        f->raw_end = raw_left(f);
        f->raw_start = 0;
    }
    return uv_buf_init((char *)f->raw + f->raw_end, (unsigned)(s->buffers->size - f->raw_end));
}

/* The socket is read while the owner reads and there is room for what it gives. */
static void adjust_socket(struct stream *s)
{
    struct filter *f = s->filter;
    bool on = s->reading && !f->socket_eof && raw_left(f) < s->buffers->size;

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
    rc = uv_try_write(&s->uv.any, &rest, 1);
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

/* Encipher and write as much of the owner's parts as the kernel takes. */
static enum stream_sent push(struct stream *s)
{
    struct filter *f = s->filter;
    uint8_t gathered[TLS_RECORD];
    enum stream_sent sent = s->error ? STREAM_FAILED : flush(s);

    while (sent == STREAM_SENT && f->next < f->count) {
        struct span plain;

        if (!tls_is_ready(f->tls))
            return STREAM_BLOCKED;
        plain = next_plain(f, gathered);
        if (plain.n && tls_write(f->tls, plain, &f->wire) != TLS_FINE)
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

/* Move what fits from `raw` to the owner's buffer. */
static void fill(struct stream *s)
{
    struct filter *f = s->filter;
    struct span in = {f->raw ? f->raw + f->raw_start : NULL, raw_left(f)};
    size_t made = 0;
    size_t room;

    stream_make_room(s);
    room = s->in ? s->buffers->size - s->end : 0;
    if (!s->in)
        (void)stream_fail(s, UV_ENOMEM);
    if (room) {
        note_result(s, tls_read(f->tls, &in, s->in + s->end, room, &made, &f->wire));
        s->end += made;
    }
    f->raw_start = f->raw_end - in.n;
    f->more = made == room;
    if (f->socket_eof && !f->more)
        s->eof = true;
    stream_give_back_empty(s);
    give_back_raw(s);
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
        f->raw_end += (size_t)n;
    give_back_raw(s);
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
    if (on && (f->more || raw_left(f) > 0 || f->socket_eof))
        come_again(s);
    else if (!on)
        (void)uv_idle_stop(&f->again);
}

/* What the plain stream had read already belongs to the handshake. */
static void take_over_input(struct stream *s)
{
    struct filter *f = s->filter;

    if (s->reading)
        stream_read_socket(s, false);
    f->raw = s->in;
    f->raw_start = s->start;
    f->raw_end = s->end;
    s->in = NULL;
    s->start = s->end = 0;
    adjust_socket(s);
    come_again(s);
}

bool stream_start_tls(struct stream *s, struct tls *tls)
{
    struct filter *f = calloc(1, sizeof *f);

    assert(!s->filter && !s->writing && s->open && !s->closing);
    if (!f || !tls || uv_idle_init(s->uv.handle.loop, &f->again) != 0) {
        tls_free(tls);
        free(f);
        return false;
    }
    f->tls = tls;
    f->again.data = s;
    f->wire = f->sending = buf_with_max(WIRE_MAX);
    s->filter = f;
    take_over_input(s);
    return true;
}

bool stream_is_tls(const struct stream *s)
{
    return s->filter && tls_is_ready(s->filter->tls);
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
    return tls_why(f->tls);
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
    if (f->raw)
        buffers_give(s->buffers, f->raw);
    buf_free(&f->wire);
    buf_free(&f->sending);
    tls_free(f->tls);
    free(f);
    s->filter = NULL;
    return true;
}

void filter_close(struct stream *s)
{
    struct filter *f = s->filter;

    if (!s->error && f->sending.len == 0 && f->next == f->count) {
        tls_close(f->tls, &f->wire);
        (void)flush(s);
    }
    uv_close((uv_handle_t *)&f->again, on_closed);
}
