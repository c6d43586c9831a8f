#include "mirror/document/join.h"

#include "mirror/document/rows_over.h"
#include "mirror/document/table_size.h"
#include "mirror/mapping/number.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 50000, BYTES_MAX = 16 << 20 };

/* A table that was read; rows NULL: it was not. */
struct joined_table {
    struct rows *rows;
    struct keyset keys;
    struct span *cells; /* the values of a key's row, plan_join.n_to a row */
};

struct joins {
    const struct plan *plan;
    struct joined_table tables[PLAN_JOINS_MAX];
};

/* Rows with their joins made. */
struct joined {
    struct rows_over over;
    const struct joins *joins;
    int level;
};

static int level_of(const struct joins *j, int join)
{
    return j->plan->a->tables[j->plan->joins[join].table].level;
}

/* The tuple of integers, each in one form; false where one is NULL, and equal to nothing. */
static bool key_of(const struct span *cells, const int *at, int n, struct span *key)
{
    for (int i = 0; i < n; i++) {
        struct span cell = cells[at ? at[i] : i];

        if (!cell.p)
            return false;
        key[i] = number_plain(cell);
    }
    return true;
}

static bool integers(const struct rows *r, const int *at, int n)
{
    for (int i = 0; i < n; i++)
        if (r->kinds[at ? at[i] : i] != VALUE_INT)
            return false;
    return true;
}

/* By its key each row, which no other one has; false where that is not so, or it is too much. */
static bool take_rows(struct joined_table *t, const struct plan_join *of, int n_on)
{
    struct span key[MAP_KEY_MAX];

    t->cells = calloc((size_t)t->rows->n_rows * (size_t)of->n_to + 1, sizeof *t->cells);
    if (!t->cells || t->rows->n_rows > ROWS_MAX || !integers(t->rows, NULL, n_on))
        return false;
    while (rows_next(t->rows)) {
        if (!key_of(t->rows->cells, NULL, n_on, key))
            continue;
        if (!keyset_add(&t->keys, key))
            return false;
        if (of->n_to)
            memcpy(t->cells + (t->keys.n - 1) * (size_t)of->n_to, t->rows->cells + n_on,
                   (size_t)of->n_to * sizeof *t->cells);
    }
    return true;
}

static void forget(struct joined_table *t)
{
    rows_free(t->rows);
    keyset_free(&t->keys);
    free(t->cells);
    *t = (struct joined_table){.rows = NULL};
}

struct joins *joins_new(const struct plan *p)
{
    struct joins *j = calloc(1, sizeof *j);

    if (j)
        j->plan = p;
    return j;
}

void joins_free(struct joins *j)
{
    if (!j)
        return;
    for (int i = 0; i < PLAN_JOINS_MAX; i++)
        forget(&j->tables[i]);
    free(j);
}

bool joins_take(struct joins *j, int join, struct rows *rows)
{
    const struct plan_join *of = &j->plan->joins[join];
    struct joined_table *t = &j->tables[join];
    int n_on = j->plan->a->tables[of->table].n_on;

    t->rows = rows;
    keyset_init(&t->keys, n_on, BYTES_MAX);
    if (take_rows(t, of, n_on))
        return true;
    forget(t);
    return false;
}

/* False with `e`; a table that is too large is left alone. */
static bool load(struct joins *j, int join, struct source *s, struct err *e)
{
    const struct plan_join *of = &j->plan->joins[join];
    struct buf sql = buf_with_max(PLAN_SQL_MAX);
    struct table_size size;
    struct rows *rows;

    if (!table_size(&j->plan->a->tables[of->table], s, &size, e))
        return false;
    if (size.rows > ROWS_MAX || size.bytes > BYTES_MAX)
        return true;
    buf_printf(&sql, "%s LIMIT %d", of->select, ROWS_MAX + 1);
    rows = source_query(s, buf_span(&sql), e);
    buf_free(&sql);
    if (rows)
        (void)joins_take(j, join, rows);
    return rows != NULL;
}

struct joins *joins_load(const struct plan *p, struct source *s, struct err *e)
{
    struct joins *j = joins_new(p);

    if (!j)
        (void)err_set(e, ERR_IO, "out of memory");
    for (int i = 0; j && i < p->n_joins; i++) {
        if (!plan_join_fits(p, &p->joins[i]) || load(j, i, s, e))
            continue;
        joins_free(j);
        return NULL;
    }
    return j;
}

