#include "mirror/mapping/plan_part.h"

#include <assert.h>

void plan_put_ref(struct buf *b, const struct aggregate *a, struct map_ref r)
{
    buf_printf(b, "t%d.`%s`", r.table, a->tables[r.table].columns[r.column].name);
}

void plan_put_expr(struct buf *b, const struct aggregate *a, const struct map_expr *x)
{
    for (int i = 0; i < x->n; i++) {
        buf_put_str(b, x->pieces[i].text);
        if (x->pieces[i].ref.table >= 0)
            plan_put_ref(b, a, x->pieces[i].ref);
    }
}

uint32_t plan_expr_tables(const struct map_expr *x)
{
    uint32_t mask = 0;

    for (int i = 0; i < x->n; i++)
        if (x->pieces[i].ref.table >= 0)
            mask |= 1u << x->pieces[i].ref.table;
    return mask;
}

/* Whether `level` is `of` or one of the levels around it. */
static bool on_path(const struct aggregate *a, int level, int of)
{
    while (of >= 0 && of != level)
        of = a->levels[of].parent;
    return of == level;
}

/* Tables that decide which elements a level has, and in which order. */
static uint32_t level_tables(const struct aggregate *a, int level)
{
    const struct map_level *l = &a->levels[level];
    uint32_t mask = 1u << l->table | plan_expr_tables(&l->where);

    for (int i = 0; i < a->n_tables; i++)
        if (a->tables[i].level == level && a->tables[i].required)
            mask |= 1u << i;
    for (int i = 0; i < l->n_order; i++)
        mask |= 1u << l->order[i].ref.table;
    for (int i = 0; i < l->n_key; i++)
        mask |= 1u << l->key[i].table;
    return mask;
}

/* With everything that links them to the root: a parent has a lower number. */
uint32_t plan_with_parents(const struct aggregate *a, uint32_t mask)
{
    for (int i = MAP_TABLES_MAX - 1; i > 0; i--) {
        int parent = i < a->n_tables ? a->tables[i].parent : -1;

        assert(parent < MAP_TABLES_MAX);
        if (mask & 1u << i && parent >= 0)
            mask |= 1u << parent;
    }
    return mask;
}

static uint32_t path_tables(const struct aggregate *a, int level)
{
    uint32_t mask = 0;

    for (; level >= 0; level = a->levels[level].parent)
        mask |= level_tables(a, level);
    return mask;
}

void plan_put_link(struct buf *b, const struct aggregate *a, int table)
{
    const struct map_table *t = &a->tables[table];

    for (int i = 0; i < t->n_on; i++) {
        buf_put_str(b, i ? " AND " : "");
        plan_put_ref(b, a, (struct map_ref){(int16_t)table, t->on[i]});
        buf_put_str(b, " = ");
        plan_put_ref(b, a, (struct map_ref){(int16_t)t->parent, t->on_parent[i]});
    }
}

void plan_put_table(struct buf *b, const struct aggregate *a, int table)
{
    buf_printf(b, "`%s`.`%s` AS t%d", a->tables[table].database, a->tables[table].name, table);
}

void plan_put_join(struct buf *b, const struct aggregate *a, const char *join, int table, int link)
{
    buf_put_str(b, join);
    plan_put_table(b, a, table);
    buf_put_str(b, " ON ");
    plan_put_link(b, a, link);
}

/* The first table bare, the others joined to what stands before them. */
void plan_put_from(struct buf *b, const struct aggregate *a, uint32_t mask)
{
    bool first = true;

    for (int i = 0; i < a->n_tables; i++) {
        if (!(mask & 1u << i))
            continue;
        if (first)
            plan_put_table(b, a, i);
        else
            plan_put_join(b, a,
                          a->tables[i].joined && !a->tables[i].required ? " LEFT JOIN " : " JOIN ",
                          i, i);
        first = false;
    }
}

uint32_t plan_put_climb(struct buf *b, const struct aggregate *a, int from, int top)
{
    uint32_t mask = 1u << from;

    plan_put_table(b, a, from);
    for (int t = from; t != top; t = a->tables[t].parent) {
        plan_put_join(b, a, " JOIN ", a->tables[t].parent, t);
        mask |= 1u << a->tables[t].parent;
    }
    return mask;
}

/* The levels from the root down to `level`. */
int plan_path_of(const struct aggregate *a, int level, int path[MAP_DEPTH_MAX])
{
    int n = a->levels[level].depth + 1;

    for (int i = n; i-- > 0; level = a->levels[level].parent)
        path[i] = level;
    return n;
}

void plan_put_keys(struct buf *b, const struct aggregate *a, const struct map_level *l,
                   const char **separator)
{
    for (int i = 0; i < l->n_key; i++) {
        buf_put_str(b, *separator);
        plan_put_ref(b, a, l->key[i]);
        *separator = ", ";
    }
}

