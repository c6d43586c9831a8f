#include "routing/route.h"

#include <assert.h>
#include <stdio.h>

/* The servers of one question, as sets of bits by index. */
struct choice {
    uint32_t open;  /* replicas that may take reads at all */
    uint32_t fresh; /* of these: may answer this session now */
    uint32_t late;  /* of these: may answer after waiting for the session's own write */
};

static uint32_t bit(int i)
{
    return UINT32_C(1) << i;
}

static bool replica_is_up(const struct route_ask *a, int i)
{
    const struct server_view *s = &a->topology->servers[i];

    if (i == a->topology->primary || s->role != ROLE_REPLICA || s->health != HEALTH_UP ||
        a->exclude & bit(i))
        return false;
    return a->wish.only ? a->wish.only & bit(i) : s->weight > 0 && !s->group[0];
}

/* Without a primary nothing is committed that a replica could fall behind of: then lag is no reason
 * to answer nothing. */
static uint32_t open_replicas(const struct route_ask *a)
{
    uint32_t up = 0;
    uint32_t near = 0;

    for (int i = 0; i < a->topology->count; i++) {
        if (!replica_is_up(a, i))
            continue;
        up |= bit(i);
        if (!a->topology->servers[i].lagging)
            near |= bit(i);
    }
    return near || a->topology->primary >= 0 ? near : up;
}

static struct choice choice_of(const struct route_ask *a)
{
    struct choice c = {.open = open_replicas(a)};

    if (a->policy->consistency == CONSISTENCY_EVENTUAL) {
        c.fresh = c.open;
        return c;
    }
    for (int i = 0; i < a->topology->count; i++) {
        enum causal_fit fit;

        if (!(c.open & bit(i)))
            continue;
        fit = causal_fits(a->causal, a->topology, i);
        if (a->topology->galera && a->policy->consistency == CONSISTENCY_GLOBAL)
            fit = CAUSAL_WAIT; /* what anybody has committed by now */
        c.fresh |= fit == CAUSAL_FITS ? bit(i) : 0;
        c.late |= fit == CAUSAL_WAIT ? bit(i) : 0;
    }
    return c;
}

/* Who has read on the primary can't come back to it by reading: it leaves when that is worth it. */
static uint32_t favours(const struct route_ask *a)
{
    return a->favours |
           (a->topology->primary >= 0 ? a->causal->seen_on & bit(a->topology->primary) : 0);
}

static int pick(const struct route_ask *a, uint32_t among)
{
    const struct balance b = {.topology = a->topology,
                              .loads = a->loads,
                              .latency = a->latency,
                              .slow_start_ns = a->policy->slow_start_ns,
                              .now_ns = a->now_ns,
                              .held = a->held,
                              .favours = favours(a),
                              .turn = a->turn};

    return balance_pick(&b, among);
}

static bool has_primary(const struct route_ask *a)
{
    return a->topology->primary >= 0 && !(a->exclude & bit(a->topology->primary));
}

/* The next writer of a Galera cluster may still be applying what the one before has acknowledged;
 * one of several, what others have. */
static bool primary_waits(const struct route_ask *a)
{
    if (!a->topology->galera || a->policy->consistency == CONSISTENCY_EVENTUAL)
        return false;
    return (a->topology->writers && a->policy->consistency == CONSISTENCY_GLOBAL &&
            !(a->pins & PIN_TRANSACTION)) ||
           causal_fits(a->causal, a->topology, a->topology->primary) == CAUSAL_WAIT;
}

static struct route to_primary(const struct route_ask *a, enum route_reason why)
{
    return (struct route){.server = a->topology->primary, .reason = why, .wait = primary_waits(a)};
}

static struct route nowhere(enum route_reason why)
{
    return (struct route){.server = -1, .reason = why};
}

