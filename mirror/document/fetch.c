#include "mirror/document/fetch.h"

#include "mirror/document/fetch_part.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    SLICE_FIRST = 100,
    SLICE_MAX = 1000,
    SLICE_BYTES = 4 << 20, /* of row data that a slice should have at most */
    IDS_MAX = 64 << 20,
};

void fetch_init(struct fetch *f, const struct plan *plan, struct source *source, fetch_take *take,
                void *to)
{
    const struct aggregate *a = plan->a;

    *f = (struct fetch){.plan = plan, .source = source, .take = take, .to = to};
    f->slice = SLICE_FIRST;
    f->sql = buf_with_max(PLAN_SQL_MAX);
    keyset_init(&f->ids, 1, IDS_MAX);
    for (int i = 0; i < plan->n_key; i++)
        f->classes[i] = a->tables[0].columns[aggregate_root(a)->key[i].column].class;
}

void fetch_free(struct fetch *f)
{
    buf_free(&f->sql);
    keyset_free(&f->ids);
}

struct rows *fetch_run(struct fetch *f, struct err *e)
{
    if (buf_ok(&f->sql))
        return source_query(f->source, buf_span(&f->sql), e);
    buf_free(&f->sql);
    f->sql = buf_with_max(PLAN_SQL_MAX);
    (void)err_set(e, ERR_DATA, "a statement over %d bytes: the keys are too long", PLAN_SQL_MAX);
    return NULL;
}

void fetch_put_keys(struct fetch *f, const struct keyset *keys, size_t from, size_t to)
{
    struct plan_in in = {&f->sql, f->plan->key_names, f->classes, f->plan->n_key, 0};
    struct span tuple[MAP_KEY_MAX];

    for (size_t i = from; i < to; i++) {
        keyset_get(keys, i, tuple);
        plan_in_add(&in, tuple);
    }
    plan_in_end(&in);
}

void fetch_free_rows(struct rows **rows, int n)
{
    for (int i = 0; i < n; i++)
        rows_free(rows[i]);
}

/* Every level's rows for the keys. */
static bool query_levels(struct fetch *f, const struct keyset *keys, size_t from, size_t to,
                         struct rows **rows, struct err *e)
{
    for (int i = 0; i < f->plan->a->n_levels; i++) {
        buf_clear(&f->sql);
        buf_put_str(&f->sql, f->plan->levels[i].head);
        fetch_put_keys(f, keys, from, to);
        buf_put_str(&f->sql, f->plan->levels[i].tail);
        rows[i] = fetch_run(f, e);
        if (!rows[i]) {
            fetch_free_rows(rows, i);
            return false;
        }
    }
    return true;
}

static struct span id_span(const bson_t *id)
{
    return (struct span){bson_get_data(id), id->len};
}

void fetch_id(const bson_t *doc, bson_t *id)
{
    bson_iter_t it;

    bson_init(id);
    if (bson_iter_init(&it, doc) && bson_iter_next(&it))
        (void)bson_append_iter(id, "_id", 3, &it);
}

bool fetch_hand_out(struct fetch *f, const bson_t *id, bson_t *doc, struct err *e)
{
    f->documents++;
    return f->take(f->to, id, doc, e);
}

/* The next document of the merge, if it is there: 1, 0 at the end, -1 with `e`. Notes its _id. */
static int take_document(struct fetch *f, struct document_merge *merge, struct err *e)
{
    bson_t doc = BSON_INITIALIZER;
    bson_t id;
    int got = document_next(merge, &doc, e);

    if (got == 1) {
        struct span key;

        fetch_id(&doc, &id);
        key = id_span(&id);
        (void)keyset_add(&f->ids, &key);
        if ((merge->from && fetch_note_page(f, merge, e) < 0) || !fetch_hand_out(f, &id, &doc, e))
            got = -1;
        bson_destroy(&id);
    }
    bson_destroy(&doc);
    return got;
}

static bool take_documents(struct fetch *f, struct rows **rows, struct err *e)
{
    struct document_merge merge;
    int got;

    document_begin(&merge, f->plan, rows);
    merge.cut = f->plan->a->levels[f->plan->a->paged].page;
    keyset_clear(&f->ids);
    do
        got = take_document(f, &merge, e);
    while (got == 1);
    return got == 0;
}

/* Keys without a document. */
static bool take_gone(struct fetch *f, const struct keyset *keys, size_t from, size_t to,
                      const enum value_kind *kinds, struct err *e)
{
    bool ok = true;

    if (f->ids.full)
        return err_set(e, ERR_DATA, "the keys of a slice are too long");
    for (size_t i = from; ok && i < to; i++) {
        struct span tuple[MAP_KEY_MAX];
        bson_t id = BSON_INITIALIZER;
        struct span key;

        keyset_get(keys, i, tuple);
        ok = document_id(f->plan, kinds, tuple, &id, e);
        key = id_span(&id);
        if (ok && keyset_find(&f->ids, &key) < 0)
            ok = fetch_hand_out(f, &id, NULL, e);
        bson_destroy(&id);
    }
    return ok;
}

static void adapt_slice(struct fetch *f, struct rows **rows, size_t roots)
{
    size_t bytes = 1;

    for (int i = 0; i < f->plan->a->n_levels; i++)
        bytes += rows[i]->bytes;
    if (roots && bytes / roots > 0) {
        size_t want = SLICE_BYTES / (bytes / roots);

        f->slice = (unsigned)(want < 1 ? 1 : want > SLICE_MAX ? SLICE_MAX : want);
    }
}

