#include "mirror/engine.h"

#include "base/clock.h"
#include "base/log.h"
#include "mirror/choose.h"
#include "mirror/document/directory_load.h"
#include "mirror/document/index.h"
#include "mirror/document/validator.h"
#include "mirror/engine_batch.h"
#include "mirror/mapping/cascade.h"
#include "mirror/mapping/schema.h"
#include "mirror/repair.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    RETRY_FIRST_MS = 100,
    RETRY_MAX_MS = 5000,
    STOPPED_MS = 5000,
    TICK_MS = 200,         /* how often an idle engine looks up */
    STUCK_AFTER_MS = 2000, /* a source has so long to bring something */
    SETTLE_MS = 1200, /* a dead mirror's last write has ended by then; over the reporter's pace */
};

bool engine_library_init(void)
{
    sink_library_init();
    return source_library_init();
}

struct engine *engine_new(struct conf *c, struct err *e)
{
    struct engine *w = calloc(1, sizeof *w);

    if (!w) {
        (void)err_set(e, ERR_IO, "out of memory");
        return NULL;
    }
    w->conf = c;
    notes_init(&w->notes);
    (void)pthread_mutex_init(&w->handle.lock, NULL);
    atomic_init(&w->stop, false);
    bson_oid_init(&w->owner, NULL);
    w->mapping = mapping_new(c->mirror.aggregates, e);
    for (int i = 0; w->mapping && i < w->mapping->n; i++, w->n++) {
        w->plans[i] = plan_new(w->mapping->aggregates[i]);
        if (!w->plans[i])
            abort(); /* some kilobytes, at start */
    }
    if (w->mapping)
        w->target = sink_target_new(&c->mirror, e);
    if (w->target) {
        w->fingerprint = plan_fingerprint(w->plans, w->n);
        return w;
    }
    engine_free(w);
    return NULL;
}

void engine_free(struct engine *w)
{
    if (!w)
        return;
    for (int i = 0; i < w->n; i++)
        plan_free(w->plans[i]);
    mapping_free(w->mapping);
    sink_target_free(w->target);
    notes_destroy(&w->notes);
    (void)pthread_mutex_destroy(&w->handle.lock);
    free(w);
}

bool engine_pause(struct engine *w, unsigned ms)
{
    uint64_t end = clock_mono_ns() + ms * CLOCK_NS_PER_MS;

    while (!atomic_load(&w->stop)) {
        uint64_t now = clock_mono_ns();
        uint64_t left = now < end ? end - now : 0;
        uint64_t nap = left < 50 * CLOCK_NS_PER_MS ? left : 50 * CLOCK_NS_PER_MS;
        struct timespec t = {0, (long)nap};

        if (left == 0)
            return true;
        (void)nanosleep(&t, NULL);
    }
    return false;
}

void engine_stop(struct engine *w)
{
    atomic_store(&w->stop, true);
    (void)pthread_mutex_lock(&w->handle.lock);
    if (w->handle.feed)
        feed_interrupt(w->handle.feed);
    for (int i = 0; i < w->handle.n_sources; i++)
        source_interrupt(w->handle.sources[i]);
    (void)pthread_mutex_unlock(&w->handle.lock);
}

/* Who wrote the status last, and when; zero where it says that it has ended. */
static bool other_sign(struct work *k, int64_t *sign, struct err *e)
{
    bson_iter_t it;
    bson_t doc;
    int got = sink_state_get(k->sink, "status", &doc, e);

    *sign = 0;
    if (got <= 0)
        return got == 0;
    if (checkpoint_flag(&doc, "running") && bson_iter_init_find(&it, &doc, "owner") &&
        BSON_ITER_HOLDS_OID(&it) && !bson_oid_equal(bson_iter_oid(&it), &k->w->owner) &&
        bson_iter_init_find(&it, &doc, "at") && BSON_ITER_HOLDS_DATE_TIME(&it))
        *sign = bson_iter_date_time(&it);
    bson_destroy(&doc);
    return true;
}

