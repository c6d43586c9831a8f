#include "monitor/judge.h"

#include "base/clock.h"
#include "monitor/galera_judge.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ER_GTID_STRICT_OUT_OF_ORDER: the primary's next transaction has the number of one of its own. */
enum { OUT_OF_ORDER = 1950 };

/* Every text of a verdict is SERVER_WHY_MAX bytes; longer ones are cut. */
static void say(char *out, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void say(char *out, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(out, SERVER_WHY_MAX, fmt, ap);
    va_end(ap);
}

static int by_id(const struct member *m, int n, const struct channel *c)
{
    for (int i = 0; i < n; i++)
        if (c->master_id && m[i].facts->known && m[i].facts->server_id == c->master_id)
            return i;
    return -1;
}

static int by_address(const struct member *m, int n, const struct channel *c)
{
    for (int i = 0; i < n; i++)
        if (m[i].port && m[i].port == c->port && strcmp(m[i].host, c->host) == 0)
            return i;
    return -1;
}

int judge_source_of(const struct member *m, int n, const struct channel *c)
{
    int found = c->io == CHANNEL_RUNNING ? by_id(m, n, c) : by_address(m, n, c);

    if (found >= 0)
        return found;
    return c->io == CHANNEL_RUNNING ? by_address(m, n, c) : by_id(m, n, c);
}

static bool replicates_from(const struct member *m, int n, int replica, int source)
{
    const struct facts *f = m[replica].facts;

    for (int i = 0; f->known && i < f->channel_count; i++)
        if (judge_source_of(m, n, &f->channels[i]) == source)
            return true;
    return false;
}

static bool replicates(const struct member *m, int n, int replica)
{
    for (int i = 0; i < n; i++)
        if (i != replica && replicates_from(m, n, replica, i))
            return true;
    return false;
}

static int followers(const struct member *m, int n, int source)
{
    int count = 0;

    for (int i = 0; i < n; i++)
        count += i != source && replicates_from(m, n, i, source);
    return count;
}

/* Answers our questions, or did when it last could and refuses only our account. */
static bool alive(const struct member *m)
{
    return m->facts->known && (m->health->now == HEALTH_UP || m->health->now == HEALTH_REFUSED);
}

static bool writable(const struct member *m)
{
    return alive(m) && !m->facts->read_only;
}

/* Whether all servers that `i` replicates from are read-only and replicate from it in turn. */
static bool heads_a_ring(const struct member *m, int n, int i)
{
    bool any = false;

    for (int k = 0; k < n; k++) {
        if (k == i || !replicates_from(m, n, i, k))
            continue;
        if (!m[k].facts->read_only || !replicates_from(m, n, k, i))
            return false;
        any = true;
    }
    return any;
}

static bool candidate(const struct member *m, int n, int i)
{
    return writable(&m[i]) && (!replicates(m, n, i) || heads_a_ring(m, n, i));
}

/* Among several candidates; -1 where nothing tells. */
static int choose(const struct member *m, int n, int before)
{
    int best = -1;
    int most = 0;
    bool tie = false;
    int count;

    for (int i = 0; i < n; i++) {
        count = candidate(m, n, i) ? followers(m, n, i) : 0;
        if (count > most) {
            best = i;
            most = count;
            tie = false;
        } else if (count == most && count > 0) {
            tie = true;
        }
    }
    if (best >= 0 && !tie)
        return best;
    return before >= 0 && candidate(m, n, before) ? before : -1;
}

/* Why there is none, of a cluster without a candidate. */
static void explain_none(const struct member *m, int n, int before, struct verdict *v)
{
    if (before >= 0 && !alive(&m[before])) {
        v->lost = before;
        say(v->reason, "%s, the primary, is lost: %s", m[before].name, m[before].health->why);
        return;
    }
    for (int i = 0; i < n; i++) {
        if (alive(&m[i]) && m[i].facts->read_only && !replicates(m, n, i) && followers(m, n, i)) {
            say(v->reason, "%s has replicas but is read-only", m[i].name);
            return;
        }
    }
    for (int i = 0; i < n; i++) {
        if (writable(&m[i])) {
            say(v->reason, "%s is writable but replicates from another server", m[i].name);
            return;
        }
    }
    say(v->reason, "no server that answers is writable");
}

static void find_primary(const struct member *m, int n, int before, struct verdict *v)
{
    int count = 0;
    int last = -1;

    for (int i = 0; i < n; i++) {
        if (!candidate(m, n, i))
            continue;
        count++;
        last = i;
    }
    v->primary = count > 1 ? choose(m, n, before) : last;
    if (v->primary >= 0)
        return;
    if (count == 0)
        explain_none(m, n, before, v);
    else
        say(v->reason, "%d servers are writable and replicate from nobody (%s is one)", count,
            m[last].name);
}

static enum server_role role_of(const struct member *m, int i, const struct verdict *v)
{
    if (i == v->primary || i == v->lost)
        return ROLE_PRIMARY;
    if (!m[i].facts->known)
        return ROLE_UNKNOWN;
    /* Without a source: writable beside another primary, or read-only. Nobody's copy. */
    return m[i].facts->channel_count > 0 ? ROLE_REPLICA : ROLE_UNKNOWN;
}

/* What is wrong with one channel of a replica, into `why`; false where nothing is. */
static bool channel_broken(const struct member *m, int n, const struct channel *c, uint64_t now_ns,
                           char *why)
{
    int source = judge_source_of(m, n, c);
    bool source_up = source >= 0 && m[source].health->now == HEALTH_UP;
    bool network = c->io_errno == 0 || (c->io_errno >= 2000 && c->io_errno < 3000);

    if (!c->sql_running && c->sql_errno == OUT_OF_ORDER)
        say(why, "it has transactions of its own: rebuild it (error 1950: %.80s)", c->sql_error);
    else if (!c->sql_running && c->sql_errno)
        say(why, "replication failed: error %u: %.110s", c->sql_errno, c->sql_error);
    else if (!c->sql_running)
        say(why, "replication is stopped (SQL thread)");
    else if (c->io == CHANNEL_STOPPED && c->io_errno)
        say(why, "replication failed: error %u: %.110s", c->io_errno, c->io_error);
    else if (c->io == CHANNEL_STOPPED)
        say(why, "replication is stopped (IO thread)");
    else if (c->io == CHANNEL_CONNECTING && !network)
        say(why, "replication cannot log in: error %u: %.110s", c->io_errno, c->io_error);
    else if (c->io == CHANNEL_CONNECTING && source_up && c->connecting_ns &&
             now_ns - c->connecting_ns >= JUDGE_CONNECTING_NS)
        say(why, "replication cannot reach %.64s, which is up", m[source].name);
    else
        return false;
    return true;
}

static void judge_health(const struct member *m, int n, int i, uint64_t now_ns, struct verdict *v)
{
    const struct facts *f = m[i].facts;

    v->health[i] = m[i].health->now;
    say(v->why[i], "%s", m[i].health->now == HEALTH_UP ? "" : m[i].health->why);
    if (m[i].health->now != HEALTH_UP || i == v->primary)
        return;
    for (int k = 0; k < f->channel_count; k++) {
        if (channel_broken(m, n, &f->channels[k], now_ns, v->why[i])) {
            v->health[i] = HEALTH_BROKEN;
            return;
        }
    }
    if (f->known && f->channel_count == 0 && f->read_only && !followers(m, n, i)) {
        v->health[i] = HEALTH_BROKEN;
        say(v->why[i], "read-only, and replicates from nobody");
    }
}

void judge(const struct member *m, int n, int before, uint64_t now_ns, struct verdict *v)
{
    assert(n <= SERVERS_MAX && before < n);
    memset(v, 0, sizeof *v);
    v->primary = v->lost = -1;
    if (galera_is_cluster(m, n)) {
        galera_judge(m, n, before, now_ns, v);
        return;
    }
    find_primary(m, n, before, v);
    for (int i = 0; i < n; i++) {
        v->role[i] = role_of(m, i, v);
        judge_health(m, n, i, now_ns, v);
    }
}
