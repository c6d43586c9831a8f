/* Groups that a joined table's key makes: MariaDB makes them without that table, of the columns
 * that link to it, and joins it to the groups. Else each row looks it up, and its values stand in
 * the temporary table that makes the groups, as wide as their types allow. */
#include "mirror/mapping/plan_part.h"

/* The number of the column among those a joined table is linked by; -1: none of them. */
static int link_of(const struct map_table *t, int column)
{
    for (int i = 0; i < t->n_on; i++)
        if (t->on[i] == column)
            return i;
    return -1;
}

/* The joined table whose link columns are the group's key; -1: there is none. */
static int key_table(const struct aggregate *a, int level)
{
    const struct map_level *l = &a->levels[level];
    const struct map_table *t = &a->tables[l->key[0].table];

    if (!l->grouped || t->level != level || !t->joined || !t->required || t->n_on != l->n_key)
        return -1;
    for (int i = 0; i < l->n_key; i++)
        if (l->key[i].table != l->key[0].table || link_of(t, l->key[i].column) < 0)
            return -1;
    return l->key[0].table;
}

/* Whether it is needed for the values outside of the sums alone, and these need no other. */
static bool only_shown(const struct aggregate *a, int level, int table)
{
    const struct map_level *l = &a->levels[level];
    uint32_t mask = plan_tables(a, level);
    uint32_t inside = 0;
    uint32_t outside = 0;

    for (int i = level; i >= 0; i = a->levels[i].parent)
        inside |= plan_expr_tables(&a->levels[i].where);
    for (int i = 0; i < l->n_ops; i++) {
        if (l->ops[i].fold == MAP_FOLD_NONE)
            outside |= plan_expr_tables(&l->ops[i].expr);
        else
            inside |= plan_expr_tables(&l->ops[i].expr);
    }
    for (int i = 0; i < a->n_tables; i++)
        if (mask & 1u << i && a->tables[i].parent == table)
            return false;
    return !(inside & 1u << table) && !(outside & ~(1u << table));
}

/* The path, with what links to the table in the place of its key; names c0, c1, … where wanted. */
static void put_group(struct buf *b, const struct aggregate *a, int level, bool named)
{
    const struct map_table *t = &a->tables[a->levels[level].key[0].table];
    int path[MAP_DEPTH_MAX];
    int n = plan_path_of(a, level, path);
    int column = 0;

    for (int i = 0; i < n; i++) {
        const struct map_level *l = &a->levels[path[i]];

        for (int k = 0; k < l->n_key; k++, column++) {
            struct map_ref key = l->key[k];

            if (path[i] == level)
                key = (struct map_ref){(int16_t)t->parent, t->on_parent[link_of(t, key.column)]};
            buf_put_str(b, column ? ", " : "");
            plan_put_ref(b, a, key);
            if (named)
                buf_printf(b, " AS c%d", column);
        }
    }
}

static void put_shown(struct buf *b, const struct plan *p, int level)
{
    const struct map_level *l = &p->a->levels[level];
    const char *separator = "";

    for (int i = 0; i < p->levels[level].n_parent_path; i++, separator = ", ")
        buf_printf(b, "%sg.c%d", separator, i);
    plan_put_keys(b, p->a, l, &separator);
    for (int i = 0; i < l->n_ops; i++) {
        if (l->ops[i].expr.n == 0)
            continue;
        buf_put_str(b, ", ");
        if (l->ops[i].fold == MAP_FOLD_NONE)
            plan_put_value(b, p->a, &l->ops[i]);
        else
            buf_printf(b, "g.f%d", i);
    }
}

static void put_head(struct buf *b, const struct plan *p, int level, int table)
{
    const struct aggregate *a = p->a;
    const struct map_level *l = &a->levels[level];

    buf_put_str(b, "SELECT STRAIGHT_JOIN ");
    put_shown(b, p, level);
    buf_put_str(b, " FROM (SELECT STRAIGHT_JOIN ");
    put_group(b, a, level, true);
    for (int i = 0; i < l->n_ops; i++) {
        if (l->ops[i].fold == MAP_FOLD_NONE)
            continue;
        buf_put_str(b, ", ");
        plan_put_value(b, a, &l->ops[i]);
        buf_printf(b, " AS f%d", i);
    }
    buf_put_str(b, " FROM ");
    plan_put_from(b, a, plan_tables(a, level) & ~(1u << table));
    buf_put_str(b, " WHERE ");
}

static void put_tail(struct buf *b, const struct plan *p, int level, int table)
{
    const struct map_level *l = &p->a->levels[level];

    plan_put_where(b, p->a, level);
    buf_put_str(b, " GROUP BY ");
    put_group(b, p->a, level, false);
    buf_put_str(b, " ORDER BY NULL) AS g JOIN ");
    plan_put_table(b, p->a, table);
    for (int i = 0; i < l->n_key; i++) {
        buf_put_str(b, i ? " AND " : " ON ");
        plan_put_ref(b, p->a, l->key[i]);
        buf_printf(b, " = g.c%d", p->levels[level].n_parent_path + i);
    }
}

bool plan_late_make(struct plan *p, struct buf *b)
{
    for (int i = 1; !p->a->paged && i < p->a->n_levels; i++) {
        int table = key_table(p->a, i);

        if (table < 0 || !only_shown(p->a, i, table))
            continue;
        put_head(b, p, i, table);
        p->levels[i].late_head = plan_take(b);
        put_tail(b, p, i, table);
        p->levels[i].late_tail = plan_take(b);
        if (!p->levels[i].late_head || !p->levels[i].late_tail)
            return false;
    }
    return true;
}

bool plan_late(const struct plan *p, int level)
{
    const struct map_level *l = &p->a->levels[level];
    const struct map_table *t = &p->a->tables[l->key[0].table];

    if (!p->levels[level].late_head || !t->unique)
        return false;
    for (int i = 0; i < t->n_on; i++)
        if (p->a->tables[t->parent].columns[t->on_parent[i]].class != MAP_CLASS_NUMBER)
            return false;
    for (int i = 0; i < l->n_ops; i++)
        if (l->ops[i].fold != MAP_FOLD_NONE && (l->ops[i].fold != MAP_FOLD_SUM || !l->ops[i].exact))
            return false;
    return true;
}
