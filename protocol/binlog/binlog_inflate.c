#include "protocol/binlog/binlog_inflate.h"

#include <limits.h>

#define ZLIB_CONST
#include <zlib.h>

enum { METHOD_STORED = 0, METHOD_ZLIB = 8, COLUMN_DEFLATE = 0x08, LENGTH_BYTES = 0x07 };

/* zlib asks for its state (about 7 KB; no window, as all output goes to one place at once). */
struct arena {
    size_t used;
    _Alignas(16) uint8_t bytes[48 * 1024];
};

static void *arena_alloc(void *opaque, unsigned items, unsigned size)
{
    struct arena *a = opaque;
    size_t n = ((size_t)items * size + 15) & ~(size_t)15;
    void *at;

    if (n > sizeof a->bytes - a->used)
        return Z_NULL;
    at = a->bytes + a->used;
    a->used += n;
    return at;
}

static void arena_free(void *opaque, void *p)
{
    (void)opaque;
    (void)p;
}

static const char *read_size(struct cursor *c, unsigned n, struct binlog_packed *p)
{
    uint64_t size = 0;

    if (n < 1 || n > 4)
        return "odd length of a compressed value's size";
    for (unsigned i = 0; i < n; i++)
        size = size << 8 | cursor_u8(c);
    if (!cursor_ok(c))
        return "compressed value cut short";
    p->size = (size_t)size;
    p->data = cursor_rest(c);
    return NULL;
}

const char *binlog_packed_event(struct span in, struct binlog_packed *p)
{
    struct cursor c = cursor_span(in);
    uint8_t first = cursor_u8(&c);

    *p = (struct binlog_packed){0};
    if (!(first & 0x80))
        return "compressed event without its mark";
    if (first & 0x70)
        return "event compressed by an unknown method";
    return read_size(&c, first & LENGTH_BYTES, p);
}

const char *binlog_packed_column(struct span in, struct binlog_packed *p)
{
    struct cursor c = cursor_span(in);
    uint8_t first = in.n ? cursor_u8(&c) : 0;

    *p = (struct binlog_packed){0};
    if (first >> 4 == METHOD_ZLIB) {
        p->deflate = first & COLUMN_DEFLATE;
        return read_size(&c, first & LENGTH_BYTES, p);
    }
    if (first != METHOD_STORED)
        return "column compressed by an unknown method";
    p->stored = true;
    p->data = cursor_rest(&c);
    p->size = p->data.n;
    return NULL;
}

static const char *run(z_stream *z, const struct binlog_packed *p)
{
    int rc = inflateInit2(z, p->deflate ? -MAX_WBITS : MAX_WBITS);

    if (rc != Z_OK)
        return "zlib refuses to start";
    rc = inflate(z, Z_FINISH);
    (void)inflateEnd(z);
    if (rc != Z_STREAM_END)
        return "compressed value is damaged";
    return z->total_out == p->size ? NULL : "compressed value's size is wrong";
}

const char *binlog_inflate(const struct binlog_packed *p, uint8_t *out)
{
    struct arena arena;
    z_stream z;

    if (p->stored) {
        if (p->size)
            memcpy(out, p->data.p, p->size);
        return NULL;
    }
    if (p->data.n > UINT_MAX || p->size > UINT_MAX)
        return "compressed value is too long";
    arena.used = 0;
    memset(&z, 0, sizeof z);
    z.zalloc = arena_alloc;
    z.zfree = arena_free;
    z.opaque = &arena;
    z.next_in = p->data.p;
    z.avail_in = (unsigned)p->data.n;
    z.next_out = out;
    z.avail_out = (unsigned)p->size;
    return run(&z, p);
}
