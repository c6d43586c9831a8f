#include "mirror/document/verify.h"

#include "base/clock.h"
#include "mirror/checkpoint.h"
#include "mirror/choose.h"
#include "mirror/document/directory_load.h"
#include "mirror/document/fetch.h"
#include "mirror/document/page.h"
#include "mirror/mapping/schema.h"
#include "mirror/source/snapshot.h"

#include <stdlib.h>

enum {
    KEYS_MAX = 64 << 20,
    IDS_AT_ONCE = 1000,
    TRIES = 100,
    TRY_PAUSE_MS = 50,
    MISSING_TWICE = 3, /* times that a document must be missing in a row */
    POLL_MS = 20,
};

struct verify {
    struct engine *w;
    struct sink *sink;
    struct source *source;
    struct gtid_set at; /* the snapshot's */
    const struct verify_options *o;
    unsigned left; /* lines that may be printed */
    uint64_t dice; /* which ranges are looked at */
    struct verify_result *r;
    struct err *e;
};

/* One aggregate's work. */
struct checking {
    struct verify *v;
    const struct plan *plan;
    const char *collection;
    struct fetch fetch;
    struct directory directory; /* the pages that MongoDB had when it was read last */
    struct page page;
    struct buf memory; /* of a key */
    struct keyset suspects;
};

static bool snapshot(struct verify *v)
{
    struct snapshot place;

    return snapshot_begin(v->source, &place, v->e) &&
           snapshot_gtid(v->source, &place, &v->at, v->e);
}

static bool suspect(struct checking *c, const bson_t *id)
{
    struct span key[MAP_KEY_MAX];

    if (document_key(c->plan, id, &c->memory, key))
        (void)keyset_add(&c->suspects, key);
    return !c->suspects.full ||
           err_set(c->v->e, ERR_DATA, "%s: too many documents differ", c->collection);
}

/* A difference; whether it may be printed. */
static bool count(struct checking *c, const bson_t *id)
{
    c->v->r->differences++;
    if (c->v->o->found)
        repair_add(c->v->o->found, c->collection, id);
    if (c->v->left == 0)
        return false;
    c->v->left--;
    return true;
}

static void report(struct checking *c, size_t i)
{
    bson_t id;

    if (page_id(&c->page, i, &id) && count(c, &id))
        page_print(&c->page, i, c->collection, c->v->o->out);
}

/* Whether the next range of keys is of the sample. */
static bool sampled(struct verify *v)
{
    v->dice = v->dice * 6364136223846793005u + 1442695040888963407u; /* Knuth's, for MMIX */
    return (double)(v->dice >> 11) < v->o->sample * (double)(UINT64_C(1) << 53);
}

/* Keys [from, to) of `keys`: both sides, into the page. */
static bool look(struct checking *c, const struct keyset *keys, size_t from, size_t to)
{
    page_clear(&c->page);
    return fetch_keys(&c->fetch, keys, &from, to, c->v->e) &&
           page_compare(&c->page, c->v->sink, c->collection, c->v->e);
}

/* The same by the pages that are there now. */
static bool look_again(struct checking *c, const struct keyset *keys, size_t from, size_t to)
{
    return directory_load(&c->directory, c->plan, c->v->sink, c->v->e) && look(c, keys, from, to);
}

/* All roots that SQL has. */
static bool compare_roots(struct checking *c)
{
    struct keyset keys;
    bool ok = true;

    keyset_init(&keys, c->plan->n_key, KEYS_MAX);
    do {
        ok = fetch_next_keys(&c->fetch, &keys, c->fetch.slice, c->v->e);
        if (ok && keys.n && !sampled(c->v))
            continue;
        ok = ok && look(c, &keys, 0, keys.n);
        for (size_t i = 0; ok && i < c->page.ids.n; i++) {
            bson_t id;

            c->v->r->documents += c->page.items[i].sql != NULL;
            if (!c->page.items[i].equal)
                ok = page_id(&c->page, i, &id) && suspect(c, &id);
        }
    } while (ok && keys.n);
    keyset_free(&keys);
    return ok;
}

/* Those of `keys` without a root row. */
static bool suspect_unknown(struct checking *c, struct keyset *keys, struct keyset *found)
{
    keyset_clear(found);
    if (!sampled(c->v))
        keyset_clear(keys);
    if (keys->n && !fetch_existing(&c->fetch, keys, found, c->v->e))
        return false;
    for (size_t i = 0; i < keys->n; i++) {
        struct span key[MAP_KEY_MAX];

        keyset_get(keys, i, key);
        if (keyset_find(found, key) < 0)
            (void)keyset_add(&c->suspects, key);
    }
    keyset_clear(keys);
    return true;
}

