/* Documents of a paged aggregate: the head with the first elements, and pages, each a range of
 * them. Roots that fit into a head go together as those of any aggregate; of others documents do,
 * see fetch_units.c, but for those that are too large. */
#include "mirror/document/fetch_part.h"
#include "mirror/mapping/number.h"

#include <inttypes.h>
#include <string.h>

/* In pages: a root with more rows is not read at once, but so much of it. */
static const uint64_t big_pages = 20;
static const uint64_t chunk_pages = 50;

enum {
    KEYS_MAX = 64 << 20,
    MEMORY_MAX = 1 << 20,
};

bool fetch_keep(struct kept_key *k, const struct span *key, int n)
{
    size_t at = 0;

    buf_clear(&k->memory);
    for (int i = 0; i < n; i++)
        buf_put_span(&k->memory, key[i]);
    for (int i = 0; i < n; i++) {
        k->spans[i] = (struct span){k->memory.data + at, key[i].n};
        at += key[i].n;
    }
    return buf_ok(&k->memory);
}

static uint64_t page_size(const struct fetch *f)
{
    return f->plan->a->levels[f->plan->a->paged].page;
}

int fetch_note_page(struct fetch *f, const struct document_merge *merge, struct err *e)
{
    if (merge->elements == 0) {
        directory_remove(f->directory, merge->root, merge->from);
        return 0;
    }
    if (directory_add(f->directory, merge->root, merge->from))
        return 1;
    (void)err_set(e, ERR_IO, "out of memory");
    return -1;
}

static void put_root(const struct fetch *f, struct buf *sql, const struct span *root)
{
    struct plan_in in = plan_in_begin(sql, f->plan->key_names, f->classes, f->plan->n_key);

    plan_in_add(&in, root);
    plan_in_end(&in);
}

int fetch_put_range(const struct fetch *f, struct buf *sql, int level,
                    const struct window_bounds *at)
{
    const struct plan *p = f->plan;

    plan_page_head(sql, p, level);
    put_root(f, sql, at->root);
    if (aggregate_within(p->a, level, p->a->paged))
        plan_range(sql, p, at->from, at->to);
    return plan_tail(sql, p, level);
}

static struct rows *ask_level(struct unit *u, int level)
{
    buf_clear(&u->f->sql);
    return fetch_run_by(u->f, fetch_put_range(u->f, &u->f->sql, level, &u->at), u->e);
}

bool fetch_needs(const struct aggregate *a, int level, const struct window_bounds *at)
{
    return level == 0 || !at->from || aggregate_within(a, level, a->paged);
}

/* Where it fails there are no rows. */
static bool ask_levels(struct unit *u, struct rows **rows)
{
    const struct aggregate *a = u->f->plan->a;
    bool ok = true;

    memset(rows, 0, MAP_LEVELS_MAX * sizeof(struct rows *));
    for (int i = 0; ok && i < a->n_levels; i++) {
        if (!fetch_needs(a, i, &u->at))
            continue;
        rows[i] = ask_level(u, i);
        ok = rows[i] != NULL;
    }
    if (ok && fetch_fold(u->f, rows, u->e))
        return true;
    fetch_free_rows(rows, a->n_levels);
    return false;
}

/* Delete the page that begins at `from`. */
static bool delete_page(struct unit *u, const enum value_kind *kinds, const struct span *from)
{
    bson_t id = BSON_INITIALIZER;
    bool ok = document_page_id(u->f->plan, kinds, u->at.root, from, &id, u->e) &&
              fetch_hand_out(u->f, &id, NULL, u->e);

    bson_destroy(&id);
    directory_remove(u->f->directory, u->at.root, from);
    return ok;
}

/* The head is gone: it goes, with all its pages. */
static bool delete_root(struct unit *u, struct rows *const *rows)
{
    const struct plan *p = u->f->plan;
    struct kept_key from = {.memory = buf_with_max(MEMORY_MAX)};
    const struct span *next;
    bson_t id = BSON_INITIALIZER;
    bool ok = document_id(p, rows[0]->kinds, u->at.root, &id, u->e) &&
              fetch_hand_out(u->f, &id, NULL, u->e);

    bson_destroy(&id);
    page_cache_drop(&u->f->directory->cache, u->at.root, NULL);
    while (ok && (next = directory_next(u->f->directory, u->at.root, NULL)))
        ok = fetch_keep(&from, next, p->page.n_element) &&
             delete_page(u, rows[p->a->paged]->kinds, from.spans);
    buf_free(&from.memory);
    return ok;
}

