#include "mirror/mapping/touch.h"

#include "mirror/ddl.h"
#include "mirror/mapping/cascade.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>

enum {
    ROOTS_MAX = 32 << 20, /* bytes of a set */
    LINKS_MAX = 16 << 20,
    KNOWN_TABLES = 64,
    USES_MAX = 64, /* of one table, in all aggregates */
    TEXT_MAX = 64 << 20,
};

/* Where one use's columns stand in a table's events. */
struct use {
    int aggregate;
    int table;
    bool foreign; /* the event's table lacks mapped columns: it was another one then */
    int n_columns;
    int columns[MAP_COLUMNS_MAX];
};

/* A table as its events describe it; serial 0: a free place. */
struct known {
    uint64_t serial;
    int n;
    struct use *uses;
};

struct touch {
    int n;
    struct plan *plans[MAP_AGGREGATES_MAX];
    struct touched touched[MAP_AGGREGATES_MAX];
    struct known known[KNOWN_TABLES];
    uint64_t count;
    bool schema;
    enum touch_told told;
    struct buf text; /* of one handle */
    struct cascade *cascade;
};

static void init_pairs(struct touched *to, const struct plan *p)
{
    keyset_init(&to->heads, p->n_key, ROOTS_MAX);
    keyset_init(&to->pairs, p->n_key + p->page.n_element, ROOTS_MAX);
    for (int k = 1; k < p->a->n_tables; k++) {
        const struct plan_walk *w = &p->page.pairs[k];

        if (!aggregate_paged_use(p->a, k) || w->direct)
            continue;
        keyset_init(&to->pair_links[k], w->n_handle, LINKS_MAX);
        if (aggregate_element_use(p->a, k))
            keyset_init(&to->pair_links_before[k], w->n_handle, LINKS_MAX);
    }
}

/* Every set of an aggregate. */
static void for_sets(struct touched *to, void (*act)(struct keyset *))
{
    act(&to->roots);
    act(&to->heads);
    act(&to->pairs);
    for (int k = 0; k < MAP_TABLES_MAX; k++) {
        act(&to->links[k]);
        act(&to->pair_links[k]);
        act(&to->pair_links_before[k]);
    }
}

static void clear_set(struct keyset *s)
{
    if (s->width)
        keyset_clear(s);
}

struct touch *touch_new(struct plan *const *plans, int n)
{
    struct touch *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->n = n;
    t->text = buf_with_max(TEXT_MAX);
    for (int i = 0; i < n; i++) {
        struct touched *to = &t->touched[i];

        t->plans[i] = plans[i];
        keyset_init(&to->roots, plans[i]->n_key, ROOTS_MAX);
        for (int k = 1; k < plans[i]->a->n_tables; k++)
            if (!plans[i]->walks[k].direct)
                keyset_init(&to->links[k], plans[i]->walks[k].n_handle, LINKS_MAX);
        if (plans[i]->a->paged)
            init_pairs(to, plans[i]);
    }
    return t;
}

void touch_free(struct touch *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->n; i++)
        for_sets(&t->touched[i], keyset_free);
    for (int i = 0; i < KNOWN_TABLES; i++)
        free(t->known[i].uses);
    buf_free(&t->text);
    free(t);
}

void touch_clear(struct touch *t)
{
    for (int i = 0; i < t->n; i++) {
        t->touched[i].all = false;
        for_sets(&t->touched[i], clear_set);
    }
    if (t->cascade)
        cascade_clear(t->cascade);
    t->count = 0;
    t->schema = false;
}

void touch_tell(struct touch *t, enum touch_told told)
{
    assert(t->count == 0);
    t->told = told;
}

void touch_cascades(struct touch *t, struct cascade *c)
{
    t->cascade = c;
}

void touch_root(struct touch *t, int aggregate, const struct span *key)
{
    struct touched *to = &t->touched[aggregate];

    (void)keyset_add(&to->roots, key);
    to->all |= to->roots.full;
    t->count++;
}

struct touched *touch_of(struct touch *t, int aggregate)
{
    return &t->touched[aggregate];
}

uint64_t touch_count(const struct touch *t)
{
    return t->count;
}

bool touch_schema(const struct touch *t)
{
    return t->schema;
}

void touch_whole(struct touch *t, uint32_t aggregates)
{
    for (int i = 0; i < t->n; i++)
        if (aggregates & 1u << i)
            t->touched[i].all = true;
    t->count++;
}

void touch_all(struct touch *t)
{
    touch_whole(t, UINT32_MAX);
}

bool touch_empty(const struct touch *t)
{
    return t->count == 0;
}

/* Column numbers of a use in the event's table. */
static void resolve(const struct touch *t, struct use *u, const struct binlog_table *table)
{
    const struct plan *p = t->plans[u->aggregate];
    const struct map_table *m = &p->a->tables[u->table];

    u->n_columns = m->n_columns;
    for (int i = 0; i < m->n_columns; i++) {
        u->columns[i] = binlog_table_column(table, span_of(m->columns[i].name));
        u->foreign |= u->columns[i] < 0;
    }
}

