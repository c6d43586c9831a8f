#include "monitor/failover_view.h"

#define BIT(i) (UINT32_C(1) << (i))

int failover_majority(int n)
{
    return n / 2 + 1;
}

/* Heard within the lease. Its time counts from when the answer was asked for. */
static bool heard(const struct failover_member *m, uint64_t lease_ns, uint64_t now_ns)
{
    return m->up && m->heard_ns && now_ns - m->heard_ns < lease_ns;
}

uint32_t failover_heard(const struct failover_view *v, uint64_t lease_ns, uint64_t now_ns)
{
    uint32_t bits = 0;

    for (int i = 0; i < v->n; i++)
        bits |= heard(&v->at[i], lease_ns, now_ns) ? BIT(i) : 0;
    return bits;
}

uint32_t failover_resting(const struct failover_view *v)
{
    uint32_t bits = 0;

    for (int i = 0; i < v->n; i++)
        bits |= v->at[i].resting ? BIT(i) : 0;
    return bits;
}

static void find_newest(const struct failover_view *v, struct failover_gate *g)
{
    for (int i = 0; i < v->n; i++) {
        const struct failover_row *row = &v->at[i].row;

        g->epoch = row->epoch > g->epoch ? row->epoch : g->epoch;
        g->joined = row->joined > g->joined ? row->joined : g->joined;
    }
}

int failover_primary_of(const struct failover_view *v, uint64_t epoch)
{
    for (int i = 0; i < v->n; i++)
        if (epoch && v->at[i].row.primary == epoch)
            return i;
    return -1;
}

static uint32_t enrolled(const struct failover_view *v)
{
    uint32_t bits = 0;

    for (int i = 0; i < v->n; i++)
        bits |= v->at[i].enrolled ? BIT(i) : 0;
    return bits;
}

/* Why the primary of the newest epoch is not to be used; NULL where it is. */
static const char *unusable(const struct failover_view *v, int primary, uint64_t lease_ns,
                            uint64_t now_ns)
{
    if (primary < 0)
        return "the newest epoch has no primary yet";
    if (v->at[primary].gone)
        return "the primary is gone";
    if (!heard(&v->at[primary], lease_ns, now_ns))
        return "the primary does not answer";
    return v->at[primary].read_only ? "the primary is read-only" : NULL;
}

struct failover_gate failover_gate(const struct failover_view *v, uint64_t lease_ns,
                                   uint64_t now_ns)
{
    struct failover_gate g = {.primary = -1};
    uint32_t here = failover_heard(v, lease_ns, now_ns);
    bool most = __builtin_popcount(here) >= failover_majority(v->n);
    int primary;

    find_newest(v, &g);
    if (g.epoch)
        here &= enrolled(v);
    g.majority = __builtin_popcount(here) >= failover_majority(v->n);
    if (g.epoch == 0) {
        g.primary = v->judged;
        g.why = "no server is known as the primary";
        return g;
    }
    primary = failover_primary_of(v, g.epoch);
    g.why = g.majority ? unusable(v, primary, lease_ns, now_ns)
            : most     ? "this Tillway is not enrolled at more than half of the servers yet"
                       : "less than half of the servers answer: another majority may have "
                         "another primary";
    g.primary = g.why ? -1 : primary;
    return g;
}

/* When more than half of the servers had been heard, where this Tillway is enrolled; 0: never. */
static uint64_t most_heard_ns(const struct failover_view *v)
{
    uint64_t latest_ns = 0;

    for (int i = 0; i < v->n; i++) {
        uint64_t at_ns = v->at[i].heard_ns;
        int since = 0;

        for (int k = 0; k < v->n; k++)
            since += v->at[k].up && v->at[k].enrolled && v->at[k].heard_ns >= at_ns;
        if (since >= failover_majority(v->n) && at_ns > latest_ns)
            latest_ns = at_ns;
    }
    return latest_ns;
}

uint64_t failover_lease_end(const struct failover_view *v, int server, uint64_t lease_ns)
{
    const struct failover_member *m = &v->at[server];
    uint64_t own_ns = m->up && !m->gone ? m->heard_ns : 0;
    uint64_t most_ns = most_heard_ns(v);
    uint64_t since_ns = own_ns < most_ns ? own_ns : most_ns;

    return since_ns ? since_ns + lease_ns : 0;
}

