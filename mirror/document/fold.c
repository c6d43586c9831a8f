#include "mirror/document/fold.h"

#include "mirror/document/rows_over.h"
#include "mirror/document/sum.h"
#include "mirror/source/source.h"

#include <stdlib.h>
#include <string.h>

struct fold {
    const struct plan_fold *of;
    struct rows *child; /* our own reader of the array's rows … */
    bool has;           /* … whether one stands in its cells */
    unsigned decimals;  /* of what is added up */
    struct sum sum;
    char text[SUM_TEXT_MAX];
};

struct folded {
    struct rows_over over;
    int n_path;
    int n;
    struct fold folds[PLAN_FOLDS_MAX];
};

static bool of_row(const struct fold *f, const struct span *row, int n_path)
{
    for (int i = 0; i < n_path; i++) {
        struct span a = f->child->cells[i];

        if (a.n != row[i].n || !a.p || !row[i].p || memcmp(a.p, row[i].p, a.n) != 0)
            return false;
    }
    return true;
}

/* What is NULL adds nothing. */
static bool add_child(struct fold *f)
{
    struct span number = f->child->cells[f->of->child_column];
    struct span factor;

    if (f->of->child_factor < 0)
        return !number.p || sum_add(&f->sum, number);
    factor = f->child->cells[f->of->child_factor];
    return !number.p || !factor.p || sum_add_product(&f->sum, number, factor);
}

/* The sum over the child rows that belong to the row; past them. */
static bool fold_row(struct fold *f, struct span *row, int n_path)
{
    sum_init(&f->sum, f->decimals);
    for (; f->has && of_row(f, row, n_path); f->has = rows_next(f->child))
        if (!add_child(f))
            return false;
    row[f->of->column] = sum_text(&f->sum, f->text);
    return true;
}

static bool next_row(struct rows *base)
{
    struct folded *d = (struct folded *)base;

    if (base->broken || !rows_over_next(&d->over))
        return false;
    for (int i = 0; i < d->n; i++)
        base->broken |= !fold_row(&d->folds[i], d->over.cells, d->n_path);
    return !base->broken;
}

static void free_rows(struct rows *base)
{
    struct folded *d = (struct folded *)base;

    for (int i = 0; i < d->n; i++)
        rows_free(d->folds[i].child);
    rows_over_end(&d->over);
    free(d);
}

/* NULL: no memory, and the rows are freed. */
static struct folded *wrap(struct rows *rows, int n_path)
{
    struct folded *d = calloc(1, sizeof *d);

    if (!d) {
        rows_free(rows);
        return NULL;
    }
    d->n_path = n_path;
    if (!rows_over_init(&d->over, rows)) {
        free_rows(&d->over.base);
        return NULL;
    }
    d->over.base.next = next_row;
    d->over.base.again = NULL;
    d->over.base.free = free_rows;
    return d;
}

/* Whether the rows' numbers can be added up; the decimals of what is. */
static bool takes(const struct plan_fold *of, const struct rows *child, unsigned *decimals)
{
    struct value_shape shape = child->shapes[of->child_column];

    if (!sum_takes(child->kinds[of->child_column], shape))
        return false;
    *decimals = shape.decimals;
    if (of->child_factor < 0)
        return true;
    shape = child->shapes[of->child_factor];
    *decimals += shape.decimals;
    return sum_takes(child->kinds[of->child_factor], shape);
}

static bool add_fold(struct folded *d, const struct plan_fold *of, struct rows *child,
                     struct err *e)
{
    struct fold *f = &d->folds[d->n];

    if (!takes(of, child, &f->decimals)) {
        (void)err_set(e, ERR_SERVER, "a sum's numbers are of another type than they were");
        e->code = SOURCE_ERR_TABLE_CHANGED;
        return false;
    }
    f->of = of;
    f->child = rows_again(child);
    if (!f->child)
        return err_set(e, ERR_IO, "out of memory");
    d->n++;
    f->has = rows_next(f->child);
    d->over.kinds[of->column] = VALUE_DECIMAL;
    return true;
}

struct rows *fold_rows(const struct plan *p, int level, struct rows *const *rows, struct err *e)
{
    struct folded *d = wrap(rows[level], p->levels[level].n_path);

    for (int i = 0; d && i < p->n_folds; i++) {
        struct rows *child = rows[p->folds[i].child];

        if (p->folds[i].level != level || !child || add_fold(d, &p->folds[i], child, e))
            continue;
        free_rows(&d->over.base);
        return NULL;
    }
    if (!d)
        (void)err_set(e, ERR_IO, "out of memory");
    return d ? &d->over.base : NULL;
}
