/* Heads of a paged aggregate without the paged array: of roots whose own fields alone have changed.
 * One statement a level serves them all, where each range of elements costs MariaDB a SELECT. */
#include "mirror/document/fetch_part.h"

/* The levels outside the paged array. Where it fails there are no rows. */
static bool ask(struct fetch *f, const struct keyset *roots, size_t from, size_t to,
                struct rows **rows, struct err *e)
{
    const struct aggregate *a = f->plan->a;
    bool ok = true;

    for (int i = 0; ok && i < a->n_levels; i++) {
        if (aggregate_within(a, i, a->paged))
            continue;
        buf_clear(&f->sql);
        buf_put_str(&f->sql, plan_head(f->plan, i));
        fetch_put_keys(f, roots, from, to, &f->sql);
        rows[i] = fetch_run_by(f, plan_tail(&f->sql, f->plan, i), e);
        ok = rows[i] != NULL;
    }
    if (ok && fetch_fold(f, rows, e))
        return true;
    fetch_free_rows(rows, a->n_levels);
    return false;
}

/* What is gone goes with its pages. */
static bool take_gone(struct fetch *f, const struct keyset *roots, size_t i,
                      const enum value_kind *kinds, struct err *e)
{
    struct span root[MAP_KEY_MAX];
    bson_t id = BSON_INITIALIZER;
    int gone;

    keyset_get(roots, i, root);
    gone = fetch_gone(f, kinds, root, &id, e);
    bson_destroy(&id);
    return gone == 0 || (gone == 1 && fetch_alone(f, root, NULL, e));
}

static bool slice(struct fetch *f, const struct keyset *roots, size_t from, size_t to,
                  struct err *e)
{
    struct rows *rows[MAP_LEVELS_MAX] = {NULL};
    bool ok;

    if (!ask(f, roots, from, to, rows, e))
        return false;
    ok = fetch_take_rows(f, rows, f->take_fields, e);
    for (; ok && from < to; from++)
        ok = take_gone(f, roots, from, rows[0]->kinds, e);
    fetch_free_rows(rows, f->plan->a->n_levels);
    return ok;
}

bool fetch_heads(struct fetch *f, const struct keyset *roots, size_t *at, struct err *e)
{
    size_t begin = *at;

    while (*at < roots->n && (*at == begin || !fetch_enough(f))) {
        size_t to = roots->n - *at < f->slice ? roots->n : *at + f->slice;

        if (!slice(f, roots, *at, to, e))
            return false;
        *at = to;
    }
    return true;
}
