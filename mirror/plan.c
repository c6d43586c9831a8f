#include "mirror/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Part of every fingerprint: raise it when the same mapping makes other documents. */
static const char document_form[] = "documents 1";

static void put_ref(struct buf *b, const struct aggregate *a, struct map_ref r)
{
    buf_printf(b, "t%d.`%s`", r.table, a->tables[r.table].columns[r.column].name);
}

static void put_expr(struct buf *b, const struct aggregate *a, const struct map_expr *x)
{
    for (int i = 0; i < x->n; i++) {
        buf_put_str(b, x->pieces[i].text);
        if (x->pieces[i].ref.table >= 0)
            put_ref(b, a, x->pieces[i].ref);
    }
}

static uint32_t expr_tables(const struct map_expr *x)
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
    uint32_t mask = 1u << l->table | expr_tables(&l->where);

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
static uint32_t with_parents(const struct aggregate *a, uint32_t mask)
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

static void put_link(struct buf *b, const struct aggregate *a, int table)
{
    const struct map_table *t = &a->tables[table];

    for (int i = 0; i < t->n_on; i++) {
        buf_put_str(b, i ? " AND " : "");
        put_ref(b, a, (struct map_ref){(int16_t)table, t->on[i]});
        buf_put_str(b, " = ");
        put_ref(b, a, (struct map_ref){(int16_t)t->parent, t->on_parent[i]});
    }
}

static void put_table(struct buf *b, const struct aggregate *a, int table)
{
    buf_printf(b, "`%s`.`%s` AS t%d", a->tables[table].database, a->tables[table].name, table);
}

/* The first table bare, the others joined to what stands before them. */
static void put_from(struct buf *b, const struct aggregate *a, uint32_t mask)
{
    bool first = true;

    for (int i = 0; i < a->n_tables; i++) {
        if (!(mask & 1u << i))
            continue;
        if (!first)
            buf_put_str(b,
                        a->tables[i].joined && !a->tables[i].required ? " LEFT JOIN " : " JOIN ");
        put_table(b, a, i);
        if (!first) {
            buf_put_str(b, " ON ");
            put_link(b, a, i);
        }
        first = false;
    }
}

/* The levels from the root down to `level`. */
static int path_of(const struct aggregate *a, int level, int path[MAP_DEPTH_MAX])
{
    int n = a->levels[level].depth + 1;

    for (int i = n; i-- > 0; level = a->levels[level].parent)
        path[i] = level;
    return n;
}

static void put_keys(struct buf *b, const struct aggregate *a, const struct map_level *l,
                     const char **separator)
{
    for (int i = 0; i < l->n_key; i++) {
        buf_put_str(b, *separator);
        put_ref(b, a, l->key[i]);
        *separator = ", ";
    }
}

static void put_path(struct buf *b, const struct aggregate *a, int level)
{
    int path[MAP_DEPTH_MAX];
    int n = path_of(a, level, path);
    const char *separator = "";

    for (int i = 0; i < n; i++)
        put_keys(b, a, &a->levels[path[i]], &separator);
}

static void put_order(struct buf *b, const struct aggregate *a, int level)
{
    int path[MAP_DEPTH_MAX];
    int n = path_of(a, level, path);
    const char *separator = " ORDER BY ";

    for (int i = 0; i < n; i++) {
        const struct map_level *l = &a->levels[path[i]];

        for (int k = 0; k < l->n_order; k++) {
            buf_put_str(b, separator);
            put_ref(b, a, l->order[k].ref);
            buf_put_str(b, l->order[k].descending ? " DESC" : "");
            separator = ", ";
        }
        put_keys(b, a, l, &separator);
    }
}

static void put_where(struct buf *b, const struct aggregate *a, int level)
{
    int path[MAP_DEPTH_MAX];
    int n = path_of(a, level, path);

    for (int i = 0; i < n; i++) {
        if (a->levels[path[i]].where.n == 0)
            continue;
        buf_put_str(b, " AND (");
        put_expr(b, a, &a->levels[path[i]].where);
        buf_put_str(b, ")");
    }
}

static void put_fold(struct buf *b, const struct aggregate *a, const struct map_op *op)
{
    static const char *const open[] = {"", "COALESCE(SUM(", "COUNT(", "MIN(", "MAX(", "AVG("};
    static const char *const close[] = {"", "), 0)", ")", ")", ")", ")"};

    buf_put_str(b, open[op->fold]);
    put_expr(b, a, &op->expr);
    buf_put_str(b, close[op->fold]);
}

