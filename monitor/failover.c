#include "monitor/failover_begin.h"

#include "base/clock.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BIT(i) (UINT32_C(1) << (i))

/* A rejoin that failed, and one that cannot succeed by itself, are tried again after: */
#define REJOIN_PAUSE_NS (2 * CLOCK_NS_PER_S)
/* Until the view shows what was done: servers are asked about replication every 200 ms. */
#define REJOIN_SHOWN_NS (400 * CLOCK_NS_PER_MS)
/* Who did not get what it needed tries again within: */
#define QUIET_LEAST_NS (20 * CLOCK_NS_PER_MS)
#define QUIET_MOST_NS  (200 * CLOCK_NS_PER_MS)
/* Servers that may be about to come back, too, are awaited for so long. */
#define TOGETHER_NS (5 * CLOCK_NS_PER_S)

#define BACK STATE_BIT(FAILOVER_WATCH)

static const struct state_row rows[] = {
    [FAILOVER_WATCH] = {"watch", STATE_BIT(FAILOVER_LOCK)},
    [FAILOVER_LOCK] = {"lock", STATE_BIT(FAILOVER_LEASE) | STATE_BIT(FAILOVER_JOIN) | BACK},
    [FAILOVER_LEASE] = {"lease", STATE_BIT(FAILOVER_QUIESCE) | STATE_BIT(FAILOVER_SURVEY) |
                                     STATE_BIT(FAILOVER_REPOINT) | BACK},
    [FAILOVER_QUIESCE] = {"quiesce", STATE_BIT(FAILOVER_FENCE) | BACK},
    [FAILOVER_FENCE] = {"fence", STATE_BIT(FAILOVER_DRAIN) | STATE_BIT(FAILOVER_PROMOTE) | BACK},
    [FAILOVER_SURVEY] = {"survey", STATE_BIT(FAILOVER_DRAIN) | BACK},
    [FAILOVER_DRAIN] = {"drain", STATE_BIT(FAILOVER_WAIT) | STATE_BIT(FAILOVER_PROMOTE) | BACK},
    [FAILOVER_WAIT] = {"wait", STATE_BIT(FAILOVER_REPOINT) | BACK},
    [FAILOVER_REPOINT] = {"repoint", STATE_BIT(FAILOVER_PROMOTE) | BACK},
    [FAILOVER_PROMOTE] = {"promote", BACK},
    [FAILOVER_JOIN] = {"join", BACK},
};
static const struct state_table table = {"failover", rows, FAILOVER_STATE_COUNT};

void failover_init(struct failover *f, const struct failover_rules *r,
                   const struct failover_effects *fx, uint64_t seed)
{
    memset(f, 0, sizeof *f);
    f->rules = *r;
    f->fx = *fx;
    f->random = seed | 1;
    f->old = f->candidate = f->subject = -1;
    state_init(&f->state, &table, FAILOVER_WATCH);
}

static uint64_t between(struct failover *f, uint64_t least, uint64_t most)
{
    f->random ^= f->random << 13;
    f->random ^= f->random >> 7;
    f->random ^= f->random << 17;
    return least + f->random % (most - least);
}

