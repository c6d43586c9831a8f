#include "mirror/engine_batch.h"

#include "base/clock.h"
#include "base/log.h"
#include "mirror/choose.h"
#include "mirror/follow.h"
#include "mirror/mapping/schema.h"
#include "mirror/pass.h"

#include <stdio.h>

enum {
    DRAIN_MS = 10000,
    AHEAD_TRIES = 2000,
    CHANGED_TRIES = 100,
    IDLE_SAVE_MS = 500,
    BUDGET_MS = 150, /* for the documents of new changes, and for those that are owed … */
    ALONE_MS = 1000, /* … and this where no changes wait meanwhile */
    LARGE = 200,     /* changes that are worth several readers */
    ATOMIC_BUDGET_MS = 10000, /* … of new changes, where they should be one transaction */
};

void work_note(struct work *k, const struct pass_progress *at)
{
    notes_pass(&k->w->notes, at->plan->a->collection, at->done, at->total);
    notes_counts(&k->w->notes, k->written + sink_written(k->sink), k->feed.changes);
}

static bool progress(void *to, const struct pass_progress *at, struct err *e)
{
    (void)e;
    work_note(to, at);
    return true;
}

struct pass work_pass(struct work *k, int i, const struct gtid_set *gtid)
{
    struct pass p = {
        .plan = k->w->plans[i],
        .source = k->source,
        .sink = k->sink,
        .readers = k->crewed ? k->readers : NULL,
        .directory = k->w->plans[i]->a->paged ? &k->directories[i] : NULL,
        .stop = &k->w->stop,
        .slice = &k->slices[i],
        .progress = progress,
        .to = k,
    };

    gtid_set_format(gtid, p.gtid, sizeof p.gtid);
    return p;
}

bool work_whole(struct work *k, struct pass *p, struct err *e)
{
    const char *collection = p->plan->a->collection;
    uint64_t begin = clock_mono_ns();
    uint64_t before = sink_written(k->sink);

    log_event(LOG_INFO, "mirror.snapshot", LOG_STR("collection", collection),
              LOG_STR("gtid", p->gtid), LOG_NUM("behind", p->done));
    if (!pass_all(p, e))
        return false;
    log_event(LOG_INFO, "mirror.snapshot.done", LOG_STR("collection", collection),
              LOG_NUM("documents", sink_written(k->sink) - before),
              LOG_NUM("ms", (clock_mono_ns() - begin) / CLOCK_NS_PER_MS));
    return true;
}

/* All up to here is written. */
static bool look_intact(struct work *k, const struct gtid_set *gtid)
{
    if (!k->intact && !k->is_asked)
        k->is_asked = notes_primary_since(&k->w->notes, k->claimed_ns, &k->intact_at);
    k->intact = k->intact || (k->is_asked && gtid_set_covers(gtid, &k->intact_at));
    return k->intact;
}

bool work_save(struct work *k, const struct gtid_set *gtid, struct err *e)
{
    k->at.gtid = *gtid;
    k->at.xa = k->feed.xa;
    k->at.fingerprint = k->w->fingerprint;
    k->at.present = true;
    if (!checkpoint_save(k->sink, &k->at, e))
        return false;
    k->saved_ns = clock_mono_ns();
    k->writing = false;
    (void)look_intact(k, gtid);
    notes_gtid(&k->w->notes, gtid);
    notes_counts(&k->w->notes, k->written + sink_written(k->sink), k->feed.changes);
    return true;
}

void work_place(struct work *k, const char *file, uint64_t position)
{
    (void)snprintf(k->at.file, sizeof k->at.file, "%s", file);
    k->at.position = position;
}

void work_publish(struct work *k, bool on)
{
    struct engine_handle *h = &k->w->handle;
    struct source *const all[] = {k->source, k->before, k->spare};

    (void)pthread_mutex_lock(&h->lock);
    h->feed = on && k->feed.stream ? &k->feed : NULL;
    h->n_sources = 0;
    for (unsigned i = 0; on && i < ARRAY_LEN(all); i++)
        if (all[i])
            h->sources[h->n_sources++] = all[i];
    for (unsigned i = 0; on && i < k->n_crew; i++)
        h->sources[h->n_sources++] = k->crew[i];
    (void)pthread_mutex_unlock(&h->lock);
}