/* How many elements a document takes: where a range in the middle has grown too large, its parts
 * are to have room; at the end new pages are filled. */
static uint64_t cut_of(const struct unit *u, uint64_t rows, bool last)
{
    uint64_t size = page_size(u->f);
    uint64_t parts = (rows * 4 + size * 3 - 1) / (size * 3);

    return last || rows <= size ? size : (rows + parts - 1) / parts;
}

/* Hands out the documents of the rows: 1 each, 0 at the end, -1. */
static int take_document(struct unit *u, struct document_merge *merge)
{
    bson_t doc = BSON_INITIALIZER;
    int got = document_next(merge, &doc, u->e);
    int page = 1;
    bson_t id;

    if (got == 1) {
        fetch_id(&doc, &id);
        if (merge->from)
            page = fetch_note_page(u->f, merge, u->e);
        u->found = true;
        if (page > 0)
            fetch_cache(u->f, merge, &doc);
        if (page < 0 || !fetch_hand_out(u->f, &id, page ? &doc : NULL, u->e))
            got = -1;
        bson_destroy(&id);
    }
    bson_destroy(&doc);
    return got;
}

bool fetch_take_range(struct unit *u, struct rows *const *rows, uint64_t elements, bool last)
{
    const struct plan *p = u->f->plan;
    struct document_merge merge;
    int got;

    u->found = false;
    document_begin(&merge, p, rows);
    merge.cut = cut_of(u, elements, last);
    merge.from = u->at.from;
    merge.keys = u->f->caches ? &u->f->element_keys : NULL;
    do
        got = take_document(u, &merge);
    while (got == 1);
    if (got < 0 || u->found)
        return got == 0;
    /* No such root any more. */
    return u->at.from ? delete_page(u, rows[p->a->paged]->kinds, u->at.from) : delete_root(u, rows);
}

/* [from, to), all of it. */
static bool fetch_range(struct unit *u, bool last)
{
    const struct aggregate *a = u->f->plan->a;
    struct rows *rows[MAP_LEVELS_MAX];
    bool ok;

    if (!ask_levels(u, rows))
        return false;
    ok = fetch_take_range(u, rows, rows[a->paged]->n_rows, last);
    fetch_free_rows(rows, a->n_levels);
    return ok;
}

/* Where chunks begin, but the first, which begins at `from`. */
static struct rows *ask_bounds(struct unit *u)
{
    const struct plan_page *page = &u->f->plan->page;

    buf_clear(&u->f->sql);
    buf_put_str(&u->f->sql, page->bounds);
    put_root(u->f, &u->f->sql, u->at.root);
    plan_range(&u->f->sql, u->f->plan, u->at.from, NULL);
    buf_printf(&u->f->sql, "%s%" PRIu64 " ORDER BY n", page->bounds_tail,
               chunk_pages * page_size(u->f));
    return fetch_run(u->f, u->e);
}

/* From `from` to the root's end, however much it is. */
static bool fetch_rest(struct unit *u)
{
    struct kept_key ends[2] = {{.memory = buf_with_max(MEMORY_MAX)},
                               {.memory = buf_with_max(MEMORY_MAX)}};
    struct rows *bounds = ask_bounds(u);
    bool more = true;
    bool ok = bounds != NULL;

    for (int i = 0; ok && more; i = 1 - i) {
        more = rows_next(bounds);
        if (more)
            ok = fetch_keep(&ends[i], bounds->cells, u->f->plan->page.n_element) ||
                 err_set(u->e, ERR_IO, "out of memory");
        u->at.to = more ? ends[i].spans : NULL;
        ok = ok && fetch_range(u, true);
        u->at.from = u->at.to;
    }
    u->at.from = u->at.to = NULL;
    rows_free(bounds);
    buf_free(&ends[0].memory);
    buf_free(&ends[1].memory);
    return ok;
}

