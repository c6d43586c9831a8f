/* What a batch has touched and not written: a change of many documents must not hold up the others.
 * They are written in later batches, from newer snapshots, a little in each; the checkpoint waits
 * for all of them. One thread. */
#ifndef MIRROR_DEBT_H
#define MIRROR_DEBT_H

#include "mirror/mapping/keyset.h"

#include <stdbool.h>

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
};

void debts_init(struct debts *d, int n_root, int n_element);
void debts_free(struct debts *d);
void debts_clear(struct debts *d);
bool debts_due(struct debts *d);

#endif
