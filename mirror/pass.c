#include "mirror/pass.h"

#include "base/clock.h"
#include "mirror/document/directory_load.h"
#include "mirror/document/table_size.h"
#include "mirror/document/validator.h"
#include "mirror/mapping/plan_page.h"
#include "mirror/sink/sink_stage.h"

#include <string.h>

enum {
    KEYS_MAX = 64 << 20,
    SLICES_AT_ONCE = 64, /* the readers rest behind them */
    PAGES_AT_ONCE = 100,
    SLICE_MS = 30, /* of one that others may wait for */
};

static bool stopped(const struct pass *p, struct err *e)
{
    return atomic_load(p->stop) ? !err_set(e, ERR_STOPPED, "stopped") : false;
}

/* `_tillway` stands last: the position the document holds, and the claim it was written under. */
static bool add_mark(const struct pass *p, const bson_t *id, bson_t *doc, struct err *e)
{
    bson_t mark;

    (void)bson_append_document_begin(doc, "_tillway", -1, &mark);
    (void)bson_append_utf8(&mark, "gtid", -1, p->gtid, -1);
    (void)bson_append_int64(&mark, "epoch", -1, sink_epoch(p->sink));
    if (document_is_page(p->plan, id))
        (void)bson_append_bool(&mark, "page", -1, true);
    return bson_append_document_end(doc, &mark) ||
           err_set(e, ERR_DATA, "%s: a document is too large", p->plan->a->collection);
}

static bool put(void *to, const bson_t *id, bson_t *doc, struct err *e)
{
    struct pass *p = to;

    return (!doc || add_mark(p, id, doc, e)) &&
           sink_put(p->sink, p->plan->a->collection, id, doc, e);
}

/* All but the paged array, which has not changed. */
static bool put_fields(void *to, const bson_t *id, bson_t *doc, struct err *e)
{
    struct pass *p = to;
    const struct aggregate *a = p->plan->a;

    return add_mark(p, id, doc, e) &&
           sink_put_fields(p->sink, a->collection, id, doc, a->levels[a->paged].name, e);
}

static bool late(const struct pass *p)
{
    uint64_t now = p->until_ns ? clock_mono_ns() : 0;

    return now > p->until_ns && (now > p->latest_ns || !p->waits || p->waits(p->to));
}

static bool enough(void *to)
{
    const struct pass *p = to;

    return late(p) || atomic_load(p->stop);
}

static void begin_fetch(struct pass *p, struct fetch *f)
{
    fetch_init(f, p->plan, p->source, put, p);
    f->take_fields = put_fields;
    f->directory = p->directory;
    f->caches = p->until_ns && p->plan->a->paged && plan_by_element(p->plan);
    f->readers = p->readers;
    f->enough = enough;
    f->slice_ns = p->until_ns ? SLICE_MS * CLOCK_NS_PER_MS : 0;
    if (*p->slice)
        f->slice = *p->slice < FETCH_SLICE_AGAIN ? *p->slice : FETCH_SLICE_AGAIN;
}

static void end_fetch(struct pass *p, struct fetch *f)
{
    *p->slice = f->slice;
    fetch_free(f);
}

/* Documents of keys[*i, …), until it is late: `*i` is where the rest begins. */
static bool write_keys(struct pass *p, struct fetch *f, const struct keyset *keys, size_t *i,
                       struct err *e)
{
    return !stopped(p, e) && fetch_keys(f, keys, i, keys->n, e) && !stopped(p, e);
}

/* What is touched inside roots that have pages, or whose elements are kept, as units: root and
 * where the page begins, nothing for the head. What is touched of others is added to `roots`; NULL:
 * their heads are units, too. */
struct units {
    const struct plan *plan;
    struct directory *directory;
    struct keyset set;
    struct keyset *roots;
};

static void units_init(struct units *u, const struct pass *p, struct keyset *roots)
{
    *u = (struct units){.plan = p->plan, .directory = p->directory, .roots = roots};
    keyset_init(&u->set, p->plan->n_key + p->plan->page.n_element, KEYS_MAX);
}

