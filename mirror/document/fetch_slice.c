/* Documents of many roots: slice by slice, each by one statement a level. With readers the slices
 * to come are read while the documents of one are made. */
#include "base/clock.h"
#include "mirror/document/fetch_part.h"
#include "mirror/document/fold.h"

enum {
    SLICE_MAX = 250,
    SLICE_BYTES = 4 << 20, /* of row data that a slice should have at most */
};

struct slice {
    size_t from, to; /* of the keys */
    struct reading reading;
};

/* Slices that are asked for, a ring. */
struct slices {
    struct fetch *f;
    const struct keyset *keys;
    size_t next; /* the first key that is not asked for */
    struct slice ring[READERS_AHEAD];
    unsigned first, n;
    uint64_t since_ns; /* when the one before was done */
};

void fetch_free_rows(struct rows **rows, int n)
{
    for (int i = 0; i < n; i++)
        rows_free(rows[i]);
}

static void put_levels(const struct fetch *f, const struct keyset *keys, struct slice *s)
{
    struct reading *r = &s->reading;

    for (r->n = 0; r->n < f->plan->a->n_levels; r->n++) {
        struct buf *sql = &r->sql[r->n];

        buf_put_str(sql, joins_head(f->joins, f->plan, r->n));
        fetch_put_keys(f, keys, s->from, s->to, sql);
        r->by[r->n] = plan_tail(sql, f->plan, r->n);
    }
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
static int take_document(struct fetch *f, struct document_merge *merge, fetch_take *take,
                         struct err *e)
{
    bson_t doc = BSON_INITIALIZER;
    bson_t id;
    int got = document_next(merge, &doc, e);

    if (got == 1) {
        struct span key;

        fetch_id(&doc, &id);
        key = id_span(&id);
        (void)keyset_add(&f->ids, &key);
        f->documents++;
        if (f->directory && take == f->take)
            fetch_cache(f, merge, &doc);
        if ((merge->from && fetch_note_page(f, merge, e) < 0) || !take(f->to, &id, &doc, e))
            got = -1;
        bson_destroy(&id);
    }
    bson_destroy(&doc);
    return got;
}

bool fetch_take_rows(struct fetch *f, struct rows **rows, fetch_take *take, struct err *e)
{
    struct document_merge merge;
    int got;

    document_begin(&merge, f->plan, rows);
    merge.cut = f->plan->a->levels[f->plan->a->paged].page;
    merge.keys = f->caches ? &f->element_keys : NULL;
    keyset_clear(&f->ids);
    do
        got = take_document(f, &merge, take, e);
    while (got == 1);
    return got == 0 && (!f->ids.full || err_set(e, ERR_DATA, "the keys of a slice are too long"));
}

int fetch_gone(struct fetch *f, const enum value_kind *kinds, const struct span *root, bson_t *id,
               struct err *e)
{
    struct span key;

    if (!document_id(f->plan, kinds, root, id, e))
        return -1;
    key = id_span(id);
    return keyset_find(&f->ids, &key) < 0;
}

/* Keys without a document. */
static bool take_gone(struct fetch *f, const struct keyset *keys, size_t from, size_t to,
                      const enum value_kind *kinds, struct err *e)
{
    bool ok = true;

    for (size_t i = from; ok && i < to; i++) {
        struct span tuple[MAP_KEY_MAX];
        bson_t id = BSON_INITIALIZER;
        int gone;

        keyset_get(keys, i, tuple);
        gone = fetch_gone(f, kinds, tuple, &id, e);
        if (f->directory && gone == 1)
            page_cache_drop(&f->directory->cache, tuple, NULL);
        ok = gone == 0 || (gone == 1 && fetch_hand_out(f, &id, NULL, e));
        bson_destroy(&id);
    }
    return ok;
}

void fetch_adapt(struct fetch *f, size_t documents, size_t bytes, uint64_t took_ns)
{
    size_t want = SLICE_MAX;

    if (bytes / documents > 0 && want > SLICE_BYTES / (bytes / documents))
        want = SLICE_BYTES / (bytes / documents);
    if (f->slice_ns && want > documents * f->slice_ns / took_ns)
        want = documents * f->slice_ns / took_ns;
    f->slice = want < 1 ? 1 : (unsigned)want;
    f->sized = true;
}

/* Make the joins that the statements left out. */
static bool join(const struct fetch *f, struct rows **rows, struct err *e)
{
    for (int i = 0; i < f->plan->a->n_levels; i++) {
        rows[i] = joins_rows(f->joins, i, rows[i], e);
        if (!rows[i])
            return false;
    }
    return true;
}

/* Outer levels first: what reads an array's rows for the sums is freed before these. */
bool fetch_fold(const struct fetch *f, struct rows **rows, struct err *e)
{
    if (!plan_lean(f->plan))
        return true;
    for (int i = 0; i < f->plan->a->n_levels; i++) {
        bool folded = false;

        for (int k = 0; rows[i] && k < f->plan->n_folds; k++)
            folded |= f->plan->folds[k].level == i;
        if (!folded)
            continue;
        rows[i] = fold_rows(f->plan, i, rows, e);
        if (!rows[i])
            return false;
    }
    return true;
}

/* The documents of a slice that was read; its work began at `since_ns`. */
static bool take_slice(struct fetch *f, const struct keyset *keys, struct slice *s,
                       uint64_t since_ns, struct err *e)
{
    struct rows **rows = s->reading.rows;
    size_t bytes = 1;

    if (!join(f, rows, e) || !fetch_fold(f, rows, e) || !fetch_take_rows(f, rows, f->take, e) ||
        !take_gone(f, keys, s->from, s->to, rows[0]->kinds, e))
        return false;
    for (int i = 0; i < s->reading.n; i++)
        bytes += rows[i]->bytes;
    fetch_adapt(f, s->to - s->from, bytes, clock_mono_ns() - since_ns + 1);
    return true;
}

bool fetch_slice(struct fetch *f, const struct keyset *keys, size_t from, size_t to, struct err *e)
{
    struct slice s = {.from = from, .to = to};
    uint64_t begin = clock_mono_ns();
    bool ok;

    reading_init(&s.reading);
    put_levels(f, keys, &s);
    ok = reading_run(&s.reading, f->source, e) && take_slice(f, keys, &s, begin, e);
    reading_free(&s.reading);
    return ok;
}

bool fetch_enough(const struct fetch *f)
{
    return f->enough && f->enough(f->to);
}

/* Ask for as much as is worth it; for something where nothing is under way. */
static void ask_ahead(struct slices *s, size_t begin, size_t to)
{
    unsigned limit = s->f->sized ? readers_ahead(s->f->readers) : 1;

    while (s->n < limit && s->next < to && (s->next == begin || !fetch_enough(s->f))) {
        struct slice *one = &s->ring[(s->first + s->n++) % READERS_AHEAD];

        one->from = s->next;
        one->to = to - s->next < s->f->slice ? to : s->next + s->f->slice;
        s->next = one->to;
        put_levels(s->f, s->keys, one);
        readers_ask(s->f->readers, &one->reading);
    }
}

/* All up to keys[to) is handed out. */
static bool tell(const struct fetch *f, const struct keyset *keys, size_t to, struct err *e)
{
    struct span key[MAP_KEY_MAX];

    if (!f->progress)
        return true;
    keyset_get(keys, to - 1, key);
    return f->progress(f->to, key, f->documents, e);
}

/* The first of those that are asked for. */
static bool take_first(struct slices *s, struct err *e)
{
    struct slice *one = &s->ring[s->first];
    bool ok = readers_wait(s->f->readers, &one->reading, e) &&
              take_slice(s->f, s->keys, one, s->since_ns, e) && tell(s->f, s->keys, one->to, e);

    s->since_ns = clock_mono_ns();
    reading_clear(&one->reading);
    s->first = (s->first + 1) % READERS_AHEAD;
    s->n--;
    return ok;
}

static bool fetch_ahead(struct fetch *f, const struct keyset *keys, size_t *at, size_t to,
                        struct err *e)
{
    struct slices s = {.f = f, .keys = keys, .next = *at, .since_ns = clock_mono_ns()};
    bool ok = true;

    for (unsigned i = 0; i < READERS_AHEAD; i++)
        reading_init(&s.ring[i].reading);
    ask_ahead(&s, *at, to);
    while (ok && s.n > 0) {
        ok = take_first(&s, e);
        if (ok)
            ask_ahead(&s, *at, to);
    }
    readers_rest(f->readers); /* after an error some may be under way */
    for (unsigned i = 0; i < READERS_AHEAD; i++)
        reading_free(&s.ring[i].reading);
    *at = s.next;
    return ok;
}

bool fetch_keys(struct fetch *f, const struct keyset *keys, size_t *at, size_t to, struct err *e)
{
    bool paged = f->plan->a->paged;
    size_t begin = *at;

    if (f->readers && !paged)
        return fetch_ahead(f, keys, at, to, e);
    while (*at < to && (*at == begin || !fetch_enough(f))) {
        size_t end = to - *at < f->slice ? to : *at + f->slice;

        if (paged ? !fetch_paged(f, keys, *at, end, e) : !fetch_slice(f, keys, *at, end, e))
            return false;
        *at = end;
        if (!tell(f, keys, end, e))
            return false;
    }
    return true;
}
