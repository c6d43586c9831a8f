/* Where a statement goes, and why, in words. Pure: everything it depends on is in `struct
 * route_ask`. */
#ifndef ROUTING_ROUTE_H
#define ROUTING_ROUTE_H

#include "routing/balance.h"
#include "routing/causal.h"
#include "routing/topology.h"
#include "routing/wish.h"
#include "sql/classify.h"

struct route_policy {
    enum consistency consistency;
    bool wait_for_replica;  /* MASTER_GTID_WAIT rather than the primary when no replica is known to
                               be fresh enough */
    bool primary_reads;     /* the primary takes a share of the reads */
    uint64_t slow_start_ns; /* see balance.h */
};

/* Why the session's reads stay on the primary; bits, in words by session_pin_text (the first set).
 */
enum session_pin {
    PIN_TRANSACTION = 1 << 0, /* in a transaction */
    PIN_AUTOCOMMIT_OFF = 1 << 1,
    PIN_TX_SETTINGS = 1 << 2,   /* SET TRANSACTION waits for the next transaction */
    PIN_TEMPORARY = 1 << 3,     /* temporary tables may exist */
    PIN_LOCKS = 1 << 4,         /* table or user locks may be held */
    PIN_ROLE = 1 << 5,          /* SET ROLE */
    PIN_VARIABLE = 1 << 6,      /* a variable that cannot be carried */
    PIN_OPAQUE = 1 << 7,        /* something changed that only the server knows */
    PIN_SYSTEM_SCHEMA = 1 << 8, /* the default schema is a system schema */
    PIN_XA = 1 << 9,
    PIN_ASKS_LAST = 1 << 10, /* never set for long: asks about the statement before */
    PIN_TRACKING = 1 << 11, /* what a SET that names session_track_… changed is to be asked for */
    PIN_STATUS = 1 << 12,   /* its status counters are looked at */
};

struct route_ask {
    const struct sql_class *statement;
    const struct route_policy *policy;
    const struct topology *topology;
    const struct causal *causal;     /* folded by the caller */
    const struct server_load *loads; /* [topology->count] */
    const struct latency *latency;   /* NULL: not looked at */
    uint64_t now_ns;                 /* clock_mono_ns, about */
    uint32_t pins;                   /* session_pin bits */
    uint32_t exclude;                /* bit i: server i failed this statement already */
    uint32_t held;                   /* bit i: the session holds a connection there (wins ties) */
    uint32_t favours;                /* bit i: see balance.h */
    uint32_t turn;                   /* a counter; spreads ties */
    struct route_wish wish;          /* its consistency is in the policy already */
};

enum route_reason {
    ROUTE_BALANCED,        /* least busy of the fresh replicas */
    ROUTE_WAITS,           /* a replica, after waiting for the session's own write */
    ROUTE_STATEMENT,       /* primary: the statement is not provably a read, see sql_reason_text */
    ROUTE_PINNED,          /* primary: the session's state, see session_pin_text */
    ROUTE_NOT_FRESH,       /* primary: no replica has what the session wrote or saw */
    ROUTE_NO_REPLICA,      /* primary: no replica is up, weighted, within max_lag */
    ROUTE_PRIMARY_SHARE,   /* primary: a read that it was the least busy for */
    ROUTE_POLICY,          /* primary: the listener does not split */
    ROUTE_ASKED_SERVER,    /* a read, to a server that a comment or a rule asks for */
    ROUTE_RULE,            /* primary: a rule says so */
    ROUTE_REPLICA_STAYED,  /* replica that the session read last: newer samples are not in yet */
    ROUTE_NO_PRIMARY_READ, /* a replica although it would go to the primary, for there is none:
                              reads only, and only where fresh */
    ROUTE_NO_PRIMARY,      /* nowhere: needs the primary and there is none */
    ROUTE_NO_SERVER,       /* nowhere */
    ROUTE_REASON_COUNT,
};

struct route {
    int server; /* index, or -1: nowhere */
    enum route_reason reason;
    bool wait; /* send MASTER_GTID_WAIT(causal->need), or Galera's barrier, before the statement */
};

struct route route_statement(const struct route_ask *ask);

/* Static words. */
const char *route_reason_name(enum route_reason r); /* "balanced": a metric's label */
const char *route_reason_text(enum route_reason r);
const char *session_pin_text(uint32_t pins);
/* The whole story for explain and logs: "primary db1: not provably a read: it locks rows (FOR
 * UPDATE)". */
void route_explain(const struct route_ask *ask, const struct route *r, char *out, size_t size);

#endif
