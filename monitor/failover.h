/* clang-format off */
/* Failover, switchover and rejoining as a machine: pure. What it sees is handed in, what it wants
 * done goes out as orders to servers, whose answers come back; the clock is the caller's.
 *
 *   WATCH ─▶ LOCK ─┬▶ LEASE ─┬─▶ QUIESCE ─▶ FENCE ─┐ (switchover)
 *     ▲            │         ├─▶ SURVEY ───────────┴▶ DRAIN ─▶ WAIT ─┐
 *     │            │         └─▶ (adopting a cluster) ───────────────┴▶ REPOINT ─▶ PROMOTE ─▶ WATCH
 *     │            └▶ JOIN ─▶ WATCH (rejoining one server)
 *     └─── any state: what it needs did not come; sessions are closed, later again
 *
 *   WATCH    is there a primary, and does everybody follow it? A loss must last `confirm_ns`
 *   LOCK     each server is asked for its lock; a majority must give it
 *   LEASE    these promise the next epoch; a majority must. Now no proxy that hears a majority
 *            sends a write to the old primary
 *   QUIESCE  the old primary's running transactions end (proxies begin no new ones)
 *   FENCE    it becomes read-only
 *   SURVEY   replicas stop receiving and say what they have; one is elected
 *   DRAIN    the elected one applies what it received
 *   WAIT     until every proxy has left the old epoch: it said so at a majority, or its lease is
 *            over, which need not be awaited where the old primary can take no writes
 *   REPOINT  the others follow the elected one
 *   PROMOTE  as soon as one of them can acknowledge, it becomes writable; the rest go on following
 *
 * Who acts: the locks of a majority of the servers. They belong to sessions, and orders run in
 * these sessions and nowhere else: who lost its session (it was killed, by the next one to act)
 * can do nothing more there. Why no acknowledged write is lost: docs/failover.md. */
/* clang-format on */
#ifndef MONITOR_FAILOVER_H
#define MONITOR_FAILOVER_H

#include "base/state.h"
#include "monitor/failover_order.h"

enum { FAILOVER_PLAN_MAX = 2000 }; /* bytes of a plan's text */

enum failover_state {
    FAILOVER_WATCH,
    FAILOVER_LOCK,
    FAILOVER_LEASE,
    FAILOVER_QUIESCE,
    FAILOVER_FENCE,
    FAILOVER_SURVEY,
    FAILOVER_DRAIN,
    FAILOVER_WAIT,
    FAILOVER_REPOINT,
    FAILOVER_PROMOTE,
    FAILOVER_JOIN,
    FAILOVER_STATE_COUNT,
};

enum failover_task { TASK_ADOPT, TASK_FAILOVER, TASK_SWITCHOVER, TASK_REJOIN };

struct failover_effects {
    void *ctx;
    /* Give an order; its answer comes later, or never. One at a time for each server. */
    void (*order)(void *ctx, int server, const struct failover_order *o);
    /* Close all sessions that hold locks, whatever is under way in them. */
    void (*release)(void *ctx);
    /* Something has changed that the view is to show at once. */
    void (*look)(void *ctx);
    /* One line for people: what is about to be done, was done, or failed. */
    void (*say)(void *ctx, const char *line);
    /* The task is over. `why` is "" where it went well. */
    void (*ended)(void *ctx, enum failover_task task, const char *why);
};

struct failover_rules {
    int n;
    int majority; /* of locks */
    bool semi_sync;
    uint32_t domain; /* of the epochs' marks */
    uint64_t lease_ns;
    uint64_t wait_ns; /* no less than the lease, and what clocks may differ by */
    uint64_t confirm_ns;
    uint64_t round_ns;   /* how long servers have for an order, draining apart */
    uint64_t drain_ns;   /* how long the elected one may apply what it received */
    uint64_t quiesce_ns; /* how long running transactions may go on at a switchover */
    uint64_t steal_ns;   /* locks that others hold so long are taken by force */
    enum failover_preference preference[SERVERS_MAX];
    const char *names[SERVERS_MAX];
};

struct failover {
    struct failover_rules rules;
    struct failover_effects fx;
    struct state state;
    uint64_t random;

    enum failover_task task;
    uint32_t serial;
    uint64_t epoch; /* that is or was tried for */
    uint64_t seen;  /* the newest that any answer told of */
    int old;        /* the primary before; -1: none */
    int candidate;  /* -1: none yet */
    int subject;    /* TASK_REJOIN */
    bool forced;    /* the old primary must not be elected */
    uint32_t granted;
    bool expel;                     /* the lease of all who did not leave is over */
    uint32_t safe;                  /* surveyed or fenced: cannot take writes any more */
    uint64_t base;                  /* the newest epoch that a granted server had promised before */
    uint64_t promoted[SERVERS_MAX]; /* granted servers: rows' `primary` */
    uint32_t acks;                  /* of those that were surveyed */
    uint32_t followers;             /* of those that follow the candidate, who acknowledge */

    uint32_t asked; /* of the round under way */
    uint32_t ok;
    uint32_t failed;
    uint64_t deadline_ns;
    struct gtid_set received[SERVERS_MAX];
    struct gtid_set position; /* all that who follows the candidate must get */

    uint64_t begun_ns;
    uint64_t step_ns;               /* when the state was entered */
    uint64_t leased_ns;             /* when the majority had promised */
    uint64_t lost_ns;               /* since when there has been no primary; 0: there is one */
    uint64_t contested_ns;          /* since when others have held locks; 0: not */
    bool refused;                   /* the last task ended as too few gave it their locks */
    uint64_t quiet_ns;              /* nothing begins before */
    bool unseen;                    /* the view does not show yet whom the last task promoted */
    uint32_t errant;                /* bits: kept out until they were away */
    uint64_t retry_ns[SERVERS_MAX]; /* rejoin not before */

    /* during a call */
    const struct failover_view *view;
    uint64_t now_ns;
    struct failover_gate gate;
};

void failover_init(struct failover *f, const struct failover_rules *r,
                   const struct failover_effects *fx, uint64_t seed);
/* Time passed, or the view changed. */
void failover_tick(struct failover *f, const struct failover_view *v, uint64_t now_ns);
void failover_take(struct failover *f, int server, const struct failover_answer *a,
                   const struct failover_view *v, uint64_t now_ns);

/* What an operator asks for. `target`: -1 lets it be chosen. False: it cannot be begun, `why`
 * (static) says why; nothing was done. */
bool failover_ask(struct failover *f, enum failover_task task, int target,
                  const struct failover_view *v, uint64_t now_ns, const char **why) MUST_CHECK;
/* The same, only told: lines of text, what would be done; or, where false, why it cannot be begun.
 */
bool failover_plan(struct failover *f, enum failover_task task, int target,
                   const struct failover_view *v, uint64_t now_ns, char out[FAILOVER_PLAN_MAX]);

const char *failover_task_name(enum failover_task t);

#endif
