/* What a server says about itself: pure values, and how to read them off its answers. */
#ifndef MONITOR_FACTS_H
#define MONITOR_FACTS_H

#include "monitor/failover_view.h"
#include "monitor/galera.h"
#include "monitor/probe.h"
#include "protocol/gtid.h"
#include "routing/topology.h"

enum { CHANNELS_MAX = 8, CHANNEL_NAME_MAX = 65 };

enum channel_io { CHANNEL_STOPPED, CHANNEL_CONNECTING, CHANNEL_RUNNING };

/* One replication connection of a replica, as SHOW ALL SLAVES STATUS has it. */
struct channel {
    char name[CHANNEL_NAME_MAX]; /* "" is the default one */
    char host[SERVER_HOST_MAX];
    uint32_t port;
    uint32_t master_id; /* server_id of the other end; 0: never connected */
    enum channel_io io;
    bool sql_running;
    unsigned io_errno;
    unsigned sql_errno;
    char io_error[SERVER_WHY_MAX];
    char sql_error[SERVER_WHY_MAX];
    uint64_t connecting_ns; /* clock_mono_ns since when `io` is CHANNEL_CONNECTING, else 0 */
};

struct facts {
    bool known; /* positions and channels were read at least once; they stay when the server goes */
    bool read_only;
    uint32_t server_id;
    uint64_t capabilities;      /* as it greeted the probe */
    struct gtid_set binlog_pos; /* written to its binlog */
    struct gtid_set slave_pos;  /* applied by replication, and readable */
    bool acks;                  /* failover: see struct failover_member */
    struct failover_row row;    /* failover: the server's own row */
    bool enrolled;              /* failover: see struct failover_member */
    uint64_t sampled_ns;        /* just before the two positions were asked for */
    uint64_t room_ns;           /* as server_view.room_ns */
    struct galera_state galera;
    int channel_count;
    struct channel channels[CHANNELS_MAX];
};

/* The question whose one row facts_take_position reads. */
extern const char facts_position_sql[];
extern const char facts_channels_sql[];
/* A row for each write that waits for room on the disk: MariaDB waits with it, a minute at a time,
 * while it answers questions as ever. (A read that has filled tmpdir waits in the same words.) */
extern const char facts_full_disk_sql[];

/* False where the row is not what the question asks for (`why` says). */
bool facts_take_position(struct facts *f, const struct probe_row *row, const char **why) MUST_CHECK;
/* Add one row of facts_channels_sql; the caller has set channel_count to 0 before the first. */
void facts_take_channel(struct facts *f, const struct probe_row *row);
/* Since when each channel has been connecting: carried over from `before`, else `now_ns`. */
void facts_note_connecting(struct facts *f, const struct facts *before, uint64_t now_ns);

#endif
