/* Which pages the documents of a paged aggregate have: for each root the elements at which a page
 * begins. What lies before the first page is in the root's own document, the head; roots without
 * pages are not listed. Of some documents the elements are kept (page_cache.h); of a page that is
 * removed they are dropped, and all with the directory.
 *
 * Keys are numbers as SQL prints them. One thread. */
#ifndef MIRROR_DIRECTORY_H
#define MIRROR_DIRECTORY_H

#include "mirror/document/page_cache.h"

struct directory_page;

struct directory {
    int n_root, n_element; /* columns of the keys */
    size_t n, room;
    struct directory_page **pages; /* by root, then by element */
    struct page_cache cache;
};

/* cache_bytes: of elements that are kept, at most. */
void directory_init(struct directory *d, int n_root, int n_element, size_t cache_bytes);
void directory_free(struct directory *d);
/* Forget all. */
void directory_clear(struct directory *d);
/* A page begins at an element; nothing where it is known. False: no memory. */
bool directory_add(struct directory *d, const struct span *root,
                   const struct span *from) MUST_CHECK;
void directory_remove(struct directory *d, const struct span *root, const struct span *from);
bool directory_has(const struct directory *d, const struct span *root);
/* Where the page begins that takes an element: n_element spans, good until the next add or remove.
 * NULL: it belongs into the head. */
const struct span *directory_find(const struct directory *d, const struct span *root,
                                  const struct span *element);
/* Where the page behind `from` (NULL: behind the head) begins; NULL: there is none. */
const struct span *directory_next(const struct directory *d, const struct span *root,
                                  const struct span *from);

#endif
