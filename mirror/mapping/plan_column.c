/* Where values stand in the rows of a level, which are: path, values, extras. */
#include "mirror/mapping/plan_part.h"

const struct map_ref *plan_plain(const struct map_expr *x)
{
    return x->n == 1 && !x->pieces[0].text[0] && x->pieces[0].ref.table >= 0 ? &x->pieces[0].ref
                                                                             : NULL;
}

static bool same(const struct map_ref *a, struct map_ref b)
{
    return a && a->table == b.table && a->column == b.column;
}

static int in_path(const struct plan *p, int level, struct map_ref ref)
{
    int path[MAP_DEPTH_MAX];
    int n = plan_path_of(p->a, level, path);
    int column = 0;

    for (int i = 0; i < n; i++)
        for (int k = 0; k < p->a->levels[path[i]].n_key; k++, column++)
            if (same(&p->a->levels[path[i]].key[k], ref))
                return column;
    return -1;
}

static bool uncast(const struct map_op *op)
{
    return op->kind == MAP_OP_VALUE && op->fold == MAP_FOLD_NONE &&
           (op->type == MAP_TYPE_AUTO || op->type == MAP_TYPE_DECIMAL);
}

static int in_values(const struct plan *p, int level, struct map_ref ref)
{
    const struct map_level *l = &p->a->levels[level];
    int column = p->levels[level].n_path;

    for (int i = 0; i < l->n_ops; i++) {
        if (uncast(&l->ops[i]) && same(plan_plain(&l->ops[i].expr), ref))
            return column;
        column += l->ops[i].expr.n > 0;
    }
    return -1;
}

static int first_extra(const struct plan *p, int level)
{
    const struct map_level *l = &p->a->levels[level];
    int n = p->levels[level].n_path;

    for (int i = 0; i < l->n_ops; i++)
        n += l->ops[i].expr.n > 0;
    return n;
}

static int in_extras(const struct plan *p, int level, struct map_ref ref)
{
    const struct plan_level *l = &p->levels[level];

    for (int i = 0; i < l->n_extras; i++)
        if (same(plan_plain(&l->extras[i].expr), ref))
            return first_extra(p, level) + i;
    return -1;
}

int plan_column_more(struct plan *p, int level, const struct map_expr *x)
{
    struct plan_level *l = &p->levels[level];

    if (l->n_extras == PLAN_EXTRAS_MAX)
        return -1;
    l->extras[l->n_extras].expr = *x;
    return first_extra(p, level) + l->n_extras++;
}

int plan_column_of(struct plan *p, int level, struct map_ref ref)
{
    static int (*const places[])(const struct plan *, int, struct map_ref) = {in_path, in_values,
                                                                              in_extras};
    struct plan_level *l = &p->levels[level];
    struct map_expr x = {.n = 1};

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        int column = places[i](p, level, ref);

        if (column >= 0)
            return column;
    }
    if (l->n_extras == PLAN_EXTRAS_MAX)
        return -1;
    x.pieces = &l->extras[l->n_extras].one;
    *x.pieces = (struct map_piece){"", ref};
    return plan_column_more(p, level, &x);
}