/* A document whose _id can't be a key of ours. */
static void report_foreign(struct checking *c, const bson_t *id)
{
    char *json = bson_as_relaxed_extended_json(id, NULL);

    if (count(c, id))
        (void)fprintf(c->v->o->out, "%s %s: MongoDB has it, SQL can't\n", c->collection,
                      json ? json : "");
    bson_free(json);
}

static bool scan_ids(struct checking *c, struct sink_cursor *cursor, struct keyset *keys,
                     struct keyset *found)
{
    const bson_t *id;
    int got;

    while ((got = sink_next(cursor, &id, c->v->e)) == 1) {
        struct span key[MAP_KEY_MAX];

        if (document_key(c->plan, id, &c->memory, key))
            (void)keyset_add(keys, key);
        else
            report_foreign(c, id);
        if (keys->n >= IDS_AT_ONCE && !suspect_unknown(c, keys, found))
            return false;
    }
    return got == 0 && suspect_unknown(c, keys, found);
}

/* All documents that MongoDB has: their roots must be there. */
static bool compare_ids(struct checking *c)
{
    bson_t all = BSON_INITIALIZER;
    bson_t fields = BSON_INITIALIZER;
    struct sink_cursor *cursor;
    struct keyset keys;
    struct keyset found;
    bool ok;

    (void)bson_append_int32(&fields, "_id", -1, 1);
    keyset_init(&keys, c->plan->n_key, KEYS_MAX);
    keyset_init(&found, c->plan->n_key, KEYS_MAX);
    cursor = sink_find(c->v->sink, c->collection, &all, &fields);
    ok = scan_ids(c, cursor, &keys, &found);
    sink_cursor_free(cursor);
    keyset_free(&keys);
    keyset_free(&found);
    bson_destroy(&all);
    bson_destroy(&fields);
    return ok;
}

/* Until the mirror has applied all that the snapshot holds. */
static bool wait_covered(struct verify *v)
{
    uint64_t end = clock_mono_ns() + v->o->wait_ms * CLOCK_NS_PER_MS;
    char at[GTID_SET_TEXT_MAX];
    char need[GTID_SET_TEXT_MAX];
    struct checkpoint c;

    for (;;) {
        if (!checkpoint_load(v->sink, &c, v->e))
            return false;
        if (c.present && gtid_set_covers(&c.gtid, &v->at))
            return true;
        if (clock_mono_ns() > end)
            break;
        (void)engine_pause(v->w, POLL_MS);
    }
    gtid_set_format(&c.gtid, at, sizeof at);
    gtid_set_format(&v->at, need, sizeof need);
    return err_set(
        v->e, ERR_TIMEOUT,
        "documents differ, and the mirror stands at `%s` and does not reach `%s`: does it"
        " run? (tillway mirror status)",
        at, need);
}

/* Whether the document was written after the snapshot. */
static bool written_since(const struct verify *v, const bson_t *mongo)
{
    struct gtid_set gtid;
    bson_iter_t it;
    bson_iter_t inner;

    if (!bson_iter_init(&it, mongo) || !bson_iter_find_descendant(&it, "_tillway.gtid", &inner) ||
        !BSON_ITER_HOLDS_UTF8(&inner))
        return false;
    return gtid_set_parse(span_of(bson_iter_utf8(&inner, NULL)), &gtid) &&
           !gtid_set_covers(&v->at, &gtid);
}

enum verdict { EQUAL, DIFFERS, AGAIN };

/* MongoDB was read when the checkpoint covered the snapshot. */
static enum verdict judge(struct checking *c, const struct page_item *item, int *missing)
{
    if (item->equal)
        return EQUAL;
    if (item->mongo)
        return written_since(c->v, item->mongo) ? AGAIN : DIFFERS;
    return ++*missing >= MISSING_TWICE ? DIFFERS : AGAIN;
}

/* All documents of one root. */
static enum verdict judge_all(struct checking *c, int *missing)
{
    enum verdict verdict = EQUAL;

    for (size_t i = 0; i < c->page.ids.n && verdict != AGAIN; i++) {
        enum verdict one = judge(c, &c->page.items[i], missing);

        verdict = one == EQUAL ? verdict : one;
    }
    return verdict;
}