/* Not beside another mirror, and not before a dead one's last write has ended. */
static bool alone(struct work *k, struct err *e)
{
    int64_t before;
    int64_t now;

    /* The one that has taken over needs a moment to say so. */
    if (k->fenced && !engine_pause(k->w, SETTLE_MS))
        return err_set(e, ERR_STOPPED, "stopped");
    k->fenced = false;
    if (!other_sign(k, &before, e))
        return false;
    while (before) {
        if (!engine_pause(k->w, SETTLE_MS) || !other_sign(k, &now, e))
            return false;
        if (now == before || !now)
            return true;
        if (k->w->once)
            return err_set(e, ERR_STOPPED, "another mirror is running");
        if (notes_read(&k->w->notes).state.now != STATUS_STANDBY)
            log_event(LOG_WARN, "mirror.standby", LOG_STR("reason", "another mirror is running"));
        notes_state(&k->w->notes, STATUS_STANDBY, "another mirror is running");
        before = now;
    }
    return true;
}

/* The server to read from; one that did not follow only where there is no other. Where none is left
 * but those whose binlog is purged (`gone`, a bit a server), one of these for a new snapshot. */
static bool choose(struct work *k, uint32_t gone, struct choice *c, bool *lost, struct err *e)
{
    const struct gtid_set *need = k->at.present ? &k->at.gtid : NULL;

    *lost = false;
    if (choose_source(k->w->conf, need, gone | k->avoid, c, e) ||
        (k->avoid && choose_source(k->w->conf, need, gone, c, e)))
        return true;
    if (!gone)
        return false;
    *lost = true;
    return choose_source(k->w->conf, need, 0, c, e);
}

static bool connect_source(struct work *k, uint32_t gone, bool *lost, struct err *e)
{
    struct choice c;
    const char *name;

    if (!choose(k, gone, &c, lost, e))
        return false;
    k->source = c.source;
    k->server = c.server;
    name = k->w->conf->servers[c.server].name;
    (void)snprintf(k->at.source, sizeof k->at.source, "%s", name);
    notes_source(&k->w->notes, name);
    work_publish(k, true);
    log_event(LOG_INFO, "mirror.source", LOG_STR("server", name));
    return schema_check(k->w->mapping, k->source, e);
}

static bool set_validators(struct work *k, struct err *e)
{
    bson_t collections = BSON_INITIALIZER;
    bool ok = sink_collections(k->sink, &collections, e);

    for (int i = 0; ok && i < k->w->n; i++)
        ok = validator_set(k->w->plans[i], k->source, k->sink, &collections, e);
    bson_destroy(&collections);
    return ok;
}

/* Of what may be kept of pages, what one of the aggregates that have them gets. */
static size_t cache_share(const struct engine *w)
{
    size_t paged = 0;

    for (int i = 0; i < w->n; i++)
        paged += w->plans[i]->a->paged > 0;
    return paged ? w->conf->mirror.page_cache / paged : 0;
}

/* What it needs to know of each aggregate. */
static bool begin_aggregates(struct work *k, struct err *e)
{
    size_t share = cache_share(k->w);

    k->touch = touch_new(k->w->plans, k->w->n);
    if (!k->touch)
        return err_set(e, ERR_IO, "out of memory");
    for (int i = 0; i < k->w->n; i++) {
        const struct plan *p = k->w->plans[i];

        debts_init(&k->debts[i], p);
        k->slices[i] = 0;
        directory_init(&k->directories[i], p->n_key, p->page.n_element, share);
        k->paged |= p->a->paged > 0;
        if (!index_own(p, k->sink, e) || !directory_load(&k->directories[i], p, k->sink, e))
            return false;
    }
    return set_validators(k, e) && work_cascades(k, e);
}

static bool begin_feed(struct work *k, struct err *e)
{
    struct binlog_source at = choose_binlog(k->w->conf, k->server);

    if (!feed_open(&k->feed, &at, &k->at.gtid, k->touch, k->at.xa, e))
        return false;
    work_publish(k, true);
    k->since_ns = clock_mono_ns();
    notes_gtid(&k->w->notes, &k->at.gtid);
    notes_state(&k->w->notes, STATUS_STREAMING, "");
    log_event(LOG_INFO, "mirror.streaming", LOG_STR("server", k->at.source));
    return true;
}

