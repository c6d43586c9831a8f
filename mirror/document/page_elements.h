/* The elements of one document's paged array, in their order: of each the columns of its key, then
 * its BSON document. Keys are integers. */
#ifndef MIRROR_PAGE_ELEMENTS_H
#define MIRROR_PAGE_ELEMENTS_H

#include "base/buf.h"
#include "base/err.h"
#include "mirror/document/page_touched.h"

#include <bson/bson.h>

enum { PAGE_ELEMENTS_MAX = 32 << 20 /* bytes */ };

struct page_elements {
    struct buf bytes;
    uint64_t n;
};

static inline struct page_elements page_elements_none(void)
{
    return (struct page_elements){.bytes = buf_with_max(PAGE_ELEMENTS_MAX)};
}

/* An element's key as it stands before it: of each column its length in 4 bytes, then its text. */
static inline void page_elements_put_key(struct buf *out, const struct span *key, int n)
{
    for (int i = 0; i < n; i++) {
        buf_put_u32(out, (uint32_t)key[i].n);
        buf_put_span(out, key[i]);
    }
}

/* Those of the array `name` of a document; `keys` has the key of each, `n`
 * columns. False: no memory. */
bool page_elements_take(struct page_elements *out, const bson_t *doc, const char *name,
                        const struct buf *keys, int n) MUST_CHECK;
/* `old` without those of touched pairs [from, to), and with `fresh`, which is what became of these.
 * False: no memory. */
bool page_elements_change(struct page_elements *out, const struct page_elements *old,
                          const struct page_elements *fresh, const struct page_touched *touched,
                          size_t from, size_t to) MUST_CHECK;
/* Append `doc` to `out`, its array `name` with these elements in it. False: too large. */
bool page_elements_show(const struct page_elements *e, const bson_t *doc, const char *name, int n,
                        bson_t *out) MUST_CHECK;

#endif
