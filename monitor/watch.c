/* One server: probe, note what it said, wait, again.
 *
 * Happy path: the position is asked for at every interval on a connection that stays open, and the
 * state of replication less often. Failures: a connection that broke is opened again at once, so
 * that a KILL of it is not an event; whatever else fails goes to health.c and backoff.c. A server
 * whose answer about replication does not come (STOP SLAVE waits for a long transaction while it
 * holds the lock) has answered for its position: it is up, and is asked again later. */
#include "base/clock.h"
#include "base/log.h"
#include "monitor/backoff.h"
#include "monitor/enrol.h"
#include "monitor/epochs.h"
#include "monitor/shared.h"

#include <string.h>

#define CHANNELS_INTERVAL_NS (200 * CLOCK_NS_PER_MS)
#define DISK_INTERVAL_NS     (1 * CLOCK_NS_PER_S)
#define CHANNELS_PAUSE_NS    (5 * CLOCK_NS_PER_S)
/* Between two probes, however often somebody suspects the server. */
#define SUSPECT_GAP_NS (20 * CLOCK_NS_PER_MS)

struct round {
    struct watch *watch;
    struct facts facts; /* the thread's own copy */
    struct backoff backoff;
    uint64_t channels_at_ns;  /* when replication is to be asked about next */
    int kind_rows;            /* of the answer to galera_kind_sql */
    bool channels_hung;       /* the last such question was not answered */
    uint64_t disk_at_ns;      /* when its disk is to be asked about next */
    struct gtid_set disk_pos; /* facts.binlog_pos of when that was asked last */
    bool disk_waits;          /* a write waited for room then */
    bool disk_full;           /* … for a second, in which no other was written */
    const char *bad;          /* what is wrong with an answer, or NULL */
    bool got_row;
    bool news; /* `facts` hold what the board does not know yet */
};

static bool on_position(void *ctx, const struct probe_row *row)
{
    struct round *r = ctx;

    r->got_row = true;
    (void)!facts_take_position(&r->facts, row, &r->bad);
    return false;
}

static bool on_channel(void *ctx, const struct probe_row *row)
{
    struct round *r = ctx;

    facts_take_channel(&r->facts, row);
    return true;
}

static enum probe_result ask_epochs(struct round *r, struct probe_answer *a)
{
    struct monitor *m = r->watch->monitor;
    const struct epochs_terms t = {.id = m->id, .left = m->sink.left, .ctx = m->sink.ctx};

    return m->conf->failover.enabled ? epochs_ask(r->watch->probe, &t, &r->facts, a) : PROBE_OK;
}

/* ---- Galera ---- */

static bool on_kind(void *ctx, const struct probe_row *row)
{
    struct round *r = ctx;

    (void)row;
    r->kind_rows++;
    return true;
}

static bool on_galera(void *ctx, const struct probe_row *row)
{
    struct galera_state *g = ctx;

    galera_take_status(g, row);
    return true;
}

/* On a new connection: what is behind it may be another server than before. */
static enum probe_result ask_kind(struct round *r, struct probe_answer *a)
{
    struct galera_state *g = &r->facts.galera;

    r->kind_rows = 0;
    if (probe_ask(r->watch->probe, galera_kind_sql, on_kind, r, a) != PROBE_OK)
        return a->result;
    g->on = galera_is_node(r->kind_rows);
    g->current = false;
    return g->on ? probe_ask(r->watch->probe, galera_dirty_sql, NULL, NULL, a) : PROBE_OK;
}

/* A node that was cut off or frozen believes for a moment that it still takes part: it must prove
 * it. */
static enum probe_result ask_current(struct round *r, struct galera_state *g,
                                     struct probe_answer *a)
{
    if (!galera_is_well(g))
        g->current = false;
    if (g->current || !galera_is_well(g))
        return PROBE_OK;
    if (probe_ask(r->watch->probe, galera_barrier_sql, NULL, NULL, a) == PROBE_DENIED)
        return a->result = PROBE_OK; /* not ready after all */
    g->current = a->result == PROBE_OK;
    g->came_ns = r->facts.known ? clock_mono_ns() : 0;
    return a->result;
}

