#include "mirror/mapping/cascade.h"

#include "mirror/ddl.h"

#include <stdlib.h>

enum { TEXT_MAX = 1 << 20 };

void cascade_free(struct cascade *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->n_tables; i++) {
        free(c->tables[i].database);
        free(c->tables[i].name);
        for (int k = 0; k < c->tables[i].n_columns; k++)
            free(c->tables[i].columns[k]);
        free(c->tables[i].uses);
    }
    for (int i = 0; i < c->n_keys; i++) {
        keyset_free(&c->keys[i].deleted);
        keyset_free(&c->keys[i].renamed);
        keyset_free(&c->keys[i].names);
        keyset_free(&c->keys[i].maybe);
    }
    buf_free(&c->text);
    free(c);
}

void cascade_clear(struct cascade *c)
{
    for (int i = 0; i < c->n_keys; i++) {
        struct cascade_key *k = &c->keys[i];

        keyset_clear(&k->deleted);
        keyset_clear(&k->renamed);
        keyset_clear(&k->names);
        keyset_clear(&k->maybe);
        k->deleted_done = k->renamed_done = k->names_done = 0;
    }
    c->acted = false;
    c->lost = false;
}

static bool is_table(const struct cascade_table *t, const struct binlog_table *table)
{
    return span_eq(table->name, t->name) && span_eq(table->database, t->database);
}

static int find(const struct cascade *c, const struct binlog_table *table)
{
    for (int i = 0; i < c->n_tables; i++)
        if (is_table(&c->tables[i], table))
            return i;
    return -1;
}

bool cascade_wants(const struct cascade *c, const struct binlog_table *table)
{
    int at = find(c, table);

    for (int i = 0; at >= 0 && i < c->n_keys; i++)
        if (c->keys[i].parent == at)
            return true;
    return false;
}

bool cascade_mentions(const struct cascade *c, struct span sql, bool database)
{
    for (int i = 0; i < c->n_tables; i++)
        if (ddl_mentions(sql, database ? c->tables[i].database : c->tables[i].name))
            return true;
    return false;
}

static bool learn(struct cascade_table *t, const struct binlog_change *ch, struct err *e)
{
    if (t->serial == ch->table_serial)
        return true;
    if (!ch->table->full_metadata)
        return err_set(e, ERR_USAGE,
                       "the binlog lacks column names: SET GLOBAL binlog_row_metadata=FULL on the"
                       " source, then `tillway mirror rebuild`");
    t->serial = ch->table_serial;
    t->foreign = false;
    for (int i = 0; i < t->n_columns; i++) {
        t->at[i] = binlog_table_column(ch->table, span_of(t->columns[i]));
        t->foreign |= t->at[i] < 0;
    }
    return true;
}

bool cascade_tuple(const int *columns, int n, const struct span *cells, struct span *tuple)
{
    for (int i = 0; i < n; i++) {
        tuple[i] = cells[columns[i]];
        if (!tuple[i].p)
            return false;
    }
    return true;
}

/* Add an image's referenced values to a set. */
static bool add_image(struct cascade *c, const struct cascade_key *k, struct keyset *set,
                      const struct binlog_table *table, const struct binlog_value *image,
                      struct err *e)
{
    const struct cascade_table *t = &c->tables[k->parent];
    size_t at[FOREIGN_KEY_COLUMNS_MAX + 1] = {0};
    struct span tuple[FOREIGN_KEY_COLUMNS_MAX];

    buf_clear(&c->text);
    for (int i = 0; i < k->n; i++) {
        int column = t->at[k->referenced[i]];

        if (image[column].kind == BINLOG_NULL)
            return true;
        if (image[column].kind == BINLOG_ABSENT)
            return err_set(e, ERR_USAGE,
                           "the binlog lacks columns of changed rows: SET GLOBAL"
                           " binlog_row_image=FULL on the source and on the primary, then"
                           " `tillway mirror rebuild`");
        binlog_value_text(&image[column], &table->columns[column], &c->text);
        at[i + 1] = c->text.len;
    }
    for (int i = 0; i < k->n; i++)
        tuple[i] = (struct span){c->text.data + at[i], at[i + 1] - at[i]};
    if (buf_ok(&c->text))
        (void)keyset_add(set, tuple);
    c->lost |= set->full || k->blind || !buf_ok(&c->text);
    return true;
}

static bool renamed(const struct cascade *c, const struct cascade_key *k,
                    const struct binlog_change *ch)
{
    const struct cascade_table *t = &c->tables[k->parent];

    for (int i = 0; i < k->n; i++) {
        int column = t->at[k->referenced[i]];

        if (!binlog_value_equal(&ch->before[column], &ch->after[column]))
            return true;
    }
    return false;
}

/* A row that is named, in case that a cascade has hit or will hit it. */
static bool note_maybe(struct cascade *c, struct cascade_key *k, const struct binlog_change *ch,
                       struct err *e)
{
    if (!c->tables[k->parent].child)
        return true;
    return (!ch->before || add_image(c, k, &k->maybe, ch->table, ch->before, e)) &&
           (!ch->after || add_image(c, k, &k->maybe, ch->table, ch->after, e));
}

static bool change_of_key(struct cascade *c, struct cascade_key *k, const struct binlog_change *ch,
                          bool *acted, struct err *e)
{
    if (ch->op == BINLOG_DELETE && k->on_delete != FOREIGN_KEY_REFUSED) {
        *acted = true;
        return add_image(c, k, &k->deleted, ch->table, ch->before, e);
    }
    if (ch->op == BINLOG_UPDATE && k->on_update != FOREIGN_KEY_REFUSED && renamed(c, k, ch)) {
        *acted = true;
        if (!add_image(c, k, &k->renamed, ch->table, ch->before, e) ||
            !add_image(c, k, &k->names, ch->table, ch->after, e))
            return false;
    }
    return note_maybe(c, k, ch, e);
}

bool cascade_change(struct cascade *c, const struct binlog_change *change, bool *acted,
                    struct err *e)
{
    int at = find(c, change->table);

    *acted = false;
    if (at < 0)
        return true;
    if (!learn(&c->tables[at], change, e))
        return false;
    if (c->tables[at].foreign) {
        *acted = c->acted = c->lost = true;
        return true;
    }
    for (int i = 0; i < c->n_keys; i++)
        if (c->keys[i].parent == at && !change_of_key(c, &c->keys[i], change, acted, e))
            return false;
    c->acted |= *acted;
    return true;
}
