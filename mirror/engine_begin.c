/* The snapshots of a batch: its own, the twin that is kept for the next, the readers'. */
#include "base/log.h"
#include "mirror/choose.h"
#include "mirror/engine_batch.h"

enum { TRIES = 20, SQL_MAX = 1 << 16, TABLES_BYTES = 1 << 20 };

static bool end_crew(struct work *k, struct err *e)
{
    bool ok = true;

    for (unsigned i = 0; k->crewed && i < k->n_crew; i++)
        ok = snapshot_end(k->crew[i], e) && ok;
    k->crewed = false;
    return ok;
}

void work_close_readers(struct work *k)
{
    readers_free(k->readers);
    for (unsigned i = 0; i < k->n_crew; i++)
        source_close(k->crew[i]);
    k->readers = NULL;
    k->n_crew = 0;
    k->crewed = false;
}

/* When something is large for the first time. It is read over fewer connections where the server
 * has no more. */
static bool open_readers(struct work *k, struct err *e)
{
    unsigned n = k->w->conf->mirror.readers;
    struct source *s;

    if (k->readers)
        return true;
    k->readers = readers_new(n);
    if (!k->readers)
        return err_set(e, ERR_IO, "no thread for the mirror's reading");
    while (k->n_crew + 1 < n && (s = choose_another(k->w->conf, k->server, e)))
        k->crew[k->n_crew++] = s;
    if (k->n_crew + 1 < n)
        log_event(LOG_WARN, "mirror.readers", LOG_NUM("readers", k->n_crew + 1),
                  LOG_STR("reason", e->text));
    work_publish(k, true);
    return true;
}

static bool same_place(const struct snapshot *a, const struct snapshot *b)
{
    return snapshot_compare(a->file, a->position, b->file, b->position) == 0;
}

/* Begin all at the same moment; who of them stands where the batch does. `all`: everybody. */
static bool begin_all(struct work *k, bool crewed, struct snapshot *at, bool *all, struct err *e)
{
    struct source *all_of_them[2 + READERS_MAX] = {k->source, k->spare};
    struct snapshot places[2 + READERS_MAX];
    unsigned alone = k->spare ? 2 : 1;
    unsigned n = alone;

    for (unsigned i = 0; crewed && i < k->n_crew; i++)
        all_of_them[n++] = k->crew[i];
    k->crewed = crewed;
    k->n_joined = 0;
    if (!snapshots_begin(all_of_them, n, places, e))
        return false;
    *at = places[0];
    k->twin = k->spare && same_place(&places[0], &places[1]);
    for (unsigned i = alone; i < n; i++)
        if (same_place(&places[0], &places[i]))
            k->joined[k->n_joined++] = all_of_them[i];
    *all = (k->twin || !k->spare) && k->n_joined == n - alone;
    return true;
}

/* The mapped tables, each once. */
static void find_tables(const struct engine *w, struct keyset *out)
{
    for (int i = 0; i < w->n; i++) {
        const struct aggregate *a = w->mapping->aggregates[i];

        for (int t = 0; t < a->n_tables; t++) {
            struct span name[] = {span_of(a->tables[t].database), span_of(a->tables[t].name)};

            (void)keyset_add(out, name);
        }
    }
}

/* From now on no ALTER gets between this connection and a mapped table until its snapshot ends.
 * `wait`: for one that is there before us; else false. */
static bool hold_tables(struct source *s, const struct keyset *tables, bool wait, struct err *e)
{
    struct buf sql = buf_with_max(SQL_MAX);
    struct span name[2];
    struct rows *r = NULL;
    bool ok = true;

    for (size_t i = 0; ok && i < tables->n; i++) {
        keyset_get(tables, i, name);
        buf_clear(&sql);
        buf_printf(&sql, "%sSELECT 1 FROM `%.*s`.`%.*s` LIMIT 0",
                   wait ? "" : "SET STATEMENT lock_wait_timeout = 0 FOR ", (int)name[0].n,
                   (const char *)name[0].p, (int)name[1].n, (const char *)name[1].p);
        r = source_query(s, buf_span(&sql), e);
        ok = r != NULL;
        rows_free(r);
    }
    buf_free(&sql);
    return ok;
}

bool work_use_readers(struct work *k, struct err *e)
{
    struct source *use[READERS_MAX] = {k->source};
    struct err none = {.kind = ERR_NONE};
    struct keyset tables;
    unsigned n = 1;
    bool ok;

    if (!k->crewed)
        return true;
    keyset_init(&tables, 2, TABLES_BYTES);
    find_tables(k->w, &tables);
    ok = k->n_joined == 0 || hold_tables(k->source, &tables, true, e);
    for (unsigned i = 0; ok && i < k->n_joined; i++) {
        if (hold_tables(k->joined[i], &tables, false, &none))
            use[n++] = k->joined[i];
        else /* it waits for an ALTER, that for us: let go of what it holds */
            ok = snapshot_end(k->joined[i], e);
    }
    keyset_free(&tables);
    readers_use(k->readers, use, n);
    return ok;
}

bool work_has_readers(const struct work *k)
{
    for (int i = 0; i < k->w->n; i++)
        if (!k->w->mapping->aggregates[i]->paged)
            return true;
    return false;
}

/* Commits come in between, but seldom often in a row. A batch after one without a twin takes what
 * cascades may reach as a whole; one without all of its readers is slower. */
bool work_begin_snapshot(struct work *k, bool large, struct snapshot *at, struct err *e)
{
    bool all = false;

    if (!end_crew(k, e) || (large && !open_readers(k, e)))
        return false;
    for (int i = 0; !all && i < TRIES; i++)
        if (!begin_all(k, large, at, &all, e))
            return false;
    return true;
}

bool work_end_snapshot(struct work *k, struct err *e)
{
    struct source *old = k->before;

    if (k->spare) {
        if (!snapshot_end(old, e))
            return false;
        k->before = k->spare;
        k->spare = old;
        k->kept = k->twin && k->intact;
        k->twin = false;
    }
    return end_crew(k, e) && snapshot_end(k->source, e);
}