static bool same_table(const struct map_table *m, const struct binlog_table *table)
{
    return span_eq(table->name, m->name) && span_eq(table->database, m->database);
}

static int count_uses(const struct touch *t, const struct binlog_table *table)
{
    int n = 0;

    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < t->plans[i]->a->n_tables; k++)
            n += same_table(&t->plans[i]->a->tables[k], table);
    return n;
}

bool touch_wants(const struct touch *t, const struct binlog_table *table)
{
    return count_uses(t, table) > 0 || (t->cascade && cascade_wants(t->cascade, table));
}

static void learn_uses(const struct touch *t, struct known *known, const struct binlog_table *table)
{
    for (int i = 0; i < t->n; i++) {
        for (int k = 0; k < t->plans[i]->a->n_tables; k++) {
            if (!same_table(&t->plans[i]->a->tables[k], table))
                continue;
            known->uses[known->n] = (struct use){.aggregate = i, .table = k};
            resolve(t, &known->uses[known->n++], table);
        }
    }
}

static bool learn(struct touch *t, struct known *known, const struct binlog_change *c,
                  struct err *e)
{
    int uses = count_uses(t, c->table);

    free(known->uses);
    *known = (struct known){.serial = c->table_serial};
    if (uses == 0)
        return true;
    if (!c->table->full_metadata)
        return err_set(e, ERR_USAGE,
                       "the binlog lacks column names: SET GLOBAL binlog_row_metadata=FULL on the"
                       " source, then `tillway mirror rebuild`");
    known->uses = calloc((size_t)uses, sizeof *known->uses);
    if (!known->uses)
        return err_set(e, ERR_IO, "out of memory");
    learn_uses(t, known, c->table);
    return true;
}

static struct known *find_known(struct touch *t, const struct binlog_change *c, struct err *e)
{
    struct known *known = &t->known[c->table_serial % KNOWN_TABLES];

    if (known->serial == c->table_serial && known->serial)
        return known;
    if (learn(t, known, c, e))
        return known;
    known->serial = 0;
    return NULL;
}

/* Whether an update left alone all that the use shows. */
static bool unchanged(const struct use *u, const struct binlog_change *c)
{
    for (int i = 0; i < u->n_columns; i++)
        if (!binlog_value_equal(&c->before[u->columns[i]], &c->after[u->columns[i]]))
            return false;
    return true;
}

/* A number without the leading zeros of ZEROFILL, so that equal keys are equal texts. */
static struct span canonical(struct span text, enum map_class class)
{
    while (class == MAP_CLASS_NUMBER && text.n > 1 && text.p[0] == '0' && isdigit(text.p[1])) {
        text.p++;
        text.n--;
    }
    return text;
}

/* What an image, or a handle, is of: a row as it was, as it is, or nobody knows. */
enum image { WAS = 1, IS = 2, WAS_OR_IS = WAS | IS };

/* Whether a use's row is told by the element of a paged array that it shows in, or did. */
static bool by_element(const struct touch *t, int aggregate, int table, enum image image)
{
    bool looks_before = image & WAS && t->touched[aggregate].pair_links_before[table].width > 0;

    return aggregate_paged_use(t->plans[aggregate]->a, table) &&
           (t->told == TOUCH_BY_ELEMENT || (t->told == TOUCH_BY_ROW && !looks_before));
}

/* How a use's rows lead to documents; `inside`: by the element. */
static const struct plan_walk *walk_of(const struct plan *p, int table, bool inside)
{
    return inside ? &p->page.pairs[table] : &p->walks[table];
}

/* The handle's columns of one image; false where one is NULL (it leads nowhere). */
static bool handle_of(struct touch *t, const struct use *u, const struct binlog_table *table,
                      const struct binlog_value *image, bool inside, struct span *tuple)
{
    const struct plan *p = t->plans[u->aggregate];
    const struct plan_walk *w = walk_of(p, u->table, inside);
    size_t at[MAP_KEY_MAX + 1];

    buf_clear(&t->text);
    for (int i = 0; i < w->n_handle; i++) {
        int column = u->columns[w->handle[i]];
        const struct binlog_value *v = &image[column];

        if (v->kind == BINLOG_NULL)
            return false;
        at[i] = t->text.len;
        binlog_value_text(v, &table->columns[column], &t->text);
    }
    at[w->n_handle] = t->text.len;
    for (int i = 0; i < w->n_handle; i++) {
        struct span text = {t->text.data + at[i], at[i + 1] - at[i]};

        tuple[i] = canonical(text, p->a->tables[u->table].columns[w->handle[i]].class);
    }
    return true;
}

/* A handle that leads to an element by SQL. */
static void add_pair_link(struct touched *to, int table, const struct span *tuple, enum image image)
{
    struct keyset *before = &to->pair_links_before[table];
    struct keyset *now = &to->pair_links[table];

    if (before->width && image & WAS)
        (void)keyset_add(before, tuple);
    if (!before->width || image & IS)
        (void)keyset_add(now, tuple);
    to->all |= now->full || before->full;
}

