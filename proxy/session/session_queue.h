/* Sessions that wait for a connection to a server: the server has as many as it may
 * (servers[].max_connections), or this worker is opening as many as it does at one time, so that a
 * burst of log-ins is none on the server. First come, first served, a queue a worker and server;
 * who waits longer than pool.wait gets error 1040.
 *
 * The number of connections is one for all workers, an atomic. A worker whose sessions wait while
 * another one has connections to spare tells the others, who then close one. So do they with one
 * that was in use when the other worker's first has waited for a while longer than their own: its
 * log-in costs the server something, so that the order among workers is not kept to the moment. */
#ifndef PROXY_SESSION_QUEUE_H
#define PROXY_SESSION_QUEUE_H

#include "routing/topology.h"

struct backend;
struct identity;
struct session;
struct worker;

struct session_queue {
    struct session *head;
    struct session *tail;
    _Atomic uint64_t since_ns; /* when the head joined; 0: nobody waits. Other workers read it */
    atomic_bool told;          /* a message that others wait or have given up is on its way here */
    uint64_t handed_ns;        /* when one went to another worker last */
    int opening;               /* connections under way */
    bool serving;              /* its first is being served */
};

struct session_queues {
    struct session_queue of[SERVERS_MAX];
};

/* A session's place; `server` counts only while it waits. */
struct queue_place {
    struct session *next;
    struct session *prev;
    uint64_t since_ns;
    int server;
    bool waits;
};

/* A connection to the server for the session: idle, or on its way. NULL with `s` in the queue, or
 * else where memory or the system refuses. */
struct backend *session_queue_connect(struct session *s, int server);
/* One that no session has asked for, on its way; nobody's. NULL: sessions wait for one, the server
 * has as many as it may, this worker is opening as many as it does, or memory or the system
 * refuses.
 */
struct backend *session_queue_open_ahead(struct worker *w, int server, struct identity *identity);
/* It does not wait any more. */
void session_queue_leave(struct session *s);
/* The connection is open, or came to nothing. */
void session_queue_opened(struct worker *w, struct backend *b);
/* A connection is free: whether a session of another worker is to have its place. */
bool session_queue_owes(struct worker *w, int server);
/* Whether the session may ride with others: nobody waits before it. */
bool session_queue_lets_board(const struct session *s, int server);
/* That place is free. */
void session_queue_hand_over(struct worker *w, int server);
/* A connection to the server is idle or gone: whose turn it is goes on. */
void session_queue_serve(struct worker *w, int server);
/* The same for all servers with somebody waiting; now and then. */
void session_queue_tick(struct worker *w);

#endif
