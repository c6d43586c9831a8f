/* From rows to documents: merges the ordered results of an aggregate's levels, one document at a
 * time. Pure; see plan.h for how the rows come. */
#ifndef MIRROR_DOCUMENT_H
#define MIRROR_DOCUMENT_H

#include "mirror/document/rows.h"
#include "mirror/mapping/plan.h"

struct document_merge {
    const struct plan *plan;
    struct rows *rows[MAP_LEVELS_MAX]; /* one a level, the caller's; NULL: none */
    bool has[MAP_LEVELS_MAX];          /* whether the level's row stands in its cells */
    /* Of a paged array: */
    uint64_t cut;      /* a document takes so many elements, the rest goes into pages; 0: all */
    bool more;         /* the next document is a page of the same root */
    uint64_t elements; /* in the last document */
    bool begun;        /* some document has been made */
    struct buf *keys;  /* gets the elements' keys of the last document, as page_elements_put_key
                        * puts them; the caller's; NULL: they are not wanted */
    /* Where the last document's elements begin, where it is a page; NULL: it is a head. To begin in
     * the middle of a root, set it before the first. Good while the rows are. */
    const struct span *from;
    struct span root[MAP_KEY_MAX];  /* of the last document */
    struct span begin[MAP_KEY_MAX]; /* of this page … */
    struct span next[MAP_KEY_MAX];  /* … and of the next */
};

/* Begin; the rows have not been read from yet. */
void document_begin(struct document_merge *m, const struct plan *plan, struct rows *const *rows);

/* Build the next document into `out`, which is initialised and empty: 1; 0 at the end; -1 with `e`.
 * `_id` stands first. */
int document_next(struct document_merge *m, bson_t *out, struct err *e) MUST_CHECK;

/* Append `_id`: the key's value, or, of several columns, a document of them. `key` and `kinds` have
 * plan->n_key elements. */
bool document_id(const struct plan *plan, const enum value_kind *kinds, const struct span *key,
                 bson_t *out, struct err *e) MUST_CHECK;

/* `_id` of a page: {k: what document_id makes of the root, from: the same of the element}; `kinds`
 * are the root's and the element's. */
bool document_page_id(const struct plan *plan, const enum value_kind *kinds,
                      const struct span *root, const struct span *from, bson_t *out,
                      struct err *e) MUST_CHECK;

/* The root key out of a document that begins with `_id`, also a page's, as SQL prints it, into
 * `memory` (emptied first; `key` points into it). False where `_id` is none of ours. */
bool document_key(const struct plan *plan, const bson_t *doc, struct buf *memory, struct span *key);
/* The same with the element behind it; false where it is no page. */
bool document_page_key(const struct plan *plan, const bson_t *doc, struct buf *memory,
                       struct span *key);
bool document_is_page(const struct plan *plan, const bson_t *doc);

#endif
