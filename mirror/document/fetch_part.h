/* Shared by the files of fetch; nobody else's business. */
#ifndef MIRROR_FETCH_PART_H
#define MIRROR_FETCH_PART_H

#include "mirror/document/fetch.h"
#include "mirror/document/window.h"
#include "mirror/mapping/plan_page.h"

/* The document under way: a head or a page. */
struct unit {
    struct fetch *f;
    struct window_bounds at;
    bool found; /* it or its first document is there */
    /* Of its elements only touched ones [touched, touched_end) are read, the others are kept. */
    bool part;
    size_t touched, touched_end;
    struct err *e;
};

/* Copies of keys that outlive what they were found in. */
struct kept_key {
    struct buf memory;
    struct span spans[MAP_KEY_MAX];
};

/* Run f->sql. NULL with `e`. */
struct rows *fetch_run(struct fetch *f, struct err *e);
/* The same; the rows in the order of so many columns (see plan_tail). */
struct rows *fetch_run_by(struct fetch *f, int by, struct err *e);
/* The condition that the root is among keys [from, to). */
void fetch_put_keys(const struct fetch *f, const struct keyset *keys, size_t from, size_t to,
                    struct buf *sql);
/* The rows' first columns into a set, but for those with a NULL; false where it is full. */
bool fetch_add_rows(struct rows *r, struct keyset *set);
void fetch_free_rows(struct rows **rows, int n);
/* {_id: …} of a document that begins with it. */
void fetch_id(const bson_t *doc, bson_t *id);
bool fetch_hand_out(struct fetch *f, const bson_t *id, bson_t *doc, struct err *e) MUST_CHECK;
/* Hand out the documents of the rows; their _ids are noted. */
bool fetch_take_rows(struct fetch *f, struct rows **rows, fetch_take *take,
                     struct err *e) MUST_CHECK;
/* Whether a root is not among these: 1, 0, -1 with `e`. Its {_id: …} into `id`, which is empty. */
int fetch_gone(struct fetch *f, const enum value_kind *kinds, const struct span *root, bson_t *id,
               struct err *e);
/* Roots [from, to) by one statement a level; none of them has pages yet. */
bool fetch_slice(struct fetch *f, const struct keyset *keys, size_t from, size_t to,
                 struct err *e) MUST_CHECK;

/* Make the sums that the statements left out, of all levels whose rows are there. */
bool fetch_fold(const struct fetch *f, struct rows **rows, struct err *e) MUST_CHECK;
/* How large the next slice had better be, by how many documents this one had, by the bytes of their
 * rows, and by how long it took. */
void fetch_adapt(struct fetch *f, size_t documents, size_t bytes, uint64_t took_ns);

/* Whether the caller wants no more. */
bool fetch_enough(const struct fetch *f);

/* False: no memory. */
bool fetch_keep(struct kept_key *k, const struct span *key, int n) MUST_CHECK;
/* The statement for one level's rows of a document; returns as plan_tail. */
int fetch_put_range(const struct fetch *f, struct buf *sql, int level,
                    const struct window_bounds *at);
/* Whether a document has rows of a level: a page has none of the arrays beside. */
bool fetch_needs(const struct aggregate *a, int level, const struct window_bounds *at);
/* Hand out the document and what it spills into, of its rows, so many of the paged array's; `last`:
 * no page follows. */
bool fetch_take_range(struct unit *u, struct rows *const *rows, uint64_t elements,
                      bool last) MUST_CHECK;
/* The same of a unit of which a part was read. */
bool fetch_take_changed(struct unit *u, struct rows *const *rows) MUST_CHECK;
/* Keep the elements of a document that was handed out, or forget what was kept of it. */
void fetch_cache(struct fetch *f, const struct document_merge *merge, const bson_t *doc);
/* One document by statements of its own, however large it is. */
bool fetch_alone(struct fetch *f, const struct span *root, const struct span *from,
                 struct err *e) MUST_CHECK;
/* fetch_units, whether it is enough or not. */
bool fetch_all_units(struct fetch *f, const struct keyset *units, struct err *e) MUST_CHECK;

/* Roots of an aggregate with a paged array, with all their pages. */
bool fetch_paged(struct fetch *f, const struct keyset *keys, size_t from, size_t to,
                 struct err *e) MUST_CHECK;
/* Keep the directory, of a page that the merge has made: 1; 0: it has no elements and is to be
 * deleted; -1 with `e`. */
int fetch_note_page(struct fetch *f, const struct document_merge *merge, struct err *e) MUST_CHECK;

#endif
