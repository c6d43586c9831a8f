/* Documents of an aggregate by root keys, as one snapshot has them.
 *
 * The source's connection is inside its consistent snapshot. Works in slices whose rows fit into
 * memory; the size of a slice follows the size of the documents. One thread. */
#ifndef MIRROR_FETCH_H
#define MIRROR_FETCH_H

#include "mirror/document/directory.h"
#include "mirror/document/document.h"
#include "mirror/document/join.h"
#include "mirror/mapping/keyset.h"
#include "mirror/mapping/touch.h"
#include "mirror/source/readers.h"

/* Takes each document (may append to it); `doc` NULL: there is no such root any more. `id` is
 * {_id: …}. False with `e` ends the fetch. */
typedef bool fetch_take(void *to, const bson_t *id, bson_t *doc, struct err *e);

/* Roots of the first slice, whose documents may have any size: of documents that nobody has
 * measured, and of some that a pass before has; they may have grown since. The others follow what
 * the first one shows, and are read at once only behind it. */
enum { FETCH_SLICE_FIRST = 10, FETCH_SLICE_AGAIN = 50 };

struct fetch {
    const struct plan *plan;
    struct source *source;
    struct readers *readers;   /* the caller's, in the same snapshot; NULL: `source` reads alone */
    const struct joins *joins; /* the caller's, of the same snapshot; NULL: MariaDB makes them */
    fetch_take *take;
    fetch_take *take_fields;  /* takes heads from fetch_heads: in these the paged array is empty */
    bool (*enough)(void *to); /* asked between slices; NULL: never */
    /* Called behind each slice, with its last key and the documents so far; NULL: never. False with
     * `e` ends the fetch. */
    bool (*progress)(void *to, const struct span *key, uint64_t documents, struct err *e);
    void *to;
    enum map_class classes[MAP_KEY_MAX]; /* the root key's */
    unsigned slice;                      /* roots at once … */
    bool sized;                          /* … as the documents here are so large */
    uint64_t slice_ns;                   /* … which should take so long at most; 0: no matter */
    uint64_t documents;                  /* handed out so far, those gone included */
    struct buf sql;
    struct keyset ids;           /* _ids of a slice's documents */
    struct directory *directory; /* the caller's; of a paged aggregate. Kept as documents go out */
    bool caches;                 /* elements of documents go into the directory's cache … */
    struct buf element_keys;     /* … by the keys that are noted as a document is made */
    /* What has changed inside of the paged array since the elements that are kept were read: of
     * these documents no more is read. NULL: nobody knows. Of some roots all is read: `whole`. */
    const struct page_touched *touched;
    const struct keyset *whole;
};

void fetch_init(struct fetch *f, const struct plan *plan, struct source *source, fetch_take *take,
                void *to);
void fetch_free(struct fetch *f);

/* The documents of keys [*at, to), with all their pages, until it is enough: at least one. `*at` is
 * where the rest begins. */
bool fetch_keys(struct fetch *f, const struct keyset *keys, size_t *at, size_t to,
                struct err *e) MUST_CHECK;

/* The next root keys in key order behind the last of `keys` (which is emptied; from the beginning
 * where it was empty): at most `limit`. */
bool fetch_next_keys(struct fetch *f, struct keyset *keys, unsigned limit,
                     struct err *e) MUST_CHECK;

/* Those of `keys` that have a root row, into `found`. */
bool fetch_existing(struct fetch *f, const struct keyset *keys, struct keyset *found,
                    struct err *e) MUST_CHECK;

/* Follow links [*at, …) from changed rows of a table use up to the roots, by one statement: what it
 * leads to into `found`, `*at` is where the rest begins. */
bool fetch_roots(struct fetch *f, int use, const struct keyset *links, size_t *at,
                 struct keyset *found, struct err *e) MUST_CHECK;
/* The same for a use inside the paged array, to roots and elements. */
bool fetch_pairs(struct fetch *f, int use, const struct keyset *links, size_t *at,
                 struct keyset *found, struct err *e) MUST_CHECK;

/* Of a paged aggregate: the documents that take the elements of units [*at, …), a root and where a
 * page begins (nothing: the head), with what they spill into, until it is enough: at least one. A
 * head that is gone takes its pages with it. `*at` is where the rest begins. */
bool fetch_units(struct fetch *f, const struct keyset *units, size_t *at, struct err *e) MUST_CHECK;
/* Of a paged aggregate: heads [*at, …) by their roots, without the paged array, until it is enough:
 * at least one. One that is gone takes its pages with it. `*at` is where the rest begins. */
bool fetch_heads(struct fetch *f, const struct keyset *roots, size_t *at, struct err *e) MUST_CHECK;

#endif