/* One suspect at a snapshot; suspects are few, and each is looked at by itself. */
static bool recheck(struct checking *c, size_t i, enum verdict *verdict, int *missing)
{
    struct verify *v = c->v;

    if (!snapshot(v) || !wait_covered(v) || !look_again(c, &c->suspects, i, i + 1))
        return false;
    *verdict = judge_all(c, missing);
    return true;
}

static bool settle(struct checking *c, size_t i)
{
    enum verdict verdict = AGAIN;
    int missing = 0;

    for (int try = 0; verdict == AGAIN && try < TRIES; try++) {
        if (try > 0)
            (void)engine_pause(c->v->w, TRY_PAUSE_MS);
        if (!recheck(c, i, &verdict, &missing))
            return false;
    }
    for (size_t k = 0; verdict == DIFFERS && k < c->page.ids.n; k++)
        if (!c->page.items[k].equal)
            report(c, k);
    c->v->r->rewritten += verdict == AGAIN;
    return true;
}

/* Most suspects were only caught in between: all at once at one newer snapshot first. */
static bool settle_all(struct checking *c)
{
    struct keyset rest;
    bool ok;

    if (c->suspects.n == 0)
        return true;
    keyset_init(&rest, c->plan->n_key, KEYS_MAX);
    ok = snapshot(c->v) && wait_covered(c->v);
    for (size_t i = 0; ok && i < c->suspects.n; i += IDS_AT_ONCE) {
        size_t end = c->suspects.n - i < IDS_AT_ONCE ? c->suspects.n : i + IDS_AT_ONCE;

        ok = look_again(c, &c->suspects, i, end);
        for (size_t k = 0; ok && k < c->page.ids.n; k++) {
            struct span key[MAP_KEY_MAX];
            bson_t id;

            if (!c->page.items[k].equal && page_id(&c->page, k, &id) &&
                document_key(c->plan, &id, &c->memory, key))
                (void)keyset_add(&rest, key);
        }
    }
    keyset_free(&c->suspects);
    c->suspects = rest;
    for (size_t i = 0; ok && i < c->suspects.n; i++)
        ok = settle(c, i);
    return ok;
}

static bool check(struct checking *c)
{
    return directory_load(&c->directory, c->plan, c->v->sink, c->v->e) && compare_roots(c) &&
           compare_ids(c);
}

static void checking_init(struct checking *c, struct verify *v, const struct plan *plan)
{
    *c = (struct checking){.v = v, .plan = plan, .collection = plan->a->collection};
    page_init(&c->page);
    fetch_init(&c->fetch, plan, v->source, page_take, &c->page);
    directory_init(&c->directory, plan->n_key, plan->page.n_element, 0);
    c->fetch.directory = &c->directory;
    c->memory = buf_with_max(KEYS_MAX);
    keyset_init(&c->suspects, plan->n_key, KEYS_MAX);
}

static void checking_free(struct checking *c)
{
    keyset_free(&c->suspects);
    buf_free(&c->memory);
    fetch_free(&c->fetch);
    directory_free(&c->directory);
    page_free(&c->page);
}

/* All aggregates at one snapshot, then what is suspect. */
static bool run(struct verify *v)
{
    struct checking *all = calloc((size_t)v->w->n, sizeof *all);
    bool ok = all && snapshot(v);

    if (!all)
        return err_set(v->e, ERR_IO, "out of memory");
    for (int i = 0; i < v->w->n; i++) {
        checking_init(&all[i], v, v->w->plans[i]);
        ok = ok && check(&all[i]);
    }
    for (int i = 0; i < v->w->n; i++) {
        ok = ok && settle_all(&all[i]);
        checking_free(&all[i]);
    }
    free(all);
    return ok;
}

bool verify_run(struct engine *w, const struct verify_options *o, struct verify_result *r,
                struct err *e)
{
    struct verify v = {.w = w, .o = o, .left = o->list, .dice = clock_mono_ns(), .r = r, .e = e};
    struct checkpoint at;
    struct choice c;
    bool ok;

    *r = (struct verify_result){0};
    v.sink = sink_open(w->target);
    ok = checkpoint_load(v.sink, &at, e);
    if (ok && !at.present)
        ok = err_set(e, ERR_SERVER,
                     "there is no checkpoint yet: the first snapshot is not complete");
    if (ok && choose_source(w->conf, &at.gtid, 0, &c, e)) {
        v.source = c.source;
        ok = schema_check(w->mapping, v.source, e) && run(&v);
        source_close(v.source);
    } else {
        ok = false;
    }
    sink_close(v.sink);
    return ok;
}
