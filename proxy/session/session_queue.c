#include "proxy/session/session_queue.h"

#include "proxy/session/session_steps.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"

enum { OPENING_MAX = 16 };

/* Another worker's first must have waited for so much longer than this worker's own to be served
 * before it; and no more than one connection goes over in the other time, for each costs a log-in,
 * and what it changes is seen later. */
#define PATIENCE_NS (50 * CLOCK_NS_PER_MS)
#define PAUSE_NS    (200 * CLOCK_NS_PER_MS)
/* A connection that many share is given up later: all that ride there must first be through. */
#define BOARDING_PATIENCE_NS (500 * CLOCK_NS_PER_MS)

static struct session_queue *queue_of(struct worker *w, int server)
{
    return &w->queues.of[server];
}

static struct server_load *load_of(const struct worker *w, int server)
{
    return &w->shared->loads[server];
}

static void tell_since(struct session_queue *q)
{
    atomic_store_explicit(&q->since_ns, q->head ? q->head->place.since_ns : 0,
                          memory_order_relaxed);
}

static void join(struct session *s, int server)
{
    struct session_queue *q = queue_of(s->worker, server);

    assert(!s->place.waits);
    s->place = (struct queue_place){
        .prev = q->tail, .since_ns = worker_now_ns(), .server = server, .waits = true};
    if (q->tail)
        q->tail->place.next = s;
    else
        q->head = s;
    q->tail = s;
    tell_since(q);
    atomic_fetch_add(&load_of(s->worker, server)->waiting, 1);
    metric_add(&s->worker->shared->metrics, METRIC_WAITED, 1);
}

void session_queue_leave(struct session *s)
{
    struct queue_place *p = &s->place;
    struct session_queue *q = queue_of(s->worker, p->server);

    if (!p->waits)
        return;
    if (p->prev)
        p->prev->place.next = p->next;
    else
        q->head = p->next;
    if (p->next)
        p->next->place.prev = p->prev;
    else
        q->tail = p->prev;
    p->waits = false;
    tell_since(q);
    atomic_fetch_sub(&load_of(s->worker, p->server)->waiting, 1);
}

/* ---- between workers ---- */

struct turn_message {
    struct message message;
    int server;
};

static bool others_wait(struct worker *w, int server)
{
    return !queue_of(w, server)->head && atomic_load(&load_of(w, server)->waiting) > 0;
}

/* Whether a server's connections are all there may be. */
static bool is_full(const struct worker *w, int server)
{
    uint32_t most = w->topology->servers[server].max_connections;

    return most > 0 && atomic_load(&load_of(w, server)->connections) >= (int)most;
}

/* Close idle connections that sessions of other workers wait for; whether there were any. */
static bool spare(struct worker *w, int server)
{
    int left = is_full(w, server) && others_wait(w, server)
                   ? atomic_load(&load_of(w, server)->waiting)
                   : 0;
    bool any = false;

    for (; left > 0; left--) {
        struct backend *b = pool_take_oldest(&w->pool, server, session_awaited_before_ns(w));

        if (!b)
            break;
        session_give_up(b);
        any = true;
    }
    return any;
}

static void on_turn(struct message *m, void *receiver);

/* Whoever has not yet come to what he was told before need not be told again. */
static void tell_others(struct worker *w, int server)
{
    for (int i = 0; i < w->shared->worker_count; i++) {
        struct worker *other = &w->shared->workers[i];
        struct turn_message *t;

        if (other == w || atomic_exchange(&queue_of(other, server)->told, true))
            continue;
        t = calloc(1, sizeof *t);
        if (!t) { /* without memory the next tick does it */
            atomic_store(&queue_of(other, server)->told, false);
            continue;
        }
        t->message.run = on_turn;
        t->server = server;
        worker_send(other, &t->message);
    }
}

static void on_turn(struct message *m, void *receiver)
{
    struct turn_message *t = (struct turn_message *)(void *)m;
    int server = t->server;

    free(t);
    atomic_store(&queue_of(receiver, server)->told, false);
    session_queue_serve(receiver, server);
    if (spare(receiver, server))
        tell_others(receiver, server);
}

static uint64_t waited_ns(uint64_t since_ns, uint64_t now_ns)
{
    return since_ns && since_ns < now_ns ? now_ns - since_ns : 0;
}

/* When the first of the other workers' sessions joined; 0: none waits. */
static uint64_t first_elsewhere(const struct worker *w, int server)
{
    uint64_t first = 0;

    for (int i = 0; i < w->shared->worker_count; i++) {
        const struct session_queue *q = queue_of(&w->shared->workers[i], server);
        uint64_t since_ns = atomic_load_explicit(&q->since_ns, memory_order_relaxed);

        if (i != w->index && since_ns && (!first || since_ns < first))
            first = since_ns;
    }
    return first;
}

