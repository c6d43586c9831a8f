#include "protocol/proxy_header.h"

#include <arpa/inet.h>

enum {
    TEXT_MAX = 107, /* a version 1 header with its CR LF */
    FIELD_MAX = 46, /* an address as text */
    SIGNATURE = 12,
    FIXED = 16,
    V6_SIZE = 16,
    TCP4_SIZE = 12,
    TCP6_SIZE = 36,
    UNIX_SIZE = 216,
    LOCAL = 0x20,
    CLIENT = 0x21,
    TCP4 = 0x11,
    TCP6 = 0x21,
    UNIX = 0x31,
};

static const uint8_t signature[SIGNATURE] = {0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D,
                                             0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};
static const char word[] = "PROXY ";

/* Whether `in` begins with the n bytes, or with as many of them as it has. */
static bool begins(struct span in, const void *with, size_t n)
{
    return memcmp(in.p, with, in.n < n ? in.n : n) == 0;
}

static enum proxy_found invalid(struct proxy_header *h, const char *why)
{
    h->why = why;
    return PROXY_INVALID;
}

static void text_of(int family, const void *bytes, char out[PROXY_ADDRESS_MAX])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

    if (family == AF_INET6 && memcmp(bytes, mapped, sizeof mapped) == 0) {
        family = AF_INET;
        bytes = (const uint8_t *)bytes + sizeof mapped;
    }
    if (!inet_ntop(family, bytes, out, PROXY_ADDRESS_MAX))
        out[0] = 0;
}

/* The next word of a text header, up to a space or the end; empty where it is too long. */
static void take_word(struct cursor *c, char out[FIELD_MAX])
{
    size_t n = 0;

    out[0] = 0;
    while (cursor_left(c) && *c->p != ' ')
        if (n++ < FIELD_MAX - 1)
            out[n - 1] = (char)*c->p++;
        else
            c->p++;
    out[n < FIELD_MAX ? n : 0] = 0;
    if (cursor_left(c))
        cursor_skip(c, 1);
}

static enum proxy_found text_fields(struct span line, struct proxy_header *h)
{
    struct cursor c = cursor_span(line);
    char kind[FIELD_MAX];
    char source[FIELD_MAX];
    uint8_t bytes[V6_SIZE];
    int family;

    cursor_skip(&c, sizeof word - 1);
    take_word(&c, kind);
    take_word(&c, source);
    if (strcmp(kind, "UNKNOWN") == 0)
        return PROXY_LOCAL;
    family = strcmp(kind, "TCP6") == 0 ? AF_INET6 : AF_INET;
    if (family == AF_INET && strcmp(kind, "TCP4") != 0)
        return invalid(h, "the PROXY header names a protocol other than TCP4, TCP6 and UNKNOWN");
    if (inet_pton(family, source, bytes) != 1)
        return invalid(h, "the PROXY header has no valid source address");
    text_of(family, bytes, h->address);
    return PROXY_CLIENT;
}

static enum proxy_found decode_text(struct span in, struct proxy_header *h)
{
    size_t most = in.n < TEXT_MAX ? in.n : TEXT_MAX;
    const uint8_t *end = memchr(in.p, '\n', most);

    if (!end && in.n < TEXT_MAX)
        return PROXY_MORE;
    if (!end || end[-1] != '\r')
        return invalid(h, "the PROXY header's line does not end");
    h->used = (size_t)(end - in.p) + 1;
    return text_fields((struct span){in.p, h->used - 2}, h);
}

static enum proxy_found addresses(uint8_t family, struct span body, struct proxy_header *h)
{
    if (family == TCP4 && body.n >= TCP4_SIZE)
        text_of(AF_INET, body.p, h->address);
    else if (family == TCP6 && body.n >= TCP6_SIZE)
        text_of(AF_INET6, body.p, h->address);
    else if (family == UNIX && body.n >= UNIX_SIZE)
        memcpy(h->address, "localhost", sizeof "localhost");
    else if (family == TCP4 || family == TCP6 || family == UNIX)
        return invalid(h, "the PROXY header is too short for its addresses");
    return h->address[0] ? PROXY_CLIENT : PROXY_LOCAL;
}

static enum proxy_found decode_binary(struct span in, struct proxy_header *h)
{
    size_t length;

    if (in.n < FIXED)
        return PROXY_MORE;
    length = (size_t)in.p[SIGNATURE + 2] << 8 | in.p[SIGNATURE + 3];
    if (in.p[SIGNATURE] != LOCAL && in.p[SIGNATURE] != CLIENT)
        return invalid(h, "the PROXY header has an unknown version or command");
    if (length > PROXY_HEADER_MAX - FIXED)
        return invalid(h, "the PROXY header is too long");
    if (length > in.n - FIXED)
        return PROXY_MORE;
    h->used = FIXED + length;
    if (in.p[SIGNATURE] == LOCAL)
        return PROXY_LOCAL;
    return addresses(in.p[SIGNATURE + 1], (struct span){in.p + FIXED, length}, h);
}

enum proxy_found proxy_header_decode(struct span in, struct proxy_header *h)
{
    *h = (struct proxy_header){.why = ""};
    if (in.n == 0)
        return PROXY_MORE;
    if (begins(in, word, sizeof word - 1))
        return in.n < sizeof word - 1 ? PROXY_MORE : decode_text(in, h);
    if (begins(in, signature, sizeof signature))
        return in.n < sizeof signature ? PROXY_MORE : decode_binary(in, h);
    return PROXY_ABSENT;
}

static void put_big_endian(struct buf *b, size_t v)
{
    buf_put_u8(b, (uint8_t)(v >> 8));
    buf_put_u8(b, (uint8_t)v);
}

void proxy_header_encode(struct buf *b, const char *address)
{
    uint8_t bytes[V6_SIZE];
    size_t size = 0;
    uint8_t family = 0;
    size_t own = 0;

    if (inet_pton(AF_INET, address, bytes) == 1) {
        family = TCP4;
        size = TCP4_SIZE;
        own = 4;
    } else if (inet_pton(AF_INET6, address, bytes) == 1) {
        family = TCP6;
        size = TCP6_SIZE;
        own = V6_SIZE;
    } else if (strcmp(address, "localhost") == 0) {
        family = UNIX;
        size = UNIX_SIZE;
    }
    buf_put(b, signature, sizeof signature);
    buf_put_u8(b, size ? CLIENT : LOCAL);
    buf_put_u8(b, family);
    put_big_endian(b, size);
    buf_put(b, bytes, own);
    buf_put_zeros(b, size - own);
}
