/* A growing byte buffer with a hard cap, written little-endian.
 *
 * A write that would pass the cap, or that memory refuses, sets `bad` and writes nothing; later
 * writes do nothing either, so a builder checks `buf_ok` once at the end. The owner calls buf_free.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/compiler.h"
#include "base/cursor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t max; /* bytes; the hard cap */
    bool bad;
};

static inline struct buf buf_with_max(size_t max)
{
    return (struct buf){NULL, 0, 0, max, false};
}

static inline bool buf_ok(const struct buf *b)
{
    return !b->bad;
}

static inline struct span buf_span(const struct buf *b)
{
    return (struct span){b->data, b->len};
}

void buf_free(struct buf *b);
/* Forget the content and the error, keep the memory. */
void buf_clear(struct buf *b);
/* Room for n more bytes; NULL with `bad` set where there is none. The caller adds to `len` itself.
 */
uint8_t *buf_reserve(struct buf *b, size_t n);
/* Drop n bytes from the front. */
void buf_consume(struct buf *b, size_t n);

/* What is put must not lie in the buffer itself: growing moves it. */
void buf_put(struct buf *b, const void *p, size_t n);
void buf_put_span(struct buf *b, struct span s);
void buf_put_str(struct buf *b, const char *text);  /* without the NUL */
void buf_put_cstr(struct buf *b, const char *text); /* with the NUL */
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u16(struct buf *b, uint16_t v);
void buf_put_u24(struct buf *b, uint32_t v);
void buf_put_u32(struct buf *b, uint32_t v);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_zeros(struct buf *b, size_t n);
void buf_put_lenenc(struct buf *b, uint64_t v);
void buf_put_lenenc_bytes(struct buf *b, struct span s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The content as a C string (a NUL stands behind it, not counted); "" where memory refused. */
const char *buf_text(struct buf *b);

#endif
