/* What a batch has touched and not written, or not even followed to its documents: a change of many
 * must not hold up the others. They are written in later batches, from newer snapshots, a little in
 * each; the checkpoint waits for all of them. One thread. */
#ifndef MIRROR_DEBT_H
#define MIRROR_DEBT_H

#include "mirror/mapping/plan.h"

struct debt {
    struct keyset now; /* keys that are being paid … */
    size_t paid;       /* … so far */
    struct keyset next;
};

void debt_init(struct debt *d, int width);
void debt_free(struct debt *d);
/* Forgive all, e.g. after a pass over the whole aggregate. */
void debt_clear(struct debt *d);
/* Add keys[from, …). False where they don't fit: the whole aggregate must be written. */
bool debt_owe(struct debt *d, const struct keyset *keys, size_t from) MUST_CHECK;
/* Whether something is owed; then `now` has it from `paid` on. */
bool debt_due(struct debt *d);

/* Of an aggregate. */
struct debts {
    struct debt roots;
    struct debt pages; /* a root and an element that the page has, or nothing: the head */
    /* By table use: links from changed rows that are still to be followed, to roots and to pages.
     * Width 0: there are no such links. */
    struct debt links[MAP_TABLES_MAX];
    struct debt pair_links[MAP_TABLES_MAX];
};

void debts_init(struct debts *d, const struct plan *p);
void debts_free(struct debts *d);
void debts_clear(struct debts *d);
bool debts_due(struct debts *d);
bool debts_links_due(struct debts *d);
/* Whether more was owed than there is room for: the whole aggregate must be written. Ask before
 * debts_due. */
bool debts_full(const struct debts *d);

#endif
