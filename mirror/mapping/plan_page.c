/* The SQL of a paged array: see plan.h and mapping_page.c. */
#include "mirror/mapping/plan_page.h"

#include "mirror/mapping/plan_part.h"

#include <stdlib.h>
#include <string.h>

/* The table, all between it and the array's driving one, and those beside that say which element it
 * is: each finds its rows by those before it. */
static void put_pair_tables(struct buf *b, const struct aggregate *a, int from)
{
    uint32_t rest = aggregate_element_tables(a);

    rest &= ~plan_put_climb(b, a, from, a->levels[a->paged].table);
    for (int i = 0; i < a->n_tables; i++)
        if (rest & 1u << i)
            plan_put_join(b, a, " JOIN ", i, i);
    buf_put_str(b, " WHERE ");
}

static void put_pair_columns(struct plan *p, struct buf *b)
{
    const struct aggregate *a = p->a;
    const struct map_level *l = &a->levels[a->paged];
    const struct map_table *t = &a->tables[l->table];
    const char *separator = ", ";
    int at[MAP_KEY_MAX];

    (void)plan_covers_key(aggregate_root(a), t, at); /* map_page_check has seen to it */
    for (int i = 0; i < p->n_key; i++) {
        buf_put_str(b, i ? ", " : "");
        plan_put_ref(b, a, (struct map_ref){(int16_t)l->table, t->on[at[i]]});
    }
    plan_put_keys(b, a, l, &separator);
}

static int place(const int16_t *columns, int n, int16_t column)
{
    for (int i = 0; i < n; i++)
        if (columns[i] == column)
            return i;
    return -1;
}

/* The driving table's row names the root and the element itself. */
static bool make_direct(const struct plan *p, int use, struct plan_walk *w)
{
    const struct aggregate *a = p->a;
    const struct map_level *l = &a->levels[a->paged];
    const struct map_table *t = &a->tables[use];
    int at[MAP_KEY_MAX];

    if (use != l->table || !plan_covers_key(aggregate_root(a), t, at))
        return false;
    for (int i = 0; i < l->n_key; i++)
        if (l->key[i].table != use)
            return false;
    for (int i = 0; i < p->n_key; i++)
        w->direct_at[i] = place(w->handle, w->n_handle, t->on[at[i]]);
    for (int i = 0; i < l->n_key; i++)
        w->direct_at[p->n_key + i] = place(w->handle, w->n_handle, l->key[i].column);
    w->direct = true;
    return true;
}

static bool make_pairs(struct plan *p, int use, struct buf *b)
{
    const struct aggregate *a = p->a;
    const struct map_table *t = &a->tables[use];
    struct plan_walk *w = &p->page.pairs[use];
    bool itself = aggregate_element_use(a, use);

    if (itself)
        w->n_handle = aggregate_element_columns(a, use, w->handle);
    else
        for (w->n_handle = 0; w->n_handle < t->n_on; w->n_handle++)
            w->handle[w->n_handle] = t->on[w->n_handle];
    if (itself && make_direct(p, use, w))
        return true;
    buf_put_str(b, "SELECT STRAIGHT_JOIN DISTINCT ");
    put_pair_columns(p, b);
    buf_put_str(b, " FROM ");
    w->select = plan_take(b);
    put_pair_tables(b, a, itself ? use : t->parent);
    w->from = plan_take(b);
    for (int i = 0; i < w->n_handle; i++) {
        plan_put_ref(b, a,
                     itself ? (struct map_ref){(int16_t)use, w->handle[i]}
                            : (struct map_ref){(int16_t)t->parent, t->on_parent[i]});
        w->match[i] = plan_take(b);
        if (!w->match[i])
            return false;
    }
    return w->select && w->from;
}

/* How many rows each of some roots has. */
static bool make_count(struct plan *p, struct buf *b)
{
    const struct map_table *t = &p->a->tables[p->a->levels[p->a->paged].table];
    int table = p->a->levels[p->a->paged].table;
    int at[MAP_KEY_MAX];

    (void)plan_covers_key(aggregate_root(p->a), t, at);
    for (int i = 0; i < p->n_key; i++) {
        plan_put_ref(b, p->a, (struct map_ref){(int16_t)table, t->on[at[i]]});
        p->page.count_names[i] = plan_take(b);
        if (!p->page.count_names[i])
            return false;
    }
    buf_put_str(b, "SELECT ");
    for (int i = 0; i < p->n_key; i++)
        buf_printf(b, "%s, ", p->page.count_names[i]);
    buf_put_str(b, "COUNT(*) FROM ");
    plan_put_table(b, p->a, table);
    buf_put_str(b, " WHERE ");
    p->page.count = plan_take(b);
    return p->page.count != NULL;
}

