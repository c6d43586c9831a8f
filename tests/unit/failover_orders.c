/* The simulated servers' side: what each order does, when it arrives. */
#include "tests/unit/failover_world.h"

#include <stdio.h>
#include <string.h>

enum { LEAP = SIM_LOG }; /* more than a server throws away */

bool sim_runs(const struct sim_server *s)
{
    return s->up && !s->frozen;
}

/* The last of each domain, of which there are two: clients' and the marks'. */
struct gtid_set sim_position(const struct sim_world *w, const struct sim_server *s, int length)
{
    int domains = w->fault == SIM_NO_MARKS ? 1 : 2;
    struct gtid_set set = {0};

    for (int i = 0; i < domains && length > 0; i++) {
        int last = s->log[length - 1].last[i];
        const struct sim_entry *e = last > 0 ? &s->log[last - 1] : NULL;

        if (e)
            (void)gtid_set_put(&set, &(struct gtid){e->domain, e->server, e->seq});
    }
    return set;
}

bool sim_is_prefix(const struct sim_server *of, const struct sim_server *s, int length)
{
    return length <= of->length &&
           (length == 0 || of->log[length - 1].history == s->log[length - 1].history);
}

static bool has_gtid(const struct sim_server *s, const struct gtid *g)
{
    for (int i = 0; i < s->length; i++)
        if (s->log[i].domain == g->domain && s->log[i].server == g->server &&
            s->log[i].seq == g->seq)
            return true;
    return false;
}

bool sim_may_attach(const struct sim_world *w, const struct sim_server *to,
                    const struct sim_server *s)
{
    struct gtid_set set = sim_position(w, s, s->length);

    for (uint32_t i = 0; i < set.count; i++)
        if (!has_gtid(to, &set.at[i]))
            return false;
    return true;
}

/* splitmix64's finalizer (Steele, Lea and Flood, 2014): one-to-one, so that logs which differ once
 * go on to differ. */
static uint64_t mixed(uint64_t x)
{
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9U;
    x = (x ^ x >> 27) * 0x94D049BB133111EBU;
    return x ^ x >> 31;
}

void sim_put(struct sim_server *s, struct sim_entry e)
{
    static const struct sim_entry none = {.history = 1};
    const struct sim_entry *before = s->length > 0 ? &s->log[s->length - 1] : &none;

    memcpy(e.last, before->last, sizeof e.last);
    e.last[e.domain == SIM_DOMAIN] = (uint16_t)(s->length + 1);
    e.history = mixed(before->history ^ ((uint64_t)e.domain << 40 | (uint64_t)e.server << 32 |
                                         (uint64_t)e.seq << 16 | e.value));
    s->log[s->length++] = e;
}

static uint16_t next_seq(const struct sim_server *s)
{
    int last = s->length > 0 ? s->log[s->length - 1].last[0] : 0;

    return last > 0 ? (uint16_t)(s->log[last - 1].seq + 1) : 1;
}

void sim_append(struct sim_world *w, int server, struct sim_entry e)
{
    struct sim_server *s = &w->servers[server];

    if (s->length == SIM_LOG)
        return;
    e.server = (uint8_t)server;
    if (e.domain == 0)
        e.seq = (uint16_t)(next_seq(s) + e.seq);
    sim_put(s, e);
    s->applied = s->length;
}

bool sim_has_value(const struct sim_server *s, uint16_t value)
{
    for (int i = 0; i < s->length; i++)
        if (s->log[i].value == value)
            return true;
    return false;
}

static bool take_lock(struct sim_world *w, struct sim_agent *a, int server,
                      const struct sim_slot *slot, struct failover_answer *answer)
{
    struct sim_server *s = &w->servers[server];
    bool taken = s->holder >= 0 && s->session != a->held[server];
    bool may_steal = slot->order.steal;

    if (w->fault == SIM_NEVER_BY_FORCE && s->stuck_at) {
        taken = true;
        may_steal = false;
    }
    answer->row = s->row;
    if (taken && !may_steal && w->fault != SIM_LOCK_SHARED)
        return false;
    if (s->row.epoch > slot->order.epoch ||
        (slot->order.fresh && s->row.epoch == slot->order.epoch))
        return false;
    s->holder = a->index;
    s->session = a->held[server] = slot->session;
    s->stuck_at = 0;
    return true;
}