static enum probe_result ask_galera(struct round *r, struct probe_answer *a)
{
    struct galera_state g = r->facts.galera;

    if (!g.on)
        return PROBE_OK;
    if (probe_ask(r->watch->probe, galera_status_sql, on_galera, &g, a) != PROBE_OK)
        return a->result;
    if (ask_current(r, &g, a) == PROBE_OK)
        r->facts.galera = g;
    return a->result;
}

/* Under the lock. */
static void tell_facts(struct round *r)
{
    struct monitor *m = r->watch->monitor;

    if (!r->news)
        return;
    r->news = false;
    m->board->facts[r->watch->index] = r->facts;
    shared_changed(m);
}

/* Before a question that may take its time. */
static void tell_facts_now(struct round *r)
{
    struct monitor *m = r->watch->monitor;

    (void)pthread_mutex_lock(&m->lock);
    tell_facts(r);
    (void)pthread_mutex_unlock(&m->lock);
}

/* ---- a full disk ---- */

static bool on_waiting(void *ctx, const struct probe_row *row)
{
    (void)row;
    *(bool *)ctx = true;
    return false;
}

static enum probe_result ask_for_room(struct round *r, struct probe_answer *a)
{
    bool waited = r->disk_waits;

    r->disk_waits = false;
    if (probe_ask(r->watch->probe, facts_full_disk_sql, on_waiting, &r->disk_waits, a) != PROBE_OK)
        return a->result;
    r->disk_full = waited && r->disk_waits && gtid_set_equal(&r->disk_pos, &r->facts.binlog_pos);
    r->disk_pos = r->facts.binlog_pos;
    r->disk_at_ns = clock_mono_ns() + DISK_INTERVAL_NS;
    return PROBE_OK;
}

/* A server whose disk is full answers no write, which is as good as no answer: what it says beside
 * that does not count, so that its lease ends. Without failover there is nobody to go to instead.
 */
static enum probe_result ask_disk(struct round *r, struct probe_answer *a)
{
    if (!r->watch->monitor->conf->failover.enabled)
        return PROBE_OK;
    if (clock_mono_ns() >= r->disk_at_ns && ask_for_room(r, a) != PROBE_OK)
        return a->result;
    if (r->disk_full) {
        a->result = PROBE_TIMEOUT;
        (void)snprintf(a->why, sizeof a->why,
                       "its disk is full: writes wait for somebody to free space");
    }
    return a->result;
}

/* What sessions say of it; with failover off there is nobody to go to instead. */
static enum probe_result ask_doubt(struct round *r, struct probe_answer *a)
{
    struct doubt *d = &r->watch->doubt;
    enum probe_result result;

    if (!r->watch->monitor->conf->failover.enabled)
        return PROBE_OK;
    if (r->facts.galera.on)
        d->no_room = false; /* a table for it would be made on all nodes */
    result = doubt_ask(d, clock_mono_ns(), a);
    r->facts.room_ns = d->room_ns;
    return result;
}

static enum probe_result ask_position(struct round *r, struct probe_answer *a)
{
    uint64_t before = clock_mono_ns();

    r->got_row = false;
    r->bad = NULL;
    if (probe_ask(r->watch->probe, facts_position_sql, on_position, r, a) != PROBE_OK)
        return a->result;
    if (!r->got_row)
        r->bad = "its answer is not MariaDB's";
    if (r->bad) {
        a->result = PROBE_DENIED;
        (void)snprintf(a->why, sizeof a->why, "%s", r->bad);
        return a->result;
    }
    if (ask_epochs(r, a) != PROBE_OK)
        return a->result;
    r->facts.sampled_ns = before;
    r->facts.capabilities = probe_capabilities(r->watch->probe);
    r->news = r->facts.known;
    return PROBE_OK;
}

static enum probe_result ask_channels(struct round *r, struct probe_answer *a)
{
    struct facts before = r->facts;
    uint64_t now = clock_mono_ns();

