#include "proxy/worker.h"

#include "base/clock.h"
#include "proxy/listener.h"
#include "proxy/session/session_kill.h"
#include "proxy/transport/outbox.h"

#include <stdio.h>
#include <stdlib.h>

enum { JANITOR_MS = 100, POOL_IDLE_MAX = 512 };

static void each_session(struct worker *w, void (*visit)(struct session *s))
{
    struct session *next;

    for (struct session *s = w->sessions; s; s = next) {
        next = s->next;
        visit(s);
    }
}

static void drop_dead_idle(struct worker *w)
{
    for (int i = 0; i < w->topology->count; i++)
        if (w->topology->servers[i].health == HEALTH_DOWN ||
            w->topology->servers[i].health == HEALTH_TIMEOUT)
            pool_drop(&w->pool, i);
}

static void set_topology(struct worker *w, struct topology *t)
{
    unsigned resting = 0;

    if (!t)
        return;
    topology_unref(w->topology);
    w->topology = t;
    w->waits.own_topology = false;
    for (int i = 0; i < t->count; i++)
        resting |= (unsigned)t->servers[i].resting << i;
    atomic_store(&w->resting, resting);
}

/* Idle connections to servers in maintenance go, those that a session awaits a while later. */
static void leave_resting(struct worker *w)
{
    uint64_t awaited_before_ns = session_awaited_before_ns(w);
    struct backend *b;

    for (int i = 0; i < w->topology->count; i++)
        while (w->topology->servers[i].resting &&
               (b = pool_take_oldest(&w->pool, i, awaited_before_ns)))
            session_give_up(b);
}

/* Other workers' sessions may go on, as far as this one's are concerned. */
static void tell_looked(struct worker *w)
{
    uint64_t newest_ns = 0;

    for (int i = 0; i < w->topology->count; i++)
        if (newest_ns < w->topology->servers[i].since_ns)
            newest_ns = w->topology->servers[i].since_ns;
    atomic_store(&w->looked_ns, newest_ns);
    atomic_store(&w->left, w->topology->left);
}

void worker_look_at_positions(struct worker *w)
{
    struct topology *t = newest_take_like(&w->newest, w->topology);

    set_topology(w, t);
    if (t)
        tell_looked(w);
}

/* All sessions know what they have lost before the first of them goes on. */
static void on_topology(struct worker *w)
{
    struct topology *t = newest_take(&w->newest);
    bool differs = t && newest_differs(w->topology, t);

    set_topology(w, t);
    if (differs) {
        drop_dead_idle(w);
        each_session(w, session_topology_changed);
    }
    tell_looked(w);
    if (differs)
        each_session(w, session_step);
}

static uint64_t ago(uint64_t now, uint64_t ns)
{
    return now > ns ? now - ns : 0;
}

static void trim_pool(struct worker *w, uint64_t now)
{
    const struct conf_pool *conf = &w->conf->pool;
    struct pool_keep keep = {.used_since_ns = ago(now, conf->idle_ns), .min_idle = warm_share(w)};

    if (conf->max_age_ns)
        keep.opened_since_ns = ago(now, conf->max_age_ns);
    pool_trim(&w->pool, &keep);
}

/* Deadlines of all sessions and the age of idle connections, by one timer. */
static void on_janitor(uv_timer_t *timer)
{
    struct worker *w = timer->data;
    uint64_t now = worker_now_ns();
    struct session *next;

    for (struct session *s = w->sessions; s; s = next) {
        next = s->next;
        if (s->deadline_ns && s->deadline_ns <= now)
            session_timeout(s);
        else if (w->drain_deadline_ns && w->drain_deadline_ns <= now)
            session_end(s, ER_SERVER_SHUTDOWN, "08S01", "Server shutdown in progress");
        else
            session_check_stall(s, now);
    }
    on_topology(w);
    log_limit_tell(&w->faults, SESSION_FAULT_EVENT, now);
    trim_pool(w, now);
    leave_resting(w);
    session_queue_tick(w);
    warm_tick(w, now);
    session_kill_trim(w, ago(now, w->conf->limits.connect_timeout_ns));
    if (w->drain_deadline_ns && !w->sessions)
        uv_stop(&w->loop);
}

