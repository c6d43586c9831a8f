#include "monitor/board.h"

#include "base/clock.h"
#include "base/log.h"
#include "monitor/galera_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct board *board_new(const struct conf *c)
{
    struct board *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->conf = c;
    b->count = (int)c->server_count;
    b->lag_primary = b->last_primary = b->judged = -1;
    b->verdict.primary = b->verdict.lost = -1;
    return b;
}

void board_free(struct board *b)
{
    free(b);
}

struct topology *board_first(const struct board *b)
{
    struct topology *t = topology_new();

    if (!t)
        return NULL;
    t->count = b->count;
    for (int i = 0; i < b->count; i++) {
        const struct conf_server *s = &b->conf->servers[i];
        struct server_view *v = &t->servers[i];

        (void)snprintf(v->name, sizeof v->name, "%s", s->name);
        (void)snprintf(v->host, sizeof v->host, "%s", s->address.host);
        v->port = (uint16_t)s->address.port;
        v->proxy_protocol = s->proxy_protocol;
        v->weight = s->weight;
        v->max_connections = s->max_connections;
        (void)snprintf(v->group, sizeof v->group, "%s", s->group);
        v->lag_ms = LAG_UNKNOWN;
        v->lagging = true;
        v->lease_ns = UINT64_MAX;
    }
    return t;
}

static void members(const struct board *b, struct member *m)
{
    for (int i = 0; i < b->count; i++) {
        const struct conf_server *s = &b->conf->servers[i];

        m[i] = (struct member){.name = s->name,
                               .host = s->address.host,
                               .port = s->address.port,
                               .facts = &b->facts[i],
                               .health = &b->health[i],
                               .candidate = s->candidate,
                               .resting = b->resting & UINT32_C(1) << i};
    }
}

/* The primary's newest sample into the ring; another primary begins a new one. */
static void note_lag(struct board *b, const struct verdict *v)
{
    int primary = v->primary;

    if (primary < 0 || v->galera)
        return;
    if (primary != b->lag_primary)
        lag_reset(&b->lag);
    b->lag_primary = primary;
    lag_note(&b->lag, &b->facts[primary].binlog_pos, b->facts[primary].sampled_ns);
}

/* Without a primary time stands still for lag: there is nothing newer that a replica could miss. */
static uint64_t lag_now(const struct board *b, int primary, uint64_t now_ns)
{
    return primary >= 0 ? now_ns : lag_newest_ns(&b->lag);
}

/* What a replica's own log holds of the primary's transactions. Its own errant ones no other server
 * will ever have. */
static struct gtid_set written_by_replication(const struct facts *f)
{
    struct gtid_set written = f->slave_pos;

    for (uint32_t i = 0; i < f->binlog_pos.count; i++)
        if (f->binlog_pos.at[i].server != f->server_id)
            (void)gtid_set_advance(
                &written, &f->binlog_pos.at[i]); /* no room: more domains than slave_pos has */
    return written;
}

/* How far a Galera node is behind it does not tell in milliseconds, but whether it is: flow control
 * lets none fall back further than some transactions. */
static void fill_galera(const struct facts *f, bool behind, struct server_view *s)
{
    s->position = s->written = f->binlog_pos;
    s->lag_ms = behind || !f->known ? LAG_UNKNOWN : 0;
    s->lagging = s->lag_ms == LAG_UNKNOWN;
}

static void fill_replication(const struct board *b, const struct verdict *v, int i, uint64_t now_ns,
                             struct server_view *s)
{
    const struct facts *f = &b->facts[i];
    bool replica = v->role[i] == ROLE_REPLICA;

    s->position = replica ? f->slave_pos : f->binlog_pos;
    s->written = replica ? written_by_replication(f) : f->binlog_pos;
    s->lag_ms = LAG_UNKNOWN;
    if (replica && f->known)
        s->lag_ms = lag_of(&b->lag, &f->slave_pos, lag_now(b, v->primary, now_ns));
    if (v->role[i] == ROLE_PRIMARY)
        s->lag_ms = 0;
    s->lagging = topology_lags(s->lagging, s->lag_ms, b->conf->routing.max_lag_ns / CLOCK_NS_PER_MS,
                               b->conf->routing.resume_lag_ns / CLOCK_NS_PER_MS);
}

/* In maintenance; one that was promoted all the same takes writes. */
static bool rests(const struct board *b, const struct verdict *v, int i)
{
    return (b->resting & UINT32_C(1) << i) && i != v->primary;
}

static void fill(const struct board *b, const struct verdict *v, int i, uint64_t now_ns,
                 struct server_view *s)
{
    const struct facts *f = &b->facts[i];

    if (s->role != v->role[i] || s->health != v->health[i])
        s->since_ns = now_ns;
    s->role = v->role[i];
    s->health = v->health[i];
    (void)snprintf(s->why, sizeof s->why, "%s", v->why[i]);
    s->server_id = f->server_id;
    s->capabilities = f->capabilities;
    s->resting = rests(b, v, i);
    s->sampled_ns = f->sampled_ns;
    s->room_ns = f->room_ns;
    if (v->galera)
        fill_galera(f, v->behind[i], s);
    else
        fill_replication(b, v, i, now_ns, s);
}

