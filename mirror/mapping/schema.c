#include "mirror/mapping/schema.h"

#include "conf/hint.h"
#include "mirror/document/sum.h"
#include "mirror/mapping/plan.h"
#include "mirror/mapping/schema_part.h"

#include <limits.h>
#include <stdio.h>
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

struct rows *schema_ask_table(struct source *s, struct buf *sql, const char *head,
                              const struct map_table *t, const char *tail, struct err *e)
{
    buf_clear(sql);
    buf_put_str(sql, head);
    buf_put_str(sql, " WHERE table_schema = ");
    put_text(sql, t->database);
    buf_put_str(sql, " AND table_name = ");
    put_text(sql, t->name);
    buf_put_str(sql, tail);
    return ask(s, sql, e);
}

/* How far a name is from the word that was written; other case alone is nothing. */
static unsigned distance(const char *word, const char *name)
{
    const char *const words[] = {name, NULL};

    if (strcasecmp(word, name) == 0)
        return 0;
    return conf_hint_nearest(word, words) ? conf_hint_distance(word, name) : UINT_MAX;
}

/* Of the names in the first column of `r` the one that may have been meant, as "; did you mean …";
 * "" where none is near. */
static void put_hint(struct rows *r, const char *word, char *out, size_t size)
{
    unsigned least = UINT_MAX;

    out[0] = '\0';
    while (rows_next(r)) {
        char name[64 * 4 + 1]; /* 64 characters, as MariaDB has it */
        unsigned far;

        (void)snprintf(name, sizeof name, "%.*s", (int)r->cells[0].n, (const char *)r->cells[0].p);
        far = distance(word, name);
        if (far >= least)
            continue;
        least = far;
        (void)snprintf(out, size, "; did you mean `%s`?", name);
    }
}

static bool no_table(const struct map_table *t, struct source *s, struct buf *sql, struct err *e)
{
    char hint[288];
    struct rows *r;

    buf_clear(sql);
    buf_put_str(sql, "SELECT table_name FROM information_schema.tables WHERE table_schema = ");
    put_text(sql, t->database);
    r = ask(s, sql, e);
    if (!r)
        return false;
    put_hint(r, t->name, hint, sizeof hint);
    rows_free(r);
    return conf_node_err(t->at, e, "no such table on the server (or no right to see it)%s", hint);
}

/* One table's engine, or why it won't do. */
static bool check_table(const struct map_table *t, struct source *s, struct buf *sql, struct err *e)
{
    struct rows *r = schema_ask_table(
        s, sql, "SELECT COALESCE(engine, 'a view') FROM information_schema.tables", t, "", e);
    bool found;
    bool ok = true;

    if (!r)
        return false;
    found = rows_next(r);
    if (found && !span_eq(r->cells[0], "InnoDB"))
        ok = conf_node_err(t->at, e, "only InnoDB tables can be mirrored; this is %.*s",
                           (int)r->cells[0].n, (const char *)r->cells[0].p);
    rows_free(r);
    return found ? ok : no_table(t, s, sql, e);
}

/* One row of `columns_of`. */
static void classify(struct map_table *t, const struct span *cells, bool *seen)
{
    for (int i = 0; i < t->n_columns; i++) {
        if (!span_eq(cells[0], t->columns[i].name))
            continue;
        t->columns[i].class = schema_class(cells[1]);
        t->columns[i].integer =
            t->columns[i].class == MAP_CLASS_NUMBER && !span_eq(cells[1], "decimal");
        t->columns[i].nullable = span_eq(cells[2], "YES");
        seen[i] = true;
    }
}

static const char columns_of[] =
    "SELECT column_name, data_type, is_nullable FROM information_schema.columns";

static bool no_column(const struct map_table *t, int column, struct source *s, struct buf *sql,
                      struct err *e)
{
    struct rows *r = schema_ask_table(s, sql, columns_of, t, "", e);
    char hint[288];

    if (!r)
        return false;
    put_hint(r, t->columns[column].name, hint, sizeof hint);
    rows_free(r);
    return conf_node_err(t->columns[column].at, e, "no column `%s` in %s.%s%s",
                         t->columns[column].name, t->database, t->name, hint);
}

static bool check_columns(struct map_table *t, struct source *s, struct buf *sql, struct err *e)
{
    struct rows *r = schema_ask_table(s, sql, columns_of, t, "", e);
    bool seen[MAP_COLUMNS_MAX] = {false};

    if (!r)
        return false;
    while (rows_next(r))
        classify(t, r->cells, seen);
    rows_free(r);
    for (int i = 0; i < t->n_columns; i++)
        if (!seen[i])
            return no_column(t, i, s, sql, e);
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

static bool check_numbers(const struct aggregate *a, const struct map_level *l, struct err *e)
{
    for (int i = 0; i < l->n_key; i++) {
        const struct map_column *c = &a->tables[l->key[i].table].columns[l->key[i].column];

        if (c->class != MAP_CLASS_NUMBER)
            return conf_node_err(c->at, e,
                                 "where an array is paged, its key and the document's"
                                 " consist of numbers");
    }
    return true;
}

/* An element whose key is NULL lies in no range. */
static bool check_present(const struct aggregate *a, const struct map_level *l, struct err *e)
{
    for (int i = 0; i < l->n_key; i++) {
        const struct map_table *t = &a->tables[l->key[i].table];

        if (!aggregate_present(a, l->key[i]))
            return conf_node_err(t->columns[l->key[i].column].at, e,
                                 "where an array is paged, its key must not be NULL: a column"
                                 " that is NOT NULL, of a join that is required");
    }
    return true;
}

/* Pages are told apart and ordered by these keys, in MariaDB as in the mirror. */
static bool check_page(const struct aggregate *a, struct err *e)
{
    const struct map_level *paged = &a->levels[a->paged];

    return !a->paged || (check_numbers(a, aggregate_root(a), e) && check_numbers(a, paged, e) &&
                         check_present(a, paged, e));
}

static bool all_exact(const struct rows *r)
{
    for (int i = 0; i < r->n_columns; i++)
        if (!sum_takes(r->kinds[i], r->shapes[i]))
            return false;
    return true;
}

/* `exact`: whether its values are numbers that sums can be made of. */
static bool check_expr(const struct aggregate *a, const struct map_expr *x, bool *exact,
                       struct source *s, struct buf *sql, struct err *e)
{
    struct rows *r;

    *exact = false;
    if (x->n == 0)
        return true;
    buf_clear(sql);
    plan_probe(a, x, sql);
    r = ask(s, sql, e);
    if (r) {
        *exact = plan_arithmetic(x) && all_exact(r);
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
        bool exact;

        if (!check_expr(a, &l->where, &exact, s, sql, e))
            return false;
        for (int k = 0; k < l->n_ops; k++)
            if (!check_expr(a, &l->ops[k].expr, &l->ops[k].exact, s, sql, e))
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
        ok = ok && check_classes(a, e) && check_page(a, e) && check_exprs(a, s, &sql, e) &&
             schema_check_indexes(a, s, &sql, e);
    }
    buf_free(&sql);
    return ok;
}
