/* A worker: one thread, one loop, its own sessions, server connections and buffers. Nothing of it
 * is touched by another thread except its mailbox and `newest`. A session lives and dies on the
 * worker that was handed its descriptor. */
#ifndef PROXY_WORKER_H
#define PROXY_WORKER_H

#include "base/log.h"
#include "conf/conf.h"
#include "proxy/backend/line.h"
#include "proxy/backend/positions.h"
#include "proxy/backend/warm.h"
#include "proxy/client_socket.h"
#include "proxy/coalesce.h"
#include "proxy/guard.h"
#include "proxy/mailbox.h"
#include "proxy/metrics.h"
#include "proxy/newest.h"
#include "proxy/quota.h"
#include "proxy/replay/slots.h"
#include "proxy/session/session_queue.h"
#include "proxy/session/session_wait.h"
#include "proxy/telling.h"
#include "proxy/threads.h"
#include "routing/catalog.h"
#include "routing/rules.h"
#include "sql/verdicts.h"

struct auth_rsa;
struct listener;
struct session;

/* What all workers share, set up before the first of them starts; constant but for the atomics. */
struct shared {
    struct metrics metrics;
    struct guard guard;
    struct quota addresses;               /* sessions of each client address */
    struct quota users;                   /* sessions of each user name */
    atomic_int seats[CONF_LISTENERS_MAX]; /* sessions of each listener */
    struct auth_rsa *rsa;                 /* for passwords on connections without TLS; NULL: none */
    struct server_load loads[SERVERS_MAX];
    atomic_int replays_due;   /* transactions that are to be repeated: others let them go first */
    atomic_uint next_session; /* counts up; see session ids in session.h */
    uint64_t proxy_id;        /* of this process, at random: names its rows in tillway.outcome */
    atomic_uint global_sets;  /* how many SET GLOBALs there were: new sessions see the new values */
    struct threads threads;   /* which server connection serves which session */
    int worker_count;
    struct worker *workers; /* [worker_count] */
    /* the monitor's ear; may be called from any thread */
    void *monitor;
    void (*suspect)(void *monitor, int server, enum suspicion why);
    uint64_t (*refresh_accounts)(void *monitor); /* as in daemon_hooks */
    uint64_t (*refresh_objects)(void *monitor);
    _Atomic uint64_t objects_asked; /* the number of the last such request */
};

struct worker {
    uv_loop_t loop;
    uv_thread_t thread;
    uv_timer_t janitor;
    uv_prepare_t turn_end;
    struct coalesce coalesce;
    struct mailbox mailbox;
    struct shared *shared;
    int index;
    struct listener *listeners; /* a list of those whose clients it accepts */
    atomic_int session_count;   /* read by all workers, to hand out descriptors */
    atomic_uint resting;   /* bits: servers known to be in maintenance; it begins nothing there */
    _Atomic uint64_t left; /* as its topology says, which its sessions know */
    _Atomic uint64_t looked_ns; /* its sessions know what changes up to then (`since_ns`) cost */
    struct buffers buffers;
    struct pool pool;
    struct session_queues queues;
    struct warm warm; /* connections opened ahead */
    struct positions positions;
    struct session_waits waits;
    struct slots slots; /* rows of tillway.outcome */
    struct lines lines;
    struct prepared_uses prepared; /* by all its sessions */
    struct backend *sides;         /* connections that carry a KILL; proxy/session/session_kill.c */
    struct session *sessions;      /* a list, newest first */
    atomic_uint logging_in;        /* of them; read by tests as well */
    struct log_limit faults;       /* lines about clients that break the protocol */
    struct conf *conf;
    struct newest newest; /* what `topology` will be next */
    struct topology *topology;
    struct rules *rules; /* NULL: there are none */
    struct rules_room rules_room;
    struct tls_context *servers_tls; /* NULL: the servers are spoken to in the clear */
    struct verdicts verdicts;
    struct tracking_defaults tracking; /* of the server that log-ins go to */
    struct latency latency;            /* of replicas, as its sessions saw them */
    struct catalog *catalog;           /* NULL until the monitor has read one */
    uint64_t catalog_answers;   /* the last request for a fresh catalog that this one answers */
    uint16_t default_status;    /* status flags of a fresh server session; 0 until one was seen */
    uint64_t drain_deadline_ns; /* 0: not draining */
};

bool worker_start(struct worker *w, struct shared *shared, int index, struct conf *conf,
                  struct err *e) MUST_CHECK;
void worker_join(struct worker *w);
void worker_free(struct worker *w); /* after that, and nobody sends anything any more */

/* From the control thread, a client from any worker. Each takes over the reference or descriptor it
 * is given. */
void worker_send_client(struct worker *w, const struct client_socket *c);
void worker_take_client(struct worker *w, const struct client_socket *c); /* its own thread */
/* The session of a client that was sent is no more, or never came to be. */
void worker_free_seat(struct worker *w, int listener);
void worker_send_topology(struct worker *w, struct topology *t); /* one thread at a time */
/* `answers`: the request for a fresh one that it was read after. */
void worker_send_catalog(struct worker *w, struct catalog *c, uint64_t answers);
void worker_send_servers_tls(struct worker *w, struct tls_context *c); /* NULL: none */
void worker_send_conf(struct worker *w, struct conf *c);
void worker_send_rules(struct worker *w, struct rules *r); /* NULL: none */
/* Sessions end as they become idle, all of them by the deadline; then the thread ends. */
void worker_send_drain(struct worker *w, uint64_t deadline_ns);

/* Ask for the list of sessions; `answer` comes once, on its thread, with lines (tab-separated:
 * id, user, address, schema, state, statements, servers, why pinned). False: it is gone. */
bool worker_send_list(struct worker *w, void (*answer)(void *ctx, struct buf *lines),
                      void *ctx) MUST_CHECK;

/* Any message of a module's own; the message is freed where the worker is gone already. */
void worker_send(struct worker *w, struct message *m);
/* To the worker behind `w`, which may be `w` itself: all of them stand in a ring. */
void worker_send_next(struct worker *w, struct message *m);

/* A new connection to a server; NULL where memory or the system refuses. Its own thread. */
struct backend *worker_connect(struct worker *w, int server, struct identity *identity);

/* Take what was sent of the servers' positions, and nothing else that is new of them. Its own
 * thread; `topology` may be another one then. */
void worker_look_at_positions(struct worker *w);

/* The longest packet that a reply tracker may want to see whole. */
static inline size_t worker_whole_max(const struct worker *w)
{
    return w->buffers.size - REPLY_PEEK - PACKET_HEADER;
}

static inline uint64_t worker_now_ns(void)
{
    return uv_hrtime();
}

#endif
