/* Which elements of an aggregate's paged arrays have changed: pairs of root and element, in the
 * order of their keys, which are integers. */
#ifndef MIRROR_PAGE_TOUCHED_H
#define MIRROR_PAGE_TOUCHED_H

#include "mirror/document/window.h"
#include "mirror/mapping/keyset.h"

struct page_touched {
    const struct keyset *pairs; /* the caller's */
    uint32_t *order;
    size_t n;
    int n_root, n_element;
};

/* False: no memory. */
bool page_touched_init(struct page_touched *t, const struct keyset *pairs, int n_root) MUST_CHECK;
void page_touched_free(struct page_touched *t);
/* The i-th pair, root and element; good while the set is. */
void page_touched_get(const struct page_touched *t, size_t i, struct span *pair);
/* Those in a range of a root's elements: [*from, *to). */
void page_touched_within(const struct page_touched *t, const struct window_bounds *at, size_t *from,
                         size_t *to);

#endif
