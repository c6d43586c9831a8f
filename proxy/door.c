#include "proxy/door.h"

#include "base/clock.h"

#include <unistd.h>

/* The worker with the fewest sessions, rather `own` than another. */
static struct worker *least_loaded(struct worker *own)
{
    struct worker *best = own;

    for (int i = 0; i < own->shared->worker_count; i++) {
        struct worker *w = &own->shared->workers[i];

        if (atomic_load(&w->session_count) < atomic_load(&best->session_count))
            best = w;
    }
    return best;
}

/* "Too many connections", as MariaDB says it before any greeting. */
static void turn_away(const struct client_socket *c)
{
    struct buf b = buf_with_max(64);
    size_t at = packet_begin(&b);

    error_encode(&b, ER_CON_COUNT_ERROR, "08004", "Too many connections");
    packet_end(&b, at, 0);
    (void)!write(c->fd, b.data, b.len);
    buf_free(&b);
    client_socket_drop(c);
}

/* Handed to the workers, so that a flood is counted before they have seen it. */
static unsigned sessions_open(const struct shared *shared)
{
    int open = 0;

    for (int i = 0; i < shared->worker_count; i++)
        open += atomic_load(&shared->workers[i].session_count);
    return (unsigned)open;
}

static bool is_full(const struct worker *w, int listener)
{
    uint32_t max = w->conf->listeners[listener].max_sessions;

    return sessions_open(w->shared) >= w->conf->limits.max_sessions ||
           (max && (unsigned)atomic_load(&w->shared->seats[listener]) >= max);
}

void door_enter(struct worker *w, struct log_limit *full, const struct client_socket *c)
{
    struct worker *best = least_loaded(w);

    if (is_full(w, c->listener)) {
        log_limit_tell(full, "listener.full", clock_mono_ns());
        if (log_limit_passes(full, clock_mono_ns()))
            log_event(LOG_WARN, "listener.full", LOG_STR("address", c->address),
                      LOG_NUM("sessions", sessions_open(w->shared)));
        metric_add(&w->shared->metrics, METRIC_TURNED_AWAY, 1);
        turn_away(c);
    } else if (best == w) {
        worker_take_client(w, c);
    } else {
        worker_send_client(best, c);
    }
}