/* A replica that is fresh, or one to wait for; server -1 where there is none. */
static struct route to_replica(const struct route_ask *a, const struct choice *c,
                               enum route_reason why)
{
    if (c->fresh)
        return (struct route){.server = pick(a, c->fresh), .reason = why};
    if (c->late && a->policy->wait_for_replica)
        return (struct route){.server = pick(a, c->late), .reason = ROUTE_WAITS, .wait = true};
    return nowhere(ROUTE_NO_PRIMARY);
}

/* A read that the policy or a rule alone keeps on the primary, and there is none. */
static struct route without_primary(const struct route_ask *a)
{
    struct choice c = choice_of(a);
    struct route r = to_replica(a, &c, ROUTE_NO_PRIMARY_READ);

    if (r.server < 0 && !c.open)
        r.reason = ROUTE_NO_SERVER;
    return r;
}

static struct route to_primary_at_best(const struct route_ask *a, enum route_reason why)
{
    return has_primary(a) ? to_primary(a, why) : without_primary(a);
}

static struct route must_primary(const struct route_ask *a, enum route_reason why)
{
    return has_primary(a) ? to_primary(a, why) : nowhere(ROUTE_NO_PRIMARY);
}

/* Stayed: only the server that was read last will do until newer samples come. */
static enum route_reason why_replica(const struct route_ask *a)
{
    bool stays = a->policy->consistency != CONSISTENCY_EVENTUAL && a->causal->seen_at >= 0;

    if (a->wish.only)
        return ROUTE_ASKED_SERVER;
    return stays ? ROUTE_REPLICA_STAYED : ROUTE_BALANCED;
}

/* Once a session has read on a replica, it may come back when it has committed something, or cares
 * for no order. */
static bool primary_shares(const struct route_ask *a)
{
    const struct server_view *p = &a->topology->servers[a->topology->primary];
    bool ordered = a->policy->consistency != CONSISTENCY_EVENTUAL && !a->topology->galera;

    return a->policy->primary_reads && !a->wish.replica && !a->wish.only && p->weight > 0 &&
           !p->group[0] && (!ordered || causal_shows_all(a->causal, a->topology->primary));
}

/* The primary has everything. Where no replica is known to have what the session needs, those that
 * it could wait at take part: else the reads behind writes would all be the primary's. */
static struct route share(const struct route_ask *a, const struct choice *c)
{
    uint32_t primary = bit(a->topology->primary);
    uint32_t late = a->policy->wait_for_replica ? c->late : 0;
    bool waits = c->fresh == 0;
    int i = pick(a, primary | (waits ? late : c->fresh));

    if (i == a->topology->primary)
        return to_primary(a, ROUTE_PRIMARY_SHARE);
    return (struct route){
        .server = i, .reason = waits ? ROUTE_WAITS : why_replica(a), .wait = waits};
}

static struct route route_read(const struct route_ask *a)
{
    struct choice c = choice_of(a);
    struct route r;

    if (has_primary(a) && a->wish.only == bit(a->topology->primary))
        return to_primary(a, ROUTE_ASKED_SERVER);
    if (has_primary(a) && primary_shares(a))
        return share(a, &c);
    r = to_replica(a, &c, why_replica(a));

    if (r.server >= 0)
        return r;
    if (has_primary(a))
        return to_primary(a, c.open ? ROUTE_NOT_FRESH : ROUTE_NO_REPLICA);
    return nowhere(c.open ? ROUTE_NO_PRIMARY : ROUTE_NO_SERVER);
}

struct route route_statement(const struct route_ask *ask)
{
    bool splits = ask->policy->consistency != CONSISTENCY_PRIMARY;

    assert(ask->topology->count <= SERVERS_MAX);
    if (!sql_is_read(ask->statement))
        return must_primary(ask, splits ? ROUTE_STATEMENT : ROUTE_POLICY);
    if (ask->pins)
        return must_primary(ask, ROUTE_PINNED);
    if (ask->wish.primary)
        return to_primary_at_best(ask, ROUTE_RULE);
    if (!splits && !ask->wish.replica && !ask->wish.only)
        return to_primary_at_best(ask, ROUTE_POLICY);
    return route_read(ask);
}

