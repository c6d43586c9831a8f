/* Rows made of other rows: the same number of columns, some of which have values of another origin.
 * Who makes them has a struct that begins with this one, and sets base.next, .again and .free. */
#ifndef MIRROR_ROWS_OVER_H
#define MIRROR_ROWS_OVER_H

#include "base/compiler.h"
#include "mirror/document/rows.h"

struct rows_over {
    struct rows base;
    struct rows *of;
    /* The base's own, which begin as those of `of`. */
    enum value_kind *kinds;
    struct value_shape *shapes;
    struct span *cells;
};

/* Takes the rows over, also where it fails: no memory. */
bool rows_over_init(struct rows_over *o, struct rows *of) MUST_CHECK;
/* The next row's cells, as `of` has them; false at the end. */
bool rows_over_next(struct rows_over *o);
void rows_over_end(struct rows_over *o);

#endif
