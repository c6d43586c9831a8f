/* Reference counts of immutable snapshots that several threads share.
 *
 * The maker holds the first reference. Whoever brings the count to zero frees. Any thread. */
#ifndef BASE_REF_H
#define BASE_REF_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>

struct ref {
    atomic_int count;
};

static inline void ref_init(struct ref *r)
{
    atomic_init(&r->count, 1);
}

static inline void ref_get(struct ref *r)
{
    int before = atomic_fetch_add_explicit(&r->count, 1, memory_order_relaxed);

    assert(before > 0);
}

/* Whether this was the last reference: the caller frees the object. */
static inline bool ref_put(struct ref *r)
{
    int before = atomic_fetch_sub_explicit(&r->count, 1, memory_order_acq_rel);

    assert(before > 0);
    return before == 1;
}

#endif