bool fetch_alone(struct fetch *f, const struct span *root, const struct span *from, struct err *e)
{
    struct unit u = {.f = f, .at = {.root = root, .from = from}, .e = e};
    struct kept_key to = {.memory = buf_with_max(MEMORY_MAX)};
    const struct span *next = directory_next(f->directory, root, from);
    bool ok;

    if (!next)
        return fetch_rest(&u);
    ok = fetch_keep(&to, next, f->plan->page.n_element) || err_set(e, ERR_IO, "out of memory");
    u.at.to = to.spans;
    ok = ok && fetch_range(&u, false);
    buf_free(&to.memory);
    return ok;
}

/* Those of keys [from, to) whose rows are too many to be read with others'. */
static bool find_big(struct fetch *f, const struct keyset *keys, size_t from, size_t to,
                     struct keyset *big, struct err *e)
{
    const struct plan *p = f->plan;
    struct plan_in in = plan_in_begin(&f->sql, p->page.count_names, f->classes, p->n_key);
    struct span tuple[MAP_KEY_MAX];
    struct rows *r;

    buf_clear(&f->sql);
    buf_put_str(&f->sql, p->page.count);
    for (size_t i = from; i < to; i++) {
        keyset_get(keys, i, tuple);
        plan_in_add(&in, tuple);
    }
    plan_in_end(&in);
    for (int i = 0; i < p->n_key; i++)
        buf_printf(&f->sql, "%s%s", i ? ", " : " GROUP BY ", p->page.count_names[i]);
    buf_printf(&f->sql, " HAVING COUNT(*) > %" PRIu64, big_pages * page_size(f));
    r = fetch_run(f, e);
    if (!r)
        return false;
    (void)fetch_add_rows(r, big);
    rows_free(r);
    return !big->full || err_set(e, ERR_DATA, "the keys of a slice are too long");
}

static bool is_big(const struct keyset *big, const struct span *root, int n)
{
    struct span other[MAP_KEY_MAX];

    for (size_t i = 0; i < big->n; i++) {
        bool same = true;

        keyset_get(big, i, other);
        for (int k = 0; same && k < n; k++)
            same = number_compare(root[k], other[k]) == 0;
        if (same)
            return true;
    }
    return false;
}

/* The head and each page. */
static void add_all(const struct fetch *f, const struct span *root, struct keyset *units)
{
    const struct span *from = NULL;
    struct span unit[MAP_KEY_MAX] = {{NULL, 0}};

    memcpy(unit, root, (size_t)f->plan->n_key * sizeof *unit);
    do {
        (void)keyset_add(units, unit);
        from = directory_next(f->directory, root, from);
        if (from)
            memcpy(unit + f->plan->n_key, from, (size_t)f->plan->page.n_element * sizeof *unit);
    } while (from);
}

struct sorted {
    struct keyset units; /* all of the roots that have pages */
    struct keyset small; /* roots without, whose rows are not too many */
};

static void sorted_init(struct sorted *s, const struct plan *p)
{
    keyset_init(&s->units, p->n_key + p->page.n_element, KEYS_MAX);
    keyset_init(&s->small, p->n_key, KEYS_MAX);
}

static void sorted_free(struct sorted *s)
{
    keyset_free(&s->units);
    keyset_free(&s->small);
}

/* Those of keys [from, to) that are neither are made here. */
static bool sort_out(struct fetch *f, const struct keyset *keys, size_t from, size_t to,
                     struct sorted *out, struct err *e)
{
    struct keyset big;
    struct span root[MAP_KEY_MAX];
    bool ok;

    keyset_init(&big, f->plan->n_key, KEYS_MAX);
    ok = find_big(f, keys, from, to, &big, e);
    for (size_t i = from; ok && i < to; i++) {
        keyset_get(keys, i, root);
        if (directory_has(f->directory, root))
            add_all(f, root, &out->units);
        else if (is_big(&big, root, f->plan->n_key))
            ok = fetch_alone(f, root, NULL, e);
        else
            (void)keyset_add(&out->small, root);
    }
    keyset_free(&big);
    return ok && (!out->units.full || err_set(e, ERR_DATA, "the pages of a slice are too many"));
}

bool fetch_paged(struct fetch *f, const struct keyset *keys, size_t from, size_t to, struct err *e)
{
    struct sorted s;
    bool ok;

    sorted_init(&s, f->plan);
    ok = sort_out(f, keys, from, to, &s, e) && fetch_all_units(f, &s.units, e) &&
         (s.small.n == 0 || fetch_slice(f, &s.small, 0, s.small.n, e));
    sorted_free(&s);
    return ok;
}
