#include "mirror/document/fetch.h"

#include "mirror/document/fetch_part.h"

enum { IDS_MAX = 64 << 20, ELEMENT_KEYS_MAX = 4 << 20 };

void fetch_init(struct fetch *f, const struct plan *plan, struct source *source, fetch_take *take,
                void *to)
{
    const struct aggregate *a = plan->a;

    *f = (struct fetch){.plan = plan, .source = source, .take = take, .to = to};
    f->slice = FETCH_SLICE_FIRST;
    f->sql = buf_with_max(PLAN_SQL_MAX);
    f->element_keys = buf_with_max(ELEMENT_KEYS_MAX);
    keyset_init(&f->ids, 1, IDS_MAX);
    for (int i = 0; i < plan->n_key; i++)
        f->classes[i] = a->tables[0].columns[aggregate_root(a)->key[i].column].class;
}

void fetch_free(struct fetch *f)
{
    buf_free(&f->sql);
    buf_free(&f->element_keys);
    keyset_free(&f->ids);
}

struct rows *fetch_run_by(struct fetch *f, int by, struct err *e)
{
    if (buf_ok(&f->sql))
        return by ? source_query_by(f->source, buf_span(&f->sql), by, e)
                  : source_query(f->source, buf_span(&f->sql), e);
    buf_free(&f->sql);
    f->sql = buf_with_max(PLAN_SQL_MAX);
    (void)err_set(e, ERR_DATA, "a statement over %d bytes: the keys are too long", PLAN_SQL_MAX);
    return NULL;
}

struct rows *fetch_run(struct fetch *f, struct err *e)
{
    return fetch_run_by(f, 0, e);
}

void fetch_put_keys(const struct fetch *f, const struct keyset *keys, size_t from, size_t to,
                    struct buf *sql)
{
    struct plan_in in = plan_in_begin(sql, f->plan->key_names, f->classes, f->plan->n_key);
    struct span tuple[MAP_KEY_MAX];

    for (size_t i = from; i < to; i++) {
        keyset_get(keys, i, tuple);
        plan_in_add(&in, tuple);
    }
    plan_in_end(&in);
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
    fetch_put_keys(f, keys, 0, keys->n, &f->sql);
    r = fetch_run(f, e);
    if (!r)
        return false;
    ok = fetch_add_rows(r, found) || err_set(e, ERR_DATA, "the keys of a slice are too long");
    rows_free(r);
    return ok;
}

/* The statement that follows links [*at, …); `*at` is where the rest begins. */
static void put_links(struct fetch *f, const struct plan_walk *w, int use,
                      const struct keyset *links, size_t *at)
{
    const struct map_table *t = &f->plan->a->tables[use];
    enum map_class classes[MAP_KEY_MAX];

    for (int k = 0; k < w->n_handle; k++)
        classes[k] = t->columns[w->handle[k]].class;
    buf_clear(&f->sql);
    *at = plan_walk_put(&f->sql, w, classes, links, *at);
}

static bool find(struct fetch *f, struct keyset *found, struct err *e)
{
    struct rows *r = fetch_run(f, e);

    if (!r)
        return false;
    (void)fetch_add_rows(r, found);
    rows_free(r);
    return true;
}

bool fetch_roots(struct fetch *f, int use, const struct keyset *links, size_t *at,
                 struct keyset *found, struct err *e)
{
    if (*at >= links->n)
        return true;
    put_links(f, &f->plan->walks[use], use, links, at);
    return find(f, found, e);
}

bool fetch_pairs(struct fetch *f, int use, const struct keyset *links, size_t *at,
                 struct keyset *found, struct err *e)
{
    if (*at >= links->n)
        return true;
    put_links(f, &f->plan->page.pairs[use], use, links, at);
    return find(f, found, e);
}