/* Wait for changes, then a little for more of them. */
static bool gather(struct work *k, struct err *e)
{
    const struct conf_mirror *c = &k->w->conf->mirror;
    uint64_t deadline =
        clock_mono_ns() + (k->owing ? c->batch_delay_ns : TICK_MS * CLOCK_NS_PER_MS);
    bool first = !k->owing;

    while (touch_count(k->touch) < c->batch_changes) {
        enum feed_got got = feed_read(&k->feed, deadline, e);

        if (got == FEED_FAILED)
            return false;
        if (got == FEED_IDLE || clock_mono_ns() >= deadline)
            return true;
        if (first && !touch_empty(k->touch)) {
            first = false;
            notes_pending(&k->w->notes, clock_wall_ms());
            deadline = clock_mono_ns() + c->batch_delay_ns;
        }
    }
    return true;
}

static void tell(struct work *k)
{
    touch_tell(k->touch, !k->intact ? TOUCH_BY_ROOT : k->kept ? TOUCH_BY_ELEMENT : TOUCH_BY_ROW);
}

static bool step(struct work *k, struct err *e)
{
    if (touch_empty(k->touch))
        tell(k);
    if (touch_empty(k->touch) && !k->owing && !repair_begin(k, e))
        return false;
    if (!gather(k, e))
        return false;
    if (touch_empty(k->touch) && !k->owing)
        return work_idle(k, e) && repair_end(k, e);
    if (k->feed.first_wall_ms)
        notes_pending(&k->w->notes, k->feed.first_wall_ms);
    return work_batch(k, e) && (k->owing || repair_end(k, e));
}

/* What is said of the lag may still be the last source's. */
static bool had_time(const struct work *k)
{
    return clock_mono_ns() - k->since_ns > STUCK_AFTER_MS * CLOCK_NS_PER_MS;
}

/* Follow the binlog; the end is always an error. */
static bool stream(struct work *k, struct err *e)
{
    while (!notes_wants_rebuild(&k->w->notes, &k->asked)) {
        if (atomic_load(&k->w->stop))
            return err_set(e, ERR_STOPPED, "stopped");
        if (notes_read(&k->w->notes).epoch == 0) { /* the reporter was told */
            (void)err_set(e, ERR_SERVER, "another mirror has taken over");
            e->code = SINK_ERR_FENCED;
            return false;
        }
        if (!step(k, e))
            return false;
        if (touch_empty(k->touch) && notes_take_stuck(&k->w->notes) && had_time(k)) {
            k->avoid = 1u << k->server;
            return err_set(e, ERR_TIMEOUT, "server %s does not follow the primary", k->at.source);
        }
    }
    log_event(LOG_INFO, "mirror.rebuild", LOG_STR("reason", "asked for"));
    return err_set(e, ERR_NONE, "a rebuild is asked for");
}

/* Why a snapshot must come first; NULL: it need not. */
static const char *why_snapshot(const struct work *k, bool lost)
{
    if (!k->at.present)
        return "there is none yet";
    if (k->at.fingerprint != k->w->fingerprint)
        return "the mapping has changed";
    if (lost)
        return "the binlog was purged beyond the checkpoint";
    if (!bson_oid_equal(&k->asked, &k->at.rebuild))
        return "a rebuild is asked for";
    return NULL;
}

/* The checkpoint, and what is asked for; with nobody else at work. */
static bool begin(struct work *k, struct err *e)
{
    struct orders orders;

    notes_state(&k->w->notes, STATUS_CONNECTING, "");
    if (!sink_check(k->sink, e) || !alone(k, e) || !sink_claim(k->sink, &k->w->owner, e) ||
        !checkpoint_load(k->sink, &k->at, e) || !checkpoint_orders(k->sink, &orders, e))
        return false;
    if (notes_read(&k->w->notes).state.now == STATUS_STANDBY)
        notes_state(&k->w->notes, STATUS_CONNECTING, "");
    k->intact = sink_found_intact(k->sink);
    k->is_asked = false;
    k->claimed_ns = clock_mono_ns();
    notes_epoch(&k->w->notes, sink_epoch(k->sink));
    notes_asked(&k->w->notes, &orders);
    k->asked = orders.rebuild;
    return true;
}

