#include "monitor/health.h"

#include <stdio.h>

static void become(struct health *h, enum server_health now, const char *why)
{
    h->now = now;
    (void)snprintf(h->why, sizeof h->why, "%s", why);
}

void health_note(struct health *h, const struct probe_answer *a, uint32_t limit)
{
    h->refused = a->result == PROBE_CLOSED && a->refused;
    (void)snprintf(h->last, sizeof h->last, "%s", a->result == PROBE_OK ? "" : a->why);
    if (a->result == PROBE_OK) {
        h->failures = 0;
        become(h, HEALTH_UP, "");
        return;
    }
    if (h->failures < UINT32_MAX)
        h->failures++;
    if (a->result == PROBE_CLOSED)
        become(h, HEALTH_DOWN, a->why);
    else if (a->result == PROBE_DENIED)
        become(h, HEALTH_REFUSED, a->why);
    else if (h->failures >= limit)
        become(h, a->result == PROBE_TIMEOUT ? HEALTH_TIMEOUT : HEALTH_DOWN, a->why);
}
