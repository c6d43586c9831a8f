/* Some documents as SQL has them, beside the same as MongoDB has them. */
#ifndef MIRROR_PAGE_H
#define MIRROR_PAGE_H

#include "mirror/mapping/keyset.h"
#include "mirror/sink/sink.h"

#include <stdio.h>

struct page_item {
    bson_t *sql;   /* NULL: SQL has none */
    bson_t *mongo; /* NULL: MongoDB has none, or (equal) the same */
    bool equal;
};

struct page {
    struct keyset ids; /* {_id: …}, its bytes: item i is tuple i */
    size_t room;
    struct page_item *items;
};

void page_init(struct page *p);
void page_free(struct page *p);
void page_clear(struct page *p);
/* A fetch_take; `to` is the page. */
bool page_take(void *to, const bson_t *id, bson_t *doc, struct err *e);
/* Read the same documents of a collection and compare, without `_tillway`. */
bool page_compare(struct page *p, struct sink *s, const char *collection, struct err *e) MUST_CHECK;
/* {_id: …} of the i-th; good until the next page_take. */
bool page_id(const struct page *p, size_t i, bson_t *out);
/* Print what differs in the i-th, a line a field. */
void page_print(const struct page *p, size_t i, const char *collection, FILE *out);

#endif
