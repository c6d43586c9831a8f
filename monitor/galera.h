/* What a node of a Galera cluster says of itself: pure values, and how to read them off its
 * answers. https://mariadb.com/kb/en/galera-cluster-status-variables/ */
#ifndef MONITOR_GALERA_H
#define MONITOR_GALERA_H

#include "monitor/probe.h"

enum { GALERA_UUID_MAX = 37, GALERA_WORD_MAX = 32 };
/* wsrep_local_state of a node that has all that its cluster has agreed on, but for what it is just
 * applying; a donor and a desynced node have less and are `behind`. */
enum { GALERA_SYNCED = 4 };

struct galera_state {
    bool on;        /* it is a node, in whatever state; else the rest means nothing */
    bool ready;     /* answers statements */
    bool component; /* its part of the cluster has the majority */
    bool current;   /* has proved, since it was reached last, that it still is in that part */
    int local_state;
    char word[GALERA_WORD_MAX];    /* local_state in Galera's words */
    char cluster[GALERA_UUID_MAX]; /* of the history that its data belongs to */
    uint64_t view;    /* wsrep_cluster_conf_id: counts up whenever a node joins or leaves */
    uint64_t came_ns; /* clock_mono_ns when it became current; 0: it was when it was first asked */
};

/* Two rows come: galera_is_node. */
extern const char galera_kind_sql[];
/* Let the connection ask a node that is not ready, too. */
extern const char galera_dirty_sql[];
/* The rows of this question are for galera_take_status. */
extern const char galera_status_sql[];
/* Answered when the node has applied all that its cluster had committed when it was asked: as
 * docs/galera.md measures, no GTID that a node tells says as much. */
extern const char galera_barrier_sql[];

static inline bool galera_is_node(int kind_rows)
{
    return kind_rows == 2;
}
void galera_take_status(struct galera_state *g, const struct probe_row *row);
/* It takes part and answers: `current` may be asked for. */
bool galera_is_well(const struct galera_state *g);

#endif
