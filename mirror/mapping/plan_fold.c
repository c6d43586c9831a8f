/* Sums that the mirror makes of an array's rows: see plan.h and fold.h. */
#include "mirror/mapping/plan_part.h"

#include <string.h>

bool plan_arithmetic(const struct map_expr *x)
{
    for (int i = 0; i < x->n; i++)
        if (x->pieces[i].text[strspn(x->pieces[i].text, " 0123456789.+-*()")])
            return false;
    return true;
}

static bool foldable(const struct map_op *op)
{
    return op->kind == MAP_OP_VALUE && op->fold == MAP_FOLD_SUM && op->of >= 0 &&
           (op->type == MAP_TYPE_AUTO || op->type == MAP_TYPE_DECIMAL) &&
           plan_arithmetic(&op->expr);
}

static int count_columns(const struct plan *p, int level)
{
    const struct map_level *l = &p->a->levels[level];
    int n = p->levels[level].n_path;

    for (int i = 0; i < l->n_ops; i++)
        n += l->ops[i].expr.n > 0;
    return n;
}

/* The next column behind an array's own. */
static int child_column(const struct plan *p, int child)
{
    int n = count_columns(p, child);

    for (int i = 0; i < p->n_folds; i++)
        n += p->folds[i].child == child;
    return n;
}

static void find_folds(struct plan *p, int level)
{
    const struct map_level *l = &p->a->levels[level];
    int column = p->levels[level].n_path;

    for (int i = 0; i < l->n_ops; i++) {
        const struct map_op *op = &l->ops[i];

        if (foldable(op) && p->n_folds < PLAN_FOLDS_MAX) {
            struct plan_fold fold = {op, level, column, op->of, child_column(p, op->of)};

            p->folds[p->n_folds++] = fold;
        }
        column += op->expr.n > 0;
    }
}

static const struct plan_fold *fold_of(const struct plan *p, const struct map_op *op)
{
    for (int i = 0; i < p->n_folds; i++)
        if (p->folds[i].op == op)
            return &p->folds[i];
    return NULL;
}

static bool concerned(const struct plan *p, int level)
{
    for (int i = 0; i < p->n_folds; i++)
        if (p->folds[i].level == level || p->folds[i].child == level)
            return true;
    return false;
}

static void put_lean(const struct plan *p, int level, struct buf *b)
{
    const struct aggregate *a = p->a;
    const struct map_level *l = &a->levels[level];
    uint32_t tables = plan_tables(a, level);

    buf_put_str(b, "SELECT STRAIGHT_JOIN ");
    plan_put_path(b, a, level);
    for (int i = 0; i < l->n_ops; i++) {
        if (l->ops[i].expr.n == 0)
            continue;
        buf_put_str(b, ", ");
        if (fold_of(p, &l->ops[i]))
            buf_put_str(b, "NULL");
        else
            plan_put_value(b, a, &l->ops[i]);
    }
    for (int i = 0; i < p->n_folds; i++) {
        if (p->folds[i].child != level)
            continue;
        buf_put_str(b, ", ");
        plan_put_expr(b, a, &p->folds[i].op->expr);
        tables |= plan_expr_tables(&p->folds[i].op->expr);
    }
    buf_put_str(b, " FROM ");
    plan_put_from(b, a, plan_with_parents(a, tables));
    buf_put_str(b, " WHERE ");
}

bool plan_fold_make(struct plan *p, struct buf *b)
{
    for (int i = 0; i < p->a->n_levels; i++)
        find_folds(p, i);
    for (int i = 0; i < p->a->n_levels; i++) {
        if (!concerned(p, i))
            continue;
        put_lean(p, i, b);
        p->levels[i].lean = plan_take(b);
        if (!p->levels[i].lean)
            return false;
    }
    return true;
}

bool plan_lean(const struct plan *p)
{
    for (int i = 0; i < p->n_folds; i++)
        if (!p->folds[i].op->exact)
            return false;
    return p->n_folds > 0;
}
