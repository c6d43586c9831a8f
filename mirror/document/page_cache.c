#include "mirror/document/page_cache.h"

#include "mirror/mapping/number.h"

#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum { NAME_MAX_BYTES = 4096 };

/* In one piece, for many are kept: the name, behind it the elements' bytes. */
struct page_cached {
    struct page_elements elements;
    UT_hash_handle hh;
    size_t n_name;
    uint8_t name[];
};

void page_cache_init(struct page_cache *c, int n_root, int n_element, size_t max_bytes)
{
    *c = (struct page_cache){.n_root = n_root,
                             .n_element = n_element,
                             .max_bytes = max_bytes,
                             .name = buf_with_max(NAME_MAX_BYTES)};
}

static size_t size_of(const struct page_cached *p)
{
    return sizeof *p + p->n_name + p->elements.bytes.len;
}

/* uthash's macros, each in a function of its own. */
/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static void unlink_one(struct page_cache *c, struct page_cached *p)
{
    HASH_DEL(c->all, p); /* NOLINT(clang-analyzer-unix.Malloc): it loses count of the list */
    c->bytes -= size_of(p);
}

/* Behind all others; where there is no memory it is freed. */
/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static bool link_last(struct page_cache *c, struct page_cached *p)
{
    HASH_ADD(hh, c->all, name, p->n_name, p);
    if (p->hh.tbl) {
        c->bytes += size_of(p);
        return true;
    }
    free(p);
    return false;
}

/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static struct page_cached *find_name(const struct page_cache *c)
{
    struct page_cached *p;

    HASH_FIND(hh, c->all, c->name.data, c->name.len, p);
    return p;
}

static void take_out(struct page_cache *c, struct page_cached *p)
{
    unlink_one(c, p);
    free(p);
}

void page_cache_clear(struct page_cache *c)
{
    while (c->all)
        take_out(c, c->all);
}

void page_cache_free(struct page_cache *c)
{
    page_cache_clear(c);
    buf_free(&c->name);
}

/* However many zeros stand before a number. */
static void put_name(struct buf *out, const struct span *key, int n)
{
    for (int i = 0; i < n; i++) {
        struct span plain = number_plain(key[i]);

        buf_put_u32(out, (uint32_t)plain.n);
        buf_put_span(out, plain);
    }
}

static struct page_cached *find(struct page_cache *c, const struct span *root,
                                const struct span *from)
{
    buf_clear(&c->name);
    put_name(&c->name, root, c->n_root);
    if (from)
        put_name(&c->name, from, c->n_element);
    return buf_ok(&c->name) ? find_name(c) : NULL;
}

void page_cache_drop(struct page_cache *c, const struct span *root, const struct span *from)
{
    struct page_cached *p = find(c, root, from);

    if (p)
        take_out(c, p);
}

static struct page_cached *copy(const struct buf *name, const struct page_elements *elements)
{
    const struct buf *bytes = &elements->bytes;
    struct page_cached *p = buf_ok(name) ? malloc(sizeof *p + name->len + bytes->len) : NULL;
    uint8_t *at;

    if (!p)
        return NULL;
    at = p->name + name->len;
    memcpy(p->name, name->data, name->len);
    if (bytes->len)
        memcpy(at, bytes->data, bytes->len);
    p->n_name = name->len;
    p->elements = *elements;
    p->elements.bytes = (struct buf){.data = at, .len = bytes->len, .cap = bytes->len};
    return p;
}

void page_cache_put(struct page_cache *c, const struct span *root, const struct span *from,
                    const struct page_elements *elements)
{
    struct page_cached *p;

    page_cache_drop(c, root, from);
    p = copy(&c->name, elements);
    if (!p || !link_last(c, p))
        return;
    while (c->bytes > c->max_bytes)
        take_out(c, c->all);
}

const struct page_elements *page_cache_find(struct page_cache *c, const struct span *root,
                                            const struct span *from)
{
    struct page_cached *p = find(c, root, from);

    if (!p)
        return NULL;
    unlink_one(c, p);
    return link_last(c, p) ? &p->elements : NULL;
}
