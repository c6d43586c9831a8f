#include "mirror/mapping/plan.h"

#include "mirror/mapping/plan_part.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Part of every fingerprint: raise it when the same mapping makes other documents. */
static const char document_form[] = "documents 1";

char *plan_take(struct buf *b)
{
    char *text = buf_ok(b) ? strdup(buf_text(b)) : NULL;

    buf_clear(b);
    return text;
}

/* What stands behind the condition on the root's key, without an order. */
static void put_condition(struct buf *b, const struct aggregate *a, int level)
{
    plan_put_where(b, a, level);
    if (a->levels[level].grouped) {
        buf_put_str(b, " GROUP BY ");
        plan_put_path(b, a, level);
    }
}

static bool make_level(struct plan *p, int level, struct buf *b)
{
    const struct aggregate *a = p->a;
    struct plan_level *out = &p->levels[level];
    int path[MAP_DEPTH_MAX];
    int n = plan_path_of(a, level, path);

    for (int i = 0; i < n; i++) {
        out->n_parent_path = out->n_path;
        out->n_path += a->levels[path[i]].n_key;
    }
    buf_put_str(b, "SELECT STRAIGHT_JOIN ");
    plan_put_path(b, a, level);
    for (int i = 0; i < a->levels[level].n_ops; i++) {
        const struct map_op *op = &a->levels[level].ops[i];

        if (op->expr.n == 0)
            continue;
        buf_put_str(b, ", ");
        plan_put_value(b, a, op);
    }
    buf_put_str(b, " FROM ");
    out->head_tables = b->len;
    plan_put_from(b, a, plan_tables(a, level));
    buf_put_str(b, " WHERE ");
    out->head = plan_take(b);
    put_condition(b, a, level);
    plan_put_order(b, a, level);
    out->tail = plan_take(b);
    put_condition(b, a, level);
    buf_put_str(b, a->levels[level].grouped ? " ORDER BY NULL" : "");
    out->loose = plan_take(b);
    return out->head && out->tail && out->loose;
}

/* Whether the order of a level's rows is that of its path, and that consists of numbers. */
static bool by_path(const struct plan *p, int level)
{
    const struct aggregate *a = p->a;

    for (; level >= 0; level = a->levels[level].parent) {
        const struct map_level *l = &a->levels[level];

        if (l->n_order)
            return false;
        for (int i = 0; i < l->n_key; i++)
            if (a->tables[l->key[i].table].columns[l->key[i].column].class != MAP_CLASS_NUMBER)
                return false;
    }
    return true;
}

static bool is_late(const struct plan *p, int level)
{
    return plan_late(p, level) && by_path(p, level);
}

const char *plan_head(const struct plan *p, int level)
{
    const struct plan_level *l = &p->levels[level];

    if (is_late(p, level))
        return l->late_head;
    return l->lean && plan_lean(p) ? l->lean : l->head;
}

int plan_tail(struct buf *out, const struct plan *p, int level)
{
    const struct plan_level *l = &p->levels[level];
    bool loose = by_path(p, level);

    buf_put_str(out, is_late(p, level) ? l->late_tail : loose ? l->loose : l->tail);
    return loose ? l->n_path : 0;
}

bool plan_united(const struct plan *p)
{
    for (int i = 0; i < p->a->n_levels; i++) {
        const struct map_level *l = &p->a->levels[i];

        for (int k = 0; k < l->n_ops; k++)
            if (l->ops[k].fold == MAP_FOLD_MIN || l->ops[k].fold == MAP_FOLD_MAX)
                return false;
        if (!by_path(p, i))
            return false;
    }
    return true;
}

/* Where a handle's columns are the root's key, in the order of the key. */
bool plan_covers_key(const struct map_level *root, const struct map_table *t, int at[MAP_KEY_MAX])
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

/* From the handle's table up to the root, or to the one below it where that has the root's key. */
static void make_climb(struct plan_walk *w, struct buf *b, const struct aggregate *a, int from)
{
    const struct map_level *root = aggregate_root(a);
    int at[MAP_KEY_MAX];
    int top = from;

    while (a->tables[top].parent > 0)
        top = a->tables[top].parent;
    if (top != 0 && !plan_covers_key(root, &a->tables[top], at))
        top = 0;
    buf_put_str(b, "SELECT STRAIGHT_JOIN DISTINCT ");
    for (int i = 0; i < root->n_key; i++) {
        buf_put_str(b, i ? ", " : "");
        plan_put_ref(b, a,
                     top ? (struct map_ref){(int16_t)top, a->tables[top].on[at[i]]} : root->key[i]);
    }
    buf_put_str(b, " FROM ");
    w->select = plan_take(b);
    (void)plan_put_climb(b, a, from, top);
    buf_put_str(b, " WHERE ");
    w->from = plan_take(b);
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
    w->direct = t->parent == 0 && plan_covers_key(aggregate_root(a), t, w->direct_at);
    if (w->direct)
        return true;
    make_climb(w, b, a, t->parent);
    for (int i = 0; i < t->n_on; i++) {
        plan_put_ref(b, a, (struct map_ref){(int16_t)t->parent, t->on_parent[i]});
        w->match[i] = plan_take(b);
        if (!w->match[i])
            return false;
    }
    return w->select && w->from;
}

static bool make_keys(struct plan *p, struct buf *b)
{
    const struct map_level *root = aggregate_root(p->a);
    const char *separator = "";

    p->n_key = root->n_key;
    for (int i = 0; i < root->n_key; i++) {
        plan_put_ref(b, p->a, root->key[i]);
        p->key_names[i] = plan_take(b);
        if (!p->key_names[i])
            return false;
    }
    buf_put_str(b, "SELECT ");
    plan_put_keys(b, p->a, root, &separator);
    buf_put_str(b, " FROM ");
    plan_put_table(b, p->a, root->table);
    buf_put_str(b, " WHERE ");
    p->keys = plan_take(b);
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
    ok = ok && plan_fold_make(p, &b) && plan_join_make(p, &b) && plan_late_make(p, &b);
    for (int i = 0; ok && i < a->n_tables; i++)
        ok = make_walk(p, i, &b);
    ok = ok && (!a->paged || plan_page_make(p, &b));
    buf_free(&b);
    if (ok)
        return p;
    plan_free(p);
    return NULL;
}

void plan_walk_free(struct plan_walk *w)
{
    free(w->select);
    free(w->from);
    for (int i = 0; i < MAP_KEY_MAX; i++)
        free(w->match[i]);
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    for (int i = 0; i < MAP_LEVELS_MAX; i++) {
        free(p->levels[i].head);
        free(p->levels[i].lean);
        free(p->levels[i].bare);
        free(p->levels[i].tail);
        free(p->levels[i].loose);
        free(p->levels[i].late_head);
        free(p->levels[i].late_tail);
    }
    for (int i = 0; i < p->n_joins; i++)
        free(p->joins[i].select);
    for (int i = 0; i < MAP_TABLES_MAX; i++)
        plan_walk_free(&p->walks[i]);
    for (int k = 0; k < MAP_KEY_MAX; k++)
        free(p->key_names[k]);
    free(p->keys);
    plan_page_free(&p->page);
    free(p);
}

static void digest_level(XXH3_state_t *x, const struct plan *p, int level)
{
    const struct map_level *l = &p->a->levels[level];
    int32_t head[] = {level, l->parent, l->n_ops, (int32_t)l->limit, (int32_t)l->page};

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
