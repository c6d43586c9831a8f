#include "protocol/attributes.h"

/* The next pair; false: there is no more that can be read. */
static bool next_pair(struct cursor *c, struct span *key, struct span *value)
{
    if (!cursor_left(c))
        return false;
    *key = cursor_lenenc_bytes(c);
    *value = cursor_lenenc_bytes(c);
    return cursor_ok(c);
}

struct span attribute_of(struct span attributes, const char *wanted)
{
    struct cursor c = cursor_span(attributes);
    struct span key;
    struct span value;

    while (next_pair(&c, &key, &value))
        if (span_eq(key, wanted))
            return value;
    return (struct span){NULL, 0};
}

void attributes_introduce(struct buf *to, struct span attributes, const char *address)
{
    size_t n = attributes.n < ATTRIBUTES_MAX ? attributes.n : ATTRIBUTES_MAX;
    struct cursor c = cursor_of(attributes.p, n);
    struct span key;
    struct span value;

    buf_put_lenenc_bytes(to, span_of(ATTRIBUTE_CLIENT_IP));
    buf_put_lenenc_bytes(to, span_of(address));
    while (next_pair(&c, &key, &value)) {
        if (span_eq(key, ATTRIBUTE_CLIENT_IP))
            continue;
        buf_put_lenenc_bytes(to, key);
        buf_put_lenenc_bytes(to, value);
    }
}
