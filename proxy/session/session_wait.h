/* One MASTER_GTID_WAIT for many: a read that is to wait for a replica waits for another session's
 * question there, if one is under way, and then rides as any read does where the replica is known
 * to be far enough. routing/waits.h says who asks for what; the one that asks has its read right
 * behind the question. docs/decisions/0027-one-wait-for-many.md */
#ifndef PROXY_SESSION_WAIT_H
#define PROXY_SESSION_WAIT_H

#include "routing/topology.h"
#include "routing/waits.h"

#include <uv.h>

struct session;
struct worker;

struct session_waits {
    uv_idle_t idle; /* runs where somebody is to look anew */
    struct waits of[SERVERS_MAX];
    uint64_t asked_ns[SERVERS_MAX]; /* clock_mono_ns before the asker's question was sent */
    uint32_t over;                  /* bit i: the question there is over */
    bool own_topology; /* the worker's is a copy, in which the answers since are noted */
};

/* A session's place in it; `server` counts where it has a role. */
struct wait_place {
    struct waiter waiter;
    int server;
};

bool session_waits_init(struct session_waits *all, uv_loop_t *loop) MUST_CHECK;
void session_waits_close(struct session_waits *all);

/* Whether the command under way waits for another session's question. */
bool session_waits(const struct session *s);
/* Its route is to wait: true where it does so with others; it is stepped when it is to be routed
 * anew, routing.wait_timeout after it began to wait at the latest. */
bool session_wait_joins(struct session *s) MUST_CHECK;
/* Its route is to wait, and it has waited for as long as it may. */
bool session_wait_is_over(const struct session *s);
/* It is about to ask: for what position, and how long that may take. */
uint64_t session_wait_asks(struct session *s, struct gtid_set *position);
/* The answer: the replica has it. */
void session_wait_reached(struct session *s, struct span position);
/* It goes on to something else, or leaves. */
void session_wait_leave(struct session *s);

#endif
