#include "tests/unit/failover_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS CLOCK_NS_PER_MS

enum { FAULTY_STEPS = 900, HEALING_STEPS = 2500 };

static const char *const names[SIM_SERVERS] = {"a", "b", "c", "d", "e"};

uint64_t sim_dice(struct sim_world *w, uint64_t sides)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random % sides;
}

void sim_violated(struct sim_world *w, const char *what)
{
    if (!w->violation)
        w->violation = what;
}

static void close_session(struct sim_world *w, struct sim_agent *a, int server)
{
    struct sim_server *s = &w->servers[server];
    struct sim_slot *slot = &a->slots[server];

    slot->closed = true;
    if (w->cut[a->index][server] || !sim_runs(s))
        return; /* the server does not notice */
    if (slot->busy && slot->begun && slot->order.kind == ORDER_PROMOTE)
        s->stuck_at = slot->mark_end;
    slot->busy = false;
    if (s->holder == a->index && s->session == a->sessions[server] && !s->stuck_at)
        s->holder = -1;
}

static void on_release(void *ctx)
{
    struct sim_agent *a = ctx;

    for (int i = 0; i < a->world->n; i++)
        close_session(a->world, a, i);
}

static void on_order(void *ctx, int server, const struct failover_order *o)
{
    struct sim_agent *a = ctx;
    struct sim_world *w = a->world;
    struct sim_slot *slot = &a->slots[server];

    if (o->kind == ORDER_LOCK) {
        close_session(w, a, server);
        a->sessions[server] = ++w->next_session;
    }
    if (w->cut[a->index][server] || !w->servers[server].up)
        return;
    *slot = (struct sim_slot){.busy = true,
                              .session = a->sessions[server],
                              .due_ns = w->now_ns + 1 + sim_dice(w, 30 * MS),
                              .until_ns = w->now_ns + o->limit_ns,
                              .order = *o,
                              .answer = {.kind = o->kind, .serial = o->serial}};
}

static void on_look(void *ctx)
{
    struct sim_agent *a = ctx;

    memset(a->next_ns, 0, sizeof a->next_ns);
}

static void on_say(void *ctx, const char *line)
{
    struct sim_agent *a = ctx;

    if (getenv("SIM_TRACE"))
        printf("%6llu ms %d: %s\n", (unsigned long long)(a->world->now_ns / MS), a->index, line);
}

static void on_ended(void *ctx, enum failover_task task, const char *why)
{
    struct sim_agent *a = ctx;

    a->world->ended[task]++;
    if (!why[0])
        a->world->tasks[task]++;
}

struct failover_effects sim_effects(struct sim_agent *a)
{
    return (struct failover_effects){a, on_order, on_release, on_look, on_say, on_ended};
}

static void start_agent(struct sim_world *w, int i)
{
    struct sim_agent *a = &w->agents[i];
    struct failover_effects fx = sim_effects(a);

    memset(a, 0, sizeof *a);
    a->world = w;
    a->index = i;
    a->up = true;
    a->view.n = w->n;
    a->view.judged = -1;
    for (int s = 0; s < w->n; s++)
        a->view.at[s].source = -1;
    failover_init(&a->machine, &w->rules, &fx, sim_dice(w, 1U << 30));
}

static struct failover_rules rules_of(struct sim_world *w)
{
    struct failover_rules r = {
        .n = w->n,
        .majority = w->fault == SIM_NO_MAJORITY ? 1 : failover_majority(w->n),
        .semi_sync = true,
        .domain = SIM_DOMAIN,
        .lease_ns = 400 * MS,
        .wait_ns = w->fault == SIM_NO_LEASE ? 0 : 430 * MS,
        .confirm_ns = 50 * MS,
        .round_ns = 300 * MS,
        .drain_ns = 1000 * MS,
        .quiesce_ns = 100 * MS,
        .steal_ns = 800 * MS,
    };