/* Where a handle belongs that is a root, or a root and an element. */
static struct keyset *direct_set(struct touch *t, int aggregate, int table, bool inside)
{
    const struct aggregate *a = t->plans[aggregate]->a;
    struct touched *to = &t->touched[aggregate];

    if (inside)
        return &to->pairs;
    if (a->paged && !aggregate_paged_use(a, table) && t->told != TOUCH_BY_ROOT)
        return &to->heads;
    return &to->roots;
}

/* A handle, which leads to a root or is one. */
static void add_handle(struct touch *t, int aggregate, int table, const struct span *tuple,
                       bool inside, enum image image)
{
    const struct plan_walk *w = walk_of(t->plans[aggregate], table, inside);
    struct touched *to = &t->touched[aggregate];
    struct span direct[MAP_KEY_MAX];
    struct keyset *set;

    if (!w->direct && inside) {
        add_pair_link(to, table, tuple, image);
        return;
    }
    set = w->direct ? direct_set(t, aggregate, table, inside) : &to->links[table];
    for (int i = 0; w->direct && i < set->width; i++)
        direct[i] = tuple[w->direct_at[i]];
    (void)keyset_add(set, w->direct ? direct : tuple);
    to->all |= set->full;
}

static void touch_image(struct touch *t, const struct use *u, const struct binlog_table *table,
                        const struct binlog_value *values, enum image image)
{
    struct touched *to = &t->touched[u->aggregate];
    bool inside = by_element(t, u->aggregate, u->table, image);
    struct span tuple[MAP_KEY_MAX];

    if (to->all || !handle_of(t, u, table, values, inside, tuple))
        return;
    add_handle(t, u->aggregate, u->table, tuple, inside, image);
    to->all |= !buf_ok(&t->text);
}

void touch_link(struct touch *t, int aggregate, int table, const struct span *handle)
{
    const struct plan *p = t->plans[aggregate];
    bool inside = by_element(t, aggregate, table, WAS_OR_IS);
    const struct plan_walk *w = walk_of(p, table, inside);
    struct span tuple[MAP_KEY_MAX];

    for (int i = 0; i < w->n_handle; i++)
        tuple[i] = canonical(handle[i], p->a->tables[table].columns[w->handle[i]].class);
    if (!t->touched[aggregate].all)
        add_handle(t, aggregate, table, tuple, inside, WAS_OR_IS);
    t->count++;
}

static bool complete(const struct use *u, const struct binlog_value *image)
{
    for (int i = 0; image && i < u->n_columns; i++)
        if (image[u->columns[i]].kind == BINLOG_ABSENT)
            return false;
    return true;
}

static bool touch_use(struct touch *t, const struct use *u, const struct binlog_change *c,
                      struct err *e)
{
    if (u->foreign) {
        t->touched[u->aggregate].all = true;
        t->count++;
        return true;
    }
    if (!complete(u, c->before) || !complete(u, c->after))
        return err_set(e, ERR_USAGE,
                       "the binlog lacks columns of changed rows: SET GLOBAL binlog_row_image=FULL"
                       " on the source and on the primary, then `tillway mirror rebuild`");
    if (c->op == BINLOG_UPDATE && unchanged(u, c))
        return true;
    if (c->before)
        touch_image(t, u, c->table, c->before, WAS);
    if (c->after)
        touch_image(t, u, c->table, c->after, IS);
    t->count++;
    return true;
}

bool touch_change(struct touch *t, const struct binlog_change *c, struct err *e)
{
    const struct known *known = find_known(t, c, e);
    bool acted = false;

    if (!known)
        return false;
    for (int i = 0; i < known->n; i++)
        if (!touch_use(t, &known->uses[i], c, e))
            return false;
    if (t->cascade && !cascade_change(t->cascade, c, &acted, e))
        return false;
    t->count += acted;
    return true;
}

static bool mentions(const struct aggregate *a, struct span sql, bool database)
{
    for (int i = 0; i < a->n_tables; i++)
        if (ddl_mentions(sql, database ? a->tables[i].database : a->tables[i].name))
            return true;
    return false;
}

void touch_ddl(struct touch *t, const struct binlog_query *q)
{
    enum ddl_scope scope = ddl_scope(q->text);

    if (scope == DDL_NOTHING)
        return;
    for (int i = 0; i < t->n; i++) {
        if (!mentions(t->plans[i]->a, q->text, scope == DDL_DATABASE))
            continue;
        t->touched[i].all = true;
        t->schema = true;
        t->count++;
    }
    if (t->cascade && cascade_mentions(t->cascade, q->text, scope == DDL_DATABASE)) {
        t->schema = true;
        touch_whole(t, t->cascade->reached);
    }
}

bool touch_statement(const struct touch *t, const struct binlog_query *q)
{
    for (int i = 0; i < t->n; i++) {
        const struct aggregate *a = t->plans[i]->a;

        for (int k = 0; k < a->n_tables; k++)
            if (span_eq(q->schema, a->tables[k].database))
                return true;
        if (mentions(a, q->text, true) || mentions(a, q->text, false))
            return true;
    }
    return false;
}
