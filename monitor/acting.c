#include "monitor/acting.h"

#include "base/clock.h"
#include "base/log.h"
#include "monitor/promote.h"
#include "monitor/shared.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TICK_NS (10 * CLOCK_NS_PER_MS)
/* How long servers have for an order: connecting is limited to whole seconds. */
#define ROUND_NS (3 * CLOCK_NS_PER_S)
/* And for one of its questions: STOP SLAVE takes 2 s where the primary is frozen, for semi-sync
 * asks that one to end the connection. */
#define QUESTION_NS ROUND_NS
#define STEAL_NS    (5 * CLOCK_NS_PER_S)
/* How long an operator's task waits for others: a rejoin takes some seconds, and locks are taken by
 * force after STEAL_NS. */
#define PATIENCE_NS (15 * CLOCK_NS_PER_S)

/* ---- the hands ---- */

static void terms_of(struct hand *h, const struct failover_order *o, struct promote_terms *t)
{
    const struct conf *c = h->monitor->conf;

    *t = (struct promote_terms){
        .user = c->failover.user,
        .password = c->failover.password,
        .domain = c->failover.domain,
        .semi_sync = c->failover.semi_sync,
        .source = o->source >= 0 ? &c->servers[o->source] : NULL,
        .settle_ns = c->monitor.interval_ns + c->monitor.interval_ns / 2,
        .holder = &h->holder,
    };
}

static void work(struct hand *h)
{
    struct monitor *m = h->monitor;
    struct failover_order o = h->order;
    struct failover_answer a;
    struct promote_terms t;

    h->has_order = false;
    h->working = true;
    (void)pthread_mutex_unlock(&m->lock);
    terms_of(h, &o, &t);
    promote_carry_out(h->probe, &t, &o, &a);
    (void)pthread_mutex_lock(&m->lock);
    h->working = false;
    h->answer = a;
    h->has_answer = true;
    (void)pthread_cond_signal(&m->acting.wake);
}

static void *hand_run(void *hand)
{
    struct hand *h = hand;
    struct monitor *m = h->monitor;

    (void)pthread_mutex_lock(&m->lock);
    while (!m->stopping) {
        if (h->release) {
            h->release = false;
            (void)pthread_mutex_unlock(&m->lock);
            probe_close(h->probe);
            (void)pthread_mutex_lock(&m->lock);
        } else if (h->has_order) {
            work(h);
        } else {
            (void)pthread_cond_wait(&h->wake, &m->lock);
        }
    }
    (void)pthread_mutex_unlock(&m->lock);
    probe_close(h->probe);
    return NULL;
}

/* ---- what the machine wants done ---- */

static void on_order(void *ctx, int server, const struct failover_order *o)
{
    struct monitor *m = ctx;
    struct hand *h = &m->acting.hands[server];

    h->order = *o;
    h->has_order = true;
    (void)pthread_cond_signal(&h->wake);
}

static void on_look(void *ctx)
{
    struct monitor *m = ctx;

    for (int i = 0; i < m->board->count; i++) {
        m->watches[i].suspected = true;
        (void)pthread_cond_signal(&m->watches[i].wake);
    }
}

static void on_release(void *ctx)
{
    struct monitor *m = ctx;

    for (int i = 0; i < m->board->count; i++) {
        struct hand *h = &m->acting.hands[i];

        h->has_order = false;
        h->release = true;
        if (h->working)
            probe_cut(h->probe);
        (void)pthread_cond_signal(&h->wake);
    }
    on_look(ctx);
}

static void tell(struct monitor *m, const char *text, enum answer_line line)
{
    struct asker a = m->acting.asker;

    if (line != ANSWER_MORE)
        m->acting.asker.line = NULL;
    if (a.line)
        a.line(a.ctx, text, line);
}

static void on_say(void *ctx, const char *line)
{
    const struct monitor *m = ctx;

    log_event(LOG_INFO, "failover.step", LOG_STR("what", line));
    if (m->acting.asker.begun)
        tell(ctx, line, ANSWER_MORE);
}

/* The operator's task ended; told, unless it is only to be tried again. */
static void end_asked(struct monitor *m, const char *why)
{
    struct asker *a = &m->acting.asker;

    a->begun = false;
    if (!why[0])
        tell(m, "done", ANSWER_DONE);
    else if (!m->acting.machine.refused || clock_mono_ns() >= a->until_ns)
        tell(m, why, ANSWER_FAILED);
    else
        tell(m, "another Tillway acts, or too few servers answer: tried again", ANSWER_MORE);
}

static void on_ended(void *ctx, enum failover_task task, const char *why)
{
    struct monitor *m = ctx;

    if (why[0])
        log_event(LOG_WARN, "failover.failed", LOG_STR("task", failover_task_name(task)),
                  LOG_STR("why", why));
    else
        log_event(LOG_INFO, "failover.done", LOG_STR("task", failover_task_name(task)));
    if (m->acting.asker.begun)
        end_asked(m, why);
}

/* ---- what an operator asks for ---- */

