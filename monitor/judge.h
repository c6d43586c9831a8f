/* Who is the primary, who is a replica, and whose replication is broken: pure, over what all
 * servers said last.
 *
 * The primary is the one writable server that does not replicate from another configured one. Where
 * several are, it is the one that more of the others replicate from; where that does not tell, the
 * one that was the primary before (a second writable server must not stop the writes); else nobody.
 * A ring of two, one of them read-only, has the writable one. A server that cannot be reached keeps
 * the role it had, and while it is known as the primary nobody else becomes it unless it is
 * writable itself.
 *
 * Nodes of a Galera cluster are judged by other rules: galera_judge.h.
 *
 * Where failover is on, the servers' epochs overrule the verdict (failover_view.h). */
#ifndef MONITOR_JUDGE_H
#define MONITOR_JUDGE_H

#include "conf/conf.h"
#include "monitor/facts.h"
#include "monitor/health.h"

/* A replica whose IO thread cannot reach a primary that we can reach is broken after this long. */
#define JUDGE_CONNECTING_NS (2 * CLOCK_NS_PER_S)

struct member {
    const char *name;
    const char *host; /* as configured */
    uint32_t port;
    const struct facts *facts;
    const struct health *health;
    enum conf_candidate candidate;
    bool resting; /* Galera: in maintenance, so it takes writes only where no other node can */
};

struct verdict {
    int primary;                 /* -1: nobody takes writes, `reason` says why */
    int lost;                    /* the server that was the primary and is unreachable, or -1 */
    char reason[SERVER_WHY_MAX]; /* "" where there is a primary */
    enum server_role role[SERVERS_MAX];
    enum server_health health[SERVERS_MAX];
    char why[SERVERS_MAX][SERVER_WHY_MAX]; /* "" where up */
    bool galera;                           /* galera_judge.h has judged */
    bool behind[SERVERS_MAX];              /* Galera: up, but lacks what others have */
    /* Galera, bits: who could take writes at once; who may have sent some that the others have not
     * made up their minds about. */
    uint32_t writers;
    uint32_t undecided;
};

/* `before`: the last primary there was (also where it has been lost since), or -1. */
void judge(const struct member *m, int n, int before, uint64_t now_ns, struct verdict *v);

/* The configured server that a channel replicates from, or -1. While it is connected, the other
 * end's server_id tells (addresses may be others from there); else that may be the one before, and
 * the address tells first. */
int judge_source_of(const struct member *m, int n, const struct channel *c);

#endif
