#include "mirror/mapping/cascade.h"

#include "mirror/mapping/schema.h"

#include <stdlib.h>
#include <string.h>

enum { SETS_MAX = 8 << 20, SQL_MAX = 1 << 20, TEXT_MAX = 1 << 20 };

struct loading {
    struct cascade *c;
    struct plan *const *plans;
    int n;
    struct source *source;
    struct buf sql;
    struct err *e;
};

static char *copy(struct span s)
{
    char *text = strndup((const char *)s.p, s.n);

    if (!text)
        abort(); /* a name, at start */
    return text;
}

/* The table's number; new ones are added. -1: too many. */
static int table_of(struct loading *l, struct span database, struct span name)
{
    struct cascade *c = l->c;

    for (int i = 0; i < c->n_tables; i++)
        if (span_eq(name, c->tables[i].name) && span_eq(database, c->tables[i].database))
            return i;
    if (c->n_tables == CASCADE_TABLES_MAX) {
        (void)err_set(l->e, ERR_USAGE, "foreign keys that act: more than %d tables",
                      CASCADE_TABLES_MAX);
        return -1;
    }
    c->tables[c->n_tables] =
        (struct cascade_table){.database = copy(database), .name = copy(name), .serial = 0};
    return c->n_tables++;
}

/* The column's number; -1: too many. */
static int column_of(struct loading *l, int table, struct span name)
{
    struct cascade_table *t = &l->c->tables[table];

    for (int i = 0; i < t->n_columns; i++)
        if (span_eq(name, t->columns[i]))
            return i;
    if (t->n_columns == MAP_COLUMNS_MAX) {
        (void)err_set(l->e, ERR_USAGE, "%s.%s: more than %d columns in keys", t->database, t->name,
                      MAP_COLUMNS_MAX);
        return -1;
    }
    t->columns[t->n_columns] = copy(name);
    return t->n_columns++;
}

static bool add_key(struct loading *l, int child, const struct foreign_key *f)
{
    struct cascade *c = l->c;
    struct span database = f->database.n ? f->database : span_of(c->tables[child].database);
    struct cascade_key *k = &c->keys[c->n_keys];
    int parent = table_of(l, database, f->table);

    if (parent < 0)
        return false;
    if (c->n_keys == CASCADE_KEYS_MAX || f->too_many)
        return err_set(l->e, ERR_USAGE, "%s.%s: too many foreign keys that act, or columns of one",
                       c->tables[child].database, c->tables[child].name);
    *k = (struct cascade_key){.child = child,
                              .parent = parent,
                              .n = f->n,
                              .on_delete = f->on_delete,
                              .on_update = f->on_update};
    for (int i = 0; i < f->n; i++) {
        k->columns[i] = column_of(l, child, f->columns[i]);
        k->referenced[i] = column_of(l, parent, f->referenced[i]);
        if (k->columns[i] < 0 || k->referenced[i] < 0)
            return false;
    }
    keyset_init(&k->deleted, f->n, SETS_MAX);
    keyset_init(&k->renamed, f->n, SETS_MAX);
    keyset_init(&k->names, f->n, SETS_MAX);
    keyset_init(&k->maybe, f->n, SETS_MAX);
    c->tables[child].child = true;
    c->n_keys++;
    return true;
}

static bool add_keys(struct loading *l, int child, struct span create)
{
    struct foreign_key f;
    size_t at = 0;

    while (foreign_key_next(create, &at, &f)) {
        if (f.on_delete == FOREIGN_KEY_REFUSED && f.on_update == FOREIGN_KEY_REFUSED)
            continue;
        if (!add_key(l, child, &f))
            return false;
    }
    return true;
}

/* The keys by which rows of a table depend on others. */
static bool load_keys(struct loading *l, int child)
{
    const struct cascade_table *t = &l->c->tables[child];
    struct rows *r;
    bool ok;

    buf_clear(&l->sql);
    buf_printf(&l->sql, "SHOW CREATE TABLE `%s`.`%s`", t->database, t->name);
    r = source_query(l->source, buf_span(&l->sql), l->e);
    if (!r && l->e->kind == ERR_SERVER)
        return err_set(l->e, ERR_USAGE,
                       "what is deleted in %s.%s cascades to mapped tables, and the mirror's"
                       " account can't see it: GRANT SELECT ON `%s`.`%s` to it",
                       t->database, t->name, t->database, t->name);
    if (!r)
        return false;
    ok = !rows_next(r) || r->n_columns < 2 || add_keys(l, child, r->cells[1]);
    rows_free(r);
    return ok;
}