/* Whether all of a level's joins are here: it is read with all of them or with none. */
static bool made_here(const struct joins *j, int level)
{
    bool all = j && j->plan->levels[level].bare;

    for (int i = 0; all && i < j->plan->n_joins; i++)
        all = level_of(j, i) != level || j->tables[i].rows;
    return all;
}

const char *joins_head(const struct joins *j, const struct plan *p, int level)
{
    return made_here(j, level) ? p->levels[level].bare : plan_head(p, level);
}

/* Put the values of the row that it is linked to into its cells; false where there must be one and
 * is none. */
static bool join_row(const struct joins *j, int join, struct span *cells)
{
    const struct plan_join *of = &j->plan->joins[join];
    const struct map_table *t = &j->plan->a->tables[of->table];
    const struct joined_table *table = &j->tables[join];
    struct span key[MAP_KEY_MAX];
    int64_t found = key_of(cells, of->at, t->n_on, key) ? keyset_find(&table->keys, key) : -1;

    for (int i = 0; i < of->n_to; i++)
        cells[of->to[i]] = found < 0 ? (struct span){NULL, 0}
                                     : table->cells[(size_t)found * (size_t)of->n_to + (size_t)i];
    return found >= 0 || !t->required;
}

static bool next_row(struct rows *base)
{
    struct joined *d = (struct joined *)base;
    bool whole;

    do {
        if (!rows_over_next(&d->over))
            return false;
        whole = true;
        for (int i = 0; whole && i < d->joins->plan->n_joins; i++)
            whole = level_of(d->joins, i) != d->level || join_row(d->joins, i, d->over.cells);
    } while (!whole);
    return true;
}

static void free_rows(struct rows *base)
{
    struct joined *d = (struct joined *)base;

    rows_over_end(&d->over);
    free(d);
}

static struct rows *wrap(const struct joins *j, int level, struct rows *rows);

static struct rows *again(struct rows *base)
{
    struct joined *d = (struct joined *)base;
    struct rows *rows = rows_again(d->over.of);

    return rows ? wrap(d->joins, d->level, rows) : NULL;
}

/* The columns that were left out are what they are in the joined tables. */
static void take_kinds(struct joined *d)
{
    const struct plan *p = d->joins->plan;

    for (int i = 0; i < p->n_joins; i++) {
        const struct rows *table = d->joins->tables[i].rows;
        int n_on = p->a->tables[p->joins[i].table].n_on;

        if (level_of(d->joins, i) != d->level)
            continue;
        for (int k = 0; k < p->joins[i].n_to; k++) {
            d->over.kinds[p->joins[i].to[k]] = table->kinds[n_on + k];
            d->over.shapes[p->joins[i].to[k]] = table->shapes[n_on + k];
        }
    }
}

/* NULL: no memory, and the rows are freed. */
static struct rows *wrap(const struct joins *j, int level, struct rows *rows)
{
    struct joined *d = calloc(1, sizeof *d);

    if (!d) {
        rows_free(rows);
        return NULL;
    }
    d->joins = j;
    d->level = level;
    if (!rows_over_init(&d->over, rows)) {
        free_rows(&d->over.base);
        return NULL;
    }
    d->over.base.next = next_row;
    d->over.base.again = again;
    d->over.base.free = free_rows;
    take_kinds(d);
    return &d->over.base;
}

/* Whether what the rows are linked by is still of the type that it was. */
static bool linked(const struct joins *j, int level, const struct rows *rows)
{
    for (int i = 0; i < j->plan->n_joins; i++) {
        const struct plan_join *of = &j->plan->joins[i];

        if (level_of(j, i) == level && !integers(rows, of->at, j->plan->a->tables[of->table].n_on))
            return false;
    }
    return true;
}

struct rows *joins_rows(const struct joins *j, int level, struct rows *rows, struct err *e)
{
    struct rows *out;

    if (!made_here(j, level))
        return rows;
    if (!linked(j, level, rows)) {
        rows_free(rows);
        (void)err_set(e, ERR_SERVER, "what rows are linked by is of another type than it was");
        e->code = SOURCE_ERR_TABLE_CHANGED;
        return NULL;
    }
    out = wrap(j, level, rows);
    if (!out)
        (void)err_set(e, ERR_IO, "out of memory");
    return out;
}
