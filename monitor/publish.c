/* Judges and publishes, at most once in MONITOR_PUBLISH_MS. */
#include "base/clock.h"
#include "monitor/shared.h"

/* How late a lease that runs out is noticed. */
#define EXPIRY_NS (20 * CLOCK_NS_PER_MS)

/* The next snapshot and a reference for the sink, or NULL. Under the lock. */
static struct topology *next(struct monitor *m)
{
    struct topology *t = board_next(m->board, m->publisher.now, clock_mono_ns());

    m->publisher.dirty = false;
    if (!t)
        return NULL;
    topology_unref(m->publisher.now);
    m->publisher.now = t;
    topology_ref(t);
    if (m->dictionary.awaits_server)
        (void)pthread_cond_signal(&m->dictionary.wake);
    return t;
}

void *publish_run(void *monitor)
{
    struct monitor *m = monitor;
    uint64_t earliest = 0;
    struct topology *t;

    (void)pthread_mutex_lock(&m->lock);
    while (!m->stopping) {
        drain_look(m, clock_mono_ns());
        if (!m->publisher.dirty && (board_may_expire(m->board) || drain_is_on(&m->drain))) {
            shared_wait(m, &m->publisher.wake, clock_mono_ns() + EXPIRY_NS);
            m->publisher.dirty = true;
            continue;
        }
        if (!m->publisher.dirty) {
            (void)pthread_cond_wait(&m->publisher.wake, &m->lock);
            continue;
        }
        if (clock_mono_ns() < earliest) {
            shared_wait(m, &m->publisher.wake, earliest);
            continue;
        }
        earliest = clock_mono_ns() + MONITOR_PUBLISH_MS * CLOCK_NS_PER_MS;
        t = next(m);
        (void)pthread_mutex_unlock(&m->lock);
        if (t)
            m->sink.topology(m->sink.ctx, t);
        (void)pthread_mutex_lock(&m->lock);
    }
    drain_stop(m);
    (void)pthread_mutex_unlock(&m->lock);
    return NULL;
}
