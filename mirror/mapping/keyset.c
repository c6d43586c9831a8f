#include "mirror/mapping/keyset.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

enum { FIRST_ROOM = 64, KEEP_ROOM = 1 << 16, SHORT_KEY = 128 };

void keyset_init(struct keyset *s, int width, size_t max_bytes)
{
    assert(width > 0 && width <= KEYSET_WIDTH_MAX);
    *s = (struct keyset){.width = width, .max_bytes = max_bytes, .bytes = buf_with_max(max_bytes)};
}

void keyset_free(struct keyset *s)
{
    buf_free(&s->bytes);
    free(s->at);
    free(s->slots);
    s->at = NULL;
    s->slots = NULL;
    s->n = s->used = s->room = s->n_slots = 0;
}

void keyset_clear(struct keyset *s)
{
    int width = s->width;
    size_t max = s->max_bytes;

    if (s->room > KEEP_ROOM || s->full) {
        keyset_free(s);
        keyset_init(s, width, max);
        return;
    }
    buf_clear(&s->bytes);
    s->n = s->used = 0;
    if (s->slots)
        memset(s->slots, 0, s->n_slots * sizeof *s->slots);
}

size_t keyset_bytes(const struct keyset *s)
{
    return s->bytes.len + s->room * sizeof *s->at + s->n_slots * sizeof *s->slots;
}

static size_t encode(const struct keyset *s, const struct span *tuple, struct buf *out)
{
    size_t begin = out->len;

    for (int i = 0; i < s->width; i++) {
        if (tuple[i].n > UINT32_MAX)
            out->bad = true;
        buf_put_u32(out, (uint32_t)tuple[i].n);
        buf_put_span(out, tuple[i]);
    }
    return begin;
}

static struct span encoded(const struct keyset *s, size_t i)
{
    size_t end = i + 1 < s->n ? s->at[i + 1] : s->used;

    return (struct span){s->bytes.data + s->at[i], end - s->at[i]};
}

/* The slot of an encoded tuple: where it stands, or the free one where it would. */
static size_t slot_of(const struct keyset *s, struct span key)
{
    size_t slot = XXH3_64bits(key.p, key.n) & (s->n_slots - 1);

    while (s->slots[slot]) {
        struct span there = encoded(s, s->slots[slot] - 1);

        assert(there.p && key.p);
        if (span_same(there, key))
            return slot;
        slot = (slot + 1) & (s->n_slots - 1);
    }
    return slot;
}

static bool grow(struct keyset *s)
{
    size_t room = s->room ? s->room * 2 : FIRST_ROOM;
    size_t *at = realloc(s->at, room * sizeof *at);
    uint32_t *slots = calloc(room * 2, sizeof *slots);

    if (at)
        s->at = at;
    if (!at || !slots || room > UINT32_MAX / 2) {
        free(slots);
        return false;
    }
    free(s->slots);
    s->slots = slots;
    s->n_slots = room * 2;
    s->room = room;
    for (size_t i = 0; i < s->n; i++)
        s->slots[slot_of(s, encoded(s, i))] = (uint32_t)(i + 1);
    return true;
}

static bool refuse(struct keyset *s)
{
    s->full = true;
    return false;
}

bool keyset_add(struct keyset *s, const struct span *tuple)
{
    size_t begin;
    size_t slot;

    if (s->full)
        return false;
    if (keyset_bytes(s) >= s->max_bytes || (s->n == s->room && !grow(s)))
        return refuse(s);
    begin = encode(s, tuple, &s->bytes);
    if (!buf_ok(&s->bytes))
        return refuse(s);
    slot = slot_of(s, (struct span){s->bytes.data + begin, s->bytes.len - begin});
    if (s->slots[slot]) {
        s->bytes.len = begin;
        return false;
    }
    s->used = s->bytes.len;
    s->at[s->n++] = begin;
    s->slots[slot] = (uint32_t)s->n;
    return true;
}

static int64_t find(const struct keyset *s, const struct buf *key)
{
    return buf_ok(key) ? (int64_t)s->slots[slot_of(s, buf_span(key))] - 1 : -1;
}

int64_t keyset_find(const struct keyset *s, const struct span *tuple)
{
    uint8_t bytes[SHORT_KEY]; /* most are short */
    struct buf key = {bytes, 0, sizeof bytes, sizeof bytes, false};
    int64_t found;

    if (s->n == 0)
        return -1;
    (void)encode(s, tuple, &key);
    if (buf_ok(&key))
        return find(s, &key);
    key = buf_with_max(s->max_bytes);
    (void)encode(s, tuple, &key);
    found = find(s, &key);
    buf_free(&key);
    return found;
}

void keyset_get(const struct keyset *s, size_t i, struct span *tuple)
{
    struct cursor c = cursor_span(encoded(s, i));

    for (int k = 0; k < s->width; k++)
        tuple[k] = cursor_bytes(&c, cursor_u32(&c));
    assert(cursor_done(&c));
}
