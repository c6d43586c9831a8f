#include "monitor/galera_judge.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

bool galera_is_cluster(const struct member *m, int n)
{
    bool any = false;

    for (int i = 0; i < n; i++)
        any = any || (m[i].facts->known && m[i].facts->galera.on);
    return any;
}

static bool has_settled(const struct member *m, uint64_t now_ns)
{
    uint64_t came_ns = m->facts->galera.came_ns;

    return came_ns == 0 || now_ns - came_ns >= GALERA_SETTLE_NS;
}

/* A node that comes back (thawed, perhaps) answers out of the view it remembers, barriers, too,
 * until it hears of the others' newer one. */
static bool is_outdated(const struct member *m, int n, int i, uint64_t now_ns)
{
    const struct galera_state *g = &m[i].facts->galera;
    bool outdated = false;

    if (has_settled(&m[i], now_ns))
        return false;
    for (int k = 0; k < n; k++)
        outdated =
            outdated || (m[k].health->now == HEALTH_UP && galera_is_well(&m[k].facts->galera) &&
                         strcmp(m[k].facts->galera.cluster, g->cluster) == 0 &&
                         m[k].facts->galera.view > g->view);
    return outdated;
}

static bool is_well(const struct member *m)
{
    return m->facts->known && m->health->now == HEALTH_UP && galera_is_well(&m->facts->galera) &&
           m->facts->galera.current;
}

static bool serves(const struct member *m, const char *cluster)
{
    return is_well(m) && strcmp(m->facts->galera.cluster, cluster) == 0;
}

static int nodes_of(const struct member *m, int n, const char *cluster)
{
    int count = 0;

    for (int i = 0; i < n; i++)
        count += serves(&m[i], cluster);
    return count;
}

/* The history that most nodes share; that of the writer before wins a tie. "" where no node is
 * well. */
static const char *cluster_of(const struct member *m, int n, int before)
{
    const char *best = "";
    int most = 0;

    for (int k = -1; k < n; k++) {
        int i = k < 0 ? before : k;
        int count;

        if (i < 0 || !is_well(&m[i]))
            continue;
        count = nodes_of(m, n, m[i].facts->galera.cluster);
        if (count > most) {
            best = m[i].facts->galera.cluster;
            most = count;
        }
    }
    return best;
}

static bool is_behind(const struct member *m)
{
    return m->facts->galera.local_state != GALERA_SYNCED;
}

enum { RANK_WELL_END = 2, RANK_RESTING_END = 2 * RANK_WELL_END, RANK_NONE = INT_MAX };

/* Of those that may take writes, the lowest does; below RANK_WELL_END they are synced and not in
 * maintenance. */
static int rank_of(const struct member *m, const char *cluster)
{
    if (!serves(m, cluster) || m->facts->read_only || m->candidate == CANDIDATE_NEVER)
        return RANK_NONE;
    return (m->candidate == CANDIDATE_PREFER ? 0 : 1) + (m->resting ? RANK_WELL_END : 0) +
           (is_behind(m) ? RANK_RESTING_END : 0);
}

static int lowest(const struct member *m, int n, const char *cluster)
{
    int best = -1;

    for (int i = 0; i < n; i++) {
        int rank = rank_of(&m[i], cluster);

        if (rank != RANK_NONE && (best < 0 || rank < rank_of(&m[best], cluster)))
            best = i;
    }
    return best;
}

/* The writer before is lost, and the others have not given it up yet: what it sent last may still
 * become a part of their history, and they can commit nothing. Who is not given up although it
 * cannot be reached from here is passed over after a while. */
static bool is_given_up(const struct member *lost, const struct member *next, uint64_t now_ns)
{
    const struct facts *f = lost->facts;

    return f->galera.view != next->facts->galera.view ||
           now_ns - f->sampled_ns >= GALERA_GIVE_UP_NS;
}