static bool owes(struct worker *w, int server, uint64_t patience_ns)
{
    const struct session_queue *q = queue_of(w, server);
    uint64_t now_ns;
    uint64_t own_ns;

    if (atomic_load_explicit(&load_of(w, server)->waiting, memory_order_relaxed) == 0 ||
        !is_full(w, server))
        return false;
    now_ns = worker_now_ns();
    own_ns = q->head ? waited_ns(q->head->place.since_ns, now_ns) : 0;
    return now_ns - q->handed_ns > PAUSE_NS &&
           waited_ns(first_elsewhere(w, server), now_ns) > own_ns + patience_ns;
}

bool session_queue_owes(struct worker *w, int server)
{
    return owes(w, server, PATIENCE_NS);
}

bool session_queue_lets_board(const struct session *s, int server)
{
    struct worker *w = s->worker;

    return atomic_load_explicit(&load_of(w, server)->waiting, memory_order_relaxed) == 0 ||
           (queue_of(w, server)->head == s && !owes(w, server, BOARDING_PATIENCE_NS));
}

void session_queue_hand_over(struct worker *w, int server)
{
    queue_of(w, server)->handed_ns = worker_now_ns();
    tell_others(w, server);
}

/* ---- opening ---- */

/* Whether the server may have one more; it counts from now on. */
static bool take_slot(struct worker *w, int server)
{
    uint32_t most = w->topology->servers[server].max_connections;
    atomic_int *count = &load_of(w, server)->connections;

    if (atomic_fetch_add(count, 1) < (int)most || most == 0)
        return true;
    atomic_fetch_sub(count, 1);
    return false;
}

/* One of another account makes way, now or soon. */
static bool make_way(struct worker *w, int server)
{
    struct backend *b = pool_take_oldest(&w->pool, server, session_awaited_before_ns(w));

    if (b)
        session_give_up(b);
    return b != NULL;
}

/* In a slot that was taken; that is free again where memory or the system refuses. */
static struct backend *open_one(struct worker *w, int server, struct identity *identity)
{
    struct backend *b = worker_connect(w, server, identity);

    metric_add(&w->shared->metrics, METRIC_BACKEND_CONNECTS, 1);
    if (!b) {
        atomic_fetch_sub(&load_of(w, server)->connections, 1);
        return NULL;
    }
    b->slot = load_of(w, server);
    b->opening = true;
    queue_of(w, server)->opening++;
    return b;
}

static bool opens_enough(struct worker *w, int server)
{
    return queue_of(w, server)->opening >= OPENING_MAX;
}

struct backend *session_queue_open_ahead(struct worker *w, int server, struct identity *identity)
{
    if (atomic_load(&load_of(w, server)->waiting) > 0 || opens_enough(w, server) ||
        !take_slot(w, server))
        return NULL;
    return open_one(w, server, identity);
}

void session_queue_opened(struct worker *w, struct backend *b)
{
    if (!b->opening)
        return;
    b->opening = false;
    queue_of(w, b->server)->opening--;
}

/* The best that can be had now, NULL without memory for it. False: there is none now. */
static bool get_one(struct session *s, int server, struct backend **b)
{
    struct worker *w = s->worker;
    bool fresh = s->run.log_in && s->identity->unchecked; /* the log-in itself is the check */

    *b = fresh ? NULL : session_take_idle(s, server, false);
    if (*b)
        return true;
    if (opens_enough(w, server))
        return false;
    if (!take_slot(w, server)) {
        *b = fresh ? NULL : session_take_idle(s, server, true);
        if (*b)
            return true;
        if (!make_way(w, server) || !take_slot(w, server))
            return false;
    }
    *b = open_one(w, server, s->identity);
    if (*b)
        session_hold(s, *b);
    return true;
}

struct backend *session_queue_connect(struct session *s, int server)
{
    struct worker *w = s->worker;
    struct session_queue *q = queue_of(w, server);
    bool turn = !q->head || q->head == s;
    struct backend *b = NULL;

    if (turn && get_one(s, server, &b)) {
        session_queue_leave(s);
        return b;
    }
    if (!s->place.waits) {
        join(s, server);
        tell_others(w, server);
    }
    return NULL;
}

/* ---- serving ---- */

/* A session that is served may give a connection back, or fail, and so call this again: one loop
 * serves all. */
void session_queue_serve(struct worker *w, int server)
{
    struct session_queue *q = queue_of(w, server);
    struct session *s;

    if (q->serving)
        return;
    q->serving = true;
    do {
        s = q->head;
        if (s)
            session_step(s);
    } while (q->head && q->head != s);
    q->serving = false;
    if (others_wait(w, server))
        tell_others(w, server);
}

void session_queue_tick(struct worker *w)
{
    for (int i = 0; i < w->topology->count; i++) {
        if (queue_of(w, i)->head)
            session_queue_serve(w, i);
        if (spare(w, i))
            tell_others(w, i);
    }
}