static void add_unit(struct units *u, const struct span *root, const struct span *element)
{
    const struct span *from = element ? directory_find(u->directory, root, element) : NULL;
    struct span unit[MAP_KEY_MAX] = {{NULL, 0}};

    if (u->roots && !directory_has(u->directory, root) &&
        !page_cache_find(&u->directory->cache, root, NULL)) {
        (void)keyset_add(u->roots, root);
        return;
    }
    memcpy(unit, root, (size_t)u->plan->n_key * sizeof *unit);
    if (from)
        memcpy(unit + u->plan->n_key, from, (size_t)u->plan->page.n_element * sizeof *unit);
    (void)keyset_add(&u->set, unit);
}

/* Those of keys [from, to): roots, with an element or nothing behind them. */
static void add_units(struct units *u, const struct keyset *keys, size_t from, size_t to)
{
    int n = u->plan->n_key;
    struct span key[MAP_KEY_MAX];

    for (size_t i = from; i < to; i++) {
        keyset_get(keys, i, key);
        add_unit(u, key, keys->width > n && key[n].n ? key + n : NULL);
    }
}

static bool write_units(struct pass *p, struct fetch *f, const struct keyset *units, size_t *i,
                        struct err *e)
{
    return !stopped(p, e) && fetch_units(f, units, i, e) && !stopped(p, e);
}

/* The same; where all that has changed inside of them is told, no more than that is read. */
static bool write_touched(struct pass *p, struct fetch *f, const struct units *u, size_t *i,
                          const struct touched *t, struct err *e)
{
    struct page_touched touched;
    bool ok;

    if (!f->caches)
        return write_units(p, f, &u->set, i, e);
    if (!page_touched_init(&touched, &t->pairs, p->plan->n_key))
        return err_set(e, ERR_IO, "out of memory");
    f->touched = &touched;
    f->whole = &t->roots;
    ok = write_units(p, f, &u->set, i, e);
    f->touched = NULL;
    page_touched_free(&touched);
    return ok;
}

/* Of heads whose elements are not among the units, `fields` gets the root. */
static void add_heads(struct units *u, const struct keyset *heads, struct keyset *fields)
{
    struct span unit[MAP_KEY_MAX] = {{NULL, 0}};

    for (size_t i = 0; i < heads->n; i++) {
        keyset_get(heads, i, unit);
        if (keyset_find(u->roots, unit) >= 0)
            continue;
        if (directory_has(u->directory, unit) && keyset_find(&u->set, unit) < 0)
            (void)keyset_add(fields, unit);
        else
            add_unit(u, unit, NULL);
    }
}

/* Whether MongoDB and the cache have what all elements were when the stretch began: nothing is
 * owed, and no document is one that MongoDB has refused. */
static bool elements_stand(const struct pass *p, struct debts *debts)
{
    return !debts_full(debts) && !debts_due(debts) && !sink_has_letters(p->sink);
}

static bool write_heads(struct pass *p, struct fetch *f, const struct keyset *fields,
                        struct units *u, struct err *e)
{
    size_t done = 0;

    if (!late(p) && (stopped(p, e) || !fetch_heads(f, fields, &done, e)))
        return false;
    add_units(u, fields, done, fields->n);
    return true;
}

/* What is left when it is late goes into the debt. */
static bool touched_pages(struct pass *p, struct fetch *f, struct touched *t, struct debts *debts,
                          struct err *e)
{
    bool stand = elements_stand(p, debts);
    struct keyset fields;
    struct units u;
    size_t done = 0;
    bool ok = true;

