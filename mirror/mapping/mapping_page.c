/* A paged array: its elements are spread over documents by ranges of their keys, and a change makes
 * anew only the page that shows it. So each row inside must lead to one root and one element by its
 * own links, and nothing in the elements may hang on the levels around them. */
#include "mirror/mapping/mapping_page.h"

#include "mirror/mapping/mapping_parse.h"

#include <string.h>

uint32_t aggregate_element_tables(const struct aggregate *a)
{
    const struct map_level *l = &a->levels[a->paged];
    uint32_t mask = 1u << l->table;

    for (int i = 0; i < l->n_key; i++)
        for (int t = l->key[i].table; t >= 0 && t != l->table; t = a->tables[t].parent)
            mask |= 1u << t;
    return mask;
}

/* Adds a column once; counts on where there is no room. */
static int add_column(int16_t out[MAP_KEY_MAX], int n, int16_t column)
{
    for (int i = 0; i < n && i < MAP_KEY_MAX; i++)
        if (out[i] == column)
            return n;
    if (n < MAP_KEY_MAX)
        out[n] = column;
    return n + 1;
}

int aggregate_element_columns(const struct aggregate *a, int table, int16_t out[MAP_KEY_MAX])
{
    const struct map_table *t = &a->tables[table];
    const struct map_level *l = &a->levels[a->paged];
    uint32_t tables = aggregate_element_tables(a);
    int n = 0;

    for (int i = 0; i < t->n_on; i++)
        n = add_column(out, n, t->on[i]);
    for (int i = 0; i < l->n_key; i++)
        if (l->key[i].table == table)
            n = add_column(out, n, l->key[i].column);
    for (int i = table + 1; i < a->n_tables; i++)
        for (int k = 0; tables & 1u << i && a->tables[i].parent == table && k < a->tables[i].n_on;
             k++)
            n = add_column(out, n, a->tables[i].on_parent[k]);
    return n;
}

static bool root_key(const struct aggregate *a, int16_t column)
{
    const struct map_level *root = aggregate_root(a);

    for (int i = 0; i < root->n_key; i++)
        if (root->key[i].column == column)
            return true;
    return false;
}

/* The array hangs on the root's key, on all of it and nothing else. */
static bool check_link(struct map_parser *p, const struct map_level *l)
{
    const struct map_table *t = &p->a->tables[l->table];
    const struct map_level *root = aggregate_root(p->a);
    bool ok = t->parent == 0 && t->n_on == root->n_key;

    for (int i = 0; ok && i < t->n_on; i++)
        ok = root_key(p->a, t->on_parent[i]);
    if (!ok)
        return conf_node_key_err(l->at, p->e,
                                 "a paged array is linked to the whole key of its"
                                 " document and to nothing else");
    for (int i = 0; i < root->n_key; i++) {
        const char *name = p->a->tables[0].columns[root->key[i].column].name;

        if (strcmp(name, "k") == 0 || strcmp(name, "from") == 0)
            return conf_node_key_err(l->at, p->e,
                                     "the key's column `%s` has a name that the pages'"
                                     " own _id needs",
                                     name);
    }
    return true;
}

/* Each row has just one key, and the key's order is the array's. */
static bool check_order(struct map_parser *p, const struct map_level *l)
{
    uint32_t tables = aggregate_element_tables(p->a);

    if (l->n_order || l->limit)
        return conf_node_key_err(l->at, p->e,
                                 "a paged array stands in the order of its key; it has"
                                 " no `order_by` and no `limit`");
    if (l->n_key + aggregate_root(p->a)->n_key > MAP_KEY_MAX)
        return conf_node_key_err(l->at, p->e,
                                 "its key and the document's together have over %d"
                                 " columns",
                                 MAP_KEY_MAX);
    for (int i = 0; i < p->a->n_tables; i++) {
        const struct map_table *t = &p->a->tables[i];
        int16_t columns[MAP_KEY_MAX];

        if (!(tables & 1u << i))
            continue;
        if (t->joined && !t->required)
            return conf_node_err(t->at, p->e,
                                 "the paged array's key comes by this join: it must be"
                                 " `required: true`");
        if (aggregate_element_columns(p->a, i, columns) > MAP_KEY_MAX)
            return conf_node_err(t->at, p->e, "over %d columns link it", MAP_KEY_MAX);
    }
    return true;
}

/* Nothing of the levels around. */
static bool check_expr(struct map_parser *p, const struct map_expr *x)
{
    for (int i = 0; i < x->n; i++)
        if (x->pieces[i].ref.table >= 0 && !aggregate_paged_use(p->a, x->pieces[i].ref.table))
            return conf_node_err(x->at, p->e,
                                 "inside a paged array only its own tables' columns"
                                 " may be used, or a change of the document would"
                                 " change all pages");
    return true;
}

static bool check_level(struct map_parser *p, int level)
{
    const struct map_level *l = &p->a->levels[level];
    bool ok = check_expr(p, &l->where);

    for (int i = 0; ok && i < l->n_ops; i++)
        ok = check_expr(p, &l->ops[i].expr);
    for (int i = 0; ok && i < l->n_order; i++)
        if (!aggregate_paged_use(p->a, l->order[i].ref.table))
            ok = conf_node_key_err(l->at, p->e, "its order goes by a column of a level around it");
    return ok;
}

static bool check_tables(struct map_parser *p)
{
    const struct aggregate *a = p->a;

    for (int i = 1; i < a->n_tables; i++)
        if (aggregate_paged_use(a, i) && i != a->levels[a->paged].table &&
            !aggregate_paged_use(a, a->tables[i].parent))
            return conf_node_err(a->tables[i].at, p->e,
                                 "inside a paged array tables are linked to"
                                 " its own tables only");
    return true;
}

/* A fold over it reads all of it. */
static bool check_folds(struct map_parser *p)
{
    const struct map_level *root = aggregate_root(p->a);

    for (int i = 0; i < root->n_ops; i++)
        if (root->ops[i].kind == MAP_OP_VALUE && root->ops[i].of == p->a->paged)
            return conf_node_err(root->ops[i].at, p->e,
                                 "a fold over a paged array would read all"
                                 " of it at each change");
    return true;
}

bool map_page_check(struct map_parser *p)
{
    struct aggregate *a = p->a;

    for (int i = 0; i < a->n_levels; i++) {
        if (!a->levels[i].page)
            continue;
        if (a->levels[i].parent != 0 || a->paged)
            return conf_node_key_err(a->levels[i].at, p->e,
                                     "one array of an aggregate may be"
                                     " paged, and it stands in the document"
                                     " itself");
        a->paged = i;
    }
    if (!a->paged)
        return true;
    for (int i = 1; i < a->n_levels; i++)
        if (aggregate_within(a, i, a->paged) && !check_level(p, i))
            return false;
    return check_link(p, &a->levels[a->paged]) && check_order(p, &a->levels[a->paged]) &&
           check_tables(p) && check_folds(p);
}
