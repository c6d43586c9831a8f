#include "routing/balance.h"

#include <assert.h>

/* A full weight is SHARES parts; RATIO_MAX: a server counts as no slower than so many times. */
enum { SHARES = 64, RATIO_MAX = 64, STEPS = 16 };

#define NO_DIFFERENCE_NS 1000000ULL

void latency_note(struct latency *l, int server, uint64_t took_ns)
{
    uint64_t *median = &l->median_ns[server];
    uint64_t step = *median / STEPS + 1;

    if (*median == 0)
        *median = took_ns ? took_ns : 1;
    else if (took_ns > *median)
        *median += step;
    else if (*median > step)
        *median -= step;
}

static uint64_t busy(const struct balance *b, int i)
{
    int n = atomic_load_explicit(&b->loads[i].busy, memory_order_relaxed);

    if (b->favours & UINT32_C(1) << i)
        n -= BALANCE_FAVOUR;
    return n > 0 ? (uint64_t)n : 0;
}

static int next_of(uint32_t *set)
{
    int i = __builtin_ctz(*set);

    *set &= *set - 1;
    return i;
}

/* Of those measured; 0: none is. */
static uint64_t fastest(const struct latency *l, uint32_t among)
{
    uint64_t least = 0;

    while (among) {
        uint64_t median = l->median_ns[next_of(&among)];

        if (median && (!least || median < least))
            least = median;
    }
    return least;
}

/* How many times slower than the fastest, from 1 on. */
static uint64_t ratio(const struct latency *l, int i, uint64_t least)
{
    uint64_t r = (l->median_ns[i] + NO_DIFFERENCE_NS) / (least + NO_DIFFERENCE_NS);

    return r < 1 ? 1 : r < RATIO_MAX ? r : RATIO_MAX;
}

/* The weight, in parts, of a server that may have come back just now. */
static uint64_t weight(const struct balance *b, int i)
{
    const struct server_view *s = &b->topology->servers[i];
    uint64_t up = b->now_ns > s->since_ns ? b->now_ns - s->since_ns : 0;
    uint64_t share = SHARES;

    if (b->slow_start_ns && up < b->slow_start_ns)
        share = 1 + (SHARES - 1) * (up / 1024) / (b->slow_start_ns / 1024 + 1);
    return s->weight * share;
}

struct candidate {
    uint64_t cost; /* what is under way there, in statements of the fastest */
    uint64_t weight;
};

static bool cheaper(const struct candidate *x, const struct candidate *y)
{
    return x->cost * y->weight < y->cost * x->weight;
}

/* Those of `among` that no other is cheaper than; their weights are left in `all`. */
static uint32_t cheapest(const struct balance *b, uint32_t among, struct candidate *all)
{
    bool explores = b->turn % BALANCE_EXPLORE == BALANCE_EXPLORE - 1;
    const struct latency *latency = explores ? NULL : b->latency;
    uint64_t least = latency ? fastest(latency, among) : 0;
    uint32_t best = 0;
    int first = -1;

    while (among) {
        int i = next_of(&among);
        uint64_t slower = latency ? ratio(latency, i, least) : 1;

        all[i] = (struct candidate){busy(b, i) * slower + slower - 1, weight(b, i)};
        if (first < 0 || cheaper(&all[i], &all[first])) {
            best = 0;
            first = i;
        }
        if (first == i || !cheaper(&all[first], &all[i]))
            best |= UINT32_C(1) << i;
    }
    return best;
}

static bool weigh_the_same(uint32_t among, const struct candidate *all)
{
    uint64_t weight = all[__builtin_ctz(among)].weight;

    while (among)
        if (all[next_of(&among)].weight != weight)
            return false;
    return true;
}

static int by_ticket(uint32_t among, const struct candidate *all, uint32_t turn)
{
    uint64_t sum = 0;
    uint64_t ticket;
    int i;

    for (uint32_t left = among; left;)
        sum += all[next_of(&left)].weight;
    ticket = (turn * UINT32_C(0x9E3779B1) >> 8) % sum;
    for (i = next_of(&among); among && ticket >= all[i].weight; i = next_of(&among))
        ticket -= all[i].weight;
    return i;
}

/* Turns go round; where weights differ, in their proportion. */
static int take_turns(const struct balance *b, uint32_t among, const struct candidate *all)
{
    if (!weigh_the_same(among, all))
        return by_ticket(among, all, b->turn);
    for (uint32_t n = b->turn % (uint32_t)__builtin_popcount(among); n > 0; n--)
        among &= among - 1;
    return __builtin_ctz(among);
}

int balance_pick(const struct balance *b, uint32_t among)
{
    struct candidate all[SERVERS_MAX];
    uint32_t best;

    assert(among);
    best = cheapest(b, among, all);
    if (best & b->held)
        best &= b->held;
    return take_turns(b, best, all);
}
