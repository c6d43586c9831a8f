#include "protocol/compress.h"

#include <assert.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

enum { HEADER = 7, WORTH_IT = 50, SIZE_BYTES = 3 };

struct deflater {
    z_stream z;
};

struct inflater {
    z_stream z;
};

struct deflater *deflater_new(void)
{
    struct deflater *d = calloc(1, sizeof *d);

    if (d && deflateInit(&d->z, Z_DEFAULT_COMPRESSION) == Z_OK)
        return d;
    free(d);
    return NULL;
}

void deflater_free(struct deflater *d)
{
    if (d)
        (void)deflateEnd(&d->z);
    free(d);
}

static void drop_inflater(struct compress *c)
{
    if (c->inflater)
        (void)inflateEnd(&c->inflater->z);
    free(c->inflater);
    c->inflater = NULL;
}

void compress_init(struct compress *c)
{
    *c = (struct compress){.why = ""};
}

void compress_free(struct compress *c)
{
    drop_inflater(c);
}

bool compress_is_ahead(const struct compress *c)
{
    return c->ahead_count == COMPRESS_AHEAD;
}

void compress_next(struct compress *c)
{
    if (c->ahead_count == 0)
        return; /* it came in the frame of the one before */
    c->seq = c->ahead[0];
    c->ahead_count--;
    memmove(c->ahead, c->ahead + 1, c->ahead_count);
}

static bool bad(struct compress *c, const char *why)
{
    c->why = why;
    return false;
}

/* The frame goes on with the newest command, or begins another. */
static bool note_seq(struct compress *c, uint8_t seq)
{
    uint8_t *newest = c->ahead_count ? &c->ahead[c->ahead_count - 1] : &c->seq;

    if (seq == (uint8_t)(*newest + 1)) {
        *newest = seq;
        return true;
    }
    if (seq != 0)
        return bad(c, "compressed packets out of order");
    assert(c->ahead_count < COMPRESS_AHEAD);
    c->ahead[c->ahead_count++] = 0;
    return true;
}

static bool begin_frame(struct compress *c, struct cursor *in)
{
    uint8_t seq;

    c->packed_left = cursor_u24(in);
    seq = cursor_u8(in);
    c->plain_left = cursor_u24(in);
    c->stored = c->plain_left == 0;
    if (c->stored)
        c->plain_left = c->packed_left;
    if (c->packed_left == 0)
        return bad(c, "an empty compressed packet");
    if (!note_seq(c, seq))
        return false;
    if (c->stored)
        return true;
    c->inflater = calloc(1, sizeof *c->inflater);
    if (c->inflater && inflateInit(&c->inflater->z) == Z_OK)
        return true;
    free(c->inflater);
    c->inflater = NULL;
    return bad(c, "no memory to inflate a packet");
}

static size_t take_stored(struct compress *c, struct cursor *in, uint8_t *out, size_t room)
{
    size_t n = cursor_left(in) < room ? cursor_left(in) : room;

    n = n < c->packed_left ? n : c->packed_left;
    if (n)
        memcpy(out, cursor_take(in, n), n);
    c->packed_left -= (uint32_t)n;
    c->plain_left -= (uint32_t)n;
    return n;
}

/* Sizes that do not fit what the stream holds are refused where they show. */
static bool inflate_some(struct compress *c, struct cursor *in, uint8_t *out, size_t room,
                         size_t *made)
{
    z_stream *z = &c->inflater->z;
    size_t given = cursor_left(in) < c->packed_left ? cursor_left(in) : c->packed_left;
    size_t most = room < c->plain_left ? room : c->plain_left;
    int rc;

    z->next_in = in->p;
    z->avail_in = (unsigned)given;
    z->next_out = out;
    z->avail_out = (unsigned)most;
    rc = inflate(z, Z_NO_FLUSH);
    *made = most - z->avail_out;
    cursor_skip(in, given - z->avail_in);
    c->packed_left -= (uint32_t)(given - z->avail_in);
    c->plain_left -= (uint32_t)*made;
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return bad(c, "a compressed packet does not inflate");
    if (rc == Z_STREAM_END && (c->packed_left || c->plain_left))
        return bad(c, "a compressed packet's sizes are wrong");
    if (rc != Z_STREAM_END && c->packed_left == 0 && given > 0 && z->avail_out > 0)
        return bad(c, "a compressed packet ends too early");
    if (rc != Z_STREAM_END && c->plain_left == 0 && c->packed_left && *made == 0 && given > 0 &&
        z->avail_in == given)
        return bad(c, "a compressed packet holds more than it says");
    if (rc == Z_STREAM_END)
        drop_inflater(c);
    return true;
}

static bool in_frame(const struct compress *c)
{
    return c->packed_left > 0 || c->plain_left > 0 || c->inflater;
}

bool compress_read(struct compress *c, struct span *in, uint8_t *out, size_t room, size_t *made)
{
    struct cursor at = cursor_span(*in);
    bool fine = true;
    size_t before;

    *made = 0;
    do {
        size_t step = 0;

        before = cursor_left(&at) + (room - *made);
        if (!in_frame(c)) {
            if (compress_is_ahead(c) || cursor_left(&at) < HEADER || *made == room)
                break;
            fine = begin_frame(c, &at);
        } else if (c->stored) {
            step = take_stored(c, &at, out + *made, room - *made);
        } else {
            fine = inflate_some(c, &at, out + *made, room - *made, &step);
        }
        *made += step;
    } while (fine && cursor_left(&at) + (room - *made) < before);
    *in = cursor_rest(&at);
    return fine;
}

static size_t deflate_into(struct deflater *d, struct span plain, uint8_t *out, size_t room)
{
    (void)deflateReset(&d->z);
    d->z.next_in = plain.p;
    d->z.avail_in = (unsigned)plain.n;
    d->z.next_out = out;
    d->z.avail_out = (unsigned)room;
    return deflate(&d->z, Z_FINISH) == Z_STREAM_END ? room - d->z.avail_out : 0;
}

/* What would not become smaller is sent as it is. */
void compress_write(struct compress *c, struct deflater *d, struct span plain, struct buf *out)
{
    uint8_t *room = buf_reserve(out, HEADER + plain.n);
    size_t at = out->len;
    size_t size = 0;

    assert(plain.n > 0 && plain.n <= COMPRESS_FRAME);
    if (!room)
        return;
    if (d && plain.n >= WORTH_IT)
        size = deflate_into(d, plain, room + HEADER, plain.n - 1);
    buf_put_u24(out, (uint32_t)(size ? size : plain.n));
    buf_put_u8(out, ++c->seq);
    buf_put_u24(out, size ? (uint32_t)plain.n : 0);
    if (!size)
        buf_put_span(out, plain);
    else
        out->len = at + HEADER + size;
}
