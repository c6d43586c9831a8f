#include "mirror/document/page_elements.h"

#include "mirror/mapping/number.h"

#include <string.h>

struct element {
    struct span key[KEYSET_WIDTH_MAX];
    struct span all; /* key and document as they stand in the bytes */
    bson_t doc;
};

static bool next_key(struct cursor *c, int n, struct span *key)
{
    for (int i = 0; i < n; i++)
        key[i] = cursor_bytes(c, cursor_u32(c));
    return n > 0 && cursor_ok(c);
}

/* The element at `*at`, which moves on; false at the end. */
static bool next(const struct page_elements *e, size_t *at, int n, struct element *out)
{
    struct cursor c = cursor_span((struct span){e->bytes.data + *at, e->bytes.len - *at});
    uint32_t size;

    if (*at >= e->bytes.len || !next_key(&c, n, out->key))
        return false;
    memcpy(&size, c.p, sizeof size);
    size = BSON_UINT32_FROM_LE(size);
    if (!bson_init_static(&out->doc, c.p, size))
        return false;
    out->all.p = e->bytes.data + *at;
    out->all.n = (size_t)(c.p - out->all.p) + size;
    *at += out->all.n;
    return true;
}

bool page_elements_take(struct page_elements *out, const bson_t *doc, const char *name,
                        const struct buf *keys, int n)
{
    struct cursor c = cursor_span(buf_span(keys));
    struct span key[KEYSET_WIDTH_MAX];
    bson_iter_t it;
    bson_iter_t array;

    if (!bson_iter_init_find(&it, doc, name) || !bson_iter_recurse(&it, &array))
        return false;
    while (bson_iter_next(&array)) {
        const uint8_t *bytes;
        uint32_t size;

        if (!next_key(&c, n, key))
            return false;
        bson_iter_document(&array, &size, &bytes);
        page_elements_put_key(&out->bytes, key, n);
        buf_put(&out->bytes, bytes, size);
        out->n++;
    }
    return buf_ok(keys) && buf_ok(&out->bytes);
}

static void add(struct page_elements *out, const struct element *e)
{
    buf_put_span(&out->bytes, e->all);
    out->n++;
}

/* Whether the key is among the touched ones, of which `*from` moves up to it. */
static bool is_touched(const struct page_touched *t, size_t *from, size_t to,
                       const struct span *key)
{
    struct span pair[KEYSET_WIDTH_MAX];
    int order = -1;

    for (; *from < to; ++*from) {
        page_touched_get(t, *from, pair);
        order = number_compare_keys(pair + t->n_root, key, t->n_element);
        if (order >= 0)
            break;
    }
    return *from < to && order == 0;
}

bool page_elements_change(struct page_elements *out, const struct page_elements *old,
                          const struct page_elements *fresh, const struct page_touched *touched,
                          size_t from, size_t to)
{
    int n = touched->n_element;
    size_t at = 0;
    size_t fresh_at = 0;
    struct element was;
    struct element is;
    bool more = next(fresh, &fresh_at, n, &is);

    while (next(old, &at, n, &was)) {
        for (; more && number_compare_keys(is.key, was.key, n) <= 0;
             more = next(fresh, &fresh_at, n, &is))
            add(out, &is);
        if (!is_touched(touched, &from, to, was.key))
            add(out, &was);
    }
    for (; more; more = next(fresh, &fresh_at, n, &is))
        add(out, &is);
    return buf_ok(&out->bytes);
}

static bool show_array(const struct page_elements *e, int n, const char *name, bson_t *out)
{
    struct element one;
    bson_t array;
    uint32_t index = 0;
    size_t at = 0;
    bool ok = bson_append_array_begin(out, name, -1, &array);

    while (ok && next(e, &at, n, &one)) {
        const char *digits;
        char memory[12];
        size_t length = bson_uint32_to_string(index++, &digits, memory, sizeof memory);

        ok = bson_append_document(&array, digits, (int)length, &one.doc);
    }
    return ok && bson_append_array_end(out, &array);
}

bool page_elements_show(const struct page_elements *e, const bson_t *doc, const char *name, int n,
                        bson_t *out)
{
    bson_iter_t it;
    bool ok = bson_iter_init(&it, doc);

    while (ok && bson_iter_next(&it))
        ok = strcmp(bson_iter_key(&it), name) == 0 ? show_array(e, n, name, out)
                                                   : bson_append_iter(out, NULL, 0, &it);
    return ok;
}
