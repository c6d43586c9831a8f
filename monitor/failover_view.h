/* The cluster as failover sees it, and what follows from that alone: pure.
 *
 * Each server keeps a row of its own, outside of replication: the newest *epoch* it has promised,
 * and whether it is that epoch's primary. Who promotes a server first has a majority promise the
 * next epoch; a majority that is heard therefore always knows the newest one, and whoever hears no
 * majority knows nothing.
 *
 * Each server also has a row for each Tillway that sends to the primary by its word (`enrolled`),
 * with the newest epoch for which that one has left those before. Of two majorities one server is
 * in both: where a majority that has promised an epoch has no row of an older one, nobody sends to
 * an older primary. docs/failover.md has the reasons. */
#ifndef MONITOR_FAILOVER_VIEW_H
#define MONITOR_FAILOVER_VIEW_H

#include "base/compiler.h"
#include "protocol/gtid.h"
#include "routing/topology.h"

#include <stdbool.h>

/* A server's own row. */
struct failover_row {
    uint64_t epoch;   /* the newest it has promised; 0: no Tillway has ever acted on it */
    uint64_t joined;  /* the one whose primary it follows, or is */
    uint64_t primary; /* the one it was made the primary of; 0: it follows */
};

struct failover_member {
    bool up;           /* answers, also to the monitor's account */
    bool gone;         /* definite: nobody listens at its address */
    bool read_only;    /* as it said last */
    bool acks;         /* since it was started it has had all that its primary had, and what it
                        * acknowledges counts */
    bool resting;      /* in maintenance: left as it is, and promoted only where it alone has all */
    bool enrolled;     /* this Tillway's row was there when it was heard last; without, its word
                        * does not count where there are epochs */
    int source;        /* the server it replicates from, or -1 */
    uint64_t heard_ns; /* its last answer was asked for then; 0: never */
    struct failover_row row;
    struct gtid_set written; /* its binlog's position */
};

struct failover_view {
    int n;
    int judged; /* the primary by roles alone (judge.h), or -1 */
    struct failover_member at[SERVERS_MAX];
};

/* Who may take writes. */
struct failover_gate {
    uint64_t epoch;  /* the newest known; 0: none, and `primary` is the judged one */
    uint64_t joined; /* the newest that a server has joined */
    int primary;     /* -1: nobody, `why` says why */
    bool majority;   /* heard within the lease, and enrolled there */
    const char *why;
};

/* Who takes writes at `now_ns`: the primary of the newest epoch, while a majority was heard within
 * the lease and the primary itself among them. */
struct failover_gate failover_gate(const struct failover_view *v, uint64_t lease_ns,
                                   uint64_t now_ns);
/* The primary of an epoch, usable or not; -1: nobody says that of himself, or there is no epoch. */
int failover_primary_of(const struct failover_view *v, uint64_t epoch);
/* There is no primary, but the last one was started anew, and others are missing: perhaps all were
 * lost at once. Who is missing may have received what the last one has thrown away, and would be
 * kept out for that; with him here his history is taken. */
bool failover_others_may_return(const struct failover_view *v, const struct failover_gate *g,
                                uint64_t lease_ns, uint64_t now_ns);
/* Whether a server with this row may answer reads: not after it missed an epoch that others have
 * joined, for what it holds may not have survived. */
bool failover_may_read(const struct failover_gate *g, const struct failover_row *row);
/* Servers that have answered within the lease, as bits. */
uint32_t failover_heard(const struct failover_view *v, uint64_t lease_ns, uint64_t now_ns);
/* The end of the lease by which a server may be the primary: failover_gate has it up to then,
 * unless something else is heard. 0: there is none. */
uint64_t failover_lease_end(const struct failover_view *v, int server, uint64_t lease_ns);
int failover_majority(int n);
/* Servers in maintenance, as bits. */
uint32_t failover_resting(const struct failover_view *v);
/* Whether `server` replicates from `primary`, directly or through others. */
bool failover_follows(const struct failover_view *v, int server, int primary);
/* The server that is to be rejoined, not counting the bits in `except`; those in `ackers` should
 * acknowledge. -1: none. */
int failover_stray(const struct failover_view *v, const struct failover_gate *g, uint32_t except,
                   uint32_t ackers);

enum failover_preference { PREFER_NORMAL, PREFER_FIRST, PREFER_NEVER };

/* What each server has received, applied or not.
 *
 * A primary's first transaction has the GTID `domain`-its id-its epoch, so that a position tells by
 * itself the last primary whose transactions it has: as in Raft (Ongaro and Ousterhout, 2014,
 * section 5.4.1) the history that ends in the newest epoch wins, however long an older one went on
 * by itself; among those, the longest. */
struct failover_ballot {
    uint32_t among;   /* bits: who answered */
    uint32_t resting; /* … of these, to be taken last among equals */
    uint32_t domain;  /* of the marks */
    const enum failover_preference *preference;
    const struct gtid_set *received; /* [n] */
    int old;                         /* wins ties among equals; -1: none */
};

/* The server to promote, of those that may be. -1: there is none, `why` says why. */
int failover_elect(const struct failover_ballot *b, int n, const char **why);
/* Whether every write that a semi-sync primary acknowledged has been received by somebody among
 * `answered`: one acknowledgement is what the primary waits for, so besides it one candidate has
 * the write, and all of them but one were asked. Only servers that may acknowledge belong into
 * `answered`; one that was restarted has lost what it had received and not applied. */
bool failover_covers_acks(const enum failover_preference *p, int n, uint32_t answered);

#endif