    tell_facts_now(r);
    r->facts.channel_count = 0;
    if (probe_ask(r->watch->probe, facts_channels_sql, on_channel, r, a) == PROBE_OK) {
        uint64_t interval = r->watch->monitor->conf->monitor.interval_ns;

        r->facts.known = true;
        r->channels_hung = false;
        facts_note_connecting(&r->facts, &before, now);
        r->channels_at_ns =
            now + (interval > CHANNELS_INTERVAL_NS ? interval : CHANNELS_INTERVAL_NS);
        r->news = true;
        return PROBE_OK;
    }
    r->facts = before;
    if (a->result != PROBE_TIMEOUT || !r->facts.known)
        return a->result;
    r->channels_hung = true;
    r->channels_at_ns = clock_mono_ns() + CHANNELS_PAUSE_NS;
    log_event(LOG_DEBUG, "server.replication_unknown",
              LOG_STR("server", r->watch->monitor->conf->servers[r->watch->index].name));
    a->result = PROBE_OK;
    return PROBE_OK;
}

static enum probe_result probe_once(struct round *r, struct probe_answer *a)
{
    bool fresh = !probe_is_open(r->watch->probe);

    if (probe_open(r->watch->probe, a) != PROBE_OK)
        return a->result;
    if (fresh && !r->channels_hung) /* it may have been restarted */
        r->channels_at_ns = 0;
    if ((fresh && ask_kind(r, a) != PROBE_OK) || ask_galera(r, a) != PROBE_OK)
        return a->result;
    if (ask_doubt(r, a) != PROBE_OK || ask_disk(r, a) != PROBE_OK || ask_position(r, a) != PROBE_OK)
        return a->result;
    if (clock_mono_ns() < r->channels_at_ns)
        return PROBE_OK;
    return ask_channels(r, a);
}

static void note_health(struct round *r, const struct probe_answer *a)
{
    struct monitor *m = r->watch->monitor;
    struct health *h = &m->board->health[r->watch->index];
    struct health before = *h;

    health_note(h, a, board_patience(m->board, r->watch->index));
    if (h->now != before.now || h->refused != before.refused)
        shared_changed(m);
}

/* Until the next probe is due, somebody suspects the server, or the monitor stops. Pauses end on
 * the clock's multiples of themselves: servers that are well are asked at the same time, and one
 * judgement serves for all. Under the lock. */
static void wait_for_next(struct watch *w, uint64_t begun, uint64_t pause)
{
    uint64_t least = pause < SUSPECT_GAP_NS ? pause : SUSPECT_GAP_NS;
    uint64_t due = begun - begun % pause + pause;

    while (!w->monitor->stopping) {
        uint64_t at_ns = w->suspected && begun + least < due ? begun + least : due;

        if (clock_mono_ns() >= at_ns)
            break;
        shared_wait(w->monitor, &w->wake, at_ns);
    }
    w->suspected = false;
    doubt_note(&w->doubt, w->suspicions);
    w->suspicions = 0;
}

static bool is_stopping(struct monitor *m)
{
    bool stopping;

    (void)pthread_mutex_lock(&m->lock);
    stopping = m->stopping;
    (void)pthread_mutex_unlock(&m->lock);
    return stopping;
}

void *watch_run(void *watch)
{
    struct watch *w = watch;
    struct round r = {.watch = w};
    uint64_t interval = w->monitor->conf->monitor.interval_ns;
    struct probe_answer a;
    bool stopping = false;

    while (!stopping) {
        uint64_t begun = clock_mono_ns();
        bool was_open = probe_is_open(w->probe);

        if (probe_once(&r, &a) == PROBE_LOST && was_open && !is_stopping(w->monitor))
            (void)probe_once(&r, &a);
        if (a.result == PROBE_DENIED)
            probe_close(w->probe); /* rights that are granted meanwhile hold for new connections */
        (void)pthread_mutex_lock(&w->monitor->lock);
        tell_facts(&r);
        note_health(&r, &a);
        wait_for_next(w, begun, backoff_next(&r.backoff, a.result, interval));
        stopping = w->monitor->stopping;
        (void)pthread_mutex_unlock(&w->monitor->lock);
    }
    if (w->monitor->leaving && r.facts.row.epoch)
        enrol_end(w->probe, w->monitor->id);
    probe_close(w->probe);
    return NULL;
}
