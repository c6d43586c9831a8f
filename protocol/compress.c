#include "protocol/compress.h"

#include "protocol/compress_codec.h"

#include <assert.h>

enum { HEADER = 7 };

const struct codec *const compress_codecs[] = {
    [COMPRESS_ZLIB] = &codec_zlib,
    [COMPRESS_ZSTD] = &codec_zstd,
};

static void drop_inflater(struct compress *c)
{
    if (c->inflater)
        compress_codecs[c->by]->inflater_free(c->inflater);
    c->inflater = NULL;
}

void compress_init(struct compress *c, enum compress_by by, int level)
{
    *c = (struct compress){.by = by, .level = level, .why = ""};
    c->frame.packed = buf_with_max(1 << 24);
}

void compress_free(struct compress *c)
{
    drop_inflater(c);
    if (c->frame.deflater)
        compress_codecs[c->by]->deflater_free(c->frame.deflater);
    buf_free(&c->frame.packed);
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
    c->inflater = compress_codecs[c->by]->inflater_new();
    return c->inflater || bad(c, "no memory to inflate a packet");
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
    size_t given = cursor_left(in) < c->packed_left ? cursor_left(in) : c->packed_left;
    size_t most = room < c->plain_left ? room : c->plain_left;
    struct span rest = {in->p, given};
    enum inflated came = compress_codecs[c->by]->inflate(c->inflater, &rest, out, most, made);
    size_t taken = given - rest.n;

    cursor_skip(in, taken);
    c->packed_left -= (uint32_t)taken;
    c->plain_left -= (uint32_t)*made;
    if (came == INFLATED_BAD)
        return bad(c, "a compressed packet does not inflate");
    if (came == INFLATED_ALL && (c->packed_left || c->plain_left))
        return bad(c, "a compressed packet's sizes are wrong");
    if (came == INFLATED_SOME && c->packed_left == 0 && given > 0 && *made < most)
        return bad(c, "a compressed packet ends too early");
    if (came == INFLATED_SOME && c->plain_left == 0 && c->packed_left && *made == 0 && given > 0 &&
        taken == 0)
        return bad(c, "a compressed packet holds more than it says");
    if (came == INFLATED_ALL)
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