/* "failover to db2, epoch 7, after 35 ms: …" */
static void say(const struct failover *f, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void say(const struct failover *f, const char *fmt, ...)
{
    char line[400];
    int n = snprintf(line, sizeof line, "%s, epoch %llu, %llu ms: ", failover_task_name(f->task),
                     (unsigned long long)f->epoch,
                     (unsigned long long)((f->now_ns - f->begun_ns) / CLOCK_NS_PER_MS));
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(line + n, sizeof line - (size_t)n, fmt, ap);
    va_end(ap);
    f->fx.say(f->fx.ctx, line);
}

static void enter(struct failover *f, enum failover_state next)
{
    state_enter(&f->state, (int)next);
    f->step_ns = f->now_ns;
}

/* Whose acknowledgements a primary may count. */
static uint32_t ackers(const struct failover *f)
{
    uint32_t bits = 0;

    for (int i = 0; f->rules.semi_sync && i < f->rules.n; i++)
        bits |= f->rules.preference[i] != PREFER_NEVER ? BIT(i) : 0;
    return bits;
}

static void order(struct failover *f, int server, struct failover_order o)
{
    o.serial = f->serial;
    o.epoch = f->epoch;
    o.acks = ackers(f) & BIT(server);
    f->fx.order(f->fx.ctx, server, &o);
}

/* Answers of earlier rounds are of no use. */
static void begin_round(struct failover *f)
{
    f->serial++;
    f->asked = f->ok = f->failed = 0;
}

/* A round: the same order to several servers, or to one. */
static void ask(struct failover *f, uint32_t servers, struct failover_order o, uint64_t limit_ns)
{
    begin_round(f);
    f->asked = servers;
    f->deadline_ns = f->now_ns + limit_ns;
    o.limit_ns = limit_ns;
    for (int i = 0; i < f->rules.n; i++)
        if (servers & BIT(i))
            order(f, i, o);
}

/* One more order in the round under way. */
static void ask_also(struct failover *f, int server, struct failover_order o, uint64_t limit_ns)
{
    f->asked |= BIT(server);
    f->ok &= ~BIT(server);
    f->failed &= ~BIT(server);
    f->deadline_ns = f->now_ns + limit_ns;
    o.limit_ns = limit_ns;
    order(f, server, o);
}

static bool round_is_over(const struct failover *f)
{
    return (f->ok | f->failed) == f->asked || f->now_ns >= f->deadline_ns;
}

static void finish(struct failover *f, const char *why)
{
    f->fx.release(f->fx.ctx);
    f->serial++;
    f->asked = f->granted = f->safe = 0;
    f->quiet_ns = f->now_ns + (why[0] ? between(f, QUIET_LEAST_NS, QUIET_MOST_NS) : 0);
    if (f->task == TASK_REJOIN)
        f->retry_ns[f->subject] = f->now_ns + (why[0] ? REJOIN_PAUSE_NS : REJOIN_SHOWN_NS);
    f->unseen = f->task != TASK_REJOIN && !why[0];
    if (why[0])
        say(f, "given up: %s", why);
    enter(f, FAILOVER_WATCH);
    f->fx.ended(f->fx.ctx, f->task, why);
}

/* Besides those that are still being told to follow it. */
static void promote(struct failover *f, bool alone)
{
    say(f, "promoting %s%s", failover_name(f, f->candidate),
        alone ? ", whom nobody follows yet: commits will wait for somebody" : "");
    enter(f, FAILOVER_PROMOTE);
    ask_also(f, f->candidate,
             (struct failover_order){.kind = ORDER_PROMOTE,
                                     .expel = f->expel,
                                     .follow = f->candidate != f->old && f->task != TASK_ADOPT,
                                     .leap = f->task == TASK_FAILOVER,
                                     .alone = alone},
             f->rules.round_ns);
}

static struct failover_order join_order(const struct failover *f)
{
    return (struct failover_order){
        .kind = ORDER_JOIN, .expel = f->expel, .source = f->candidate, .position = f->position};
}

/* The others before the one: a semi-sync primary without replicas would stall. */
static void repoint(struct failover *f)
{
    uint32_t others = f->granted & ~BIT(f->candidate);

    f->followers = 0;
    enter(f, FAILOVER_REPOINT);
    if (others)
        say(f, "the others follow %s", failover_name(f, f->candidate));
    ask(f, others, join_order(f), f->rules.round_ns);
}

static void drain(struct failover *f, const struct gtid_set *position)
{
    say(f, "%s applies what it has received", failover_name(f, f->candidate));
    f->position = *position;
    enter(f, FAILOVER_DRAIN);
    ask(f, BIT(f->candidate), (struct failover_order){.kind = ORDER_DRAIN, .position = *position},
        f->rules.drain_ns);
}

/* The servers that this task cannot do without. */
static uint32_t needed(const struct failover *f)
{
    switch (f->task) {
    case TASK_REJOIN:
        return BIT(f->subject);
    case TASK_SWITCHOVER:
        return BIT(f->old) | BIT(f->candidate);
    case TASK_ADOPT:
        return BIT(f->candidate);
    default:
        return 0;
    }
}

/* All proxies are to notice, this one's first. */
static void leased(struct failover *f)
{
    f->leased_ns = f->now_ns;
    f->fx.look(f->fx.ctx);
    switch (f->task) {
    case TASK_SWITCHOVER:
        say(f, "the transactions on %s come to their end", failover_name(f, f->old));
        enter(f, FAILOVER_QUIESCE);
        ask(f, BIT(f->old), (struct failover_order){.kind = ORDER_QUIESCE}, f->rules.quiesce_ns);
        break;
    case TASK_FAILOVER:
        say(f, "%d of %d servers promised; who has received most?", __builtin_popcount(f->granted),
            f->rules.n);
        enter(f, FAILOVER_SURVEY);
        ask(f, f->granted, (struct failover_order){.kind = ORDER_SURVEY}, f->rules.round_ns);
        break;
    default:
        repoint(f);
        break;
    }
}

/* Whether the round gave what the task needs; where it did not, the task is over. */
static bool granted(struct failover *f)
{
    f->granted = f->ok;
    if (__builtin_popcount(f->granted) >= f->rules.majority &&
        (f->granted & needed(f)) == needed(f))
        return true;
    f->refused = true;
    finish(f, "another Tillway acts, or too few servers answer");
    return false;
}

/* Whether somebody else has promoted a server meanwhile, which the view does not show yet. */
static bool is_late(const struct failover *f)
{
    if (f->base > f->gate.epoch)
        return true;
    for (int i = 0; i < f->rules.n; i++)
        if (f->granted & BIT(i) && i != f->old && f->promoted[i] && f->promoted[i] == f->base)
            return true;
    return false;
}

static void on_lock(struct failover *f)
{
    if (!round_is_over(f))
        return;
    if (!f->failed)
        f->contested_ns = 0;
    else if (!f->contested_ns)
        f->contested_ns = f->now_ns;
    if (!granted(f))
        return;
    if (is_late(f)) {
        finish(f, "a newer epoch has begun");
        return;
    }
    if (f->task == TASK_REJOIN) {
        enter(f, FAILOVER_JOIN);
        ask(f, BIT(f->subject), join_order(f), f->rules.round_ns);
        return;
    }
    enter(f, FAILOVER_LEASE);
    ask(f, f->granted, (struct failover_order){.kind = ORDER_PROMISE}, f->rules.round_ns);
}

static void on_lease(struct failover *f)
{
    if (round_is_over(f) && granted(f))
        leased(f);
}

static void on_quiesce(struct failover *f)
{
    if (!round_is_over(f))
        return;
    say(f, "%s becomes read-only", failover_name(f, f->old));
    enter(f, FAILOVER_FENCE);
    ask(f, BIT(f->old), (struct failover_order){.kind = ORDER_FENCE}, f->rules.round_ns);
}

/* A switchover that cannot be completed leaves the old primary in its place. */
static void turn_back(struct failover *f)
{
    say(f, "%s is not ready in time: back to %s", failover_name(f, f->candidate),
        failover_name(f, f->old));
    f->candidate = f->old;
    begin_round(f);
    promote(f, false);
}

static void on_fence(struct failover *f)
{
    if (!round_is_over(f))
        return;
    if (!(f->ok & BIT(f->old))) {
        turn_back(f);
        return;
    }
    f->safe |= f->ok;
    drain(f, &f->received[f->old]);
}

/* Whether somebody among those that answered is known to have each acknowledged write: nobody is
 * missing; the last primary itself answered (no newer epoch was promised, so it is the last); or
 * enough of those that acknowledge. */
static bool covers(const struct failover *f)
{
    if (__builtin_popcount(f->ok) == f->rules.n)
        return true;
    for (int i = 0; i < f->rules.n; i++)
        if (f->ok & BIT(i) && f->promoted[i] && f->promoted[i] == f->base)
            return true;
    return failover_covers_acks(f->rules.preference, f->rules.n, f->acks);
}

static void on_survey(struct failover *f)
{
    uint32_t shunned = f->forced && f->old >= 0 ? BIT(f->old) : 0;
    struct failover_ballot b = {f->ok & ~shunned, failover_resting(f->view),
                                f->rules.domain,  f->rules.preference,
                                f->received,      f->old};
    const char *why;

    if (!round_is_over(f))
        return;
    f->safe |= f->ok;
    if (f->rules.semi_sync && !covers(f)) {
        finish(f, "a server that is missing may be the only one with an acknowledged write");
        return;
    }
    f->candidate = failover_elect(&b, f->rules.n, &why);
    if (f->candidate < 0)
        finish(f, why);
    else
        drain(f, &f->received[f->candidate]);
}

/* Whether a server can take no write of an older epoch any more: it is fenced, or it is gone (and
 * begins read-only, should it come back). */
static bool is_harmless(const struct failover *f, int server)
{
    return f->safe & BIT(server) || f->view->at[server].gone;
}

/* With the last primary known, all before it were seen to when it was promoted. */
static bool all_harmless(const struct failover *f)
{
    if (f->old >= 0)
        return is_harmless(f, f->old);
    for (int i = 0; i < f->rules.n; i++)
        if (!is_harmless(f, i))
            return false;
    return true;
}

/* What is left of the lease that began, at the latest, with the promise. */
static uint64_t lease_left_ns(const struct failover *f)
{
    uint64_t gone_ns = f->now_ns - f->leased_ns;

    return gone_ns < f->rules.wait_ns ? f->rules.wait_ns - gone_ns : 0;
}

static void wait(struct failover *f)
{
    enter(f, FAILOVER_WAIT);
    begin_round(f);
    if (all_harmless(f) || !lease_left_ns(f))
        return;
    say(f, "the proxies leave %s", failover_name(f, f->old));
    ask(f, f->granted, (struct failover_order){.kind = ORDER_AWAIT}, lease_left_ns(f));
}

static void on_drain(struct failover *f)
{
    if (!round_is_over(f))
        return;
    if (f->ok)
        wait(f);
    else if (f->task == TASK_SWITCHOVER)
        turn_back(f);
    else
        finish(f, "the elected server has not applied in time what it received");
}

static void on_wait(struct failover *f)
{
    bool left = __builtin_popcount(f->ok) >= f->rules.majority;

    f->expel = !left && !lease_left_ns(f);
    if (left || f->expel || all_harmless(f))
        repoint(f);
}

static void on_repoint(struct failover *f)
{
    bool alone = f->rules.semi_sync && !f->followers && f->task != TASK_ADOPT;

    if (round_is_over(f) || f->followers)
        promote(f, alone);
}

static void on_promote(struct failover *f)
{
    if (round_is_over(f) || f->failed & BIT(f->candidate))
        finish(f, f->ok & BIT(f->candidate) ? "" : "it was not promoted in time");
}

/* The promotion's answer, while others may still be about to follow. */
static void take_promotion(struct failover *f)
{
    say(f, "%s takes writes", failover_name(f, f->candidate));
    f->errant = 0;
    f->fx.look(f->fx.ctx);
}

static void on_join(struct failover *f)
{
    if (!round_is_over(f))
        return;
    if (f->ok)
        say(f, "%s follows %s", failover_name(f, f->subject), failover_name(f, f->candidate));
    finish(f, f->ok                         ? ""
              : f->errant & BIT(f->subject) ? "it has transactions that the primary does not have"
                                            : "it does not replicate");
}

/* Begin: locks and promises of all that answer. */
void failover_begin(struct failover *f, enum failover_task task, uint64_t epoch)
{
    f->task = task;
    f->epoch = epoch;
    f->begun_ns = f->now_ns;
    f->granted = f->safe = f->acks = 0;
    f->expel = f->refused = false;
    f->base = 0;
    memset(f->promoted, 0, sizeof f->promoted);
    if (f->candidate >= 0)
        f->position = f->view->at[f->candidate].written;
    if (task != TASK_REJOIN)
        say(f, "begins; the primary was %s", failover_name(f, f->old));
    enter(f, FAILOVER_LOCK);
    ask(f, failover_heard(f->view, f->rules.lease_ns, f->now_ns),
        (struct failover_order){.kind = ORDER_LOCK,
                                .fresh = task != TASK_REJOIN,
                                .steal = f->contested_ns &&
                                         f->now_ns - f->contested_ns >= f->rules.steal_ns},
        f->rules.round_ns);
}

uint64_t failover_next_epoch(const struct failover *f)
{
    return (f->seen > f->gate.epoch ? f->seen : f->gate.epoch) + 1;
}

void failover_begin_failover(struct failover *f, bool forced)
{
    f->old = failover_primary_of(f->view, f->gate.epoch);
    f->candidate = -1;
    f->forced = forced;
    failover_begin(f, TASK_FAILOVER, failover_next_epoch(f));
}

void failover_begin_rejoin(struct failover *f, int server)
{
    f->old = f->candidate = f->gate.primary;
    f->subject = server;
    failover_begin(f, TASK_REJOIN, f->gate.epoch);
}

static void look_for_strays(struct failover *f)
{
    uint32_t except = f->errant;
    int stray;

    for (int i = 0; i < f->rules.n; i++)
        except |= f->retry_ns[i] > f->now_ns ? BIT(i) : 0;
    stray = failover_stray(f->view, &f->gate, except, ackers(f));
    if (stray >= 0)
        failover_begin_rejoin(f, stray);
}

/* What was done is newer than the view: nothing follows from that until it shows the promoted
 * server, least of all that there is no primary. Not for ever, as that one may be lost by now; a
 * loss has to last anew. */
static bool awaits_view(struct failover *f)
{
    const struct failover_member *m;

    if (!f->unseen)
        return false;
    m = &f->view->at[f->candidate];
    f->unseen = m->row.primary != f->epoch && !m->gone && f->gate.epoch <= f->epoch &&
                f->now_ns - f->step_ns < f->rules.lease_ns;
    if (!f->unseen)
        f->lost_ns = 0;
    return f->unseen;
}

static bool awaits_the_others(const struct failover *f)
{
    return f->now_ns - f->lost_ns < TOGETHER_NS &&
           failover_others_may_return(f->view, &f->gate, f->rules.lease_ns, f->now_ns);
}

static void on_watch(struct failover *f)
{
    if (f->now_ns < f->quiet_ns || !f->gate.majority || awaits_view(f))
        return;
    if (f->gate.epoch == 0) {
        f->old = f->candidate = f->gate.primary;
        if (f->candidate >= 0 && f->view->at[f->candidate].up)
            failover_begin(f, TASK_ADOPT, failover_next_epoch(f));
        return;
    }
    if (f->gate.primary >= 0) {
        f->lost_ns = 0;
        look_for_strays(f);
        return;
    }
    if (!f->lost_ns) {
        f->lost_ns = f->now_ns;
        f->contested_ns = 0;
    }
    if (f->now_ns - f->lost_ns >= f->rules.confirm_ns && !awaits_the_others(f))
        failover_begin_failover(f, false);
}

static void (*const handlers[FAILOVER_STATE_COUNT])(struct failover *) = {
    [FAILOVER_WATCH] = on_watch,     [FAILOVER_LOCK] = on_lock,   [FAILOVER_LEASE] = on_lease,
    [FAILOVER_QUIESCE] = on_quiesce, [FAILOVER_FENCE] = on_fence, [FAILOVER_SURVEY] = on_survey,
    [FAILOVER_DRAIN] = on_drain,     [FAILOVER_WAIT] = on_wait,   [FAILOVER_REPOINT] = on_repoint,
    [FAILOVER_PROMOTE] = on_promote, [FAILOVER_JOIN] = on_join,
};

/* Who went away may have been made a copy of another one meanwhile. */
static void forget_errant(struct failover *f)
{
    for (int i = 0; i < f->view->n; i++)
        f->errant &= f->view->at[i].up ? UINT32_MAX : ~BIT(i);
}

void failover_look(struct failover *f, const struct failover_view *v, uint64_t now_ns)
{
    assert(v->n == f->rules.n);
    f->view = v;
    f->now_ns = now_ns;
    f->gate = failover_gate(v, f->rules.lease_ns, now_ns);
    if (f->gate.epoch > f->seen)
        f->seen = f->gate.epoch;
    forget_errant(f);
}

void failover_tick(struct failover *f, const struct failover_view *v, uint64_t now_ns)
{
    failover_look(f, v, now_ns);
    handlers[f->state.now](f);
    f->view = NULL;
}

void failover_take(struct failover *f, int server, const struct failover_answer *a,
                   const struct failover_view *v, uint64_t now_ns)
{
    uint32_t bit = BIT(server);

    if (a->row.epoch > f->seen)
        f->seen = a->row.epoch;
    if (a->serial != f->serial || !(f->asked & bit) || (f->ok | f->failed) & bit)
        return;
    f->now_ns = now_ns;
    if (a->ok)
        f->ok |= bit;
    else
        f->failed |= bit;
    if (a->errant)
        f->errant |= bit;
    f->received[server] = a->position;
    if (a->kind == ORDER_LOCK && a->ok) {
        f->promoted[server] = a->row.primary;
        f->base = a->row.epoch > f->base ? a->row.epoch : f->base;
    }
    f->acks |= a->acks ? bit : 0;
    if (a->kind == ORDER_JOIN && a->ok && a->acks)
        f->followers |= bit;
    if (a->kind == ORDER_PROMOTE && a->ok)
        take_promotion(f);
    if (!a->ok)
        say(f, "%s: %s", failover_name(f, server), a->why);
    failover_tick(f, v, now_ns);
}
