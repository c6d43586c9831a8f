#include "mirror/document/rows_over.h"

#include <stdlib.h>
#include <string.h>

bool rows_over_init(struct rows_over *o, struct rows *of)
{
    size_t n = (size_t)of->n_columns;

    *o = (struct rows_over){
        .base = *of,
        .of = of,
        .kinds = calloc(n, sizeof *o->kinds),
        .shapes = calloc(n, sizeof *o->shapes),
        .cells = calloc(n, sizeof *o->cells),
    };
    if (!o->kinds || !o->shapes || !o->cells)
        return false;
    memcpy(o->kinds, of->kinds, n * sizeof *o->kinds);
    memcpy(o->shapes, of->shapes, n * sizeof *o->shapes);
    o->base.kinds = o->kinds;
    o->base.shapes = o->shapes;
    o->base.cells = o->cells;
    return true;
}

bool rows_over_next(struct rows_over *o)
{
    bool is = rows_next(o->of);

    o->base.bytes = o->of->bytes;
    o->base.broken |= o->of->broken;
    if (is)
        memcpy(o->cells, o->of->cells, (size_t)o->base.n_columns * sizeof *o->cells);
    return is;
}

void rows_over_end(struct rows_over *o)
{
    rows_free(o->of);
    free(o->kinds);
    free(o->shapes);
    free(o->cells);
}
