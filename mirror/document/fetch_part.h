/* Shared by the files of fetch; nobody else's business. */
#ifndef MIRROR_FETCH_PART_H
#define MIRROR_FETCH_PART_H

#include "mirror/document/fetch.h"

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
/* Roots [from, to) by one statement a level; none of them has pages yet. */
bool fetch_slice(struct fetch *f, const struct keyset *keys, size_t from, size_t to,
                 struct err *e) MUST_CHECK;

/* Roots of an aggregate with a paged array, with all their pages. */
bool fetch_paged(struct fetch *f, const struct keyset *keys, size_t from, size_t to,
                 struct err *e) MUST_CHECK;
/* Keep the directory, of a page that the merge has made: 1; 0: it has no elements and is to be
 * deleted; -1 with `e`. */
int fetch_note_page(struct fetch *f, const struct document_merge *merge, struct err *e) MUST_CHECK;

#endif