    for (int i = 0; i < w->n; i++) {
        r.names[i] = names[i];
        if (i > 2)
            r.preference[i] = sim_dice(w, 2) ? PREFER_NEVER : PREFER_NORMAL;
        else if (sim_dice(w, 4) == 0)
            r.preference[i] = PREFER_FIRST;
    }
    return r;
}

void sim_init(struct sim_world *w, uint64_t seed, enum sim_fault fault)
{
    memset(w, 0, sizeof *w);
    w->random = seed * 0x9E3779B97F4A7C15U | 1;
    for (int i = 0; i < 8; i++)
        (void)sim_dice(w, 2);
    w->fault = fault;
    w->now_ns = 1000 * MS;
    w->n = 3 + 2 * (sim_dice(w, 3) == 0);
    w->agent_count = 1 + (int)sim_dice(w, SIM_AGENTS);
    w->rules = rules_of(w);
    w->promoted = -1;
    for (int i = 0; i < SIM_LOG; i++)
        w->primary_of[i] = -1;
    for (int i = 0; i < w->n; i++)
        w->servers[i] = (struct sim_server){.up = true,
                                            .read_only = i > 0,
                                            .source = i > 0 ? 0 : -1,
                                            .running = i > 0,
                                            .holder = -1};
    for (int i = 0; i < w->agent_count; i++)
        start_agent(w, i);
}

/* ---- faults ---- */

/* Those that are on their way to the server. */
static void lose_writes(struct sim_agent *a, int server)
{
    for (uint64_t left = a->mailed; left; left &= left - 1) {
        int i = __builtin_ctzll(left);

        if (a->mail[i].is_write && a->mail[i].server == server)
            a->mailed &= ~(UINT64_C(1) << i);
    }
}

static void crash_server(struct sim_world *w, int i)
{
    struct sim_server *s = &w->servers[i];

    s->up = s->frozen = false;
    s->holder = -1;
    s->stuck_at = 0;
    for (int a = 0; a < w->agent_count; a++) {
        w->agents[a].slots[i].busy = false;
        lose_writes(&w->agents[a], i);
    }
}

/* It begins read-only and replicates from nobody till told. What no client was told of may be gone,
 * as may what was received and not applied. */
static void restart_server(struct sim_world *w, int i)
{
    struct sim_server *s = &w->servers[i];

    s->up = s->read_only = true;
    s->running = false;
    s->acks = false;
    if (s->source < 0 && sim_dice(w, 2))
        s->length = s->applied = s->told;
    s->length = s->applied;
    s->acked = s->acked < s->length ? s->acked : s->length;
    if (w->fault == SIM_EPOCH_FORGOTTEN)
        s->row = (struct failover_row){0, 0, 0};
}

static void crash_agent(struct sim_world *w, int i)
{
    for (int s = 0; s < w->n; s++)
        close_session(w, &w->agents[i], s);
    w->agents[i].up = false;
}

static void strike(struct sim_world *w)
{
    int s = (int)sim_dice(w, (uint64_t)w->n);
    int other = (int)sim_dice(w, (uint64_t)w->n);
    int a = (int)sim_dice(w, (uint64_t)w->agent_count);

    if (sim_dice(w, 2) && w->promoted >= 0)
        s = w->promoted;
    switch (sim_dice(w, 9)) {
    case 0:
    case 1:
        w->servers[s].up ? crash_server(w, s) : restart_server(w, s);
        break;
    case 2:
        w->servers[s].frozen = w->servers[s].up && !w->servers[s].frozen;
        break;
    case 3:
        w->cut[a][s] = !w->cut[a][s];
        break;
    case 4:
        w->apart[s][other] = w->apart[other][s] = s != other && !w->apart[s][other];
        break;
    case 5: /* with some of the tills, away from everybody else */
        for (int i = 0; i < w->n; i++)
            w->apart[s][i] = w->apart[i][s] = i != s;
        for (int i = 0; i < w->agent_count; i++)
            for (int k = 0; k < w->n; k++)
                w->cut[i][k] = (i == a) != (k == s);
        break;
    case 6:
        w->agents[a].up ? crash_agent(w, a) : start_agent(w, a);
        break;
    default: /* some of it heals */
        w->cut[a][s] = false;
        memset(w->apart, 0, sizeof w->apart);
        w->servers[other].frozen = false;
        if (!w->servers[other].up)
            restart_server(w, other);
        break;
    }
}

