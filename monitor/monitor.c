#include "monitor/monitor.h"

#include "base/clock.h"
#include "monitor/shared.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Static_assert((int)CONF_SERVERS_MAX <= (int)SERVERS_MAX, "every configured server has a place");

struct probe *shared_probe(const struct monitor *m, int i, uint64_t timeout_ns)
{
    const struct conf_monitor *c = &m->conf->monitor;
    struct probe_target t = {m->conf->servers[i].address, c->user, c->password,
                             &m->conf->servers_tls, timeout_ns};

    return probe_new(&t);
}

void shared_wait(struct monitor *m, pthread_cond_t *cond, uint64_t at_ns)
{
    struct timespec at = {.tv_sec = (time_t)(at_ns / CLOCK_NS_PER_S),
                          .tv_nsec = (long)(at_ns % CLOCK_NS_PER_S)};

    (void)pthread_cond_timedwait(cond, &m->lock, &at);
}

void shared_changed(struct monitor *m)
{
    if (!m->publisher.dirty)
        (void)pthread_cond_signal(&m->publisher.wake);
    m->publisher.dirty = true;
}

void shared_init_cond(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &attr);
    (void)pthread_condattr_destroy(&attr);
}

static void free_probes(struct monitor *m)
{
    for (int i = 0; i < SERVERS_MAX; i++) {
        probe_free(m->watches[i].probe);
        probe_free(m->watches[i].doubt.probe);
        probe_free(m->dictionary.probes[i]);
    }
}

static void free_monitor(struct monitor *m)
{
    free_probes(m);
    acting_free(m);
    topology_unref(m->publisher.now);
    catalog_unref(m->dictionary.now);
    board_free(m->board);
    for (int i = 0; i < SERVERS_MAX; i++)
        (void)pthread_cond_destroy(&m->watches[i].wake);
    (void)pthread_cond_destroy(&m->publisher.wake);
    (void)pthread_cond_destroy(&m->dictionary.wake);
    (void)pthread_mutex_destroy(&m->lock);
    conf_unref(m->conf);
    free(m);
}

static bool fill(struct monitor *m)
{
    uint64_t timeout_ns = m->conf->monitor.timeout_ns;

    m->board = board_new(m->conf);
    m->publisher.now = m->board ? board_first(m->board) : NULL;
    for (int i = 0; m->publisher.now && i < m->board->count; i++) {
        m->watches[i].probe = shared_probe(m, i, timeout_ns);
        m->watches[i].doubt =
            (struct doubt){.probe = shared_probe(m, i, timeout_ns), .open = m->watches[i].probe};
        m->dictionary.probes[i] = shared_probe(m, i, timeout_ns);
        if (!m->watches[i].probe || !m->watches[i].doubt.probe || !m->dictionary.probes[i])
            return false;
    }
    return m->publisher.now && acting_init(m);
}

static struct monitor *new_monitor(struct conf *c, const struct monitor_sink *sink, uint64_t id)
{
    struct monitor *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->conf = conf_ref(c);
    m->sink = *sink;
    m->id = id;
    (void)pthread_mutex_init(&m->lock, NULL);
    shared_init_cond(&m->publisher.wake);
    shared_init_cond(&m->dictionary.wake);
    for (int i = 0; i < SERVERS_MAX; i++) {
        shared_init_cond(&m->watches[i].wake);
        m->watches[i].monitor = m;
        m->watches[i].index = i;
    }
    if (fill(m))
        return m;
    free_monitor(m);
    return NULL;
}

static bool start_threads(struct monitor *m)
{
    struct publisher *p = &m->publisher;
    struct dictionary *d = &m->dictionary;

    p->started = pthread_create(&p->thread, NULL, publish_run, m) == 0;
    d->started = p->started && pthread_create(&d->thread, NULL, dictionary_run, m) == 0;
    for (int i = 0; d->started && i < m->board->count; i++) {
        struct watch *w = &m->watches[i];

        w->started = pthread_create(&w->thread, NULL, watch_run, w) == 0;
        if (!w->started)
            return false;
    }
    return d->started && acting_start(m);
}

struct monitor *monitor_start(struct conf *c, const struct monitor_sink *sink, uint64_t id,
                              uint32_t resting, struct err *e)
{
    struct monitor *m;

    assert(c->monitor.present);
    if (!probe_library_init(e))
        return NULL;
    m = new_monitor(c, sink, id);
    if (!m) {
        (void)err_set(e, ERR_IO, "no memory for the monitor");
        return NULL;
    }
    m->board->resting = resting;
    topology_ref(m->publisher.now);
    sink->topology(sink->ctx, m->publisher.now);
    if (start_threads(m))
        return m;
    (void)monitor_stop(m, true);
    (void)err_set(e, ERR_IO, "the system refuses threads for the monitor");
    return NULL;
}

void monitor_suspect(struct monitor *m, int server, enum suspicion why)
{
    struct watch *w = &m->watches[server];

    assert(server >= 0 && server < m->board->count);
    (void)pthread_mutex_lock(&m->lock);
    w->suspected = true;
    w->suspicions |= 1u << why;
    (void)pthread_cond_signal(&w->wake);
    (void)pthread_mutex_unlock(&m->lock);
}

static void wake_all(struct monitor *m, bool leaving)
{
    (void)pthread_mutex_lock(&m->lock);
    m->stopping = true;
    m->leaving = leaving;
    (void)pthread_cond_signal(&m->publisher.wake);
    (void)pthread_cond_signal(&m->dictionary.wake);
    for (int i = 0; i < m->board->count; i++)
        (void)pthread_cond_signal(&m->watches[i].wake);
    (void)pthread_mutex_unlock(&m->lock);
    for (int i = 0; i < m->board->count; i++) {
        if (!leaving)
            probe_cut(m->watches[i].probe);
        probe_cut(m->watches[i].doubt.probe);
        probe_cut(m->dictionary.probes[i]);
    }
    acting_cut(m);
}

uint32_t monitor_stop(struct monitor *m, bool leaving)
{
    uint32_t resting;

    wake_all(m, leaving);
    for (int i = 0; i < m->board->count; i++)
        if (m->watches[i].started)
            (void)pthread_join(m->watches[i].thread, NULL);
    acting_join(m);
    if (m->dictionary.started)
        (void)pthread_join(m->dictionary.thread, NULL);
    if (m->publisher.started)
        (void)pthread_join(m->publisher.thread, NULL);
    resting = m->board->resting;
    free_monitor(m);
    return resting;
}