bool work_cascades(struct work *k, struct err *e)
{
    struct cascade *c = cascade_load(k->w->plans, k->w->n, k->source, e);

    if (!c)
        return false;
    touch_cascades(k->touch, c);
    cascade_free(k->cascade);
    k->cascade = c;
    if ((c->n_keys > 0 || k->paged) && !k->before)
        k->before = choose_another(k->w->conf, k->server, e);
    if (k->before && !k->spare)
        k->spare = choose_another(k->w->conf, k->server, e);
    work_publish(k, true);
    return (c->n_keys == 0 && !k->paged) || k->spare;
}

/* Whether it is worth several readers. */
static bool is_large(const struct work *k)
{
    bool whole = false;

    for (int i = 0; i < k->w->n; i++)
        whole |= touch_of(k->touch, i)->all;
    return work_has_readers(k) && (whole || k->owing || touch_count(k->touch) >= LARGE);
}

/* A snapshot, and the feed exactly as far as it. */
static bool meet(struct work *k, struct snapshot *at, struct err *e)
{
    uint64_t deadline = clock_mono_ns() + DRAIN_MS * CLOCK_NS_PER_MS;

    for (int i = 0; i < AHEAD_TRIES; i++) {
        enum feed_got got;

        if (!work_begin_snapshot(k, is_large(k), at, e))
            return false;
        got = feed_drain(&k->feed, at, deadline, e);
        if (got == FEED_FAILED)
            return false;
        if (got == FEED_IDLE)
            return err_set(e, ERR_TIMEOUT, "the binlog does not come: %s:%llu was expected",
                           at->file, (unsigned long long)at->position);
        if (!feed_ahead(&k->feed, at) && (k->crewed || !is_large(k)))
            return true;
        if (!engine_pause(k->w, 1))
            return err_set(e, ERR_STOPPED, "stopped");
    }
    return err_set(e, ERR_TIMEOUT, "the source has sent changes that it does not commit");
}

static bool waits(void *to)
{
    const struct work *k = to;

    return feed_waits(&k->feed);
}

/* How long a pass may take. */
static void limit(struct pass *p, uint64_t until_ns)
{
    p->until_ns = until_ns;
    p->latest_ns = until_ns + (ALONE_MS - BUDGET_MS) * CLOCK_NS_PER_MS;
    p->waits = waits;
}

/* All documents instead of those that are owed. */
static bool instead(struct work *k, int i, const struct gtid_set *gtid, struct err *e)
{
    struct pass p = work_pass(k, i, gtid);

    if (!work_whole(k, &p, e))
        return false;
    debts_clear(&k->debts[i]);
    return true;
}

static bool write_touched(struct work *k, const struct gtid_set *gtid, struct err *e)
{
    bool one = k->w->conf->mirror.atomic && !k->owing;
    uint64_t budget_ms = one ? ATOMIC_BUDGET_MS : BUDGET_MS;
    uint64_t until = clock_mono_ns() + budget_ms * CLOCK_NS_PER_MS;

    if (!sink_begin(k->sink, e))
        return false;
    for (int i = 0; i < k->w->n; i++) {
        struct touched *t = touch_of(k->touch, i);
        struct pass p = work_pass(k, i, gtid);

        limit(&p, until);
        p.follow_all = one;
        if (!pass_touched(&p, t, &k->debts[i], e))
            return false;
        if (t->all && !instead(k, i, gtid, e))
            return false;
    }
    return true;
}

/* Some of what was owed before or is now; `owing` says whether there is more. */
static bool pay_debts(struct work *k, const struct gtid_set *gtid, struct err *e)
{
    uint64_t until = clock_mono_ns() + BUDGET_MS * CLOCK_NS_PER_MS;

    k->owing = false;
    for (int i = 0; i < k->w->n; i++) {
        struct pass p = work_pass(k, i, gtid);

        limit(&p, until);
        /* A batch's writes must be over before a document is written again. */
        if (debts_due(&k->debts[i]) &&
            (!sink_flush(k->sink, e) || !pass_debts(&p, &k->debts[i], e)))
            return false;
        if (debts_full(&k->debts[i]) && !instead(k, i, gtid, e))
            return false;
        k->owing |= debts_due(&k->debts[i]);
    }
    return sink_flush(k->sink, e);
}

static bool has_links_before(const struct touched *t)
{
    for (int use = 0; use < MAP_TABLES_MAX; use++)
        if (t->pair_links_before[use].n)
            return true;
    return false;
}

static bool follow_before(struct fetch *f, struct touched *t, struct err *e)
{
    bool ok = true;

    for (int use = 1; use < f->plan->a->n_tables; use++) {
        const struct keyset *links = &t->pair_links_before[use];
        size_t at = 0;

        while (ok && !t->all && at < links->n) {
            ok = fetch_pairs(f, use, links, &at, &t->pairs, e);
            t->all |= t->pairs.full;
        }
    }
    return ok;
}