/* A fold over a child array: a subselect that hangs on the row outside. */
static void put_fold_of(struct buf *b, const struct aggregate *a, const struct map_op *op)
{
    const struct map_level *child = &a->levels[op->of];
    uint32_t mask = with_parents(a, level_tables(a, op->of) | expr_tables(&op->expr));

    for (int i = 0; i < a->n_tables; i++)
        if (a->tables[i].level != op->of)
            mask &= ~(1u << i);
    buf_put_str(b, "(SELECT STRAIGHT_JOIN ");
    put_fold(b, a, op);
    buf_put_str(b, " FROM ");
    put_from(b, a, mask);
    buf_put_str(b, " WHERE ");
    put_link(b, a, child->table);
    if (child->where.n) {
        buf_put_str(b, " AND (");
        put_expr(b, a, &child->where);
        buf_put_str(b, ")");
    }
    buf_put_str(b, ")");
}

static void put_value(struct buf *b, const struct aggregate *a, const struct map_op *op)
{
    static const char *const cast[] = {
        [MAP_TYPE_AUTO] = NULL,    [MAP_TYPE_INT] = "SIGNED", [MAP_TYPE_DOUBLE] = "DOUBLE",
        [MAP_TYPE_DECIMAL] = NULL, [MAP_TYPE_TEXT] = "CHAR",  [MAP_TYPE_DATE] = "DATETIME(3)",
        [MAP_TYPE_BOOL] = NULL,
    };

    if (cast[op->type])
        buf_put_str(b, "CAST(");
    if (op->of >= 0)
        put_fold_of(b, a, op);
    else if (op->fold != MAP_FOLD_NONE)
        put_fold(b, a, op);
    else
        put_expr(b, a, &op->expr);
    if (cast[op->type])
        buf_printf(b, " AS %s)", cast[op->type]);
}

/* Tables that the values of a level need, those inside of subselects apart. */
static uint32_t value_tables(const struct aggregate *a, int level)
{
    const struct map_level *l = &a->levels[level];
    uint32_t mask = 0;

    for (int i = 0; i < l->n_ops; i++) {
        uint32_t of_op = expr_tables(&l->ops[i].expr);

        if (l->ops[i].of >= 0)
            of_op |= expr_tables(&a->levels[l->ops[i].of].where) |
                     1u << a->tables[a->levels[l->ops[i].of].table].parent;
        mask |= of_op;
    }
    for (int i = 0; i < a->n_tables; i++)
        if (!on_path(a, a->tables[i].level, level))
            mask &= ~(1u << i);
    return mask;
}

static char *take(struct buf *b)
{
    char *text = buf_ok(b) ? strdup(buf_text(b)) : NULL;

    buf_clear(b);
    return text;
}

static bool make_level(struct plan *p, int level, struct buf *b)
{
    const struct aggregate *a = p->a;
    struct plan_level *out = &p->levels[level];
    int path[MAP_DEPTH_MAX];
    int n = path_of(a, level, path);

    for (int i = 0; i < n; i++) {
        out->n_parent_path = out->n_path;
        out->n_path += a->levels[path[i]].n_key;
    }
    buf_put_str(b, "SELECT STRAIGHT_JOIN ");
    put_path(b, a, level);
    for (int i = 0; i < a->levels[level].n_ops; i++) {
        const struct map_op *op = &a->levels[level].ops[i];

        if (op->expr.n == 0)
            continue;
        buf_put_str(b, ", ");
        put_value(b, a, op);
    }
    buf_put_str(b, " FROM ");
    put_from(b, a, with_parents(a, path_tables(a, level) | value_tables(a, level)));
    buf_put_str(b, " WHERE ");
    out->head = take(b);
    put_where(b, a, level);
    if (a->levels[level].grouped) {
        buf_put_str(b, " GROUP BY ");
        put_path(b, a, level);
    }
    put_order(b, a, level);
    out->tail = take(b);
    return out->head && out->tail;
}

/* Where a handle's columns are the root's key, in the order of the key. */
static bool covers_key(const struct map_level *root, const struct map_table *t, int at[MAP_KEY_MAX])
{
    for (int i = 0; i < root->n_key; i++) {
        at[i] = -1;
        for (int k = 0; k < t->n_on; k++)
            if (t->on_parent[k] == root->key[i].column)
                at[i] = k;
        if (at[i] < 0)
            return false;
    }
    return true;
}

/* FROM the handle's table up to the root, or to the one below it where that has the root's key. */
static void put_walk(struct buf *b, const struct aggregate *a, int from)
{
    const struct map_level *root = aggregate_root(a);
    int at[MAP_KEY_MAX];
    int top = from;

    while (a->tables[top].parent > 0)
        top = a->tables[top].parent;
    if (top != 0 && !covers_key(root, &a->tables[top], at))
        top = 0;
    buf_put_str(b, "SELECT STRAIGHT_JOIN DISTINCT ");
    for (int i = 0; i < root->n_key; i++) {
        buf_put_str(b, i ? ", " : "");
        put_ref(b, a,
                top ? (struct map_ref){(int16_t)top, a->tables[top].on[at[i]]} : root->key[i]);
    }
    buf_put_str(b, " FROM ");
    put_table(b, a, from);
    for (int t = from; t != top; t = a->tables[t].parent) {
        buf_put_str(b, " JOIN ");
        put_table(b, a, a->tables[t].parent);
        buf_put_str(b, " ON ");
        put_link(b, a, t);
    }
    buf_put_str(b, " WHERE ");
}

