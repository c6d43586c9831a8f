/* The servers as the monitor last saw them: an immutable, ref-counted snapshot that workers read
 * without locks.
 *
 * Index i is the same server in every snapshot of one configuration. */
#ifndef ROUTING_TOPOLOGY_H
#define ROUTING_TOPOLOGY_H

#include "base/ref.h"
#include "protocol/gtid.h"

#include <stdatomic.h>
#include <stdint.h>

enum { SERVERS_MAX = 32, SERVER_NAME_MAX = 64, SERVER_HOST_MAX = 256, SERVER_WHY_MAX = 160 };

/* Why a session doubts a server that may answer the monitor as ever. */
enum suspicion {
    SUSPECT_LOST,     /* a connection broke, or the server is not what it is thought to be */
    SUSPECT_NO_LOGIN, /* a new connection got no answer, or not all of one */
    SUSPECT_NO_ROOM,  /* a write found no room on its disk */
};

enum server_role { ROLE_UNKNOWN, ROLE_PRIMARY, ROLE_REPLICA };

/* What is wrong with a server, told apart because the cures differ. */
enum server_health {
    HEALTH_UNKNOWN, /* not probed yet */
    HEALTH_UP,
    HEALTH_DOWN,    /* refuses connections or closed them */
    HEALTH_TIMEOUT, /* accepts, does not answer in time (frozen, cut off, overloaded) */
    HEALTH_REFUSED, /* answers, but not to the monitor's account */
    HEALTH_BROKEN,  /* a replica whose replication stopped or failed: up, but its data stands still
                     */
    HEALTH_COUNT,
};

struct server_view {
    char name[SERVER_NAME_MAX];
    char host[SERVER_HOST_MAX]; /* a name, an address, or an absolute path of a unix socket (port 0)
                                 */
    uint16_t port;
    bool proxy_protocol;      /* wants to be told the client's address */
    uint32_t weight;          /* share of reads; 0: none */
    uint32_t max_connections; /* of all sessions' connections to it; 0: any number */
    char
        group[SERVER_NAME_MAX]; /* only reads that are sent to it or its group go there; "": none */
    enum server_role role;
    enum server_health health;
    uint64_t since_ns; /* clock_mono_ns when role or health last changed */
    struct gtid_set
        position; /* what it has committed or applied: every transaction in it can be read there */
    /* What may be seen there already although `position` does not show it: a replica writes its
     * binlog before it commits, and its position after. Sampled together with `position`. */
    struct gtid_set written;
    uint64_t sampled_ns; /* clock_mono_ns just before `position` was asked for: it holds for that
                            moment and later */
    uint64_t lag_ms;   /* replicas: how far behind the primary, upper bound; UINT64_MAX: unknown */
    bool lagging;      /* further behind than reads are to be; see topology_lags */
    uint64_t room_ns;  /* clock_mono_ns before room was last found on its disk, which is looked for
                          where a session suspects that there is none; 0: never */
    uint64_t lease_ns; /* clock_mono_ns up to which it may be believed that a write was committed:
                        * behind that another server may be the primary, and take them. 0: it may
                        * not; UINT64_MAX: there are no leases, or no epochs yet */
    bool resting;      /* in maintenance: only what runs there keeps its connection */
    uint32_t server_id;
    uint64_t capabilities;    /* CAP_* as it greets; 0: not known yet */
    char why[SERVER_WHY_MAX]; /* health in words, "" where up */
};

struct topology {
    struct ref ref;
    uint64_t epoch; /* counts up with each snapshot */
    int count;
    int primary; /* index of the one server that takes writes, or -1 */
    bool galera; /* a Galera cluster: `primary` is the node that takes writes, the others replicas;
                    positions do not tell what can be read there, see causal.h */
    /* Bits, of a Galera cluster in which all may take writes, else 0: those that do; and those lost
     * ones of which nobody knows yet what became of the writes that they took. */
    uint32_t writers;
    uint32_t undecided;
    uint64_t left; /* failover: it sends nobody to the primary of an epoch before; 0: not known */
    struct server_view servers[SERVERS_MAX];
};

/* A zeroed snapshot with one reference and no primary; NULL where memory refuses. */
struct topology *topology_new(void);
/* A copy to change before it is published (epoch + 1). */
struct topology *topology_copy(const struct topology *t);
void topology_ref(struct topology *t);
void topology_unref(struct topology *t);

/* As one of several sees it that share the writers among them, number `n`: another `primary`,
 * unless the nodes take no writes but at one. `before`, which it keeps: the one that it had last;
 * at first -1. A new reference; NULL where memory refuses. */
struct topology *topology_shared(struct topology *t, int n, int *before);
/* Whether writes go there, whoever's. */
bool topology_writes(const struct topology *t, int i);
/* Another server is known as the primary. */
bool topology_has_replaced(const struct topology *t, int i);

/* The capabilities that all servers have whose are known; 0 where none is. */
uint64_t topology_capabilities(const struct topology *t);

/* Whether a replica counts as lagging: beyond `max_ms`, and then until it is at `resume_ms`. */
bool topology_lags(bool lagged, uint64_t lag_ms, uint64_t max_ms, uint64_t resume_ms);

/* Whether some server has not been probed yet. */
bool topology_has_unknown(const struct topology *t);
/* Whether a server wants to be told where clients come from. */
bool topology_tells_address(const struct topology *t);

const char *server_role_name(enum server_role r);
const char *server_health_name(enum server_health h);

/* What is under way per server, over all workers: `busy` is what "least busy" compares. Lives as
 * long as the process. */
struct server_load {
    atomic_int busy;
    atomic_int connections;    /* of the sessions', open or being opened */
    atomic_int waiting;        /* sessions that wait for one */
    _Atomic uint64_t broke_ns; /* clock_mono_ns when one broke under a command; 0: none yet */
};

#endif