    units_init(&u, p, &t->roots);
    keyset_init(&fields, p->plan->n_key, KEYS_MAX);
    if (!stand)
        page_cache_clear(&p->directory->cache);
    add_units(&u, &t->pairs, 0, t->pairs.n);
    if (stand)
        add_heads(&u, &t->heads, &fields);
    else
        add_units(&u, &t->heads, 0, t->heads.n);
    t->all |= u.set.full || t->roots.full || fields.full;
    if (!t->all)
        ok = write_heads(p, f, &fields, &u, e);
    if (ok && !t->all && !late(p))
        ok = write_touched(p, f, &u, &done, t, e);
    t->all |= u.set.full || !debt_owe(&debts->pages, &u.set, done);
    keyset_free(&fields);
    keyset_free(&u.set);
    /* A root that is touched as a whole has been written in part. */
    return ok && sink_flush(p->sink, e);
}

/* Links of one use: some, or all of them where nothing is to be owed. */
static bool follow_use(struct pass *p, struct fetch *f, int use, struct touched *t,
                       struct debts *debts, struct err *e)
{
    const struct keyset *links = &t->links[use];
    const struct keyset *pair_links = &t->pair_links[use];
    size_t roots = 0;
    size_t pairs = 0;

    do {
        if (!fetch_roots(f, use, links, &roots, &t->roots, e) ||
            !fetch_pairs(f, use, pair_links, &pairs, &t->pairs, e))
            return false;
        t->all |= t->roots.full || t->pairs.full;
    } while (p->follow_all && !t->all && (roots < links->n || pairs < pair_links->n));
    t->all |= !debt_owe(&debts->links[use], links, roots) ||
              !debt_owe(&debts->pair_links[use], pair_links, pairs);
    return true;
}

static bool touched_documents(struct pass *p, struct fetch *f, struct touched *t,
                              struct debts *debts, struct err *e)
{
    size_t done = 0;

    for (int use = 1; use < p->plan->a->n_tables && !t->all; use++)
        if (!follow_use(p, f, use, t, debts, e))
            return false;
    if (!t->all && p->plan->a->paged && !touched_pages(p, f, t, debts, e))
        return false;
    if (!t->all && !late(p) && !write_keys(p, f, &t->roots, &done, e))
        return false;
    if (!t->all)
        t->all = !debt_owe(&debts->roots, &t->roots, done);
    return true;
}

bool pass_touched(struct pass *p, struct touched *t, struct debts *debts, struct err *e)
{
    struct fetch f;
    bool ok;

    begin_fetch(p, &f);
    ok = touched_documents(p, &f, t, debts, e);
    end_fetch(p, &f);
    return ok;
}

/* Some of the pages that are owed, as they are by now: they may have been cut, or gone. */
static bool pay_pages(struct pass *p, struct fetch *f, struct debt *debt, struct err *e)
{
    size_t left = debt->now.n - debt->paid;
    size_t to = debt->paid + (left < PAGES_AT_ONCE ? left : PAGES_AT_ONCE);
    struct units u;
    size_t done = 0;
    bool ok;

    units_init(&u, p, NULL);
    add_units(&u, &debt->now, debt->paid, to);
    ok = write_units(p, f, &u.set, &done, e);
    debt->next.full |= !debt_owe(debt, &u.set, done);
    keyset_free(&u.set);
    debt->paid = to;
    return ok;
}

/* Owe the pages that some of the links lead to instead of these; of roots without pages, the roots.
 */
static bool follow_pairs(struct pass *p, struct fetch *f, int use, struct debts *debts,
                         struct err *e)
{
    struct debt *links = &debts->pair_links[use];
    struct keyset pairs;
    struct units u;
    bool ok;

    units_init(&u, p, &debts->roots.next);
    keyset_init(&pairs, u.set.width, KEYS_MAX);
    ok = fetch_pairs(f, use, &links->now, &links->paid, &pairs, e);
    add_units(&u, &pairs, 0, pairs.n);
    if (pairs.full || u.set.full || !debt_owe(&debts->pages, &u.set, 0))
        debts->pages.next.full = true;
    keyset_free(&pairs);
    keyset_free(&u.set);
    return ok;
}

