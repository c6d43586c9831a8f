#include "routing/wish.h"

/* The servers of that name or group. */
static uint32_t servers_called(const struct topology *t, struct span name)
{
    uint32_t servers = 0;

    for (int i = 0; name.n && i < t->count; i++)
        if (span_eq(name, t->servers[i].name) || span_eq(name, t->servers[i].group))
            servers |= UINT32_C(1) << i;
    return servers;
}

static void add_consistency(struct route_wish *w, enum sql_hint_consistency hint)
{
    static const enum consistency meant[] = {
        [SQL_HINT_SESSION] = CONSISTENCY_SESSION,
        [SQL_HINT_EVENTUAL] = CONSISTENCY_EVENTUAL,
        [SQL_HINT_GLOBAL] = CONSISTENCY_GLOBAL,
    };

    if (w->has_consistency || hint == SQL_HINT_NONE)
        return;
    w->has_consistency = true;
    w->consistency = meant[hint];
}

void route_wish_add_hints(struct route_wish *w, const struct sql_hints *h, const struct topology *t)
{
    if (!w->only && !w->primary && !w->replica) {
        w->only = servers_called(t, h->server);
        w->replica = h->replica;
    }
    add_consistency(w, h->consistency);
    if (h->timeout_ms && (!w->timeout_ms || h->timeout_ms < w->timeout_ms))
        w->timeout_ms = h->timeout_ms;
}

enum consistency route_consistency(const struct route_wish *w, enum consistency standard)
{
    return w->has_consistency ? w->consistency : standard;
}