/* Which elements of paged arrays changed rows showed in where the last batch ended; where that is
 * not known any more, the whole aggregate is touched. */
static bool pairs_before(struct work *k, struct err *e)
{
    for (int i = 0; i < k->w->n; i++) {
        struct touched *t = touch_of(k->touch, i);
        struct fetch f;
        bool ok = true;

        if (!has_links_before(t))
            continue;
        fetch_init(&f, k->w->plans[i], k->before, NULL, NULL);
        if (k->kept)
            ok = follow_before(&f, t, e);
        fetch_free(&f);
        t->all |= !k->kept || (!ok && source_altered(e));
        if (!ok && !t->all)
            return false;
    }
    return true;
}

/* A snapshot that was read holds up ALTER: it ends, and serves no other attempt. */
static bool end_before(struct work *k, struct err *e)
{
    bool read = k->cascade->acted;

    for (int i = 0; i < k->w->n; i++)
        read |= has_links_before(touch_of(k->touch, i));
    if (!k->kept || !read)
        return true;
    k->kept = false;
    return snapshot_end(k->before, e);
}

/* Whether no XA transaction is prepared on the source. */
static bool no_xa(struct work *k, bool *none, struct err *e)
{
    struct rows *r = source_query(k->source, span_of("XA RECOVER"), e);

    if (!r)
        return false;
    *none = !rows_next(r);
    rows_free(r);
    return true;
}

static bool apply_once(struct work *k, struct err *e)
{
    struct snapshot at;
    bool none = false;

    k->writing = true;
    k->feed.xa_seen = false;
    if ((k->feed.xa && !no_xa(k, &none, e)) || !meet(k, &at, e))
        return false;
    /* What was prepared before is decided, and the decisions stand before the snapshot. */
    if (none && !k->feed.xa_seen)
        k->feed.xa = false;
    if (!follow_cascades(k->cascade, k->kept ? k->before : NULL, k->source, k->touch, e) ||
        !pairs_before(k, e) || !end_before(k, e))
        return false;
    if (touch_schema(k->touch) &&
        (!schema_check(k->w->mapping, k->source, e) || !work_cascades(k, e)))
        return false;
    if (!work_use_readers(k, e) || !write_touched(k, feed_gtid(&k->feed), e) ||
        !pay_debts(k, feed_gtid(&k->feed), e))
        return false;
    if (k->owing)
        return sink_spill(k->sink, e) && work_end_snapshot(k, e);
    work_place(k, at.file, at.position);
    return work_save(k, feed_gtid(&k->feed), e) && work_end_snapshot(k, e);
}

bool work_batch(struct work *k, struct err *e)
{
    bool ok = apply_once(k, e);

    /* A table was altered behind the snapshot's back: newer snapshots know it, and the DDL comes.
     */
    for (int i = 0; !ok && e->code == SOURCE_ERR_TABLE_CHANGED && i < CHANGED_TRIES; i++)
        ok = engine_pause(k->w, 10) && apply_once(k, e);
    if (!ok)
        return false;
    touch_clear(k->touch);
    if (k->owing)
        return true;
    feed_applied(&k->feed);
    notes_pending(&k->w->notes, 0);
    return true;
}

/* A snapshot of where the checkpoint stands, where one is kept. It must not grow old: the server
 * keeps all rows for it that were changed since. */
static bool keep(struct work *k, struct err *e)
{
    struct snapshot at;

    if (!meet(k, &at, e))
        return false;
    if (!touch_empty(k->touch)) /* the next batch begins anew */
        return true;
    work_place(k, at.file, at.position);
    return work_save(k, feed_gtid(&k->feed), e) && work_end_snapshot(k, e);
}

bool work_idle(struct work *k, struct err *e)
{
    const struct gtid_set *gtid = feed_gtid(&k->feed);
    bool none_kept = k->before && !k->kept && look_intact(k, &k->at.gtid);

    if (k->feed.in_group || (gtid_set_equal(gtid, &k->at.gtid) && !none_kept))
        return true;
    feed_applied(&k->feed);
    notes_gtid(&k->w->notes, gtid);
    if (clock_mono_ns() - k->saved_ns < IDLE_SAVE_MS * CLOCK_NS_PER_MS)
        return true;
    if (k->before)
        return keep(k, e);
    work_place(k, k->feed.end_file, k->feed.end_position);
    return work_save(k, gtid, e);
}
