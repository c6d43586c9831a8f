/* A simulated cluster for the failover machine: servers, several Tillways, the links between them,
 * clients that write; and what must always hold. Time goes in steps; randomness has one seed. */
#ifndef UNIT_FAILOVER_WORLD_H
#define UNIT_FAILOVER_WORLD_H

#include "base/clock.h"
#include "monitor/failover.h"

enum { SIM_SERVERS = 5, SIM_AGENTS = 3, SIM_DOMAIN = 9 };
enum { SIM_LOG = 512, SIM_WRITES = 401 }; /* clients' writes, each with a value of its own */
enum { SIM_MAIL = 64 };                   /* as many as sim_agent's `mailed` has bits */
#define SIM_STEP_NS (10 * CLOCK_NS_PER_MS)

/* What can be wrong with the machine or with what carries out its orders. Each must be noticed. */
enum sim_fault {
    SIM_SOUND,
    SIM_NO_MAJORITY,     /* one lock is enough */
    SIM_LOCK_SHARED,     /* the lock does not exclude */
    SIM_ORDERS_OUTLIVE,  /* orders are carried out in sessions that have lost the lock */
    SIM_BY_APPLIED,      /* what was received and not applied does not count */
    SIM_NO_MARKS,        /* positions do not tell the epoch */
    SIM_NO_LEASE,        /* nobody waits for the old epoch's proxies */
    SIM_NOT_ENROLLED,    /* proxies send that no server has a row of */
    SIM_LEFT_AT_ONCE,    /* a promise counts as left before the proxies have heard of it */
    SIM_ASYNC,           /* the primary does not wait for acknowledgements */
    SIM_ACKS_AT_ONCE,    /* restarted replicas count although they lost what they had not applied */
    SIM_EPOCH_FORGOTTEN, /* promises do not outlive a restart */
    SIM_ERRANT_JOINS,    /* a diverged server is let in */
    SIM_NEVER_BY_FORCE,  /* a session that does not notice that it was closed keeps its lock */
    SIM_NO_LEAP,         /* a primary that was started anew gives GTIDs a second time */
    SIM_FAULT_COUNT,
};

struct sim_entry {
    uint8_t domain;
    uint8_t server;
    uint16_t seq;
    uint16_t value;   /* of a client's write; 0: a mark */
    uint16_t last[2]; /* up to this one: how long the log was behind the last write, and mark */
    uint64_t history; /* the hash of all up to this one: where two are equal, so are the logs */
};

struct sim_server {
    bool up;
    bool frozen;
    bool read_only;
    bool acks; /* what it acknowledges counts; not kept over a restart */
    struct failover_row row;
    uint64_t left[SIM_AGENTS]; /* rows of Tillways, that have left the epochs before; 0: no row */
    int source;                /* -1: no channel */
    bool running;
    bool broken; /* the source does not have what it has */
    struct sim_entry log[SIM_LOG];
    int length; /* received */
    int applied;
    int acked;  /* of its log, somebody else has */
    int told;   /* of its log, clients know, or will never */
    int holder; /* agent, -1: the lock is free */
    uint32_t session;
    int stuck_at; /* the lock's session is closed, but waits until so much is acked; 0: it is not */
};

struct sim_slot {
    bool busy;
    bool closed; /* by the agent; the server has not noticed */
    uint32_t session;
    uint64_t due_ns;
    uint64_t until_ns;
    struct failover_order order;
    bool begun;
    int mark_end; /* ORDER_PROMOTE: what must be acked */
    struct failover_answer answer;
};

struct sim_mail {
    uint64_t due_ns;
    int server;
    bool is_write;
    uint64_t epoch; /* a write: of the proxy that sent it */
    uint16_t value;
    struct failover_answer answer;
};

struct sim_agent {
    struct sim_world *world;
    int index;
    bool up;
    struct failover machine;
    struct failover_view view;
    uint64_t next_ns[SIM_SERVERS];
    struct sim_slot slots[SIM_SERVERS];
    uint32_t sessions[SIM_SERVERS];
    uint32_t held[SIM_SERVERS];     /* the session that last got the lock */
    struct sim_mail mail[SIM_MAIL]; /* answers to the machine, and writes on their way */
    uint64_t mailed;                /* bits: those that are in use */
    uint64_t read_epoch[SIM_SERVERS];
};

struct sim_world {
    uint64_t random;
    uint64_t now_ns;
    enum sim_fault fault;
    int n;
    int agent_count;
    struct failover_rules rules;
    struct sim_server servers[SIM_SERVERS];
    struct sim_agent agents[SIM_AGENTS];
    bool cut[SIM_AGENTS][SIM_SERVERS];
    bool apart[SIM_SERVERS][SIM_SERVERS];
    uint32_t next_session;
    uint16_t next_value;
    uint16_t acknowledged[SIM_LOG];
    int acknowledged_count;
    uint64_t newest;         /* epoch that some server was promoted in */
    int promoted;            /* who */
    uint64_t promoted_ns;    /* when */
    uint32_t promotions;     /* how often */
    int primary_of[SIM_LOG]; /* by epoch; -1 */
    const char *violation;   /* the first; NULL: none */
    uint32_t tasks[4];       /* ended well, by kind */
    uint32_t ended[4];       /* the same, well or not */
};

void sim_init(struct sim_world *w, uint64_t seed, enum sim_fault fault);
/* A time of faults, then of healing; afterwards all must be well. What was violated, or NULL. */
const char *sim_run(struct sim_world *w);
/* One Tillway and no fault but that the primary is lost, and comes back later. */
const char *sim_run_loss(struct sim_world *w);
uint64_t sim_dice(struct sim_world *w, uint64_t sides);

/* failover_effects.c's part: what orders do to servers. */
void sim_carry_out(struct sim_world *w, struct sim_agent *a, int server, struct sim_slot *slot);
void sim_violated(struct sim_world *w, const char *what);
bool sim_runs(const struct sim_server *s);
bool sim_has_value(const struct sim_server *s, uint16_t value);
bool sim_has_mark(const struct sim_server *s, uint64_t epoch);
/* As MariaDB in strict mode tells it, by the last GTID of each domain. */
bool sim_may_attach(const struct sim_world *w, const struct sim_server *to,
                    const struct sim_server *s);
bool sim_is_prefix(const struct sim_server *of, const struct sim_server *s, int length);
/* Append to what the server has received: the entry as it is, but for its history. */
void sim_put(struct sim_server *s, struct sim_entry e);
/* A transaction of the server's own. */
void sim_append(struct sim_world *w, int server, struct sim_entry e);
/* Room for one more; NULL: there is none. */
struct sim_mail *sim_new_mail(struct sim_agent *a);
struct gtid_set sim_position(const struct sim_world *w, const struct sim_server *s, int length);
struct failover_effects sim_effects(struct sim_agent *a);

#endif
