#include "routing/topology.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const role_names[] = {"unknown", "primary", "replica"};

static const char *const health_names[HEALTH_COUNT] = {"unknown", "up",      "down",
                                                       "timeout", "refused", "broken"};

struct topology *topology_new(void)
{
    struct topology *t = calloc(1, sizeof(*t));

    if (!t) {
        return NULL;
    }
    ref_init(&t->ref);
    t->primary = -1;
    return t;
}

struct topology *topology_copy(const struct topology *t)
{
    struct topology *copy = topology_new();

    if (!copy) {
        return NULL;
    }
    /* The members one by one: the count of references is the copy's own. */
    copy->epoch = t->epoch + 1;
    copy->count = t->count;
    copy->primary = t->primary;
    copy->galera = t->galera;
    copy->writers = t->writers;
    copy->undecided = t->undecided;
    copy->left = t->left;
    memcpy(copy->servers, t->servers, sizeof(copy->servers));
    return copy;
}

static int nth_writer(const struct topology *t, int n)
{
    uint32_t left = t->writers;

    for (int skip = n % __builtin_popcount(left); skip > 0; skip--) {
        left &= left - 1;
    }
    return __builtin_ctz(left);
}

static void make_primary(struct topology *t, int i)
{
    if (t->primary >= 0) {
        t->servers[t->primary].role = ROLE_REPLICA;
    }
    t->primary = i;
    if (i >= 0) {
        t->servers[i].role = ROLE_PRIMARY;
    }
}

struct topology *topology_shared(struct topology *t, int n, int *before)
{
    struct topology *copy;
    bool waits = *before >= 0 && t->undecided & UINT32_C(1) << *before;

    if (!t->writers) {
        topology_ref(t);
        return t;
    }
    copy = topology_copy(t);
    if (!copy) {
        return NULL;
    }
    copy->epoch = t->epoch;
    make_primary(copy, waits ? -1 : nth_writer(t, n));
    if (!waits) {
        *before = copy->primary;
    }
    return copy;
}

bool topology_writes(const struct topology *t, int i)
{
    return t->writers ? t->writers & UINT32_C(1) << i : i == t->primary;
}

bool topology_has_replaced(const struct topology *t, int i)
{
    return t->primary >= 0 && t->primary != i;
}

void topology_ref(struct topology *t)
{
    ref_get(&t->ref);
}

void topology_unref(struct topology *t)
{
    if (t && ref_put(&t->ref)) {
        free(t);
    }
}

uint64_t topology_capabilities(const struct topology *t)
{
    uint64_t all = UINT64_MAX;

    for (int i = 0; i < t->count; i++)
        if (t->servers[i].capabilities)
            all &= t->servers[i].capabilities;
    return all == UINT64_MAX ? 0 : all;
}

bool topology_lags(bool lagged, uint64_t lag_ms, uint64_t max_ms, uint64_t resume_ms)
{
    return lag_ms > (lagged ? resume_ms : max_ms);
}

bool topology_has_unknown(const struct topology *t)
{
    bool unknown = false;

    for (int i = 0; i < t->count; i++)
        unknown = unknown || t->servers[i].health == HEALTH_UNKNOWN;
    return unknown;
}

bool topology_tells_address(const struct topology *t)
{
    bool tells = false;

    for (int i = 0; i < t->count; i++)
        tells = tells || t->servers[i].proxy_protocol;
    return tells;
}

const char *server_role_name(enum server_role r)
{
    assert((size_t)r < sizeof(role_names) / sizeof(role_names[0]));
    return role_names[r];
}

const char *server_health_name(enum server_health h)
{
    assert(h < HEALTH_COUNT);
    return health_names[h];
}
