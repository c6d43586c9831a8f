/* Connections opened ahead: of each account whose sessions came lately, this worker keeps its share
 * of pool.min_idle idle to each server that is up, so that nobody waits for a log-in there: not
 * behind the account's first session, not when a server is back, not where old ones were closed.
 *
 *     warm_tick ──▶ opening (log-in, session tracking) ──▶ pool
 *                      └──▶ closed: the server is left alone for a while; an account that it denies
 *                           is forgotten
 *
 * A few at a time, none while sessions wait for a connection there. One worker thread. */
#ifndef PROXY_WARM_H
#define PROXY_WARM_H

#include "proxy/backend/pool.h"

enum { WARM_ACCOUNTS = 16 };

struct backend;
struct identity;
struct worker;

struct warm {
    struct identity *accounts[WARM_ACCOUNTS]; /* the last that logged in first; NULL: no more */
    struct pool_list opening;
    int count[SERVERS_MAX];         /* of those */
    uint64_t again_ns[SERVERS_MAX]; /* none is opened before */
};

/* A session of the account has logged in. */
void warm_note(struct worker *w, struct identity *identity);
/* How many connections of an account this worker keeps to a server; 0: none. */
int warm_share(const struct worker *w);
/* Open what is missing; now and then. */
void warm_tick(struct worker *w, uint64_t now_ns);
/* No more are opened, and the accounts are forgotten. */
void warm_close(struct worker *w);

#endif