/* The connections of a former primary's clients end: who waits for an acknowledgement is not told
 * of it any more. */
static void survey(const struct sim_world *w, struct sim_server *s, struct failover_answer *answer)
{
    if (s->source < 0) {
        s->read_only = true;
        s->told = s->length;
    }
    s->running = false;
    answer->acks = s->acks || w->fault == SIM_ACKS_AT_ONCE;
    answer->position = sim_position(w, s, w->fault == SIM_BY_APPLIED ? s->applied : s->length);
}

/* Replicating again begins at what was applied; the rest of what was received is thrown away. */
static bool join(struct sim_world *w, int server, const struct failover_order *o,
                 struct failover_answer *answer)
{
    struct sim_server *s = &w->servers[server];
    const struct sim_server *source = &w->servers[o->source];
    struct gtid_set applied;

    s->read_only = true;
    s->row = (struct failover_row){o->epoch, o->epoch, 0};
    if (s->source != o->source || !s->running) {
        s->length = s->applied;
        s->acked = s->told = s->length;
        applied = sim_position(w, s, s->applied);
        s->acks = o->acks && gtid_set_covers(&applied, &o->position);
    }
    s->source = o->source;
    s->running = true;
    s->broken = !sim_may_attach(w, source, s) && w->fault != SIM_ERRANT_JOINS;
    answer->errant = s->broken && source->up;
    return !s->broken;
}

/* The mark, which is waited for until somebody acknowledges it. */
static bool begin_promotion(struct sim_world *w, int server, struct sim_slot *slot)
{
    const struct failover_order *o = &slot->order;
    struct sim_server *s = &w->servers[server];

    s->source = -1;
    s->running = s->broken = false;
    s->length = s->applied;
    s->acked = s->told = s->length;
    if (!sim_has_mark(s, o->epoch))
        sim_append(w, server, (struct sim_entry){.domain = SIM_DOMAIN, .seq = (uint16_t)o->epoch});
    if (o->leap && w->fault != SIM_NO_LEAP)
        sim_append(w, server, (struct sim_entry){.seq = LEAP}); /* behind the mark */
    slot->mark_end = s->length;
    return true;
}

static bool has_all_acknowledged(const struct sim_world *w, const struct sim_server *s)
{
    bool has[SIM_WRITES + 1] = {false};

    for (int i = 0; i < s->length; i++)
        has[s->log[i].value] = true;
    for (int i = 0; i < w->acknowledged_count; i++)
        if (!has[w->acknowledged[i]])
            return false;
    return true;
}

static void promote(struct sim_world *w, int server, const struct failover_order *o)
{
    struct sim_server *s = &w->servers[server];

    s->row = (struct failover_row){o->epoch, o->epoch, o->epoch};
    s->read_only = false;
    s->told = s->length;
    if (w->primary_of[o->epoch] >= 0 && w->primary_of[o->epoch] != server)
        sim_violated(w, "two servers were made writable in one epoch");
    w->primary_of[o->epoch] = server;
    if (o->epoch > w->newest) {
        w->newest = o->epoch;
        w->promoted = server;
        w->promoted_ns = w->now_ns;
        w->promotions++;
        if (!has_all_acknowledged(w, s))
            sim_violated(w, "an acknowledged write is not on the new primary");
    }
}

bool sim_has_mark(const struct sim_server *s, uint64_t epoch)
{
    for (int i = 0; i < s->length; i++)
        if (s->log[i].domain == SIM_DOMAIN && s->log[i].seq == epoch)
            return true;
    return false;
}

static bool have_left(const struct sim_world *w, const struct sim_server *s, uint64_t epoch)
{
    for (int i = 0; i < w->agent_count; i++)
        if (s->left[i] && s->left[i] < epoch)
            return false;
    return true;
}

static void expel(const struct sim_world *w, struct sim_server *s, const struct failover_order *o)
{
    for (int i = 0; i < w->agent_count; i++)
        if (o->expel && s->left[i] < o->epoch)
            s->left[i] = 0;
}

