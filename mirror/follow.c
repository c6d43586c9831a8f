#include "mirror/follow.h"

#include <stdio.h>

enum { SLICE = 500 };

struct follow {
    struct cascade *c;
    struct source *before;
    struct source *now;
    struct touch *touch;
    struct buf sql;
    bool found; /* something new in this round */
    struct err *e;
};

/* How a child row was changed. */
enum change { GONE, RENAMED, NAMED };

static struct keyset *set_of(struct cascade_key *k, enum change change)
{
    return change == GONE ? &k->deleted : change == RENAMED ? &k->renamed : &k->names;
}

static size_t *done_of(struct cascade_key *k, enum change change)
{
    return change == GONE      ? &k->deleted_done
           : change == RENAMED ? &k->renamed_done
                               : &k->names_done;
}

static enum foreign_key_rule rule_of(const struct cascade_key *k, enum change change)
{
    return change == GONE ? k->on_delete : k->on_update;
}

static void touch_uses(struct follow *f, const struct cascade_table *t, const struct span *cells)
{
    for (int i = 0; i < t->n_uses; i++) {
        const struct cascade_use *u = &t->uses[i];
        struct span tuple[MAP_KEY_MAX];

        if (cascade_tuple(u->handle, u->n_handle, cells, tuple))
            touch_link(f->touch, u->aggregate, u->table, tuple);
    }
}

/* Whether a key refers to columns that another one has changed. */
static bool meets(const struct cascade_key *key, const struct cascade_key *changed)
{
    for (int i = 0; i < key->n; i++)
        for (int k = 0; k < changed->n; k++)
            if (key->referenced[i] == changed->columns[k])
                return true;
    return false;
}

/* A child row is itself referred to. */
static void pass_on(struct follow *f, const struct cascade_key *by, enum change change,
                    const struct span *cells)
{
    for (int i = 0; i < f->c->n_keys; i++) {
        struct cascade_key *k = &f->c->keys[i];
        struct span tuple[FOREIGN_KEY_COLUMNS_MAX];

        if (k->parent != by->child || rule_of(k, change) == FOREIGN_KEY_REFUSED ||
            (change != GONE && !meets(k, by)))
            continue;
        if (cascade_tuple(k->referenced, k->n, cells, tuple))
            f->found |= keyset_add(set_of(k, change), tuple);
        f->c->lost |= set_of(k, change)->full || k->blind;
    }
}

static void put_select(struct follow *f, const struct cascade_key *k, const struct keyset *set,
                       size_t from, size_t to)
{
    const struct cascade_table *t = &f->c->tables[k->child];
    char names[FOREIGN_KEY_COLUMNS_MAX][256];
    char *name[FOREIGN_KEY_COLUMNS_MAX];
    enum map_class classes[FOREIGN_KEY_COLUMNS_MAX];
    struct plan_in in = plan_in_begin(&f->sql, name, classes, k->n);
    struct span tuple[FOREIGN_KEY_COLUMNS_MAX];

    buf_clear(&f->sql);
    for (int i = 0; i < t->n_columns; i++)
        buf_printf(&f->sql, "%s`%s`", i ? ", " : "SELECT ", t->columns[i]);
    buf_printf(&f->sql, " FROM `%s`.`%s` WHERE ", t->database, t->name);
    for (int i = 0; i < k->n; i++) {
        (void)snprintf(names[i], sizeof names[i], "`%s`", t->columns[k->columns[i]]);
        name[i] = names[i];
        classes[i] = t->classes[k->columns[i]];
    }
    for (size_t i = from; i < to; i++) {
        keyset_get(set, i, tuple);
        plan_in_add(&in, tuple);
    }
    plan_in_end(&in);
}

static bool look(struct follow *f, struct cascade_key *k, enum change change, size_t from,
                 size_t to)
{
    const struct cascade_table *t = &f->c->tables[k->child];
    bool nulled = rule_of(k, change) == FOREIGN_KEY_SET_NULL;
    struct rows *r;

    put_select(f, k, set_of(k, change), from, to);
    r = source_query(change == NAMED ? f->now : f->before, buf_span(&f->sql), f->e);
    if (!r && change != NAMED && source_altered(f->e)) {
        f->c->lost = true;
        return true;
    }
    if (!r)
        return false;
    while (rows_next(r)) {
        touch_uses(f, t, r->cells);
        pass_on(f, k, change == GONE && nulled ? RENAMED : change, r->cells);
    }
    rows_free(r);
    return true;
}

static bool follow_key(struct follow *f, struct cascade_key *k, enum change change)
{
    struct keyset *set = set_of(k, change);
    size_t *done = done_of(k, change);

    while (!f->c->lost && *done < set->n) {
        size_t end = set->n - *done < SLICE ? set->n : *done + SLICE;

        if (!look(f, k, change, *done, end))
            return false;
        *done = end;
        f->found = true;
    }
    return true;
}

/* Until nothing new is found; the sets only grow, and by what is there. */
static bool follow_all(struct follow *f, enum change first, enum change last)
{
    do {
        f->found = false;
        for (int i = 0; !f->c->lost && i < f->c->n_keys; i++)
            for (enum change change = first; change <= last; change++)
                if (!follow_key(f, &f->c->keys[i], change))
                    return false;
    } while (f->found && !f->c->lost);
    return true;
}

/* Rows that came to a deleted parent, or were named otherwise, in the same stretch of the binlog:
 * as if they had been hit, too. */
static void suspect(struct cascade *c)
{
    for (int i = 0; i < c->n_keys; i++) {
        struct cascade_key *k = &c->keys[i];
        struct span tuple[FOREIGN_KEY_COLUMNS_MAX];

        for (size_t n = 0; n < k->maybe.n; n++) {
            keyset_get(&k->maybe, n, tuple);
            if (k->on_delete != FOREIGN_KEY_REFUSED)
                (void)keyset_add(&k->deleted, tuple);
            if (k->on_update != FOREIGN_KEY_REFUSED)
                (void)keyset_add(&k->renamed, tuple);
        }
        c->lost |= k->deleted.full || k->renamed.full;
    }
}

bool follow_cascades(struct cascade *c, struct source *before, struct source *now, struct touch *t,
                     struct err *e)
{
    struct follow f = {.c = c, .before = before, .now = now, .touch = t, .e = e};
    bool ok = true;

    if (!c->acted)
        return true;
    c->lost |= !before;
    f.sql = buf_with_max(PLAN_SQL_MAX);
    if (!c->lost) {
        suspect(c);
        ok = follow_all(&f, GONE, RENAMED) && follow_all(&f, NAMED, NAMED);
    }
    if (ok && c->lost)
        touch_whole(t, c->reached);
    buf_free(&f.sql);
    return ok;
}