static void heal(struct sim_world *w)
{
    memset(w->cut, 0, sizeof w->cut);
    memset(w->apart, 0, sizeof w->apart);
    for (int i = 0; i < w->n; i++) {
        w->servers[i].frozen = false;
        if (!w->servers[i].up)
            restart_server(w, i);
    }
    for (int i = 0; i < w->agent_count; i++)
        if (!w->agents[i].up)
            start_agent(w, i);
}

/* ---- servers ---- */

/* The newest epoch's primary takes writes, and no majority has promised another epoch. */
static bool primary_works(const struct sim_world *w)
{
    const struct sim_server *p = w->promoted >= 0 ? &w->servers[w->promoted] : NULL;
    int moved_on = 0;

    for (int i = 0; i < w->n; i++)
        moved_on += w->servers[i].row.epoch > w->newest;
    return p && p->up && !p->read_only && p->row.primary == w->newest &&
           moved_on < failover_majority(w->n);
}

/* The client of a write may be told: somebody else has it (a primary without semi-sync does not
 * wait for that). Nobody hears of it across a cut. */
static void tell_clients(struct sim_world *w, int i)
{
    struct sim_server *s = &w->servers[i];
    int upto = w->fault == SIM_ASYNC ? s->length : s->acked;

    for (; s->told < upto; s->told++) {
        if (!s->log[s->told].value || s->log[s->told].server != i)
            continue;
        if (primary_works(w) && !sim_has_value(&w->servers[w->promoted], s->log[s->told].value))
            sim_violated(w, "a write was acknowledged that the newest primary does not have");
        if (w->acknowledged_count < SIM_LOG)
            w->acknowledged[w->acknowledged_count++] = s->log[s->told].value;
    }
}

static void replicate(struct sim_world *w, int i)
{
    struct sim_server *s = &w->servers[i];
    struct sim_server *source = s->source >= 0 ? &w->servers[s->source] : NULL;
    int more;

    if (s->applied < s->length && sim_dice(w, 3) == 0 && s->source >= 0)
        s->applied += 1 + (int)sim_dice(w, (uint64_t)(s->length - s->applied));
    if (!source || !s->running || s->broken || !sim_runs(source) || w->apart[i][s->source])
        return;
    if (!sim_may_attach(w, source, s) && w->fault != SIM_ERRANT_JOINS) {
        s->broken = true;
        return;
    }
    if (!sim_is_prefix(source, s, s->length) && w->fault != SIM_ERRANT_JOINS) {
        sim_violated(w, "a server follows with another history under the same GTIDs");
        return;
    }
    more = source->length - s->length;
    if (more > 0 && sim_dice(w, 2)) {
        int count = 1 + (int)sim_dice(w, (uint64_t)more);

        while (count-- > 0)
            sim_put(s, source->log[s->length]);
    }
    if (s->length == source->length && w->rules.preference[i] != PREFER_NEVER)
        s->acks = true;
    if (s->acks && s->length > source->acked)
        source->acked = s->length;
}

static void serve(struct sim_world *w, int i)
{
    struct sim_server *s = &w->servers[i];

    if (!sim_runs(s))
        return;
    for (int k = 0; k < w->agent_count; k++) {
        struct sim_agent *a = &w->agents[k];
        struct sim_slot *slot = &a->slots[i];

        if (slot->busy && slot->due_ns <= w->now_ns)
            sim_carry_out(w, a, i, slot);
        if (slot->closed && !slot->busy && s->holder == k && s->session == slot->session &&
            !w->cut[k][i] && !s->stuck_at)
            s->holder = -1;
    }
    if (s->stuck_at && s->acked >= s->stuck_at) {
        s->stuck_at = 0;
        s->holder = -1;
    }
    replicate(w, i);
    tell_clients(w, i);
}

