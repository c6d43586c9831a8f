#include "proxy/session/session_wait.h"

#include "base/clock.h"
#include "proxy/session/session.h"

/* With less than this part of its time left nobody asks: it is as good as over. */
enum { LEFT_PART = 16 };

static struct waits *waits_at(const struct session *s, int server)
{
    return &s->worker->waits.of[server];
}

static void count_busy(const struct session *s, int n)
{
    (void)atomic_fetch_add_explicit(&s->worker->shared->loads[s->wait.server].busy, n,
                                    memory_order_relaxed);
}

static struct session *session_of(struct waiter *w)
{
    return (struct session *)(void *)((uint8_t *)w - offsetof(struct session, wait.waiter));
}

/* Those that join again do so behind the last of these. */
static void wake_all(struct waits *q)
{
    for (unsigned n = waits_count(q); n > 0 && q->head; n--) {
        struct session *s = session_of(q->head);

        session_wait_leave(s);
        session_step(s);
    }
}

static void on_idle(uv_idle_t *handle)
{
    struct session_waits *all = handle->data;
    uint32_t over = all->over;

    (void)uv_idle_stop(handle);
    all->over = 0;
    for (; over; over &= over - 1)
        wake_all(&all->of[__builtin_ctz(over)]);
}

bool session_waits_init(struct session_waits *all, uv_loop_t *loop)
{
    all->idle.data = all;
    return uv_idle_init(loop, &all->idle) == 0;
}

void session_waits_close(struct session_waits *all)
{
    uv_close((uv_handle_t *)&all->idle, NULL);
}

bool session_waits(const struct session *s)
{
    return s->wait.waiter.role == WAIT_WAITS;
}

static uint64_t limit_ns(const struct session *s)
{
    return s->worker->conf->routing.wait_timeout_ns;
}

/* Of the time that it may wait at replicas until it tries elsewhere. */
static uint64_t left_ns(const struct session *s)
{
    uint64_t waited_ns = s->run.wait_since_ns ? worker_now_ns() - s->run.wait_since_ns : 0;

    return waited_ns < limit_ns(s) ? limit_ns(s) - waited_ns : 0;
}

bool session_wait_joins(struct session *s)
{
    int server = s->run.route.server;

    if (!s->run.route.wait || s->worker->topology->galera ||
        !waits_may_join(waits_at(s, server), &s->causal.need))
        return false;
    if (!s->run.wait_since_ns) {
        s->run.wait_since_ns = worker_now_ns();
        metric_add(&s->worker->shared->metrics, METRIC_WAITS_SHARED, 1);
    }
    s->wait.server = server;
    waits_join(waits_at(s, server), &s->wait.waiter, &s->causal.need);
    count_busy(s, 1);
    s->deadline_ns = s->run.wait_since_ns + limit_ns(s);
    return true;
}

bool session_wait_is_over(const struct session *s)
{
    return s->run.route.wait && s->run.wait_since_ns && left_ns(s) <= limit_ns(s) / LEFT_PART;
}

uint64_t session_wait_asks(struct session *s, struct gtid_set *position)
{
    int server = s->run.route.server;

    if (waits_ask(waits_at(s, server), &s->wait.waiter, &s->causal.need, position)) {
        s->wait.server = server;
        s->worker->waits.asked_ns[server] = clock_mono_ns();
    }
    return left_ns(s);
}

/* Nobody else looks at the worker's own copy: it may change. False: no memory. */
static bool own_topology(struct worker *w)
{
    struct topology *own = w->waits.own_topology ? NULL : topology_copy(w->topology);

    if (!own)
        return w->waits.own_topology;
    own->epoch = w->topology->epoch;
    topology_unref(w->topology);
    w->topology = own;
    w->waits.own_topology = true;
    return true;
}

/* The server has that position, which its next sample will show. One that is not what it was when
 * it was asked may have come back with less. */
static void note_position(struct worker *w, int server, const struct gtid_set *position)
{
    const struct server_view *v = &w->topology->servers[server];

    if (v->since_ns < w->waits.asked_ns[server] && !gtid_set_covers(&v->position, position) &&
        own_topology(w))
        (void)!gtid_set_merge(&w->topology->servers[server].position, position);
}

void session_wait_reached(struct session *s, struct span position)
{
    int server = s->wait.server;
    struct gtid_set there;

    if (s->wait.waiter.role != WAIT_ASKS)
        return;
    note_position(s->worker, server, &waits_at(s, server)->asked);
    if (gtid_set_parse(position, &there))
        note_position(s->worker, server, &there);
    session_wait_leave(s);
}

/* Those that waited for its question look anew, but not from inside the caller. */
static void end_question(struct session *s)
{
    struct session_waits *all = &s->worker->waits;

    if (!all->of[s->wait.server].head)
        return;
    all->over |= UINT32_C(1) << s->wait.server;
    (void)uv_idle_start(&all->idle, on_idle); /* fails only without a callback */
}

void session_wait_leave(struct session *s)
{
    enum wait_role role = s->wait.waiter.role;

    if (role == WAIT_NONE)
        return;
    waits_leave(waits_at(s, s->wait.server), &s->wait.waiter);
    if (role == WAIT_ASKS) {
        end_question(s);
        return;
    }
    count_busy(s, -1);
    s->deadline_ns = 0;
}