bool failover_others_may_return(const struct failover_view *v, const struct failover_gate *g,
                                uint64_t lease_ns, uint64_t now_ns)
{
    uint32_t here = failover_heard(v, lease_ns, now_ns);
    int last = failover_primary_of(v, g->epoch);

    if (last < 0 || v->at[last].gone || !(here & BIT(last)))
        return false;
    return __builtin_popcount(here | failover_resting(v)) < v->n;
}

bool failover_may_read(const struct failover_gate *g, const struct failover_row *row)
{
    return row->joined == g->joined;
}

bool failover_follows(const struct failover_view *v, int server, int primary)
{
    int at = server;

    for (int hops = 0; hops < v->n && at >= 0 && at != primary; hops++)
        at = v->at[at].source;
    return at == primary && server != primary;
}

static bool is_stray(const struct failover_view *v, const struct failover_gate *g, int i,
                     bool acker)
{
    const struct failover_member *m = &v->at[i];

    return m->row.joined != g->epoch || !m->read_only || (acker && !m->acks) ||
           !failover_follows(v, i, g->primary);
}

int failover_stray(const struct failover_view *v, const struct failover_gate *g, uint32_t except,
                   uint32_t ackers)
{
    for (int i = 0; i < v->n; i++)
        if (i != g->primary && v->at[i].up && !v->at[i].resting && !(except & BIT(i)) &&
            is_stray(v, g, i, ackers & BIT(i)))
            return i;
    return -1;
}

static bool eligible(const struct failover_ballot *b, int i)
{
    return b->among & BIT(i) && b->preference[i] != PREFER_NEVER;
}

/* The last epoch that a position has transactions of. */
static uint64_t epoch_in(const struct gtid_set *position, uint32_t domain)
{
    for (uint32_t i = 0; i < position->count; i++)
        if (position->at[i].domain == domain)
            return position->at[i].seq;
    return 0;
}

static uint64_t last_epoch(const struct failover_ballot *b, int n)
{
    uint64_t last = 0;

    for (int i = 0; i < n; i++) {
        uint64_t epoch = eligible(b, i) ? epoch_in(&b->received[i], b->domain) : 0;

        last = epoch > last ? epoch : last;
    }
    return last;
}

/* Among those whose history ends in `epoch`. */
static bool has_most(const struct failover_ballot *b, int n, int i, uint64_t epoch)
{
    if (epoch_in(&b->received[i], b->domain) != epoch)
        return false;
    for (int k = 0; k < n; k++)
        if (eligible(b, k) && epoch_in(&b->received[k], b->domain) == epoch &&
            !gtid_set_covers(&b->received[i], &b->received[k]))
            return false;
    return true;
}

/* Whether i is to be taken rather than `best`; both have all. */
static bool better(const struct failover_ballot *b, int i, int best)
{
    if (best < 0)
        return true;
    if (!(b->resting & BIT(i)) != !(b->resting & BIT(best)))
        return !(b->resting & BIT(i));
    if ((b->preference[i] == PREFER_FIRST) != (b->preference[best] == PREFER_FIRST))
        return b->preference[i] == PREFER_FIRST;
    return i == b->old;
}

int failover_elect(const struct failover_ballot *b, int n, const char **why)
{
    uint64_t epoch = last_epoch(b, n);
    int best = -1;
    bool any = false;

    for (int i = 0; i < n; i++) {
        if (!eligible(b, i))
            continue;
        any = true;
        if (has_most(b, n, i, epoch) && better(b, i, best))
            best = i;
    }
    *why = any ? "no server has all that the others have: their histories differ"
               : "no server that answers may be promoted";
    return best;
}

bool failover_covers_acks(const enum failover_preference *p, int n, uint32_t answered)
{
    int missing = 0;

    for (int i = 0; i < n; i++)
        missing += p[i] != PREFER_NEVER && !(answered & BIT(i));
    return missing <= 1;
}
