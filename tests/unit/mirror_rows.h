/* Rows of a test in the place of a server's: texts, NULL is NULL. */
#ifndef UNIT_MIRROR_ROWS_H
#define UNIT_MIRROR_ROWS_H

#include "mirror/source/source.h"

enum { CELLS_MAX = 8 };

struct fake_rows {
    struct rows base;
    const char *const (*rows)[CELLS_MAX];
    int at;
    enum value_kind kinds[CELLS_MAX]; /* where the test has none of its own */
    struct span cells[CELLS_MAX];
};

static inline bool fake_next(struct rows *base)
{
    struct fake_rows *f = (struct fake_rows *)base;

    if ((uint64_t)f->at == base->n_rows)
        return false;
    for (int i = 0; i < base->n_columns; i++) {
        const char *text = f->rows[f->at][i];

        f->cells[i] = text ? span_of(text) : (struct span){NULL, 0};
    }
    f->at++;
    return true;
}

#endif