void plan_put_path(struct buf *b, const struct aggregate *a, int level)
{
    int path[MAP_DEPTH_MAX];
    int n = plan_path_of(a, level, path);
    const char *separator = "";

    for (int i = 0; i < n; i++)
        plan_put_keys(b, a, &a->levels[path[i]], &separator);
}

void plan_put_order(struct buf *b, const struct aggregate *a, int level)
{
    int path[MAP_DEPTH_MAX];
    int n = plan_path_of(a, level, path);
    const char *separator = " ORDER BY ";

    for (int i = 0; i < n; i++) {
        const struct map_level *l = &a->levels[path[i]];

        for (int k = 0; k < l->n_order; k++) {
            buf_put_str(b, separator);
            plan_put_ref(b, a, l->order[k].ref);
            buf_put_str(b, l->order[k].descending ? " DESC" : "");
            separator = ", ";
        }
        plan_put_keys(b, a, l, &separator);
    }
}

void plan_put_where(struct buf *b, const struct aggregate *a, int level)
{
    int path[MAP_DEPTH_MAX];
    int n = plan_path_of(a, level, path);

    for (int i = 0; i < n; i++) {
        if (a->levels[path[i]].where.n == 0)
            continue;
        buf_put_str(b, " AND (");
        plan_put_expr(b, a, &a->levels[path[i]].where);
        buf_put_str(b, ")");
    }
}

static void put_fold(struct buf *b, const struct aggregate *a, const struct map_op *op)
{
    static const char *const open[] = {"", "COALESCE(SUM(", "COUNT(", "MIN(", "MAX(", "AVG("};
    static const char *const close[] = {"", "), 0)", ")", ")", ")", ")"};

    buf_put_str(b, open[op->fold]);
    plan_put_expr(b, a, &op->expr);
    buf_put_str(b, close[op->fold]);
}

/* A fold over a child array: a subselect that hangs on the row outside. */
static void put_fold_of(struct buf *b, const struct aggregate *a, const struct map_op *op)
{
    const struct map_level *child = &a->levels[op->of];
    uint32_t mask = plan_with_parents(a, level_tables(a, op->of) | plan_expr_tables(&op->expr));

    for (int i = 0; i < a->n_tables; i++)
        if (a->tables[i].level != op->of)
            mask &= ~(1u << i);
    buf_put_str(b, "(SELECT STRAIGHT_JOIN ");
    put_fold(b, a, op);
    buf_put_str(b, " FROM ");
    plan_put_from(b, a, mask);
    buf_put_str(b, " WHERE ");
    plan_put_link(b, a, child->table);
    if (child->where.n) {
        buf_put_str(b, " AND (");
        plan_put_expr(b, a, &child->where);
        buf_put_str(b, ")");
    }
    buf_put_str(b, ")");
}

void plan_put_value(struct buf *b, const struct aggregate *a, const struct map_op *op)
{
    /* SIGNED would make -1 of the largest BIGINT UNSIGNED, and cut what is larger still. */
    static const char *const cast[] = {
        [MAP_TYPE_AUTO] = NULL,       [MAP_TYPE_INT] = "DECIMAL(65,0)",
        [MAP_TYPE_DOUBLE] = "DOUBLE", [MAP_TYPE_DECIMAL] = NULL,
        [MAP_TYPE_TEXT] = "CHAR",     [MAP_TYPE_DATE] = "DATETIME(3)",
        [MAP_TYPE_BOOL] = NULL,
    };

    if (cast[op->type])
        buf_put_str(b, "CAST(");
    if (op->of >= 0)
        put_fold_of(b, a, op);
    else if (op->fold != MAP_FOLD_NONE)
        put_fold(b, a, op);
    else
        plan_put_expr(b, a, &op->expr);
    if (cast[op->type])
        buf_printf(b, " AS %s)", cast[op->type]);
}

/* Tables that the values of a level need, those inside of subselects apart. */
static uint32_t value_tables(const struct aggregate *a, int level)
{
    const struct map_level *l = &a->levels[level];
    uint32_t mask = 0;

    for (int i = 0; i < l->n_ops; i++) {
        uint32_t of_op = plan_expr_tables(&l->ops[i].expr);

        if (l->ops[i].of >= 0)
            of_op |= plan_expr_tables(&a->levels[l->ops[i].of].where) |
                     1u << a->tables[a->levels[l->ops[i].of].table].parent;
        mask |= of_op;
    }
    for (int i = 0; i < a->n_tables; i++)
        if (!on_path(a, a->tables[i].level, level))
            mask &= ~(1u << i);
    return mask;
}

uint32_t plan_tables(const struct aggregate *a, int level)
{
    return plan_with_parents(a, path_tables(a, level) | value_tables(a, level));
}
