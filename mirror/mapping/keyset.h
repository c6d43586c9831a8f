/* A set of keys: tuples of a fixed number of byte strings, each kept once, in order of arrival.
 *
 * Bounded: past its cap it takes nothing more and says so by `full`. One thread. */
#ifndef MIRROR_KEYSET_H
#define MIRROR_KEYSET_H

#include "base/buf.h"

#include <stdint.h>

enum { KEYSET_WIDTH_MAX = 8 };

struct keyset {
    int width; /* columns of a tuple */
    bool full; /* the cap was reached, or memory refused: what is here is not all */
    size_t max_bytes;
    size_t n;         /* tuples */
    size_t used;      /* bytes of the tuples that are in */
    struct buf bytes; /* width × (length 4, bytes), one tuple after the other */
    size_t *at;       /* where the i-th tuple begins */
    size_t room;      /* of `at` */
    uint32_t *slots;  /* open addressing: tuple number + 1, 0 is free */
    size_t n_slots;   /* a power of two */
};

void keyset_init(struct keyset *s, int width, size_t max_bytes);
void keyset_free(struct keyset *s);
/* Empty it; keeps some memory. */
void keyset_clear(struct keyset *s);
/* Whether the tuple is new here; also false, with `full` set, where there is no room. */
bool keyset_add(struct keyset *s, const struct span *tuple);
/* The number of the tuple, or -1. */
int64_t keyset_find(const struct keyset *s, const struct span *tuple);
/* The i-th tuple; good until the next add. */
void keyset_get(const struct keyset *s, size_t i, struct span *tuple);
/* Bytes in use, about. */
size_t keyset_bytes(const struct keyset *s);

#endif
