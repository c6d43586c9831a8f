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

static bool is_blank(const char *text)
{
    return !text[strspn(text, " ")];
}

/* "{a} * {b}": its factors. */
static bool product_of(const struct map_expr *x, struct map_ref factors[2])
{
    const struct map_piece *pieces = x->pieces;
    const char *sign = x->n >= 2 ? pieces[1].text + strspn(pieces[1].text, " ") : "";

    if (*sign != '*' || !is_blank(sign + 1) || !is_blank(pieces[0].text) ||
        pieces[1].ref.table < 0 ||
        (x->n > 2 && (x->n > 3 || !is_blank(pieces[2].text) || pieces[2].ref.table >= 0)))
        return false;
    factors[0] = pieces[0].ref;
    factors[1] = pieces[1].ref;
    return true;
}

/* What it runs over: columns that are fetched anyway where they will do. */
static bool find_columns(struct plan *p, struct plan_fold *f)
{
    const struct map_ref *plain = plan_plain(&f->op->expr);
    struct map_ref factors[2];

    if (product_of(&f->op->expr, factors)) {
        f->child_column = plan_column_of(p, f->child, factors[0]);
        f->child_factor = plan_column_of(p, f->child, factors[1]);
        return f->child_column >= 0 && f->child_factor >= 0;
    }
    f->child_factor = -1;
    f->child_column =
        plain ? plan_column_of(p, f->child, *plain) : plan_column_more(p, f->child, &f->op->expr);
    return f->child_column >= 0;
}

static void find_folds(struct plan *p, int level)
{
    const struct map_level *l = &p->a->levels[level];
    int column = p->levels[level].n_path;

    for (int i = 0; i < l->n_ops; i++) {
        const struct map_op *op = &l->ops[i];

        if (foldable(op) && p->n_folds < PLAN_FOLDS_MAX) {
            struct plan_fold fold = {.op = op, .level = level, .column = column, .child = op->of};

            if (find_columns(p, &fold))
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

static void put_extras(struct buf *b, const struct plan *p, int level, uint32_t without)
{
    for (int i = 0; i < p->levels[level].n_extras; i++) {
        const struct map_expr *x = &p->levels[level].extras[i].expr;

        buf_put_str(b, ", ");
        if (plan_expr_tables(x) & without)
            buf_put_str(b, "NULL");
        else
            plan_put_expr(b, p->a, x);
    }
}

static uint32_t extra_tables(const struct plan *p, int level)
{
    uint32_t mask = 0;

    for (int i = 0; i < p->levels[level].n_extras; i++)
        mask |= plan_expr_tables(&p->levels[level].extras[i].expr);
    return mask;
}

size_t plan_put_lean(struct buf *b, const struct plan *p, int level, uint32_t without)
{
    const struct aggregate *a = p->a;
    const struct map_level *l = &a->levels[level];
    uint32_t tables = plan_with_parents(a, plan_tables(a, level) | extra_tables(p, level));
    size_t at;

    buf_put_str(b, "SELECT STRAIGHT_JOIN ");
    plan_put_path(b, a, level);
    for (int i = 0; i < l->n_ops; i++) {
        if (l->ops[i].expr.n == 0)
            continue;
        buf_put_str(b, ", ");
        if (fold_of(p, &l->ops[i]) || plan_expr_tables(&l->ops[i].expr) & without)
            buf_put_str(b, "NULL");
        else
            plan_put_value(b, a, &l->ops[i]);
    }
    put_extras(b, p, level, without);
    buf_put_str(b, " FROM ");
    at = b->len;
    plan_put_from(b, a, tables & ~without);
    buf_put_str(b, " WHERE ");
    return at;
}

bool plan_fold_make(struct plan *p, struct buf *b)
{
    for (int i = 0; i < p->a->n_levels; i++)
        find_folds(p, i);
    for (int i = 0; i < p->a->n_levels; i++) {
        if (!concerned(p, i))
            continue;
        p->levels[i].lean_tables = plan_put_lean(b, p, i, 0);
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
