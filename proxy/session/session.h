/* A client's session: its state machine, and what it carries from server to server.
 *
 *             ┌──────────▶ CLOSING ◀── (any state: the client left, an error that ends it, drained)
 *   GREET ─▶ LOGIN ─▶ VERIFY ─▶ ROUTE ─▶ CONNECT ─▶ SYNC ─▶ RELAY ─▶ READY ─▶ ROUTE …
 *                ▲      │ ▲        ▲     │                     │        │
 *                └SWITCH┘ │        └──── the read goes elsewhere ┘      └─▶ VERIFY
 *                         └── refused ◀──┘
 * (COM_CHANGE_USER) └─▶ REPLY ─▶ READY (the proxy answers itself)
 *
 *   GREET    the monitor has not told accounts and servers yet: nothing to greet with
 *   LOGIN    the greeting is out; waits for the client's response
 *   SWITCH   asked for a reply by another plugin, or for the password; waits for it
 *   VERIFY   tries the account's ways; where all fail it waits once for a fresh catalog
 *   READY    between commands
 *   ROUTE    chooses the server for the command under way
 *   QUEUE    waits until the server may have one more connection, or one is idle
 *   CONNECT  waits for a connection to it
 *   SYNC     waits until the session's state is laid on (commands that are not reads, log-ins)
 *   RELAY    the command goes out, the reply comes back
 *   SHARE    from ROUTE to RELAY: the command is on its way with others'
 *   REPLAY   between SYNC and RELAY: repeats a transaction that was lost with another primary
 *   SHED     waits until the server has let go of what the session had (COM_CHANGE_USER …)
 *   ASK      waits for other workers' answers (KILL of a session, the process list)
 *   REPLY    takes the rest of the command off the client, then writes the proxy's own answer
 *   CLOSING  writes a last packet, then closes
 *
 * A libuv callback only calls session_step. A handler answers MORE (step again) or WAIT. Memory
 * goes when the client's handle is closed. */
#ifndef PROXY_SESSION_H
#define PROXY_SESSION_H

#include "protocol/handshake.h"
#include "proxy/login/session_auth.h"
#include "proxy/replay/session_uservars.h"
#include "proxy/session/command_run.h"
#include "proxy/session/session_answers.h"
#include "proxy/session/session_bounds.h"
#include "proxy/session/session_busy.h"
#include "proxy/session/session_hold.h"
#include "proxy/session/session_home.h"
#include "proxy/worker.h"

enum session_state {
    SESSION_GREET,
    SESSION_LOGIN,
    SESSION_SWITCH,
    SESSION_VERIFY,
    SESSION_READY,
    SESSION_ROUTE,
    SESSION_QUEUE,
    SESSION_CONNECT,
    SESSION_SYNC,
    SESSION_REPLAY,
    SESSION_SHARE,
    SESSION_RELAY,
    SESSION_SHED,
    SESSION_ASK,
    SESSION_REPLY,
    SESSION_CLOSING,
    SESSION_STATE_COUNT,
};

enum { SESSION_SCHEMA_MAX = BACKEND_SCHEMA_MAX, SESSION_OUT_MAX = 1 << 20 };

struct session {
    struct worker *worker;
    struct session *next, *prev;
    uint32_t id;
    struct state state;
    uint64_t deadline_ns; /* of the state; 0: none */
    struct session_bounds bounds;
    bool stepping, again; /* … stepped from inside a step */
    bool freed_soon;      /* the client's handle is closing */
    struct stream client;
    struct buf out;             /* what the proxy says itself; pinned while client.writing */
    int listener;               /* index in the configuration */
    bool is_unix, introduced;   /* … a PROXY header came, or cannot come any more */
    struct tls_context *tls;    /* to offer to the client; NULL: none */
    bool tls_begun, compressed; /* the client asked for it; … its log-in is over, too */
    bool out_sent;   /* `out` was handed to the stream: clear it once it is not writing */
    uint8_t *pinned; /* it has ended: a server's buffer that a write to the client still reads */
    uint8_t seq;     /* of the packet that a reply of ours follows */

    /* log-in */
    char address[64]; /* the client's */
    uint16_t port;    /* the same; 0: none */
    uint8_t nonce[AUTH_NONCE];
    struct session_auth auth;
    uint64_t caps;
    struct credentials credentials;
    uint16_t collation;     /* asked for at log-in */
    uint8_t failed_changes; /* COM_CHANGE_USERs in a row */
    uint64_t catalog_asked; /* the number of its request for a fresh catalog; 0: did not ask */
    bool logging_in, changing_user, multi_statements; /* logging_in: till its OK */
    enum consistency consistency;
    struct identity *identity;

    /* session state, as the servers reported it */
    struct vars *vars;
    unsigned global_sets;   /* shared->global_sets when it began */
    struct telling telling; /* session tracking passed on */
    char schema[SESSION_SCHEMA_MAX];
    uint16_t status;
    struct sql_mode mode;
    uint32_t pins, fragile;             /* session_pin bits; FRAGILE_ bits */
    bool tables_locked, may_hold_locks; /* … user locks, by code that the text does not show */
    struct unsaid unsaid;
    bool lost; /* a connection with fragile state died while idle: the next command is told */
    struct causal causal;
    int home; /* holds connection-bound state: the server that ran the last non-read; -1 */
    struct answers answers;
    struct backend *held[SERVERS_MAX];
    uint32_t held_bits, turn;
    struct line *line; /* where its command is under way with others'; NULL: nowhere */
    struct queue_place place;
    uint32_t bound_bits; /* servers where a statement may be bound, see session_stmt_bound */
    struct backend *recent[SERVERS_MAX]; /* whose last_of it is, held or given back */
    struct left_values left;
    struct left_serials left_at;
    struct stmts stmts;
    struct uservars uservars;
    struct prepared_kills *kills; /* by SQL-level PREPARE; NULL: none */
    struct replay *replay;        /* of its open transaction; NULL until there was one */
    struct command_run run;
    struct buf text;   /* where run.rewritten: the command as servers shall read it, with header */
    struct buf fitted; /* where run.fitted: the same for the connection at hand */
    struct busy busy;  /* where the command reads the process list: of all sessions */
    struct backend *target;
    struct position_place position; /* among those that want the primary's position */
    struct wait_place wait;         /* among those that wait for a replica */
    uint16_t option;                /* COM_SET_OPTION's argument */
    uint64_t statements;            /* commands begun */
};

/* Take over a client's descriptor. */
void session_start(struct worker *w, const struct client_socket *c);
/* Run the machine until it waits. */
void session_step(struct session *s);
/* End it: a last ERR packet where code is not 0. */
void session_end(struct session *s, uint16_t code, const char *sqlstate, const char *why);
static inline struct span session_user(const struct session *s)
{
    return s->identity ? identity_user(s->identity) : (struct span){NULL, 0};
}
/* Why its reads stay on the primary, in words; "" where they do not. */
const char *session_pin_words(const struct session *s);
/* A newer topology is there: a read that waits for a server now known to be bad goes elsewhere. */
void session_topology_changed(struct session *s);

#endif