static void begin_asked(struct monitor *m)
{
    struct asker *a = &m->acting.asker;
    struct failover *f = &m->acting.machine;
    uint64_t now_ns = clock_mono_ns();
    const char *why;

    a->begun = true; /* its first steps are told at once */
    if (failover_ask(f, a->task, a->target, &m->acting.view, now_ns, &why))
        return;
    a->begun = false;
    if (f->state.now == FAILOVER_WATCH || now_ns >= a->until_ns)
        tell(m, why, ANSWER_FAILED);
}

void acting_ask(struct monitor *m, enum failover_task task, int target, answer_fn line, void *ctx)
{
    m->acting.asker =
        (struct asker){line, ctx, task, target, .until_ns = clock_mono_ns() + PATIENCE_NS};
    begin_asked(m);
    if (m->acting.asker.line && !m->acting.asker.begun)
        tell(m, "something is under way: waits for its end", ANSWER_MORE);
}

/* One that was held up; not at once where another Tillway was first. */
static void try_asked(struct monitor *m)
{
    const struct asker *a = &m->acting.asker;

    if (a->line && !a->begun && clock_mono_ns() >= m->acting.machine.quiet_ns)
        begin_asked(m);
}

/* ---- the thread that thinks ---- */

static void take_answers(struct monitor *m)
{
    for (int i = 0; i < m->board->count; i++) {
        struct hand *h = &m->acting.hands[i];

        if (!h->has_answer)
            continue;
        h->has_answer = false;
        board_look(m->board, &m->acting.view);
        failover_take(&m->acting.machine, i, &h->answer, &m->acting.view, clock_mono_ns());
    }
}

static void *acting_run(void *monitor)
{
    struct monitor *m = monitor;

    (void)pthread_mutex_lock(&m->lock);
    while (!m->stopping) {
        take_answers(m);
        board_look(m->board, &m->acting.view);
        try_asked(m);
        if (!board_is_galera(m->board))
            failover_tick(&m->acting.machine, &m->acting.view, clock_mono_ns());
        shared_wait(m, &m->acting.wake, clock_mono_ns() + TICK_NS);
    }
    tell(m, "the monitor stops", ANSWER_FAILED);
    (void)pthread_mutex_unlock(&m->lock);
    return NULL;
}

static struct failover_rules rules_of(const struct monitor *m)
{
    const struct conf_failover *c = &m->conf->failover;
    struct failover_rules r = {
        .n = m->board->count,
        .majority = failover_majority(m->board->count),
        .semi_sync = c->semi_sync,
        .domain = c->domain,
        .lease_ns = c->lease_ns,
        .wait_ns = c->lease_ns + c->lease_ns / 10,
        .confirm_ns = c->confirm_ns,
        .round_ns = ROUND_NS,
        .drain_ns = c->drain_ns,
        .quiesce_ns = c->quiesce_ns,
        .steal_ns = STEAL_NS,
    };

    for (int i = 0; i < r.n; i++) {
        enum conf_candidate candidate = m->conf->servers[i].candidate;

        r.names[i] = m->conf->servers[i].name;
        r.preference[i] = candidate == CANDIDATE_NEVER    ? PREFER_NEVER
                          : candidate == CANDIDATE_PREFER ? PREFER_FIRST
                                                          : PREFER_NORMAL;
    }
    return r;
}

bool acting_init(struct monitor *m)
{
    const struct failover_effects fx = {m, on_order, on_release, on_look, on_say, on_ended};
    const struct failover_rules r = rules_of(m);

    shared_init_cond(&m->acting.wake);
    for (int i = 0; i < SERVERS_MAX; i++) {
        struct hand *h = &m->acting.hands[i];

        shared_init_cond(&h->wake);
        h->monitor = m;
        h->index = i;
        if (i < m->board->count && !(h->probe = shared_probe(m, i, QUESTION_NS)))
            return false;
    }
    failover_init(&m->acting.machine, &r, &fx, clock_mono_ns() ^ (uint64_t)getpid() << 32);
    return true;
}

bool acting_start(struct monitor *m)
{
    if (!m->conf->failover.enabled)
        return true;
    for (int i = 0; i < m->board->count; i++) {
        struct hand *h = &m->acting.hands[i];

        h->started = pthread_create(&h->thread, NULL, hand_run, h) == 0;
        if (!h->started)
            return false;
    }
    m->acting.started = pthread_create(&m->acting.thread, NULL, acting_run, m) == 0;
    return m->acting.started;
}

void acting_cut(struct monitor *m)
{
    (void)pthread_mutex_lock(&m->lock);
    (void)pthread_cond_signal(&m->acting.wake);
    for (int i = 0; i < m->board->count; i++)
        (void)pthread_cond_signal(&m->acting.hands[i].wake);
    (void)pthread_mutex_unlock(&m->lock);
    for (int i = 0; i < m->board->count; i++)
        probe_cut(m->acting.hands[i].probe);
}

void acting_join(struct monitor *m)
{
    for (int i = 0; i < m->board->count; i++)
        if (m->acting.hands[i].started)
            (void)pthread_join(m->acting.hands[i].thread, NULL);
    if (m->acting.started)
        (void)pthread_join(m->acting.thread, NULL);
}

void acting_free(struct monitor *m)
{
    for (int i = 0; i < SERVERS_MAX; i++) {
        probe_free(m->acting.hands[i].probe);
        (void)pthread_cond_destroy(&m->acting.hands[i].wake);
    }
    (void)pthread_cond_destroy(&m->acting.wake);
}
