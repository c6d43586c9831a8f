/* From rows to documents: merges the ordered results of an aggregate's levels, one document at a
 * time. Pure; see plan.h for how the rows come. */
#ifndef MIRROR_DOCUMENT_H
#define MIRROR_DOCUMENT_H

#include "mirror/plan.h"
#include "mirror/rows.h"

struct document_merge {
    const struct plan *plan;
    struct rows *rows[MAP_LEVELS_MAX]; /* one a level, the caller's */
    bool has[MAP_LEVELS_MAX];          /* whether the level's row stands in its cells */
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

/* The root key out of a document that begins with `_id`, as SQL prints it, into `memory` (emptied
 * first; `key` points into it). False where `_id` is none of ours. */
bool document_key(const struct plan *plan, const bson_t *doc, struct buf *memory, struct span *key);

#endif
