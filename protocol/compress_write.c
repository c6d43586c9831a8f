#include "protocol/compress.h"
#include "protocol/compress_codec.h"
#include "protocol/packet.h"

#include <assert.h>

enum { WORTH_IT = 50 }; /* bytes: less does not become smaller */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct span take(struct span *from, size_t n)
{
    struct span taken = {from->p, n};

    *from = (struct span){from->p + n, from->n - n};
    return taken;
}

void deflaters_free(struct deflaters *d)
{
    for (size_t i = 0; i < ARRAY_LEN(d->spare); i++)
        if (d->spare[i])
            compress_codecs[i]->deflater_free(d->spare[i]);
    *d = (struct deflaters){{NULL}};
}

static bool frame_begin(struct compress *c, struct deflaters *d, size_t size)
{
    const struct codec *codec = compress_codecs[c->by];
    struct deflating *f = &c->frame;

    f->deflater = d->spare[c->by] ? d->spare[c->by] : codec->deflater_new();
    d->spare[c->by] = NULL;
    f->size = f->left = (uint32_t)size;
    return f->deflater && codec->deflate_begin(f->deflater, c->level, size);
}

static void frame_add(struct compress *c, struct span plain)
{
    struct deflating *f = &c->frame;

    f->left -= (uint32_t)plain.n;
    compress_codecs[c->by]->deflate(f->deflater, plain, f->left == 0, &f->packed);
}

static void frame_end(struct compress *c, struct deflaters *d)
{
    if (d->spare[c->by])
        compress_codecs[c->by]->deflater_free(c->frame.deflater);
    else
        d->spare[c->by] = c->frame.deflater;
    c->frame.deflater = NULL;
    buf_free(&c->frame.packed);
}

/* `size` is that of the bytes inside; 0: they are stored. */
static void put_frame(struct compress *c, struct span packed, uint32_t size, struct buf *out)
{
    buf_put_u24(out, (uint32_t)packed.n);
    buf_put_u8(out, ++c->seq);
    buf_put_u24(out, size);
    buf_put_span(out, packed);
}

/* All of a frame at once. What would not become smaller is stored. */
static void write_whole(struct compress *c, struct deflaters *d, struct span plain, struct buf *out)
{
    struct deflating *f = &c->frame;
    bool smaller = false;

    if (plain.n >= WORTH_IT && frame_begin(c, d, plain.n)) {
        frame_add(c, plain);
        smaller = buf_ok(&f->packed) && f->packed.len < plain.n;
    }
    put_frame(c, smaller ? buf_span(&f->packed) : plain, smaller ? f->size : 0, out);
    if (f->deflater)
        frame_end(c, d);
}

/* A packet, or what is left of it, begins a frame of its own. */
static void begin_packet(struct compress *c, struct deflaters *d, size_t left, struct buf *out)
{
    if (!frame_begin(c, d, least(left, COMPRESS_FRAME_MAX)))
        out->bad = true;
}

/* The next bytes of the frame under way. */
static void write_part(struct compress *c, struct deflaters *d, struct span plain, struct buf *out)
{
    struct deflating *f = &c->frame;

    frame_add(c, plain);
    if (f->left > 0)
        return;
    put_frame(c, buf_span(&f->packed), f->size, out);
    out->bad |= f->packed.bad;
    frame_end(c, d);
}

/* How many bytes of `plain`, where a packet begins, are whole packets. */
static size_t whole_packets(struct span plain)
{
    size_t at = 0;

    while (plain.n - at >= PACKET_HEADER) {
        size_t n = PACKET_HEADER + packet_header_at(plain.p + at).length;

        if (n > plain.n - at)
            break;
        at += n;
    }
    return at;
}

/* A packet that is not whole begins: its header is kept until its length is known. */
static void take_header(struct compress *c, struct deflaters *d, struct span *plain,
                        struct buf *out)
{
    struct begun *b = &c->begun;

    while (plain->n && b->n < PACKET_HEADER)
        b->header[b->n++] = *take(plain, 1).p;
    if (b->n < PACKET_HEADER)
        return;
    b->left = packet_header_at(b->header).length;
    begin_packet(c, d, b->left + PACKET_HEADER, out);
    if (buf_ok(out))
        write_part(c, d, (struct span){b->header, PACKET_HEADER}, out);
    b->n = 0;
}

static void write_payload(struct compress *c, struct deflaters *d, struct span *plain,
                          struct buf *out)
{
    size_t n;

    if (!c->frame.deflater)
        begin_packet(c, d, c->begun.left, out);
    if (!buf_ok(out))
        return;
    n = least(plain->n, c->frame.left);
    c->begun.left -= (uint32_t)n;
    write_part(c, d, take(plain, n), out);
}

void compress_write(struct compress *c, struct deflaters *d, struct span plain, struct buf *out)
{
    assert(plain.n <= COMPRESS_FRAME_MAX);
    while (plain.n && buf_ok(out)) {
        bool between = c->begun.left == 0 && c->begun.n == 0;
        size_t whole = between ? whole_packets(plain) : 0;

        if (whole)
            write_whole(c, d, take(&plain, whole), out);
        else if (c->begun.left == 0)
            take_header(c, d, &plain, out);
        else
            write_payload(c, d, &plain, out);
    }
}
