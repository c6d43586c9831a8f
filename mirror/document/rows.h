/* The rows of a result, whoever has it: a server's, or a test's own. */
#ifndef MIRROR_ROWS_H
#define MIRROR_ROWS_H

#include "base/cursor.h"
#include "mirror/document/value.h"

struct rows {
    int n_columns;
    const enum value_kind *kinds; /* by column */
    const struct value_shape *shapes;
    const struct span *cells; /* of the row rows_next gave; p NULL: NULL */
    size_t bytes;             /* of the values handed out so far */
    uint64_t n_rows;          /* all of them */
    bool broken;              /* they ended before all were given: nothing is known of the rest */
    bool (*next)(struct rows *r);
    struct rows *(*again)(struct rows *r); /* NULL: it can't */
    void (*free)(struct rows *r);
};

/* The next row into `cells`, good until the next call; false at the end. */
static inline bool rows_next(struct rows *r)
{
    return r->next(r);
}

/* Another reader of the same rows, from the first on; to be freed before `r`. NULL: no memory. */
static inline struct rows *rows_again(struct rows *r)
{
    return r->again(r);
}

static inline void rows_free(struct rows *r)
{
    if (r)
        r->free(r);
}

#endif
