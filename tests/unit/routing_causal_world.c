/* Read-your-writes and monotonic reads in a simulated world, for many seeds.
 *
 * A primary commits transactions of one or two domains; replicas apply them in the domain's order
 * after random delays, show them in their tables a moment before their position does, are sampled
 * at random and with a delay, go down and come back with less, and take over as primary. Sessions
 * write and read, now and then many times between two samples. What a session has written and seen
 * is kept exactly; a read that shows less is a failure. */
#include "routing/causal.h"

#include "tests/unit/check.h"

#include <stdio.h>

enum { SERVERS = 5, SESSIONS = 6, DOMAINS = 2, STEPS = 400, SEEDS = 4000 };

/* Transactions per domain; domain d's sequence numbers are 1, 2, … */
struct version {
    uint64_t seq[DOMAINS];
};

struct server {
    struct version shown;  /* what its tables hold */
    struct version listed; /* what its position says: it follows within CAUSAL_SETTLE_NS */
    uint64_t shown_ns;     /* when `shown` changed last */
    bool down;
};

struct session {
    struct causal causal;
    struct version must; /* what it may never see less than */
};

struct world {
    uint64_t random;
    uint64_t now;
    int count;
    int domains;
    bool waits;
    struct version committed;
    struct server servers[SERVERS];
    struct session sessions[SESSIONS];
    struct topology *topology;
    long replica_reads;
    long primary_reads;
    long waited_reads;
};

static uint64_t dice(struct world *w, uint64_t sides)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random % sides;
}

static bool covers(const struct version *have, const struct version *need)
{
    return have->seq[0] >= need->seq[0] && have->seq[1] >= need->seq[1];
}

static void raise_to(struct version *v, const struct version *by)
{
    for (int d = 0; d < DOMAINS; d++) {
        if (by->seq[d] > v->seq[d])
            v->seq[d] = by->seq[d];
    }
}

static struct gtid_set position_of(const struct world *w, const struct version *v)
{
    struct gtid_set s = {0};

    for (uint32_t d = 0; d < (uint32_t)w->domains; d++) {
        struct gtid g = {d, 1, v->seq[d]};

        if (g.seq)
            assert_true(gtid_set_advance(&s, &g));
    }
    return s;
}

/* The position follows the tables in less than the time that causal.h allows for. */
static void settle(struct world *w, struct server *s)
{
    if (w->now - s->shown_ns >= CAUSAL_SETTLE_NS || dice(w, 2))
        s->listed = s->shown;
}

static void apply_some(struct world *w, int i)
{
    struct server *s = &w->servers[i];
    struct version before = s->shown;

    settle(w, s);
    for (int d = 0; d < w->domains; d++) {
        uint64_t behind = w->committed.seq[d] - s->shown.seq[d];

        if (behind && dice(w, 3) == 0)
            s->shown.seq[d] += 1 + dice(w, behind);
    }
    if (!covers(&before, &s->shown)) {
        s->listed = before;
        s->shown_ns = w->now;
    }
}

static void pass(struct world *w)
{
    uint64_t shortly = dice(w, 2) ? 20000 : 3000000;

    w->now += 1 + dice(w, shortly);
    for (int i = 0; i < w->count; i++) {
        if (i == w->topology->primary)
            w->servers[i].shown = w->servers[i].listed = w->committed;
        else if (!w->servers[i].down)
            apply_some(w, i);
    }
}

static struct topology *publish(struct world *w)
{
    struct topology *next = topology_copy(w->topology);

    assert_non_null(next);
    topology_unref(w->topology);
    w->topology = next;
    return next;
}

static void sample_into(struct world *w, struct server_view *view, int i)
{
    view->sampled_ns = w->now;
    if (dice(w, 2))
        pass(w); /* the question is under way */
    view->position = position_of(w, &w->servers[i].listed);
    if (dice(w, 2))
        pass(w); /* the answer is */
}

static void sample(struct world *w)
{
    int i = (int)dice(w, (uint64_t)w->count);
    struct server_view view = w->topology->servers[i];

    if (w->servers[i].down)
        return;
    sample_into(w, &view, i);
    publish(w)->servers[i] = view;
}

static void go_down(struct world *w, int i)
{
    struct server_view *v = &publish(w)->servers[i];

    w->servers[i].down = true;
    v->health = HEALTH_DOWN;
    v->since_ns = w->now;
}

/* … with less than it had. */
static void come_back(struct world *w, int i)
{
    struct server *s = &w->servers[i];
    struct server_view *v = &publish(w)->servers[i];

    for (int d = 0; d < DOMAINS; d++)
        s->shown.seq[d] -= dice(w, s->shown.seq[d] < 5 ? s->shown.seq[d] + 1 : 5);
    s->listed = s->shown;
    s->down = false;
    v->health = HEALTH_UP;
    v->since_ns = w->now;
    v->sampled_ns = w->now;
    v->position = position_of(w, &s->listed);
}

static void fail_or_return(struct world *w)
{
    int i = (int)dice(w, (uint64_t)w->count);

    if (w->servers[i].down)
        come_back(w, i);
    else if (i != w->topology->primary)
        go_down(w, i);
}