bool fetch_slice(struct fetch *f, const struct keyset *keys, size_t from, size_t to, struct err *e)
{
    struct rows *rows[MAP_LEVELS_MAX];
    bool ok;

    if (!query_levels(f, keys, from, to, rows, e))
        return false;
    ok = take_documents(f, rows, e) && take_gone(f, keys, from, to, rows[0]->kinds, e);
    adapt_slice(f, rows, to - from);
    fetch_free_rows(rows, f->plan->a->n_levels);
    return ok;
}

bool fetch_keys(struct fetch *f, const struct keyset *keys, size_t from, size_t to, struct err *e)
{
    bool paged = f->plan->a->paged;

    while (from < to) {
        size_t n = to - from < f->slice ? to - from : f->slice;

        if (paged ? !fetch_paged(f, keys, from, from + n, e)
                  : !fetch_slice(f, keys, from, from + n, e))
            return false;
        from += n;
    }
    return true;
}

bool fetch_add_rows(struct rows *r, struct keyset *set)
{
    while (rows_next(r)) {
        struct span tuple[MAP_KEY_MAX];
        bool null = false;

        for (int i = 0; i < set->width; i++) {
            tuple[i] = r->cells[i];
            null |= !tuple[i].p;
        }
        if (!null)
            (void)keyset_add(set, tuple);
    }
    return !set->full;
}

bool fetch_next_keys(struct fetch *f, struct keyset *keys, unsigned limit, struct err *e)
{
    struct span last[MAP_KEY_MAX];
    struct rows *r;

    buf_clear(&f->sql);
    buf_put_str(&f->sql, f->plan->keys);
    if (keys->n) {
        keyset_get(keys, keys->n - 1, last);
        plan_after(&f->sql, f->plan, f->classes, last);
    } else {
        buf_put_str(&f->sql, "TRUE");
    }
    plan_key_order(&f->sql, f->plan, limit);
    keyset_clear(keys);
    r = fetch_run(f, e);
    if (!r)
        return false;
    if (!fetch_add_rows(r, keys))
        (void)err_set(e, ERR_DATA, "the keys of a slice are too long");
    rows_free(r);
    return !keys->full;
}

bool fetch_existing(struct fetch *f, const struct keyset *keys, struct keyset *found, struct err *e)
{
    struct rows *r;
    bool ok;

    buf_clear(&f->sql);
    buf_put_str(&f->sql, f->plan->keys);
    fetch_put_keys(f, keys, 0, keys->n);
    r = fetch_run(f, e);
    if (!r)
        return false;
    ok = fetch_add_rows(r, found) || err_set(e, ERR_DATA, "the keys of a slice are too long");
    rows_free(r);
    return ok;
}

static struct rows *ask_links(struct fetch *f, const struct plan_walk *w, int table,
                              const struct keyset *links, size_t from, struct err *e)
{
    const struct map_table *use = &f->plan->a->tables[table];
    enum map_class classes[MAP_KEY_MAX];
    struct plan_in in = {&f->sql, w->match, classes, w->n_handle, 0};

    for (int i = 0; i < w->n_handle; i++)
        classes[i] = use->columns[w->handle[i]].class;
    buf_clear(&f->sql);
    buf_put_str(&f->sql, w->head);
    for (size_t i = from; i < links->n && i < from + FETCH_LINKS; i++) {
        struct span tuple[MAP_KEY_MAX];

        keyset_get(links, i, tuple);
        plan_in_add(&in, tuple);
    }
    plan_in_end(&in);
    return fetch_run(f, e);
}

bool fetch_links(struct fetch *f, const struct plan_walk *w, int table, const struct keyset *links,
                 struct keyset *found, struct err *e)
{
    for (size_t i = 0; links->width && !found->full && i < links->n; i += FETCH_LINKS) {
        struct rows *r = ask_links(f, w, table, links, i, e);

        if (!r)
            return false;
        (void)fetch_add_rows(r, found);
        rows_free(r);
    }
    return true;
}

bool fetch_walk(struct fetch *f, struct touched *t, struct err *e)
{
    for (int k = 1; k < f->plan->a->n_tables && !t->all; k++) {
        if (!fetch_links(f, &f->plan->walks[k], k, &t->links[k], &t->roots, e))
            return false;
        t->all |= t->roots.full;
    }
    return true;
}

bool fetch_estimate(struct fetch *f, uint64_t *n, struct err *e)
{
    const struct map_table *root = &f->plan->a->tables[0];
    struct buf number = buf_with_max(64);
    bool ok;

    buf_clear(&f->sql);
    buf_put_str(&f->sql, "SELECT table_rows FROM information_schema.tables WHERE table_schema = ");
    plan_literal(&f->sql, MAP_CLASS_TEXT, span_of(root->database));
    buf_put_str(&f->sql, " AND table_name = ");
    plan_literal(&f->sql, MAP_CLASS_TEXT, span_of(root->name));
    ok = source_value(f->source, buf_text(&f->sql), &number, e);
    *n = ok ? strtoull(buf_text(&number), NULL, 10) : 0;
    buf_free(&number);
    return ok;
}