static void put_names(struct buf *b, int n)
{
    for (int i = 0; i < n; i++)
        buf_printf(b, "%sk%d", i ? ", " : "", i);
}

/* The first element of each chunk. All at once: to find the one behind so many others MariaDB may
 * read all of the root's rows, each time. */
static bool make_bounds(struct plan *p, struct buf *b)
{
    const struct map_level *l = &p->a->levels[p->a->paged];
    const char *separator = "";

    buf_put_str(b, "WITH elements (");
    put_names(b, l->n_key);
    buf_put_str(b, ", n) AS (SELECT ");
    plan_put_keys(b, p->a, l, &separator);
    separator = ", ROW_NUMBER() OVER (ORDER BY ";
    plan_put_keys(b, p->a, l, &separator);
    buf_put_str(b, ") FROM ");
    plan_put_from(b, p->a, plan_tables(p->a, p->a->paged));
    buf_put_str(b, " WHERE ");
    p->page.bounds = plan_take(b);
    plan_put_where(b, p->a, p->a->paged);
    separator = " GROUP BY ";
    plan_put_keys(b, p->a, l, &separator);
    buf_put_str(b, ") SELECT ");
    put_names(b, l->n_key);
    buf_put_str(b, " FROM elements WHERE n > 1 AND 1 = n % ");
    p->page.bounds_tail = plan_take(b);
    return p->page.bounds && p->page.bounds_tail;
}

/* Whether the array's own rows name their element. */
static bool names_element(const struct plan *p)
{
    return p->page.pairs[p->a->levels[p->a->paged].table].direct;
}

void plan_page_head(struct buf *out, const struct plan *p, int level)
{
    const struct aggregate *a = p->a;
    const char *head = plan_head(p, level);

    if (aggregate_within(a, level, a->paged) && !names_element(p)) {
        buf_put_str(out, "SELECT ");
        head += strlen("SELECT STRAIGHT_JOIN ");
    }
    buf_put_str(out, head);
}

static bool is_integer(const struct aggregate *a, const struct map_level *l)
{
    for (int i = 0; i < l->n_key; i++)
        if (!a->tables[l->key[i].table].columns[l->key[i].column].integer)
            return false;
    return true;
}

bool plan_by_element(const struct plan *p)
{
    return plan_united(p) && names_element(p) && is_integer(p->a, aggregate_root(p->a)) &&
           is_integer(p->a, &p->a->levels[p->a->paged]);
}

void plan_changed_head(struct buf *out, const struct plan *p, int level)
{
    const struct plan_level *l = &p->levels[level];
    const char *head = plan_head(p, level);
    size_t tables = head == l->head ? l->head_tables : l->lean_tables;

    buf_put(out, head, tables);
    buf_printf(out, "changed, %s", head + tables);
    for (int i = 0; i < p->n_key + p->page.n_element; i++)
        buf_printf(out, "%s%s = changed.k%d", i ? " AND " : "",
                   i < p->n_key ? p->key_names[i] : p->page.element_names[i - p->n_key], i);
}

bool plan_page_make(struct plan *p, struct buf *b)
{
    const struct map_level *l = &p->a->levels[p->a->paged];

    p->page.n_element = l->n_key;
    for (int i = 0; i < l->n_key; i++) {
        plan_put_ref(b, p->a, l->key[i]);
        p->page.element_names[i] = plan_take(b);
        if (!p->page.element_names[i])
            return false;
    }
    for (int i = 0; i < p->a->n_tables; i++)
        if (aggregate_paged_use(p->a, i) && !make_pairs(p, i, b))
            return false;
    return make_count(p, b) && make_bounds(p, b);
}

void plan_page_free(struct plan_page *p)
{
    for (int i = 0; i < MAP_TABLES_MAX; i++)
        plan_walk_free(&p->pairs[i]);
    for (int i = 0; i < MAP_KEY_MAX; i++) {
        free(p->element_names[i]);
        free(p->count_names[i]);
    }
    free(p->count);
    free(p->bounds);
    free(p->bounds_tail);
}