static bool mapped_tables(struct loading *l)
{
    for (int i = 0; i < l->n; i++)
        for (int k = 0; k < l->plans[i]->a->n_tables; k++) {
            const struct map_table *t = &l->plans[i]->a->tables[k];

            if (table_of(l, span_of(t->database), span_of(t->name)) < 0)
                return false;
        }
    return true;
}

static bool add_use(struct loading *l, int table, int aggregate, int use)
{
    struct cascade_table *t = &l->c->tables[table];
    const struct plan_walk *w = plan_use_walk(l->plans[aggregate], use);
    const struct map_table *m = &l->plans[aggregate]->a->tables[use];
    struct cascade_use *grown = realloc(t->uses, (size_t)(t->n_uses + 1) * sizeof *grown);

    if (!grown)
        abort(); /* some bytes, at start */
    t->uses = grown;
    grown[t->n_uses] =
        (struct cascade_use){.aggregate = aggregate, .table = use, .n_handle = w->n_handle};
    for (int i = 0; i < w->n_handle; i++) {
        int column = column_of(l, table, span_of(m->columns[w->handle[i]].name));

        if (column < 0)
            return false;
        grown[t->n_uses].handle[i] = column;
    }
    t->n_uses++;
    l->c->reached |= 1u << aggregate;
    return true;
}

/* The uses of tables that cascades change. */
static bool load_uses(struct loading *l)
{
    for (int i = 0; i < l->n; i++)
        for (int k = 0; k < l->plans[i]->a->n_tables; k++) {
            const struct map_table *m = &l->plans[i]->a->tables[k];
            int table = table_of(l, span_of(m->database), span_of(m->name));

            if (l->c->tables[table].child && !add_use(l, table, i, k))
                return false;
        }
    return true;
}

static bool load_classes(struct loading *l, struct cascade_table *t)
{
    struct rows *r;

    buf_clear(&l->sql);
    buf_put_str(&l->sql, "SELECT column_name, data_type FROM information_schema.columns WHERE"
                         " table_schema = ");
    plan_literal(&l->sql, MAP_CLASS_TEXT, span_of(t->database));
    buf_put_str(&l->sql, " AND table_name = ");
    plan_literal(&l->sql, MAP_CLASS_TEXT, span_of(t->name));
    r = source_query(l->source, buf_span(&l->sql), l->e);
    if (!r)
        return false;
    while (rows_next(r))
        for (int i = 0; i < t->n_columns; i++)
            if (span_eq(r->cells[0], t->columns[i]))
                t->classes[i] = schema_class(r->cells[1]);
    rows_free(r);
    return true;
}

static void judge(struct cascade *c, struct cascade_key *k)
{
    for (int i = 0; i < k->n; i++)
        k->blind |= c->tables[k->child].classes[k->columns[i]] == MAP_CLASS_NONE ||
                    c->tables[k->parent].classes[k->referenced[i]] == MAP_CLASS_NONE;
}

static bool load(struct loading *l)
{
    if (!mapped_tables(l))
        return false;
    for (int i = 0; i < l->c->n_tables; i++) /* grows meanwhile */
        if (!load_keys(l, i))
            return false;
    if (!load_uses(l))
        return false;
    for (int i = 0; i < l->c->n_tables; i++)
        if (l->c->tables[i].n_columns > 0 && !load_classes(l, &l->c->tables[i]))
            return false;
    for (int i = 0; i < l->c->n_keys; i++)
        judge(l->c, &l->c->keys[i]);
    return true;
}

struct cascade *cascade_load(struct plan *const *plans, int n, struct source *s, struct err *e)
{
    struct loading l = {.c = calloc(1, sizeof *l.c), .plans = plans, .n = n, .source = s, .e = e};
    bool ok;

    if (!l.c) {
        (void)err_set(e, ERR_IO, "out of memory");
        return NULL;
    }
    l.sql = buf_with_max(SQL_MAX);
    l.c->text = buf_with_max(TEXT_MAX);
    ok = load(&l);
    buf_free(&l.sql);
    if (ok)
        return l.c;
    cascade_free(l.c);
    return NULL;
}
