#include "monitor/lag.h"

#include "base/clock.h"

#include <string.h>

void lag_reset(struct lag *l)
{
    l->count = 0;
}

/* How much a bound grows, at worst and relative to itself, where sample i is missing. */
static double cost_of(const struct lag *l, int i)
{
    uint64_t newest = l->samples[l->count - 1].last_ns;

    return (double)(l->samples[i + 1].last_ns - l->samples[i - 1].last_ns) /
           (double)(newest - l->samples[i].last_ns + 1);
}

/* Make room for one: the ends stay. */
static void thin_out(struct lag *l)
{
    int cheapest = 1;

    for (int i = 2; i < l->count - 1; i++)
        if (cost_of(l, i) < cost_of(l, cheapest))
            cheapest = i;
    memmove(&l->samples[cheapest], &l->samples[cheapest + 1],
            (size_t)(l->count - cheapest - 1) * sizeof l->samples[0]);
    l->count--;
}

void lag_note(struct lag *l, const struct gtid_set *position, uint64_t at_ns)
{
    struct lag_sample *newest = l->count > 0 ? &l->samples[l->count - 1] : NULL;

    if (newest && gtid_set_equal(&newest->position, position)) {
        newest->last_ns = at_ns;
        return;
    }
    if (l->count == LAG_SAMPLES)
        thin_out(l);
    l->samples[l->count++] = (struct lag_sample){*position, at_ns};
}

uint64_t lag_of(const struct lag *l, const struct gtid_set *replica, uint64_t now_ns)
{
    for (int i = l->count - 1; i >= 0; i--) {
        const struct lag_sample *s = &l->samples[i];

        if (!gtid_set_covers(replica, &s->position))
            continue;
        if (i == l->count - 1 || now_ns <= s->last_ns)
            return 0;
        return (now_ns - s->last_ns + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS;
    }
    return LAG_UNKNOWN;
}

uint64_t lag_newest_ns(const struct lag *l)
{
    return l->count > 0 ? l->samples[l->count - 1].last_ns : 0;
}
