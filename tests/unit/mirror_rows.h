/* Rows of a test in the place of a server's: texts, NULL is NULL. */
#ifndef UNIT_MIRROR_ROWS_H
#define UNIT_MIRROR_ROWS_H

#include "mirror/source/source.h"

#include <stdlib.h>

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

static inline void fake_rows_free(struct rows *base)
{
    free(base);
}

static inline struct rows *fake_rows_new(const char *const (*rows)[CELLS_MAX], uint64_t n,
                                         int columns, const enum value_kind *kinds,
                                         const struct value_shape *shapes);

static inline struct rows *fake_rows_again(struct rows *base)
{
    return fake_rows_new(((struct fake_rows *)base)->rows, base->n_rows, base->n_columns,
                         base->kinds, base->shapes);
}

/* Of the heap, as a server's: freed by rows_free. */
static inline struct rows *fake_rows_new(const char *const (*rows)[CELLS_MAX], uint64_t n,
                                         int columns, const enum value_kind *kinds,
                                         const struct value_shape *shapes)
{
    struct fake_rows *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->rows = rows;
    f->base = (struct rows){.n_columns = columns,
                            .kinds = kinds,
                            .shapes = shapes,
                            .cells = f->cells,
                            .n_rows = n,
                            .next = fake_next,
                            .again = fake_rows_again,
                            .free = fake_rows_free};
    return &f->base;
}

#endif