static const char *name_of(const struct board *b, int i)
{
    return i >= 0 ? b->conf->servers[i].name : "none";
}

static void log_server(const struct board *b, const struct verdict *v, int i)
{
    const struct conf_server *s = &b->conf->servers[i];
    const char *health = server_health_name(v->health[i]);

    if (v->health[i] == HEALTH_UP)
        log_event(LOG_INFO, "server.up", LOG_STR("server", s->name),
                  LOG_STR("address", s->address.text),
                  LOG_STR("role", server_role_name(v->role[i])));
    else if (v->health[i] == HEALTH_REFUSED)
        log_event(LOG_ERROR, "server.refused", LOG_STR("server", s->name),
                  LOG_STR("address", s->address.text), LOG_STR("reason", v->why[i]),
                  LOG_STR("hint", "check monitor.user, its password and its rights "
                                  "(docs/monitor.md)"));
    else if (v->health[i] != HEALTH_UNKNOWN)
        log_event(LOG_WARN, "server.down", LOG_STR("server", s->name),
                  LOG_STR("address", s->address.text), LOG_STR("health", health),
                  LOG_STR("reason", v->why[i]));
}

static void log_changes(const struct board *b, const struct verdict *v)
{
    const struct verdict *old = &b->verdict;

    for (int i = 0; i < b->count; i++)
        if (v->health[i] != old->health[i])
            log_server(b, v, i);
    if (v->primary != old->primary && v->primary >= 0)
        log_event(LOG_INFO, "primary.changed", LOG_STR("from", name_of(b, old->primary)),
                  LOG_STR("to", name_of(b, v->primary)));
    else if (v->primary < 0 && strcmp(v->reason, old->reason) != 0)
        log_event(LOG_WARN, "primary.none", LOG_STR("before", name_of(b, b->last_primary)),
                  LOG_STR("reason", v->reason));
}

/* At the start a primary that was not asked yet is not missing. */
static bool still_asking(const struct board *b)
{
    for (int i = 0; i < b->count; i++)
        if (b->health[i].now == HEALTH_UNKNOWN)
            return true;
    return false;
}

static bool same_view(const struct server_view *a, const struct server_view *b)
{
    return a->role == b->role && a->health == b->health && a->sampled_ns == b->sampled_ns &&
           a->lag_ms == b->lag_ms && a->server_id == b->server_id && a->resting == b->resting &&
           a->lease_ns == b->lease_ns && a->capabilities == b->capabilities &&
           gtid_set_equal(&a->position, &b->position) && gtid_set_equal(&a->written, &b->written) &&
           strcmp(a->why, b->why) == 0;
}

static bool same(const struct topology *a, const struct topology *b)
{
    for (int i = 0; i < a->count; i++)
        if (!same_view(&a->servers[i], &b->servers[i]))
            return false;
    return a->primary == b->primary && a->galera == b->galera && a->writers == b->writers &&
           a->undecided == b->undecided && a->left == b->left;
}

static int source_of(const struct member *m, int n, int i)
{
    const struct facts *f = m[i].facts;

    for (int k = 0; k < f->channel_count; k++) {
        const struct channel *c = &f->channels[k];

        if (c->io == CHANNEL_STOPPED && !c->sql_running && !c->io_errno && !c->sql_errno)
            continue; /* it was started without */
        return judge_source_of(m, n, c);
    }
    return -1;
}

static void look(const struct board *b, const struct member *m, int judged,
                 struct failover_view *view)
{
    memset(view, 0, sizeof *view);
    view->n = b->count;
    view->judged = judged;
    for (int i = 0; i < b->count; i++) {
        const struct facts *f = &b->facts[i];

        view->at[i] = (struct failover_member){
            .up = f->known && b->health[i].now == HEALTH_UP,
            .gone = b->health[i].refused,
            .read_only = f->read_only,
            .acks = f->acks,
            .resting = b->resting & UINT32_C(1) << i,
            .enrolled = f->enrolled,
            .source = source_of(m, b->count, i),
            .heard_ns = f->known ? f->sampled_ns : 0,
            .row = f->row,
            .written = f->binlog_pos,
        };
    }
}

uint32_t board_patience(const struct board *b, int i)
{
    bool writes = b->verdict.role[i] != ROLE_REPLICA || b->verdict.writers & UINT32_C(1) << i;

    return writes ? b->conf->monitor.failures : 1;
}

void board_look(const struct board *b, struct failover_view *view)
{
    struct member m[SERVERS_MAX];

    members(b, m);
    look(b, m, b->judged, view);
}

bool board_is_galera(const struct board *b)
{
    struct member m[SERVERS_MAX];

    members(b, m);
    return galera_is_cluster(m, b->count);
}

bool board_may_expire(const struct board *b)
{
    return b->conf->failover.enabled && b->verdict.primary >= 0;
}

/* What a replica wrote last and nobody sent it, or NULL. A former primary's own transactions are
 * either among those it is said to have applied or the last that the primary has. */
