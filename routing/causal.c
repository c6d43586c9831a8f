#include "routing/causal.h"

#include <assert.h>

void causal_init(struct causal *c)
{
    *c = (struct causal){.seen_at = -1};
}

static void forget_seen(struct causal *c)
{
    c->seen_at = -1;
    c->seen_ns = 0;
    c->wrote_since = false;
}

void causal_wrote(struct causal *c, const struct gtid *g)
{
    if (!gtid_set_advance(&c->need, g)) {
        c->untracked = true;
    }
    if (c->several_domains) {
        c->wrote_since = c->seen_at >= 0;
    } else {
        c->seen_on = 0;
        forget_seen(c);
    }
}

void causal_saw(struct causal *c, int server, uint64_t now_ns)
{
    assert(server >= 0 && server < SERVERS_MAX);
    c->seen_at = server;
    c->seen_ns = now_ns;
    c->seen_on |= UINT32_C(1) << server;
    c->wrote_since = false;
}

bool causal_shows_all(const struct causal *c, int i)
{
    return (c->seen_on & ~(UINT32_C(1) << i)) == 0;
}

/* The server went on as the session knew it: neither down nor in another role since the read. */
static bool unchanged(const struct causal *c, const struct server_view *s)
{
    return s->health == HEALTH_UP && s->since_ns < c->seen_ns;
}

static bool sampled_after(const struct causal *c, const struct server_view *s)
{
    return s->sampled_ns >= c->seen_ns && s->sampled_ns - c->seen_ns >= CAUSAL_SETTLE_NS;
}

/* A sample from before it was the primary may be lower than what another replica showed. */
static bool sampled_as_primary(const struct server_view *s)
{
    return s->sampled_ns > s->since_ns;
}

/* Whose sample bounds what was seen: the server's own while it went on, for the primary's is far
 * higher than what a lagging replica showed; else the primary's. NULL: none yet. */
static const struct server_view *bound_of(const struct causal *c, const struct topology *t)
{
    const struct server_view *own = &t->servers[c->seen_at];
    const struct server_view *primary = t->primary >= 0 ? &t->servers[t->primary] : NULL;

    if (unchanged(c, own)) {
        return sampled_after(c, own) ? own : NULL;
    }
    return primary && sampled_as_primary(primary) && sampled_after(c, primary) ? primary : NULL;
}

void causal_bound(struct causal *c, const struct gtid_set *position)
{
    if (!gtid_set_merge(&c->need, position)) {
        c->untracked = true;
    }
    forget_seen(c);
}

static bool any_several_domains(const struct topology *t)
{
    for (int i = 0; i < t->count; i++) {
        if (t->servers[i].position.count > 1) {
            return true;
        }
    }
    return false;
}

void causal_fold(struct causal *c, const struct topology *t)
{
    const struct server_view *bound;

    c->several_domains = any_several_domains(t);
    if (c->seen_at < 0 || t->galera) {
        return;
    }
    assert(c->seen_at < t->count);
    bound = bound_of(c, t);
    if (!bound) {
        return;
    }
    if (!gtid_set_merge(&c->need, &bound->written)) {
        c->untracked = true;
    }
    causal_bound(c, &bound->position);
}

/* The server the session read last, not yet folded. */
static enum causal_fit fits_again(const struct causal *c, const struct server_view *s)
{
    if (!unchanged(c, s)) {
        return CAUSAL_UNFIT;
    }
    if (!c->wrote_since || gtid_set_covers(&s->position, &c->need)) {
        return CAUSAL_FITS;
    }
    return CAUSAL_WAIT;
}

/* The node that answered last has what it answered; any other has it after a barrier. */
static enum causal_fit fits_in_galera(const struct causal *c, const struct topology *t, int i)
{
    if (c->seen_at < 0 || (c->seen_at == i && unchanged(c, &t->servers[i]))) {
        return CAUSAL_FITS;
    }
    return CAUSAL_WAIT;
}

enum causal_fit causal_fits(const struct causal *c, const struct topology *t, int i)
{
    assert(i >= 0 && i < t->count);
    if (t->galera) {
        return fits_in_galera(c, t, i);
    }
    if (i == t->primary) {
        return CAUSAL_FITS;
    }
    if (c->untracked) {
        return CAUSAL_UNFIT;
    }
    if (c->seen_at == i) {
        return fits_again(c, &t->servers[i]);
    }
    if (c->seen_at >= 0) {
        return CAUSAL_UNFIT;
    }
    return gtid_set_covers(&t->servers[i].position, &c->need) ? CAUSAL_FITS : CAUSAL_WAIT;
}