/* ---- Tillways ---- */

/* A Tillway says what it has left once it has, and no newer epoch than the server has promised. */
static void enrol(const struct sim_world *w, struct sim_agent *a, struct sim_server *s,
                  struct failover_member *m)
{
    struct failover_gate g = failover_gate(&a->view, w->rules.lease_ns, w->now_ns);

    m->enrolled = s->left[a->index] || w->fault == SIM_NOT_ENROLLED;
    if (w->fault != SIM_NOT_ENROLLED && (!m->enrolled || g.epoch >= s->row.epoch))
        s->left[a->index] = s->row.epoch;
}

static void sample(struct sim_world *w, struct sim_agent *a, int i)
{
    struct sim_server *s = &w->servers[i];
    struct failover_member *m = &a->view.at[i];

    if (w->now_ns < a->next_ns[i])
        return;
    a->next_ns[i] = w->now_ns + (20 + sim_dice(w, 60)) * MS;
    if (w->cut[a->index][i] || s->frozen) {
        m->up = m->up && w->now_ns - m->heard_ns < 300 * MS;
        m->gone = false;
        return;
    }
    m->up = s->up;
    m->gone = !s->up;
    if (!s->up)
        return;
    m->heard_ns = w->now_ns - sim_dice(w, 20) * MS;
    m->read_only = s->read_only;
    m->acks = s->acks;
    m->source = s->running ? s->source : -1;
    m->row = s->row;
    enrol(w, a, s, m);
    m->written = sim_position(w, s, s->length);
    if (s->row.epoch == 0 && !s->read_only && s->source < 0)
        a->view.judged = i;
}

struct sim_mail *sim_new_mail(struct sim_agent *a)
{
    int i = a->mailed == UINT64_MAX ? -1 : __builtin_ctzll(~a->mailed);

    if (i < 0)
        return NULL;
    a->mailed |= UINT64_C(1) << i;
    return &a->mail[i];
}

/* Where there are epochs, who is sent to has a lease, and who else has one is not to be sent to for
 * another reason. */
static void check_lease(struct sim_world *w, const struct sim_agent *a,
                        const struct failover_gate *g)
{
    for (int i = 0; i < w->n && g->epoch; i++) {
        bool leased = w->now_ns < failover_lease_end(&a->view, i, w->rules.lease_ns);

        if (leased ? !g->majority : i == g->primary)
            sim_violated(w, "a lease ends at another time than the primary's word");
    }
}

static void send_write(struct sim_world *w, struct sim_agent *a)
{
    uint64_t lease = w->rules.lease_ns;
    struct failover_gate g = failover_gate(&a->view, lease, w->now_ns);
    struct sim_mail *m;

    check_lease(w, a, &g);
    if (g.primary < 0 || w->cut[a->index][g.primary] || sim_dice(w, 4) ||
        w->next_value == SIM_WRITES || !(m = sim_new_mail(a)))
        return;
    /* Nobody may send to a server that could take it while a newer epoch's primary does. */
    if (g.epoch && g.epoch < w->newest && w->servers[g.primary].up &&
        !w->servers[g.primary].read_only && g.primary != w->promoted)
        sim_violated(w, "a write was sent to a primary of the past");
    *m = (struct sim_mail){.due_ns = w->now_ns + 1 + sim_dice(w, 20 * MS),
                           .server = g.primary,
                           .is_write = true,
                           .epoch = g.epoch,
                           .value = ++w->next_value};
}