/* From the connections to their end, which is always an error; ERR_NONE: at once again. */
static bool once(struct work *k, uint32_t *gone, struct err *e)
{
    const char *why;
    bool lost;

    if (!begin(k, e) || !connect_source(k, *gone, &lost, e))
        return false;
    if (!begin_aggregates(k, e))
        return false;
    why = why_snapshot(k, lost);
    if (why) {
        log_event(LOG_WARN, "mirror.snapshot.why", LOG_STR("reason", why));
        if (!work_snapshot(k, e))
            return false;
        *gone = 0;
    }
    if (!work_indexes(k, e))
        return false;
    if (k->w->once)
        return true;
    return begin_feed(k, e) && stream(k, e);
}

/* The next claim is to know that nothing is half written; without this word it supposes so. */
static void leave(struct work *k)
{
    struct err e;

    if (k->intact && !k->writing && !k->owing && !sink_leave_intact(k->sink, &e))
        log_event(LOG_DEBUG, "mirror.leave", LOG_STR("reason", e.text));
    k->intact = false;
    k->writing = false;
}

static void release(struct work *k)
{
    work_publish(k, false);
    leave(k);
    feed_close(&k->feed);
    work_close_readers(k);
    source_close(k->source);
    source_close(k->before);
    source_close(k->spare);
    touch_free(k->touch);
    for (int i = 0; i < k->w->n; i++) {
        debts_free(&k->debts[i]);
        directory_free(&k->directories[i]);
    }
    k->owing = false;
    cascade_free(k->cascade);
    k->written += sink_written(k->sink);
    sink_close(k->sink);
    k->sink = sink_open(k->w->target);
    k->source = NULL;
    k->before = NULL;
    k->spare = NULL;
    k->kept = false;
    k->touch = NULL;
    k->cascade = NULL;
    notes_pending(&k->w->notes, 0);
}

/* Log what went wrong, once for the same thing. */
static void complain(struct engine *w, const struct err *e, bool fatal)
{
    bool again = strcmp(notes_read(&w->notes).last_error, e->text) == 0;

    log_event(again   ? LOG_DEBUG
              : fatal ? LOG_ERROR
                      : LOG_WARN,
              fatal ? "mirror.stopped" : "mirror.retry", LOG_STR("reason", e->text));
    notes_error(&w->notes, e->text);
    notes_state(&w->notes, fatal ? STATUS_STOPPED : STATUS_RETRYING, e->text);
}

/* Until it may be better; sooner where another rebuild is asked for. */
static void wait_better(struct work *k, unsigned ms)
{
    while (ms > 0 && !notes_wants_rebuild(&k->w->notes, &k->asked)) {
        unsigned step = ms < TICK_MS ? ms : TICK_MS;

        if (!engine_pause(k->w, step))
            return;
        ms -= step;
    }
}

bool engine_run(struct engine *w)
{
    struct work k = {.w = w, .sink = sink_open(w->target)};
    unsigned pause = RETRY_FIRST_MS;
    uint32_t gone = 0;
    bool done = false;

    while (!done && !atomic_load(&w->stop)) {
        struct err e = {.kind = ERR_NONE};
        uint64_t begin = clock_mono_ns();
        bool fatal;

        done = once(&k, &gone, &e);
        release(&k);
        if (done || e.kind == ERR_NONE || atomic_load(&w->stop))
            continue;
        if (e.code == BINLOG_ERR_GONE)
            gone |= 1u << k.server;
        k.fenced = e.code == SINK_ERR_FENCED;
        if (k.fenced)
            notes_epoch(&w->notes, 0);
        fatal = e.kind == ERR_USAGE;
        complain(w, &e, fatal);
        if (w->once)
            break;
        if (clock_mono_ns() - begin > RETRY_MAX_MS * CLOCK_NS_PER_MS)
            pause = RETRY_FIRST_MS;
        wait_better(&k, fatal ? STOPPED_MS : pause);
        pause = pause * 2 < RETRY_MAX_MS ? pause * 2 : RETRY_MAX_MS;
    }
    sink_close(k.sink);
    return done;
}