static bool make_walk(struct plan *p, int table, struct buf *b)
{
    const struct aggregate *a = p->a;
    const struct map_table *t = &a->tables[table];
    struct plan_walk *w = &p->walks[table];

    if (table == 0) {
        w->direct = true;
        w->n_handle = p->n_key;
        for (int i = 0; i < p->n_key; i++) {
            w->direct_at[i] = i;
            w->handle[i] = aggregate_root(a)->key[i].column;
        }
        return true;
    }
    w->n_handle = t->n_on;
    memcpy(w->handle, t->on, sizeof w->handle);
    w->direct = t->parent == 0 && covers_key(aggregate_root(a), t, w->direct_at);
    if (w->direct)
        return true;
    put_walk(b, a, t->parent);
    w->head = take(b);
    for (int i = 0; i < t->n_on; i++) {
        put_ref(b, a, (struct map_ref){(int16_t)t->parent, t->on_parent[i]});
        w->match[i] = take(b);
        if (!w->match[i])
            return false;
    }
    return w->head != NULL;
}

static bool make_keys(struct plan *p, struct buf *b)
{
    const struct map_level *root = aggregate_root(p->a);
    const char *separator = "";

    p->n_key = root->n_key;
    for (int i = 0; i < root->n_key; i++) {
        put_ref(b, p->a, root->key[i]);
        p->key_names[i] = take(b);
        if (!p->key_names[i])
            return false;
    }
    buf_put_str(b, "SELECT ");
    put_keys(b, p->a, root, &separator);
    buf_put_str(b, " FROM ");
    put_table(b, p->a, root->table);
    buf_put_str(b, " WHERE ");
    p->keys = take(b);
    return p->keys != NULL;
}

struct plan *plan_new(const struct aggregate *a)
{
    struct buf b = buf_with_max(PLAN_SQL_MAX);
    struct plan *p = calloc(1, sizeof *p);
    bool ok = p != NULL;

    if (ok) {
        p->a = a;
        ok = make_keys(p, &b);
    }
    for (int i = 0; ok && i < a->n_levels; i++)
        ok = make_level(p, i, &b);
    for (int i = 0; ok && i < a->n_tables; i++)
        ok = make_walk(p, i, &b);
    buf_free(&b);
    if (ok)
        return p;
    plan_free(p);
    return NULL;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    for (int i = 0; i < MAP_LEVELS_MAX; i++) {
        free(p->levels[i].head);
        free(p->levels[i].tail);
    }
    for (int i = 0; i < MAP_TABLES_MAX; i++) {
        free(p->walks[i].head);
        for (int k = 0; k < MAP_KEY_MAX; k++)
            free(p->walks[i].match[k]);
    }
    for (int k = 0; k < MAP_KEY_MAX; k++)
        free(p->key_names[k]);
    free(p->keys);
    free(p);
}

static void digest_level(XXH3_state_t *x, const struct plan *p, int level)
{
    const struct map_level *l = &p->a->levels[level];
    int32_t head[] = {level, l->parent, l->n_ops};

    (void)XXH3_64bits_update(x, head, sizeof head);
    (void)XXH3_64bits_update(x, p->levels[level].head, strlen(p->levels[level].head) + 1);
    (void)XXH3_64bits_update(x, p->levels[level].tail, strlen(p->levels[level].tail) + 1);
    for (int i = 0; i < l->n_ops; i++) {
        int32_t op[] = {(int32_t)l->ops[i].kind, (int32_t)l->ops[i].type, l->ops[i].level};

        (void)XXH3_64bits_update(x, op, sizeof op);
        (void)XXH3_64bits_update(x, l->ops[i].name, strlen(l->ops[i].name) + 1);
    }
}

uint64_t plan_fingerprint(struct plan *const *plans, int n)
{
    XXH3_state_t *x = XXH3_createState();
    uint64_t digest;

    if (!x)
        abort(); /* half a kilobyte, at start */
    (void)XXH3_64bits_reset(x);
    (void)XXH3_64bits_update(x, document_form, sizeof document_form);
    for (int i = 0; i < n; i++) {
        const char *collection = plans[i]->a->collection;

        (void)XXH3_64bits_update(x, collection, strlen(collection) + 1);
        for (int k = 0; k < plans[i]->a->n_levels; k++)
            digest_level(x, plans[i], k);
    }
    digest = XXH3_64bits_digest(x);
    (void)XXH3_freeState(x);
    return digest;
}
