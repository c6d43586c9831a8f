/* Elements of documents with a paged array as they were last written, so that of those that are
 * touched again only what has changed is read. Of an aggregate; bounded: what was used longest ago
 * goes first. Names are integers. One thread. */
#ifndef MIRROR_PAGE_CACHE_H
#define MIRROR_PAGE_CACHE_H

#include "mirror/document/page_elements.h"

struct page_cached;
struct page_cache {
    int n_root, n_element;
    size_t bytes, max_bytes;
    struct page_cached *all;
    struct buf name;
};

void page_cache_init(struct page_cache *c, int n_root, int n_element, size_t max_bytes);
void page_cache_clear(struct page_cache *c);
void page_cache_free(struct page_cache *c);

/* A document is named by its root and the element that it begins at; NULL: the head. */

/* Its elements are copied, in the place of what was there; without memory, or room, it is not kept.
 */
void page_cache_put(struct page_cache *c, const struct span *root, const struct span *from,
                    const struct page_elements *elements);
/* NULL: it is not kept. Good until the next put. */
const struct page_elements *page_cache_find(struct page_cache *c, const struct span *root,
                                            const struct span *from);
void page_cache_drop(struct page_cache *c, const struct span *root, const struct span *from);

#endif
