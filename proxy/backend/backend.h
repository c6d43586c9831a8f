/* A connection to one server: log-in, the commands written to it, and the replies still expected,
 * in order.
 *
 *   CONNECTING ──▶ GREETING ──▶ AUTH ──▶ READY ──▶ (LOST)
 *        └────────────┴──────────┴──▶ FAILED
 *
 * What the proxy itself asks (state laid on, MASTER_GTID_WAIT, a statement prepared again) is
 * written before the client's command in the same write; each has an entry in `expect`, and the
 * replies are taken off in that order. One worker thread. */
#ifndef PROXY_BACKEND_H
#define PROXY_BACKEND_H

#include "base/state.h"
#include "protocol/reply.h"
#include "proxy/backend/expect.h"
#include "proxy/backend/prepared.h"
#include "proxy/identity.h"
#include "proxy/threads.h"
#include "proxy/transport/stream.h"
#include "routing/topology.h"
#include "routing/vars.h"

enum backend_state {
    BACKEND_CONNECTING,
    BACKEND_GREETING,
    BACKEND_AUTH,
    BACKEND_READY,
    BACKEND_FAILED, /* never became ready: see `error` */
    BACKEND_LOST,   /* was ready; the connection is gone */
};

enum { EXPECT_MAX = 32, BACKEND_SCHEMA_MAX = 256, BACKEND_OUT_MAX = 1 << 20 };

struct session;

struct backend {
    struct stream stream;
    struct state state;
    struct backend *next, *prev; /* the pool's list */

    /* whoever holds it is told of every event */
    void (*notify)(struct backend *b, void *owner);
    void *owner;

    struct tls *tls;         /* to start once the server offers it; NULL: not wanted, or started */
    bool proxied;            /* the server wants a PROXY header */
    struct threads *threads; /* it is listed there once it is ready; NULL: nowhere */
    uint32_t listed_for;     /* the session it is listed for; 0: none */

    int server;         /* index in the topology */
    uint64_t serial;    /* never used again by another connection of this worker */
    uint32_t thread_id; /* the server's connection id; before its greeting: unset */
    uint8_t collation;  /* the id to log in with */
    uint64_t caps;      /* negotiated */
    struct identity *identity;
    uint8_t nonce[AUTH_NONCE]; /* the last one that came, for the rest of caching_sha2_password */
    const char *lacking;       /* the plugin that wants more than the identity has; NULL: none */
    struct backend_error error;

    /* the state of the server's session */
    struct vars *vars;
    char schema[BACKEND_SCHEMA_MAX];
    bool multi_statements;
    uint32_t limit_ms; /* max_statement_time laid on for a hint; 0: the session's own */
    bool guarded;      /* its transactions are read-only: it serves reads that may be repeated */
    bool tells_client; /* it reports what the client wants to be told, not all */
    struct prepared_set prepared;

    struct server_load *slot; /* where it counts as one of the server's; NULL: nowhere */
    uint64_t since_ns;        /* when it was opened */
    uint64_t sound_ns;        /* the same, or when it was asked since whether it is well */
    unsigned global_sets;     /* shared->global_sets at that time */
    bool opening;             /* counts as being opened: proxy/session/session_queue.h */
    bool leaving;             /* is to be closed when it is idle */
    bool unproven;            /* idled for long: proxy/session/session_prove.c */
    bool killed;              /* a KILL is on its way to the server for it */

    /* what the session that used it last has left on it: proxy/session/session_hold.c */
    struct session *last_of;         /* NULL: it is gone, or there was none */
    void (*gone)(struct backend *b); /* called when it closes; NULL: nobody remembers it */
    bool unread;                     /* the values that EXPECT_RESCUE asks for */
    bool diagnostics;                /* warnings or an error of its last statement */
    bool warned;                     /* … or of any since the last reset */
    bool dirty;         /* what is not known: to be reset before it serves another session */
    uint64_t insert_id; /* LAST_INSERT_ID(), where not unread */
    /* what its next command must begin with */
    bool rescue_due, reset_due;
    bool foreign_warnings;      /* there may be some of another session's */
    struct session *rescue_for; /* the one that left the values */
    uint64_t idle_since_ns;     /* in the pool; of one that carries a KILL: when it was opened */

    /* what is under way */
    struct expect expect[EXPECT_MAX];
    unsigned expect_head, expect_count;
    bool reply_begun; /* `reply` is that of the first expectation */
    struct reply reply;
    struct metadata heard;    /* column definitions of it, before they are known to be complete */
    struct buf out;           /* bytes to write before anything else; pinned while stream.writing */
    struct server_load *load; /* NULL but while the client's command is counted there as busy */
};

/* Start to connect; NULL: memory or the system refuses. The owner is told of changes. */
struct backend *backend_connect(uv_loop_t *loop, struct buffers *buffers,
                                const struct server_view *server, int index,
                                struct identity *identity, uint8_t collation);
/* Tell the list of threads whom it serves; `session` 0: nobody. Only where it is ready. */
void backend_list(struct backend *b, uint32_t session, const char *host);
/* Right after backend_connect: speak TLS, verified for the host. False: no memory; close it. */
bool backend_use_tls(struct backend *b, struct tls_context *c, const char *host) MUST_CHECK;
/* Close; memory goes in the last callback. Nobody is told any more. */
void backend_close(struct backend *b);

static inline bool backend_is_ready(const struct backend *b)
{
    return b->state.now == BACKEND_READY;
}

/* Append a command to `out` and expect its reply. False: no room; the caller closes it. */
bool backend_command(struct backend *b, uint8_t command, struct span argument,
                     enum expect_role role) MUST_CHECK;
/* Expect the reply to bytes that the caller will write itself. */
bool backend_expect(struct backend *b, enum reply_kind kind, enum expect_role role,
                    uint32_t stmt) MUST_CHECK;
/* What was expected last is the reply to p, and p lives on until it is there. */
void backend_expect_of(struct backend *b, struct prepared *p);
/* Write `out` and the parts behind it. Answers as stream_write does; BLOCKED pins both. */
enum stream_sent backend_write(struct backend *b, const struct span *parts, int n) MUST_CHECK;
/* The first expectation, its `reply` begun; NULL where none is due. */
struct expect *backend_due(struct backend *b, uint64_t client_caps, uint16_t status);
/* reply_feed for that reply, which keeps the column definitions that it tells of. */
void backend_feed(struct backend *b, uint8_t *buf, size_t n, size_t max_whole,
                  struct reply_out *out);
void backend_done(struct backend *b); /* its reply is complete */
/* Take the connection back to what a fresh login is: in `out`, pipelined. Keeps the schema, and
 * whether it takes several statements. */
bool backend_reset(struct backend *b) MUST_CHECK;

/* It is over, for this reason. */
void backend_fail(struct backend *b, uint16_t code, const char *sqlstate, const char *text);

/* The tracking every server connection has: one SET, see protocol/ok.h for what comes of it. */
extern const char backend_setup_sql[];
/* What a connection for reads has on top: nothing can be written over it. */
extern const char backend_guard_sql[];
bool backend_guard(struct backend *b) MUST_CHECK;
bool backend_unguard(struct backend *b, struct span mode) MUST_CHECK; /* tx_read_only's value */

#endif
