#include "mirror/schema.h"

#include "mirror/plan.h"

#include <string.h>
#include <strings.h>

enum { SQL_MAX = 1 << 20 };

static const struct {
    const char *type;
    enum map_class class;
} classes[] = {
    {"tinyint", MAP_CLASS_NUMBER}, {"smallint", MAP_CLASS_NUMBER},  {"mediumint", MAP_CLASS_NUMBER},
    {"int", MAP_CLASS_NUMBER},     {"bigint", MAP_CLASS_NUMBER},    {"decimal", MAP_CLASS_NUMBER},
    {"year", MAP_CLASS_NUMBER},    {"char", MAP_CLASS_TEXT},        {"varchar", MAP_CLASS_TEXT},
    {"tinytext", MAP_CLASS_TEXT},  {"text", MAP_CLASS_TEXT},        {"mediumtext", MAP_CLASS_TEXT},
    {"longtext", MAP_CLASS_TEXT},  {"enum", MAP_CLASS_TEXT},        {"set", MAP_CLASS_TEXT},
    {"binary", MAP_CLASS_BYTES},   {"varbinary", MAP_CLASS_BYTES},  {"tinyblob", MAP_CLASS_BYTES},
    {"blob", MAP_CLASS_BYTES},     {"mediumblob", MAP_CLASS_BYTES}, {"longblob", MAP_CLASS_BYTES},
    {"date", MAP_CLASS_TIME},      {"datetime", MAP_CLASS_TIME},    {"timestamp", MAP_CLASS_TIME},
    {"time", MAP_CLASS_TIME},
};

enum map_class schema_class(struct span data_type)
{
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        if (span_eq(data_type, classes[i].type))
            return classes[i].class;
    return MAP_CLASS_NONE;
}

static void put_text(struct buf *sql, const char *text)
{
    plan_literal(sql, MAP_CLASS_TEXT, span_of(text));
}

static struct rows *ask(struct source *s, struct buf *sql, struct err *e)
{
    if (buf_ok(sql))
        return source_query(s, buf_span(sql), e);
    (void)err_set(e, ERR_IO, "out of memory");
    return NULL;
}

/* One table's engine, or why it won't do. */
static bool check_table(const struct map_table *t, struct source *s, struct buf *sql, struct err *e)
{
    struct rows *r;
    bool ok;

    buf_clear(sql);
    buf_put_str(sql, "SELECT COALESCE(engine, 'a view') FROM information_schema.tables WHERE"
                     " table_schema = ");
    put_text(sql, t->database);
    buf_put_str(sql, " AND table_name = ");
    put_text(sql, t->name);
    r = ask(s, sql, e);
    if (!r)
        return false;
    if (!rows_next(r))
        ok = conf_node_err(t->at, e, "no such table on the server (or no right to see it)");
    else if (!span_eq(r->cells[0], "InnoDB"))
        ok = conf_node_err(t->at, e, "only InnoDB tables can be mirrored; this is %.*s",
                           (int)r->cells[0].n, (const char *)r->cells[0].p);
    else
        ok = true;
    rows_free(r);
    return ok;
}

static void classify(struct map_table *t, struct span name, struct span type, const char **near)
{
    for (int i = 0; i < t->n_columns; i++) {
        struct map_column *c = &t->columns[i];

        if (span_eq(name, c->name))
            c->class = schema_class(type);
        else if (strlen(c->name) == name.n &&
                 strncasecmp(c->name, (const char *)name.p, name.n) == 0)
            near[i] = "; the same name in other case exists";
    }
}

static bool check_columns(struct map_table *t, struct source *s, struct buf *sql, struct err *e)
{
    const char *near[MAP_COLUMNS_MAX] = {NULL};
    bool seen[MAP_COLUMNS_MAX] = {false};
    struct rows *r;

    buf_clear(sql);
    buf_put_str(sql, "SELECT column_name, data_type FROM information_schema.columns WHERE"
                     " table_schema = ");
    put_text(sql, t->database);
    buf_put_str(sql, " AND table_name = ");
    put_text(sql, t->name);
    r = ask(s, sql, e);
    if (!r)
        return false;
    while (rows_next(r)) {
        for (int i = 0; i < t->n_columns; i++)
            seen[i] |= span_eq(r->cells[0], t->columns[i].name);
        classify(t, r->cells[0], r->cells[1], near);
    }
    rows_free(r);
    for (int i = 0; i < t->n_columns; i++)
        if (!seen[i])
            return conf_node_err(t->columns[i].at, e, "no column `%s` in %s.%s%s",
                                 t->columns[i].name, t->database, t->name, near[i] ? near[i] : "");
    return true;
}

static bool check_class(const struct map_table *t, int column, struct err *e)
{
    const struct map_column *c = &t->columns[column];

    if (c->class != MAP_CLASS_NONE)
        return true;
    return conf_node_err(c->at, e,
                         "`%s` can't be part of a key or link: its type does not compare"
                         " exactly",
                         c->name);
}

/* Keys and links are compared between rows, events and documents. */
static bool check_classes(const struct aggregate *a, struct err *e)
{
    const struct map_level *root = aggregate_root(a);

    for (int i = 0; i < root->n_key; i++)
        if (!check_class(&a->tables[0], root->key[i].column, e))
            return false;
    for (int i = 1; i < a->n_tables; i++)
        for (int k = 0; k < a->tables[i].n_on; k++)
            if (!check_class(&a->tables[i], a->tables[i].on[k], e) ||
                !check_class(&a->tables[a->tables[i].parent], a->tables[i].on_parent[k], e))
                return false;
    return true;
}

static bool check_expr(const struct aggregate *a, const struct map_expr *x, struct source *s,
                       struct buf *sql, struct err *e)
{
    struct rows *r;

    if (x->n == 0)
        return true;
    buf_clear(sql);
    plan_probe(a, x, sql);
    r = ask(s, sql, e);
    if (r) {
        rows_free(r);
        return true;
    }
    if (e->kind == ERR_SERVER) {
        struct err why = *e;

        (void)conf_node_err(x->at, e, "%s%s", why.text,
                            why.code == SOURCE_ERR_NO_COLUMN
                                ? "; columns are written in braces: {column} or {Alias.column}"
                                : "");
    }
    return false;
}

static bool check_exprs(const struct aggregate *a, struct source *s, struct buf *sql, struct err *e)
{
    for (int i = 0; i < a->n_levels; i++) {
        const struct map_level *l = &a->levels[i];

        if (!check_expr(a, &l->where, s, sql, e))
            return false;
        for (int k = 0; k < l->n_ops; k++)
            if (!check_expr(a, &l->ops[k].expr, s, sql, e))
                return false;
    }
    return true;
}

bool schema_check(struct mapping *m, struct source *s, struct err *e)
{
    struct buf sql = buf_with_max(SQL_MAX);
    bool ok = true;

    for (int i = 0; ok && i < m->n; i++) {
        struct aggregate *a = m->aggregates[i];

        for (int k = 0; ok && k < a->n_tables; k++)
            ok = check_table(&a->tables[k], s, &sql, e) && check_columns(&a->tables[k], s, &sql, e);
        ok = ok && check_classes(a, e) && check_exprs(a, s, &sql, e);
    }
    buf_free(&sql);
    return ok;
}
