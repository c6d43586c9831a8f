#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_free(struct buf *b)
{
    free(b->data);
    *b = buf_with_max(b->max);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->bad = false;
}

static size_t grown_capacity(const struct buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 64;

    while (cap < need)
        cap = cap > b->max / 2 ? b->max : cap * 2;
    return cap;
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
    uint8_t *data;
    size_t cap;

    if (b->bad || n > b->max - b->len) {
        b->bad = true;
        return NULL;
    }
    if (b->data && n <= b->cap - b->len)
        return b->data + b->len;
    cap = grown_capacity(b, b->len + n);
    data = realloc(b->data, cap ? cap : 1);
    if (!data) {
        b->bad = true;
        return NULL;
    }
    b->data = data;
    b->cap = cap;
    return b->data + b->len;
}

void buf_consume(struct buf *b, size_t n)
{
    if (n >= b->len) {
        b->len = 0;
        return;
    }
    b->len -= n;
    memmove(b->data, b->data + n, b->len);
}

void buf_put(struct buf *b, const void *p, size_t n)
{
    uint8_t *at = n ? buf_reserve(b, n) : NULL;

    if (!at)
        return;
    memcpy(at, p, n);
    b->len += n;
}

void buf_put_span(struct buf *b, struct span s)
{
    buf_put(b, s.p, s.n);
}

void buf_put_str(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text));
}

void buf_put_cstr(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text) + 1);
}

static void put_little_endian(struct buf *b, uint64_t v, size_t n)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(v >> (8 * i));
    buf_put(b, bytes, n);
}

void buf_put_u8(struct buf *b, uint8_t v)
{
    put_little_endian(b, v, 1);
}

void buf_put_u16(struct buf *b, uint16_t v)
{
    put_little_endian(b, v, 2);
}

void buf_put_u24(struct buf *b, uint32_t v)
{
    put_little_endian(b, v, 3);
}

void buf_put_u32(struct buf *b, uint32_t v)
{
    put_little_endian(b, v, 4);
}

void buf_put_u64(struct buf *b, uint64_t v)
{
    put_little_endian(b, v, 8);
}

void buf_put_zeros(struct buf *b, size_t n)
{
    uint8_t *at = n ? buf_reserve(b, n) : NULL;

    if (!at)
        return;
    memset(at, 0, n);
    b->len += n;
}

void buf_put_lenenc(struct buf *b, uint64_t v)
{
    if (v < 0xFB) {
        buf_put_u8(b, (uint8_t)v);
    } else if (v <= 0xFFFF) {
        buf_put_u8(b, 0xFC);
        buf_put_u16(b, (uint16_t)v);
    } else if (v <= 0xFFFFFF) {
        buf_put_u8(b, 0xFD);
        buf_put_u24(b, (uint32_t)v);
    } else {
        buf_put_u8(b, 0xFE);
        buf_put_u64(b, v);
    }
}

void buf_put_lenenc_bytes(struct buf *b, struct span s)
{
    buf_put_lenenc(b, s.n);
    buf_put_span(b, s);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_list again;
    uint8_t *at;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    at = n < 0 ? NULL : buf_reserve(b, (size_t)n + 1);
    if (at) {
        (void)vsnprintf((char *)at, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    } else {
        b->bad = true;
    }
    va_end(again);
}

const char *buf_text(struct buf *b)
{
    uint8_t *at = buf_reserve(b, 1);

    if (!at)
        return "";
    *at = 0;
    return (const char *)b->data;
}