static const struct gtid *errant_of(const struct facts *replica, const struct facts *primary)
{
    for (uint32_t i = 0; i < replica->binlog_pos.count; i++) {
        const struct gtid *own = &replica->binlog_pos.at[i];
        const struct gtid *applied = gtid_set_of(&replica->slave_pos, own->domain);
        const struct gtid *there = gtid_set_of(&primary->binlog_pos, own->domain);

        if (own->server == replica->server_id && !(applied && applied->seq >= own->seq) &&
            !(there && there->server == own->server && there->seq == own->seq))
            return own;
    }
    return NULL;
}

/* Reads there would show what no other server has. */
static void apply_errant(const struct board *b, struct verdict *v)
{
    for (int i = 0; v->primary >= 0 && i < b->count; i++) {
        const struct gtid *g = errant_of(&b->facts[i], &b->facts[v->primary]);

        if (v->role[i] != ROLE_REPLICA || v->health[i] != HEALTH_UP || !g)
            continue;
        v->health[i] = HEALTH_BROKEN;
        (void)snprintf(v->why[i], sizeof v->why[i],
                       "it has transactions of its own (%u-%u-%llu): rebuild it", g->domain,
                       g->server, (unsigned long long)g->seq);
    }
}

/* Who has not answered within the lease is waited for by no read, either. */
static void apply_silence(const struct board *b, const struct failover_view *view, uint64_t now_ns,
                          struct verdict *v)
{
    uint32_t heard = failover_heard(view, b->conf->failover.lease_ns, now_ns);

    for (int i = 0; i < b->count; i++) {
        if (v->health[i] != HEALTH_UP || !b->facts[i].known || heard & UINT32_C(1) << i)
            continue;
        v->health[i] = HEALTH_TIMEOUT;
        (void)snprintf(v->why[i], sizeof v->why[i], "%s",
                       b->health[i].last[0] ? b->health[i].last : "no answer within the lease");
    }
}

/* Where failover is on, epochs say who takes writes, and who may answer reads. */
static void apply_gate(struct board *b, const struct member *m, uint64_t now_ns, struct verdict *v)
{
    struct failover_view view;
    struct failover_gate g;

    b->judged = v->primary;
    if (!b->conf->failover.enabled || v->galera)
        return;
    look(b, m, v->primary, &view);
    g = failover_gate(&view, b->conf->failover.lease_ns, now_ns);
    b->epoch = g.epoch;
    if (g.epoch == 0)
        return;
    if (g.primary < 0)
        (void)snprintf(v->reason, sizeof v->reason, "%s", g.why);
    v->primary = g.primary;
    apply_silence(b, &view, now_ns, v);
    for (int i = 0; i < b->count; i++) {
        if (v->role[i] == ROLE_PRIMARY && i != g.primary)
            v->role[i] = ROLE_UNKNOWN;
        if (i == g.primary)
            v->role[i] = ROLE_PRIMARY;
        else if (v->health[i] == HEALTH_UP && !failover_may_read(&g, &b->facts[i].row)) {
            v->health[i] = HEALTH_BROKEN;
            (void)snprintf(v->why[i], sizeof v->why[i], "it has not joined the newest epoch yet");
        }
    }
    apply_errant(b, v);
}

/* A server in maintenance answers no reads. */
static void apply_rest(const struct board *b, struct verdict *v)
{
    for (int i = 0; i < b->count; i++) {
        if (!rests(b, v, i) || v->health[i] != HEALTH_UP)
            continue;
        v->health[i] = HEALTH_BROKEN;
        (void)snprintf(v->why[i], sizeof v->why[i], "in maintenance");
    }
}

/* Leases there are where there are epochs. */
static void fill_leases(const struct board *b, const struct verdict *v, struct topology *t)
{
    struct failover_view view;
    bool any = b->conf->failover.enabled && !v->galera && b->epoch;

    board_look(b, &view);
    for (int i = 0; i < t->count; i++)
        t->servers[i].lease_ns =
            any ? failover_lease_end(&view, i, b->conf->failover.lease_ns) : UINT64_MAX;
}

struct topology *board_next(struct board *b, const struct topology *old, uint64_t now_ns)
{
    struct topology *t = topology_copy(old);
    struct member m[SERVERS_MAX];
    struct verdict v;

    if (!t)
        return NULL;
    members(b, m);
    judge(m, b->count, b->last_primary, now_ns, &v);
    apply_gate(b, m, now_ns, &v);
    apply_rest(b, &v);
    if (v.primary < 0 && still_asking(b))
        v.reason[0] = 0;
    note_lag(b, &v);
    t->primary = v.primary;
    t->galera = v.galera;
    t->writers = b->conf->routing.multi_writer ? v.writers : 0;
    t->undecided = b->conf->routing.multi_writer ? v.undecided : 0;
    for (int i = 0; i < b->count; i++)
        fill(b, &v, i, now_ns, &t->servers[i]);
    fill_leases(b, &v, t);
    t->left = still_asking(b) ? 0 : b->epoch;
    log_changes(b, &v);
    if (v.primary >= 0)
        b->last_primary = v.primary;
    b->verdict = v;
    if (!same(t, old))
        return t;
    topology_unref(t);
    return NULL;
}