/* A replica that has everything takes over; the old primary goes on as a replica. */
static void switch_over(struct world *w)
{
    int i = (int)dice(w, (uint64_t)w->count);
    struct topology *t;

    if (w->servers[i].down || i == w->topology->primary)
        return;
    w->servers[i].shown = w->servers[i].listed = w->committed;
    t = publish(w);
    t->servers[t->primary].role = ROLE_REPLICA;
    t->servers[t->primary].since_ns = w->now;
    t->servers[i].role = ROLE_PRIMARY;
    t->servers[i].since_ns = w->now;
    t->primary = i;
}

static void commit(struct world *w, struct version *own)
{
    uint64_t d = dice(w, (uint64_t)w->domains);

    w->committed.seq[d]++;
    w->servers[w->topology->primary].shown = w->committed;
    w->servers[w->topology->primary].listed = w->committed;
    if (own)
        own->seq[d] = w->committed.seq[d];
}

/* Some commits report no GTID in time (a lost reply is one): then nothing is promised of them. */
static void write_one(struct world *w, struct session *s)
{
    struct version own = {{0}};

    commit(w, &own);
    pass(w);
    for (uint32_t d = 0; d < DOMAINS; d++) {
        struct gtid g = {d, 1, own.seq[d]};

        if (g.seq)
            causal_wrote(&s->causal, &g);
    }
    raise_to(&s->must, &own);
}

/* The server that answers, or -1: none of the replicas will do and dice chose no primary. */
static int choose(struct world *w, struct session *s, bool *wait)
{
    int fits[SERVERS];
    int n = 0;

    *wait = false;
    causal_fold(&s->causal, w->topology);
    for (int i = 0; i < w->count; i++) {
        enum causal_fit fit;

        if (w->servers[i].down || i == w->topology->primary)
            continue;
        fit = causal_fits(&s->causal, w->topology, i);
        if (fit == CAUSAL_FITS)
            fits[n++] = i;
        else if (fit == CAUSAL_WAIT && w->waits && dice(w, 4) == 0) {
            *wait = true;
            return i;
        }
    }
    if (n == 0 || dice(w, 16) == 0)
        return w->topology->primary;
    return fits[dice(w, (uint64_t)n)];
}

/* MASTER_GTID_WAIT(need): the position, not the tables, has to be there. */
static void wait_for_need(struct world *w, struct session *s, int i)
{
    struct server *at = &w->servers[i];

    for (;;) {
        struct gtid_set have = position_of(w, &at->listed);

        if (gtid_set_covers(&have, &s->causal.need))
            return;
        pass(w);
    }
}

static void read_one(struct world *w, struct session *s)
{
    bool wait;
    int i = choose(w, s, &wait);

    if (wait)
        wait_for_need(w, s, i);
    if (dice(w, 2))
        pass(w); /* the statement is under way */
    assert_true(covers(&w->servers[i].shown, &s->must));
    raise_to(&s->must, &w->servers[i].shown);
    if (dice(w, 2))
        pass(w); /* the answer is */
    causal_saw(&s->causal, i, w->now);
    w->waited_reads += wait;
    w->replica_reads += i != w->topology->primary;
    w->primary_reads += i == w->topology->primary;
}

static void step(struct world *w)
{
    struct session *s = &w->sessions[dice(w, SESSIONS)];

    if (dice(w, 3))
        pass(w);
    switch (dice(w, 20)) {
    case 0:
        fail_or_return(w);
        break;
    case 1:
        if (dice(w, 8) == 0)
            switch_over(w);
        break;
    case 2:
    case 3:
        write_one(w, s);
        break;
    case 4:
        commit(w, NULL); /* somebody else */
        break;
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
        sample(w);
        break;
    default:
        read_one(w, s);
        break;
    }
}

static void begin(struct world *w, uint64_t seed)
{
    *w = (struct world){.random = seed * 0x9E3779B97F4A7C15ULL + 1, .now = 1000000000};
    w->count = 3 + (int)dice(w, 3);
    w->domains = 1 + (int)dice(w, DOMAINS);
    w->waits = dice(w, 2);
    w->topology = topology_new();
    assert_non_null(w->topology);
    w->topology->count = w->count;
    w->topology->primary = 0;
    for (int d = 0; d < w->domains; d++)
        w->committed.seq[d] = 10;
    for (int i = 0; i < w->count; i++) {
        struct server_view *v = &w->topology->servers[i];

        w->servers[i].shown = w->servers[i].listed = w->committed;
        v->role = i ? ROLE_REPLICA : ROLE_PRIMARY;
        v->health = HEALTH_UP;
        v->position = position_of(w, &w->committed);
    }
    for (int i = 0; i < SESSIONS; i++)
        causal_init(&w->sessions[i].causal);
}

static void never_stale_never_back(void **state)
{
    static struct world w;
    long replica = 0;
    long primary = 0;
    long waited = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(&w, seed);
        for (int i = 0; i < STEPS; i++)
            step(&w);
        topology_unref(w.topology);
        replica += w.replica_reads;
        primary += w.primary_reads;
        waited += w.waited_reads;
    }
    print_message("%d seeds: %ld reads on replicas (%ld waited), %ld on the primary\n", SEEDS,
                  replica, waited, primary);
    /* else it proves nothing */
    assert_true(replica > primary / 2);
    assert_true(waited > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_stale_never_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
