/* Which of several servers that may answer a read gets it: the least busy for its weight.
 *
 * Four things bend that. A server slower than the fastest counts as busier by as often as it is
 * slower (`latency`, where given; differences below a millisecond are none). One that came back a
 * moment ago has a weight that grows from a 64th to the whole (`slow_start_ns`). One that
 * should not be left for little (`favours`) counts as less busy by BALANCE_FAVOUR. Between servers
 * that are equal the session stays with those it holds connections to; else they take turns, by
 * weight. One read in BALANCE_EXPLORE looks at no latency, so that a server that was slow once is
 * measured again. Pure. */
#ifndef ROUTING_BALANCE_H
#define ROUTING_BALANCE_H

#include "routing/topology.h"

enum {
    BALANCE_EXPLORE = 61, /* odd, so that turns differ in it */
    BALANCE_FAVOUR = 4,   /* statements under way */
};

/* How long replies to reads took lately, by server: a running median, which one slow statement does
 * not move far. One worker's own. */
struct latency {
    uint64_t median_ns[SERVERS_MAX]; /* 0: not measured yet */
};

void latency_note(struct latency *l, int server, uint64_t took_ns);

struct balance {
    const struct topology *topology;
    const struct server_load *loads;
    const struct latency *latency; /* NULL: looked at by no one */
    uint64_t slow_start_ns;        /* 0: none */
    uint64_t now_ns;               /* clock_mono_ns, about; used where slow_start_ns is */
    uint32_t held;                 /* bit i: the session holds a connection there */
    uint32_t favours;              /* bit i: to be taken unless another one is far less busy */
    uint32_t turn;                 /* a counter */
};

/* One of `among`, which is not empty. */
int balance_pick(const struct balance *b, uint32_t among);

#endif