/* Some of the links that are owed. */
static bool pay_links(struct pass *p, struct fetch *f, struct debts *debts, struct err *e)
{
    for (int use = 1; use < p->plan->a->n_tables; use++) {
        struct debt *links = &debts->links[use];

        if (debt_due(links))
            return fetch_roots(f, use, &links->now, &links->paid, &debts->roots.next, e);
        if (debt_due(&debts->pair_links[use]))
            return follow_pairs(p, f, use, debts, e);
    }
    return true;
}

bool pass_debts(struct pass *p, struct debts *debts, struct err *e)
{
    struct fetch f;
    bool ok = true;

    begin_fetch(p, &f);
    do {
        /* First of all links: many of them lead to the same document. */
        if (debts_links_due(debts))
            ok = pay_links(p, &f, debts, e);
        else if (debt_due(&debts->pages))
            ok = pay_pages(p, &f, &debts->pages, e);
        else if (debt_due(&debts->roots))
            ok = write_keys(p, &f, &debts->roots.now, &debts->roots.paid, e);
        /* The same key may come again behind this slice. */
        ok = ok && sink_flush(p->sink, e);
    } while (ok && !debts_full(debts) && debts_due(debts) && !late(p));
    end_fetch(p, &f);
    return ok;
}

/* How far it is, with the last key that was handed to the sink. */
static bool tell(void *to, const struct span *key, uint64_t documents, struct err *e)
{
    struct pass *p = to;
    struct pass_progress at = {p->plan, key, p->done + documents, p->total};

    return !p->progress || p->progress(p->to, &at, e);
}

/* Every root behind those of `keys`, in key order. */
static bool write_all(struct pass *p, struct fetch *f, struct keyset *keys, struct err *e)
{
    struct span key[MAP_KEY_MAX];
    struct table_size size;

    if (!table_size(&p->plan->a->tables[0], p->source, &size, e))
        return false;
    p->total = size.rows;
    if (keys->n) {
        keyset_get(keys, keys->n - 1, key);
        if (!tell(p, key, 0, e))
            return false;
    }
    f->progress = tell;
    do {
        size_t done = 0;

        if (!fetch_next_keys(f, keys, f->slice * SLICES_AT_ONCE, e) ||
            !write_keys(p, f, keys, &done, e))
            return false;
    } while (keys->n);
    return true;
}

/* The collection that is written into has its old one's validator, and the tables may have changed.
 */
static bool validate(struct pass *p, struct err *e)
{
    bson_t collections = BSON_INITIALIZER;
    bool ok =
        !sink_validates(p->sink) || (sink_collections(p->sink, &collections, e) &&
                                     validator_set(p->plan, p->source, p->sink, &collections, e));

    bson_destroy(&collections);
    return ok;
}

/* The collection to write into, and behind which key. */
static bool begin_all(struct pass *p, struct keyset *keys, struct err *e)
{
    struct span key[MAP_KEY_MAX];
    bool goes_on = p->from && p->after && p->after->n > 0;
    bool resumed;

    if (!sink_flush(p->sink, e) ||
        !sink_stage(p->sink, p->plan->a->collection, goes_on ? p->from : 0, &resumed, e))
        return false;
    if (!resumed)
        p->done = 0;
    if (!validate(p, e))
        return false;
    if (resumed) {
        keyset_get(p->after, 0, key);
        (void)keyset_add(keys, key);
    }
    return !p->directory || directory_load(p->directory, p->plan, p->sink, e);
}

bool pass_all(struct pass *p, struct err *e)
{
    struct joins *joins = NULL;
    struct keyset keys;
    struct fetch f;
    bool ok;

    *p->slice = 0; /* with so many it is worth a look first */
    begin_fetch(p, &f);
    keyset_init(&keys, p->plan->n_key, KEYS_MAX);
    ok = begin_all(p, &keys, e) && (joins = joins_load(p->plan, p->source, e)) != NULL;
    f.joins = joins;
    ok = ok && write_all(p, &f, &keys, e) && sink_stage_swap(p->sink, e);
    sink_stage_leave(p->sink);
    joins_free(joins);
    keyset_free(&keys);
    end_fetch(p, &f);
    return ok;
}