/* Whether the order, begun, needs more time: a JOIN until what the server acknowledges counts, an
 * AWAIT until all have left, a DRAIN until the position was applied, a PROMOTE until the mark is
 * acknowledged. */
static bool takes_longer(const struct sim_world *w, const struct sim_server *s,
                         const struct sim_slot *slot)
{
    struct gtid_set applied;

    switch (slot->order.kind) {
    case ORDER_AWAIT:
        return !have_left(w, s, slot->order.epoch);
    case ORDER_JOIN:
        return slot->order.acks && !s->acks;
    case ORDER_DRAIN:
        applied = sim_position(w, s, s->applied);
        return !gtid_set_covers(&applied, &slot->order.position);
    case ORDER_PROMOTE:
        return !slot->order.alone && s->acked < slot->mark_end && w->fault != SIM_ASYNC;
    default:
        return false;
    }
}

static bool begin(struct sim_world *w, struct sim_agent *a, int server, struct sim_slot *slot)
{
    struct sim_server *s = &w->servers[server];
    struct failover_answer *answer = &slot->answer;

    switch (slot->order.kind) {
    case ORDER_LOCK:
        return take_lock(w, a, server, slot, answer);
    case ORDER_PROMISE:
        s->row.epoch = slot->order.epoch;
        for (int i = 0; i < w->agent_count && w->fault == SIM_LEFT_AT_ONCE; i++)
            s->left[i] = slot->order.epoch;
        return true;
    case ORDER_QUIESCE:
    case ORDER_AWAIT:
    case ORDER_DRAIN:
        return true;
    case ORDER_FENCE:
        s->read_only = true;
        answer->position = sim_position(w, s, s->length);
        return true;
    case ORDER_SURVEY:
        survey(w, s, answer);
        return true;
    case ORDER_JOIN:
        expel(w, s, &slot->order);
        return join(w, server, &slot->order, answer);
    default:
        expel(w, s, &slot->order);
        return begin_promotion(w, server, slot);
    }
}

/* The order has taken all the time it wanted, or (`late`) was given. */
static void end(struct sim_world *w, int server, struct sim_slot *slot, bool late)
{
    struct sim_server *s = &w->servers[server];

    slot->answer.ok = !late || slot->order.kind == ORDER_JOIN;
    if (slot->order.kind == ORDER_JOIN)
        slot->answer.acks = s->acks;
    else if (slot->order.kind == ORDER_PROMOTE && !late)
        promote(w, server, &slot->order);
    else if (slot->order.kind == ORDER_PROMOTE)
        s->stuck_at = slot->mark_end;
}

static void post(struct sim_world *w, struct sim_agent *a, int server,
                 const struct failover_answer *answer)
{
    struct sim_mail *m = sim_new_mail(a);

    if (m)
        *m = (struct sim_mail){.due_ns = w->now_ns + 1 + sim_dice(w, 20 * CLOCK_NS_PER_MS),
                               .server = server,
                               .answer = *answer};
}

static bool holds_lock(const struct sim_world *w, const struct sim_agent *a,
                       const struct sim_server *s, const struct sim_slot *slot)
{
    return w->fault == SIM_ORDERS_OUTLIVE || w->fault == SIM_LOCK_SHARED ||
           (s->holder == a->index && s->session == slot->session);
}

void sim_carry_out(struct sim_world *w, struct sim_agent *a, int server, struct sim_slot *slot)
{
    const struct sim_server *s = &w->servers[server];
    bool late = w->now_ns >= slot->until_ns;

    if (slot->order.kind != ORDER_LOCK && !holds_lock(w, a, s, slot)) {
        slot->answer.ok = false;
        (void)snprintf(slot->answer.why, sizeof slot->answer.why, "the session is lost");
    } else {
        if (!slot->begun)
            slot->answer.ok = begin(w, a, server, slot);
        slot->begun = true;
        if (slot->answer.ok && takes_longer(w, s, slot) && !late)
            return;
        if (slot->answer.ok)
            end(w, server, slot, takes_longer(w, s, slot));
    }
    slot->busy = false;
    if (!slot->closed && a->up && !w->cut[a->index][server])
        post(w, a, server, &slot->answer);
}
