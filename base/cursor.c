#include "base/cursor.h"

static uint64_t little_endian(struct cursor *c, size_t n)
{
    const uint8_t *p = cursor_take(c, n);
    uint64_t v = 0;

    if (!p)
        return 0;
    for (size_t i = n; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

uint8_t cursor_u8(struct cursor *c)
{
    return (uint8_t)little_endian(c, 1);
}

uint16_t cursor_u16(struct cursor *c)
{
    return (uint16_t)little_endian(c, 2);
}

uint32_t cursor_u24(struct cursor *c)
{
    return (uint32_t)little_endian(c, 3);
}

uint32_t cursor_u32(struct cursor *c)
{
    return (uint32_t)little_endian(c, 4);
}

uint64_t cursor_u48(struct cursor *c)
{
    return little_endian(c, 6);
}

uint64_t cursor_u64(struct cursor *c)
{
    return little_endian(c, 8);
}

uint64_t cursor_lenenc(struct cursor *c)
{
    uint8_t first = cursor_u8(c);

    switch (first) {
    case 0xFC:
        return cursor_u16(c);
    case 0xFD:
        return cursor_u24(c);
    case 0xFE:
        return cursor_u64(c);
    case 0xFB:
    case 0xFF:
        c->bad = true;
        c->p = c->end;
        return 0;
    default:
        return first;
    }
}

struct span cursor_lenenc_bytes(struct cursor *c)
{
    uint64_t n = cursor_lenenc(c);

    if (n > cursor_left(c)) {
        c->bad = true;
        c->p = c->end;
        return (struct span){NULL, 0};
    }
    return cursor_bytes(c, (size_t)n);
}

struct span cursor_cstr(struct cursor *c)
{
    const uint8_t *nul = cursor_left(c) ? memchr(c->p, 0, cursor_left(c)) : NULL;
    struct span s;

    if (!nul) {
        c->bad = true;
        c->p = c->end;
        return (struct span){NULL, 0};
    }
    s = cursor_bytes(c, (size_t)(nul - c->p));
    cursor_skip(c, 1);
    return s;
}