static void deliver(struct sim_world *w, struct sim_agent *a)
{
    for (uint64_t left = a->mailed; left; left &= left - 1) {
        int i = __builtin_ctzll(left);
        struct sim_mail *m = &a->mail[i];
        struct sim_server *s = &w->servers[m->server];

        if (m->due_ns > w->now_ns || (m->is_write && s->frozen))
            continue;
        a->mailed &= ~(UINT64_C(1) << i);
        if (!m->is_write)
            failover_take(&a->machine, m->server, &m->answer, &a->view, w->now_ns);
        else if (s->up && !s->read_only)
            sim_append(w, m->server, (struct sim_entry){.value = m->value});
    }
}

static void think(struct sim_world *w, struct sim_agent *a)
{
    const char *why;

    if (!a->up)
        return;
    for (int i = 0; i < w->n; i++)
        sample(w, a, i);
    deliver(w, a);
    failover_tick(&a->machine, &a->view, w->now_ns);
    if (sim_dice(w, 400) == 0)
        (void)!failover_ask(&a->machine, TASK_SWITCHOVER, -1, &a->view, w->now_ns, &why);
    send_write(w, a);
}

/* A server of the newest epoch that has a working primary must not show what that one lacks. */
static void check_reads(struct sim_world *w)
{
    const struct sim_server *p = w->promoted >= 0 ? &w->servers[w->promoted] : NULL;
    struct failover_gate g = {.joined = w->newest};

    if (!primary_works(w))
        return;
    for (int i = 0; i < w->n; i++) {
        const struct sim_server *s = &w->servers[i];

        if (i != w->promoted && s->up && !s->broken && s->running &&
            failover_may_read(&g, &s->row) && !sim_is_prefix(p, s, s->applied)) {
            sim_violated(w, "a server with errant transactions serves reads");
        }
    }
}

static void step(struct sim_world *w)
{
    w->now_ns += SIM_STEP_NS;
    for (int i = 0; i < w->n; i++)
        serve(w, i);
    for (int i = 0; i < w->agent_count; i++)
        think(w, &w->agents[i]);
    check_reads(w);
}

/* All is well: one primary, which everybody knows, and each server follows it or is kept out. */
static bool all_well(struct sim_world *w)
{
    for (int i = 0; i < w->agent_count; i++) {
        struct sim_agent *a = &w->agents[i];
        struct failover_gate g = failover_gate(&a->view, w->rules.lease_ns, w->now_ns);

        if (g.primary < 0 || g.primary != w->promoted)
            return false;
        for (int k = 0; k < w->n; k++)
            if (k != g.primary && !failover_follows(&a->view, k, g.primary) &&
                !w->servers[k].broken)
                return false;
    }
    return true;
}

const char *sim_run(struct sim_world *w)
{
    uint64_t calm = 20 + sim_dice(w, 200);

    for (int i = 0; i < FAULTY_STEPS && !w->violation; i++) {
        if ((uint64_t)i > calm && sim_dice(w, 40) == 0)
            strike(w);
        step(w);
    }
    heal(w);
    for (int i = 0; i < HEALING_STEPS && !w->violation; i++) {
        step(w);
        if (i > 100 && all_well(w))
            return w->violation;
    }
    sim_violated(w, "no progress although all is healed");
    return w->violation;
}

static void until_well(struct sim_world *w)
{
    for (int i = 0; i < HEALING_STEPS && !w->violation; i++) {
        step(w);
        if (i > 100 && all_well(w))
            return;
    }
    sim_violated(w, "no progress although all is healed");
}

const char *sim_run_loss(struct sim_world *w)
{
    int lost;

    w->agent_count = 1;
    until_well(w);
    lost = w->promoted;
    crash_server(w, lost);
    for (int i = 0; i < 200; i++)
        step(w);
    restart_server(w, lost);
    until_well(w);
    if (w->ended[TASK_FAILOVER] > 1)
        sim_violated(w, "a failover began although the one before had succeeded");
    return w->violation;
}
