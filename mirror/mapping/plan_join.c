/* To-one joins that the mirror can make: of a table that nothing hangs on but values of one level.
 * MariaDB would look its row up for each row of the level. */
#include "mirror/mapping/plan_part.h"

#include <string.h>

static bool is_leaf(const struct aggregate *a, int table)
{
    for (int i = 0; i < a->n_tables; i++)
        if (a->tables[i].parent == table)
            return false;
    return true;
}

/* Whether which elements there are, or their order, hangs on more of it than that it has a row. */
static bool decides(const struct aggregate *a, int table)
{
    const struct map_level *l = &a->levels[a->tables[table].level];

    for (int i = 0; i < a->n_levels; i++)
        if (plan_expr_tables(&a->levels[i].where) & 1u << table)
            return true;
    for (int i = 0; i < l->n_order; i++)
        if (l->order[i].ref.table == table)
            return true;
    for (int i = 0; i < l->n_key; i++)
        if (l->key[i].table == table)
            return true;
    return false;
}

/* Whether a value is of no other table; where there may be no row it must be NULL then. */
static bool alone(const struct aggregate *a, const struct map_expr *x, int table)
{
    return plan_expr_tables(x) == 1u << table && (a->tables[table].required || plan_plain(x));
}

static bool add_value(const struct plan *p, struct plan_join *j, int column,
                      const struct map_expr *x)
{
    if (!(plan_expr_tables(x) & 1u << j->table))
        return true;
    if (!alone(p->a, x, j->table) || j->n_to == PLAN_JOINED_MAX)
        return false;
    j->to[j->n_to++] = column;
    return true;
}

/* The columns that its values take, in the order of put_values. */
static bool find_values(const struct plan *p, struct plan_join *j)
{
    int level = p->a->tables[j->table].level;
    const struct map_level *l = &p->a->levels[level];
    int column = p->levels[level].n_path;

    for (int i = 0; i < l->n_ops; i++) {
        const struct map_op *op = &l->ops[i];

        if (op->fold != MAP_FOLD_NONE && plan_expr_tables(&op->expr) & 1u << j->table)
            return false;
        if (op->expr.n > 0 && !add_value(p, j, column++, &op->expr))
            return false;
    }
    for (int i = 0; i < p->levels[level].n_extras; i++)
        if (!add_value(p, j, column++, &p->levels[level].extras[i].expr))
            return false;
    return true;
}

static void put_values(struct buf *b, const struct plan *p, const struct plan_join *j)
{
    const struct map_table *t = &p->a->tables[j->table];
    const struct map_level *l = &p->a->levels[t->level];
    const struct plan_level *rows = &p->levels[t->level];

    buf_put_str(b, "SELECT ");
    for (int i = 0; i < t->n_on; i++) {
        buf_put_str(b, i ? ", " : "");
        plan_put_ref(b, p->a, (struct map_ref){(int16_t)j->table, t->on[i]});
    }
    for (int i = 0; i < l->n_ops; i++) {
        if (!(plan_expr_tables(&l->ops[i].expr) & 1u << j->table))
            continue;
        buf_put_str(b, ", ");
        plan_put_value(b, p->a, &l->ops[i]);
    }
    for (int i = 0; i < rows->n_extras; i++) {
        if (!(plan_expr_tables(&rows->extras[i].expr) & 1u << j->table))
            continue;
        buf_put_str(b, ", ");
        plan_put_expr(b, p->a, &rows->extras[i].expr);
    }
    buf_put_str(b, " FROM ");
    plan_put_table(b, p->a, j->table);
}

/* What it is linked by comes with the level's rows. */
static bool find_links(struct plan *p, struct plan_join *j)
{
    const struct map_table *t = &p->a->tables[j->table];

    for (int i = 0; i < t->n_on; i++) {
        struct map_ref ref = {(int16_t)t->parent, t->on_parent[i]};

        j->at[i] = plan_column_of(p, t->level, ref);
        if (j->at[i] < 0)
            return false;
    }
    return true;
}

static bool find_join(struct plan *p, int table, struct buf *b)
{
    const struct map_table *t = &p->a->tables[table];
    struct plan_join j = {.table = table};

    if (!t->joined || p->a->levels[t->level].grouped || !is_leaf(p->a, table) ||
        decides(p->a, table) || p->n_joins == PLAN_JOINS_MAX || !find_values(p, &j) ||
        !find_links(p, &j))
        return true;
    put_values(b, p, &j);
    j.select = plan_take(b);
    p->joins[p->n_joins++] = j;
    return j.select != NULL;
}

bool plan_join_make(struct plan *p, struct buf *b)
{
    for (int i = 1; !p->a->paged && i < p->a->n_tables; i++)
        if (!find_join(p, i, b))
            return false;
    for (int i = 0; i < p->a->n_levels; i++) {
        uint32_t mask = 0;

        for (int k = 0; k < p->n_joins; k++)
            if (p->a->tables[p->joins[k].table].level == i)
                mask |= 1u << p->joins[k].table;
        if (!mask)
            continue;
        (void)plan_put_lean(b, p, i, mask);
        p->levels[i].bare = plan_take(b);
        if (!p->levels[i].bare)
            return false;
    }
    return true;
}

bool plan_join_fits(const struct plan *p, const struct plan_join *j)
{
    const struct map_table *t = &p->a->tables[j->table];
    const struct map_table *parent = &p->a->tables[t->parent];

    if (!t->unique || (p->n_folds > 0 && !plan_lean(p)))
        return false;
    for (int i = 0; i < t->n_on; i++)
        if (!t->columns[t->on[i]].integer || !parent->columns[t->on_parent[i]].integer)
            return false;
    return true;
}