static const struct {
    const char *name;
    const char *text;
} reasons[ROUTE_REASON_COUNT] = {
    [ROUTE_BALANCED] = {"balanced", "a read, to the least busy fresh replica"},
    [ROUTE_WAITS] = {"waits", "a read, after the replica has the session's own write"},
    [ROUTE_STATEMENT] = {"statement", "not provably a read"},
    [ROUTE_PINNED] = {"pinned", "a read, but the session's state keeps it on the primary"},
    [ROUTE_NOT_FRESH] = {"not_fresh", "a read, but no replica is known to have all that the "
                                      "session wrote or saw"},
    [ROUTE_NO_REPLICA] = {"no_replica", "a read, but no replica is up, weighted and near enough"},
    [ROUTE_PRIMARY_SHARE] = {"primary_share", "a read, to the primary, which is the least busy"},
    [ROUTE_POLICY] = {"policy", "this listener sends all to the primary"},
    [ROUTE_ASKED_SERVER] = {"asked", "a read, to a server that a comment or a rule asks for"},
    [ROUTE_RULE] = {"rule", "a read, but a rule sends it to the primary"},
    [ROUTE_REPLICA_STAYED] = {"stayed", "a read, to the replica that the session read last"},
    [ROUTE_NO_PRIMARY_READ] = {"no_primary_read", "a read, to a replica for there is no primary"},
    [ROUTE_NO_PRIMARY] = {"no_primary", "needs the primary, and there is none"},
    [ROUTE_NO_SERVER] = {"no_server", "no server is up"},
};

const char *route_reason_name(enum route_reason r)
{
    assert(r < ROUTE_REASON_COUNT);
    return reasons[r].name;
}

const char *route_reason_text(enum route_reason r)
{
    assert(r < ROUTE_REASON_COUNT);
    return reasons[r].text;
}

static const char *const pin_texts[] = {
    "it is in a transaction",
    "autocommit is off",
    "SET TRANSACTION waits for the next transaction",
    "it may have temporary tables",
    "it may hold locks",
    "it has changed its role",
    "a variable of its cannot be carried to another server",
    "it ran code whose effects only the server knows",
    "its default schema is a system schema",
    "it is in an XA transaction",
    "it asks about the statement before",
    "what its SET of session_track_... changed is not known yet",
    "its status counters are looked at",
};

const char *session_pin_text(uint32_t pins)
{
    int i = pins ? __builtin_ctz(pins) : -1;

    if (i < 0 || (size_t)i >= ARRAY_LEN(pin_texts))
        return "nothing pins it";
    return pin_texts[i];
}

static const char *role_word(const struct route_ask *ask, const struct route *r)
{
    return r->server == ask->topology->primary ? "primary" : "replica";
}

void route_explain(const struct route_ask *ask, const struct route *r, char *out, size_t size)
{
    const char *text = route_reason_text(r->reason);
    const struct server_view *s = r->server >= 0 ? &ask->topology->servers[r->server] : NULL;
    const char *more = "";
    struct span f = {0};
    char where[SERVER_NAME_MAX + 16];

    if (s)
        (void)snprintf(where, sizeof(where), "%s %s", role_word(ask, r), s->name);
    else
        (void)snprintf(where, sizeof(where), "nowhere");
    if (r->reason == ROUTE_PINNED) {
        more = session_pin_text(ask->pins);
    } else if (!sql_is_read(ask->statement)) {
        more = sql_reason_text(ask->statement->reason);
        f = ask->statement->function;
    }
    (void)snprintf(out, size, "%s: %s%s%s%s%.*s%s", where, text, *more ? ": " : "", more,
                   f.n ? " (" : "", (int)(f.n < 64 ? f.n : 64), f.n ? (const char *)f.p : "",
                   f.n ? ")" : "");
}