/* Statements that wait for a server, of all workers; this one's share. With them its log-ins: each
 * of their steps wakes it just so. */
static unsigned under_way(const struct worker *w)
{
    int n = 0;

    for (int i = 0; i < w->topology->count; i++)
        n += atomic_load_explicit(&w->shared->loads[i].busy, memory_order_relaxed);
    return atomic_load(&w->logging_in) + (n > 0 ? (unsigned)(n / w->shared->worker_count) : 0);
}

/* Before the loop waits for events. What a turn wrote goes out together. */
static void on_turn_end(uv_prepare_t *handle)
{
    struct worker *w = handle->data;

    lines_write(&w->lines);
    outbox_flush(w->buffers.outbox);
    if (coalesce_is_due(&w->coalesce, uv_now(&w->loop)) && under_way(w) >= COALESCE_MANY)
        coalesce_pause();
}

static void close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

/* No session is left: the last handles close, then the loop is empty. */
static void shut_down(struct worker *w)
{
    pool_drop(&w->pool, -1);
    warm_close(w);
    mailbox_close(&w->mailbox);
    session_kill_trim(w, UINT64_MAX);
    uv_close((uv_handle_t *)&w->janitor, NULL);
    uv_close((uv_handle_t *)&w->turn_end, NULL);
    positions_close(&w->positions);
    session_waits_close(&w->waits);
    lines_close(&w->lines);
    for (int turns = 0; uv_run(&w->loop, UV_RUN_NOWAIT) && turns < 100; turns++)
        continue;
    if (uv_loop_alive(&w->loop)) { /* side connections still on their way */
        uv_walk(&w->loop, close_handle, NULL);
        (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    }
    (void)uv_loop_close(&w->loop);
    buffers_free(&w->buffers);
    slots_free(&w->slots);
    topology_unref(w->topology);
    catalog_unref(w->catalog);
    tls_context_unref(w->servers_tls);
    conf_unref(w->conf);
    rules_unref(w->rules);
    rules_room_free(&w->rules_room);
}

static void thread_main(void *arg)
{
    struct worker *w = arg;

    coalesce_open(&w->coalesce);
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    coalesce_close(&w->coalesce);
    shut_down(w);
}

static bool init_loop(struct worker *w)
{
    w->janitor.data = w->turn_end.data = w;
    return uv_loop_init(&w->loop) == 0 && mailbox_init(&w->mailbox, &w->loop, w) &&
           positions_init(&w->positions, &w->loop) && session_waits_init(&w->waits, &w->loop) &&
           lines_init(&w->lines, &w->loop) && uv_timer_init(&w->loop, &w->janitor) == 0 &&
           uv_timer_start(&w->janitor, on_janitor, JANITOR_MS, JANITOR_MS) == 0 &&
           uv_prepare_init(&w->loop, &w->turn_end) == 0 &&
           uv_prepare_start(&w->turn_end, on_turn_end) == 0;
}

bool worker_start(struct worker *w, struct shared *shared, int index, struct conf *conf,
                  struct err *e)
{
    w->shared = shared;
    w->index = index;
    w->conf = conf_ref(conf);
    w->topology = topology_new();
    buffers_init(&w->buffers, (size_t)conf->limits.buffer);
    pool_init(&w->pool, POOL_IDLE_MAX, session_give_up);
    slots_init(&w->slots);
    w->buffers.outbox = outbox_new(true);
    if (!w->topology || !w->buffers.outbox || !rules_room_init(&w->rules_room) || !init_loop(w))
        return err_set(e, ERR_IO, "cannot set up worker %d: out of memory or descriptors", index);
    if (!outbox_is_together(w->buffers.outbox))
        log_event(LOG_INFO, "worker.no_io_uring", LOG_NUM("worker", index),
                  LOG_STR("effect", "each small write is a system call of its own"));
    if (uv_thread_create(&w->thread, thread_main, w) != 0)
        return err_set(e, ERR_IO, "cannot start the thread of worker %d", index);
    return true;
}

void worker_join(struct worker *w)
{
    (void)uv_thread_join(&w->thread);
}

void worker_free(struct worker *w)
{
    newest_free(&w->newest);
}

void worker_send(struct worker *w, struct message *m)
{
    if (!mailbox_send(&w->mailbox, m))
        free(m);
}

void worker_send_next(struct worker *w, struct message *m)
{
    worker_send(&w->shared->workers[(w->index + 1) % w->shared->worker_count], m);
}

struct client_message {
    struct message message;
    struct client_socket client;
};

static void on_client(struct message *m, void *receiver)
{
    struct client_message *c = (struct client_message *)(void *)m;
    struct worker *w = receiver;

    if (w->drain_deadline_ns) {
        worker_free_seat(w, c->client.listener);
        client_socket_drop(&c->client);
    } else {
        session_start(w, &c->client);
    }
    free(c);
}

static void take_seat(struct worker *w, int listener)
{
    atomic_fetch_add(&w->session_count, 1);
    atomic_fetch_add(&w->shared->seats[listener], 1);
}

void worker_free_seat(struct worker *w, int listener)
{
    atomic_fetch_sub(&w->session_count, 1);
    atomic_fetch_sub(&w->shared->seats[listener], 1);
}

void worker_send_client(struct worker *w, const struct client_socket *client)
{
    struct client_message *c = malloc(sizeof *c);

    if (c) {
        *c = (struct client_message){.message.run = on_client, .client = *client};
        take_seat(w, client->listener);
        if (mailbox_send(&w->mailbox, &c->message))
            return;
        worker_free_seat(w, client->listener);
        free(c);
    }
    client_socket_drop(client);
}

void worker_take_client(struct worker *w, const struct client_socket *client)
{
    take_seat(w, client->listener);
    session_start(w, client);
}

struct pointer_message {
    struct message message;
    void *pointer;
};

/* Send a pointer whose reference goes along; false: still the caller's. */
static bool send_pointer(struct worker *w, void *pointer, void (*run)(struct message *, void *))
{
    struct pointer_message *m = malloc(sizeof *m);

    if (!m)
        return false;
    *m = (struct pointer_message){.message.run = run, .pointer = pointer};
    if (mailbox_send(&w->mailbox, &m->message))
        return true;
    free(m);
    return false;
}

static void *take_pointer(struct message *m)
{
    struct pointer_message *p = (struct pointer_message *)(void *)m;
    void *pointer = p->pointer;

    free(p);
    return pointer;
}

static void on_topology_message(struct message *m, void *receiver)
{
    free(m);
    on_topology(receiver);
}

void worker_send_topology(struct worker *w, struct topology *t)
{
    struct message *m = newest_put(&w->newest, t) ? malloc(sizeof *m) : NULL;

    if (!m) /* without memory the janitor finds it */
        return;
    m->run = on_topology_message;
    worker_send(w, m);
}

struct catalog_message {
    struct message message;
    struct catalog *catalog;
    uint64_t answers;
};

static void on_catalog(struct message *m, void *receiver)
{
    struct catalog_message *c = (struct catalog_message *)(void *)m;
    struct worker *w = receiver;

    catalog_unref(w->catalog);
    w->catalog = c->catalog;
    w->catalog_answers = c->answers;
    free(c);
    each_session(w, session_step);
}

void worker_send_catalog(struct worker *w, struct catalog *c, uint64_t answers)
{
    struct catalog_message *m = malloc(sizeof *m);

    if (m) {
        *m = (struct catalog_message){.message.run = on_catalog, .catalog = c, .answers = answers};
        if (mailbox_send(&w->mailbox, &m->message))
            return;
        free(m);
    }
    catalog_unref(c);
}

static void on_servers_tls(struct message *m, void *receiver)
{
    struct worker *w = receiver;

    tls_context_unref(w->servers_tls);
    w->servers_tls = take_pointer(m);
}

void worker_send_servers_tls(struct worker *w, struct tls_context *c)
{
    if (!send_pointer(w, c, on_servers_tls))
        tls_context_unref(c);
}

static void on_conf(struct message *m, void *receiver)
{
    struct worker *w = receiver;

    conf_unref(w->conf);
    w->conf = take_pointer(m);
}

void worker_send_conf(struct worker *w, struct conf *c)
{
    if (!send_pointer(w, c, on_conf))
        conf_unref(c);
}

static void on_rules(struct message *m, void *receiver)
{
    struct worker *w = receiver;

    rules_unref(w->rules);
    w->rules = take_pointer(m);
}

void worker_send_rules(struct worker *w, struct rules *r)
{
    if (!send_pointer(w, r, on_rules))
        rules_unref(r);
}

struct backend *worker_connect(struct worker *w, int server, struct identity *identity)
{
    const struct server_view *view = &w->topology->servers[server];
    struct backend *b = backend_connect(&w->loop, &w->buffers, view, server, identity,
                                        w->catalog->default_collation);

    if (b)
        b->global_sets = atomic_load(&w->shared->global_sets);
    if (!b || !w->servers_tls || backend_use_tls(b, w->servers_tls, view->host))
        return b;
    backend_close(b);
    return NULL;
}

struct drain_message {
    struct message message;
    uint64_t deadline_ns;
};

static void on_drain(struct message *m, void *receiver)
{
    struct drain_message *d = (struct drain_message *)(void *)m;
    struct worker *w = receiver;

    w->drain_deadline_ns = d->deadline_ns;
    free(d);
    listener_close_all(w);
    each_session(w, session_step);
    if (!w->sessions)
        uv_stop(&w->loop);
}

void worker_send_drain(struct worker *w, uint64_t deadline_ns)
{
    struct drain_message *d = malloc(sizeof *d);

    if (!d)
        return;
    *d = (struct drain_message){.message.run = on_drain, .deadline_ns = deadline_ns};
    worker_send(w, &d->message);
}

struct list_message {
    struct message message;
    void (*answer)(void *ctx, struct buf *lines);
    void *ctx;
};

static void print_session(struct worker *w, struct session *s, struct buf *out)
{
    struct span user = session_user(s);

    buf_printf(out, "%u\t%.*s\t%s\t%s\t%s\t%llu\t", s->id, (int)user.n, (const char *)user.p,
               s->address, s->schema, state_name(&s->state), (unsigned long long)s->statements);
    for (int i = 0; i < w->topology->count; i++)
        if (s->held[i])
            buf_printf(out, "%s#%u ", w->topology->servers[i].name, s->held[i]->thread_id);
    buf_printf(out, "\t%s\n", session_pin_words(s));
}

static void on_list(struct message *m, void *receiver)
{
    struct list_message *l = (struct list_message *)(void *)m;
    struct worker *w = receiver;
    struct buf lines = buf_with_max(64u << 20);

    for (struct session *s = w->sessions; s; s = s->next)
        print_session(w, s, &lines);
    l->answer(l->ctx, &lines);
    buf_free(&lines);
    free(l);
}

bool worker_send_list(struct worker *w, void (*answer)(void *ctx, struct buf *lines), void *ctx)
{
    struct list_message *l = malloc(sizeof *l);

    if (!l)
        return false;
    *l = (struct list_message){.message.run = on_list, .answer = answer, .ctx = ctx};
    if (mailbox_send(&w->mailbox, &l->message))
        return true;
    free(l);
    return false;
}