static int writer(const struct member *m, int n, const char *cluster, int before, uint64_t now_ns)
{
    int best = lowest(m, n, cluster);
    bool lost = before >= 0 && best >= 0 && m[before].health->now != HEALTH_UP;
    bool stays = before >= 0 && rank_of(&m[before], cluster) < RANK_WELL_END;

    if (lost && !is_given_up(&m[before], &m[best], now_ns))
        return -1;
    return stays && best >= 0 && !has_settled(&m[best], now_ns) ? before : best;
}

/* Whose writes, if it took some, are neither in the others' history yet nor out of it. */
static bool is_undecided(const struct member *m, int next, int i, uint64_t now_ns)
{
    return m[i].facts->known && m[i].facts->galera.on && m[i].health->now != HEALTH_UP &&
           (next < 0 || !is_given_up(&m[i], &m[next], now_ns));
}

static void fill_writers(const struct member *m, int n, const char *cluster, uint64_t now_ns,
                         struct verdict *v)
{
    int next = lowest(m, n, cluster);

    for (int i = 0; i < n; i++) {
        uint32_t bit = UINT32_C(1) << i;

        if (rank_of(&m[i], cluster) < RANK_WELL_END && has_settled(&m[i], now_ns))
            v->writers |= bit;
        if (is_undecided(m, next, i, now_ns))
            v->undecided |= bit;
    }
}

static void say_none(const struct member *m, int n, int before, struct verdict *v)
{
    int reached = 0;

    for (int i = 0; i < n; i++)
        reached += m[i].health->now == HEALTH_UP;
    if (before >= 0 && m[before].health->now != HEALTH_UP) {
        v->lost = before;
        (void)snprintf(v->reason, sizeof v->reason, "%s, which took writes, is lost: %.100s",
                       m[before].name, m[before].health->why);
    } else {
        (void)snprintf(v->reason, sizeof v->reason,
                       "none of the %d Galera nodes that answer is ready, writable and in the part "
                       "of the cluster that has the majority",
                       reached);
    }
}

static void judge_node(const struct member *m, const char *cluster, int i, struct verdict *v)
{
    const struct galera_state *g = &m[i].facts->galera;
    char *why = v->why[i];

    v->health[i] = m[i].health->now;
    v->role[i] = m[i].facts->known ? ROLE_REPLICA : ROLE_UNKNOWN;
    if (v->health[i] != HEALTH_UP) {
        (void)snprintf(why, SERVER_WHY_MAX, "%s", m[i].health->why);
        return;
    }
    v->behind[i] = is_behind(&m[i]);
    if (serves(&m[i], cluster))
        return;
    v->health[i] = HEALTH_BROKEN;
    if (!m[i].facts->known)
        (void)snprintf(why, SERVER_WHY_MAX, "not known yet to be in the cluster's newest view");
    else if (!g->on)
        (void)snprintf(why, SERVER_WHY_MAX, "no node of the Galera cluster that the others are");
    else if (!g->component)
        (void)snprintf(why, SERVER_WHY_MAX, "cut off from the majority of its Galera cluster");
    else if (!g->ready || !g->current)
        (void)snprintf(why, SERVER_WHY_MAX, "not ready, says Galera: %s", g->word);
    else
        (void)snprintf(why, SERVER_WHY_MAX, "in another Galera cluster, %s", g->cluster);
}

void galera_judge(const struct member *m, int n, int before, uint64_t now_ns, struct verdict *v)
{
    struct member known[SERVERS_MAX];
    static const struct facts nothing;
    const char *cluster;

    for (int i = 0; i < n; i++) {
        known[i] = m[i];
        if (is_outdated(m, n, i, now_ns))
            known[i].facts = &nothing;
    }
    m = known;
    cluster = cluster_of(m, n, before);
    v->galera = true;
    v->primary = writer(m, n, cluster, before, now_ns);
    if (v->primary < 0)
        say_none(m, n, before, v);
    fill_writers(m, n, cluster, now_ns, v);
    for (int i = 0; i < n; i++)
        judge_node(m, cluster, i, v);
    if (v->primary >= 0)
        v->role[v->primary] = ROLE_PRIMARY;
    if (v->lost >= 0)
        v->role[v->lost] = ROLE_PRIMARY;
}
