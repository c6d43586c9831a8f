/* Indexes: each change looks rows up by the columns of `on`, downwards to make documents and
 * upwards to find those that show a row. Without an index each such look-up reads a whole table. */
#include "mirror/mapping/schema_part.h"

enum { INDEXES_MAX = 64, INDEX_COLUMNS_MAX = 32 };

struct index {
    bool unique;
    int n;
    int columns[INDEX_COLUMNS_MAX]; /* of the table use; -1: one that is not mapped */
};

struct indexes {
    int n;
    struct index all[INDEXES_MAX];
};

static int column_of(const struct map_table *t, struct span name)
{
    for (int i = 0; i < t->n_columns; i++)
        if (span_eq(name, t->columns[i].name))
            return i;
    return -1;
}

/* Rows are non_unique, seq_in_index, column_name, sub_part, in the order of the indexes. A column
 * that is indexed by its beginning only counts for none. */
static void take_rows(struct indexes *x, const struct map_table *t, struct rows *r)
{
    struct index *at = NULL;

    while (rows_next(r)) {
        if (span_eq(r->cells[1], "1")) {
            if (x->n == INDEXES_MAX)
                return;
            at = &x->all[x->n++];
            *at = (struct index){.unique = span_eq(r->cells[0], "0")};
        }
        if (at && at->n < INDEX_COLUMNS_MAX)
            at->columns[at->n++] = r->cells[3].p ? -1 : column_of(t, r->cells[2]);
    }
}

static bool among(const int16_t *columns, int n, int column)
{
    for (int i = 0; i < n; i++)
        if (columns[i] == column)
            return true;
    return false;
}

/* The index begins with just these columns, in any order; or a unique one needs no more than them.
 */
static bool serves(const struct index *x, const int16_t *columns, int n, bool unique)
{
    int leading = 0;

    while (leading < x->n && among(columns, n, x->columns[leading]))
        leading++;
    return (x->unique && leading == x->n) || (!unique && leading >= n);
}

static bool served(const struct indexes *x, const int16_t *columns, int n, bool unique)
{
    for (int i = 0; i < x->n; i++)
        if (serves(&x->all[i], columns, n, unique))
            return true;
    return false;
}

static bool missing(const struct map_table *t, const struct conf_node *at, const int16_t *columns,
                    int n, struct err *e)
{
    struct buf names = buf_with_max(4096);
    bool ok;

    for (int i = 0; i < n; i++)
        buf_printf(&names, "%s`%s`", i ? ", " : "", t->columns[columns[i]].name);
    ok = conf_node_err(at, e,
                       "each change would read all of %s.%s to find rows by (%s); run CREATE INDEX"
                       " `tillway_%s` ON `%s`.`%s` (%s)",
                       t->database, t->name, buf_text(&names), t->columns[columns[0]].name,
                       t->database, t->name, buf_text(&names));
    buf_free(&names);
    return ok;
}

static bool load(const struct map_table *t, struct source *s, struct buf *sql, struct indexes *x,
                 struct err *e)
{
    struct rows *r = schema_ask_table(
        s, sql,
        "SELECT non_unique, seq_in_index, column_name, sub_part FROM information_schema.statistics",
        t, " ORDER BY index_name, seq_in_index", e);

    x->n = 0;
    if (!r)
        return false;
    take_rows(x, t, r);
    rows_free(r);
    return true;
}

static bool check_key(const struct aggregate *a, const struct indexes *x, struct err *e)
{
    const struct map_level *root = aggregate_root(a);
    int16_t columns[MAP_KEY_MAX];

    for (int i = 0; i < root->n_key; i++)
        columns[i] = root->key[i].column;
    if (root->grouped || served(x, columns, root->n_key, true))
        return true;
    return conf_node_err(a->tables[0].at, e,
                         "the key does not tell rows apart: no PRIMARY KEY or UNIQUE index of %s.%s"
                         " lies within it",
                         a->tables[0].database, a->tables[0].name);
}

/* The use as a child by `on`, and as the parent of others. */
static bool check_use(struct aggregate *a, int use, const struct indexes *x, struct err *e)
{
    struct map_table *t = &a->tables[use];

    if (use == 0 && !check_key(a, x, e))
        return false;
    t->unique = served(x, t->on, t->n_on, true);
    if (use > 0 && !served(x, t->on, t->n_on, false))
        return missing(t, t->at, t->on, t->n_on, e);
    for (int i = use + 1; i < a->n_tables; i++) {
        const struct map_table *child = &a->tables[i];

        if (child->parent == use && !served(x, child->on_parent, child->n_on, false))
            return missing(t, child->at, child->on_parent, child->n_on, e);
    }
    return true;
}

bool schema_check_indexes(struct aggregate *a, struct source *s, struct buf *sql, struct err *e)
{
    struct indexes x;
    bool ok = true;

    for (int i = 0; ok && i < a->n_tables; i++)
        ok = load(&a->tables[i], s, sql, &x, e) && check_use(a, i, &x, e);
    return ok;
}
