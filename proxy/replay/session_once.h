/* exactly_once: whether a write was committed is known although the primary died before it said so.
 *
 * Each session owns a row of tillway.outcome. A transaction that writes sets the number in it
 * before it is committed, in the same transaction: on the next primary the number tells whether it
 * was.
 *
 *   explicit:    …; [row] COMMIT         and a row before each CALL, which may commit by itself
 *   autocommit:  [BEGIN; row] write ──reply──▶ kept back ──▶ [COMMIT] ──▶ the reply goes out
 *
 * What stands in brackets is the proxy's. A write that was not answered before its COMMIT was sent
 * has had no effect, so only two things are ever in doubt: a COMMIT that was sent, and a CALL. A
 * COMMIT inside of a procedure commits the row with it: where the row was not written, nothing was.
 * On the server where it was sent the row proves nothing while the old connection may still be at
 * work: until it is gone from the list of processes, or that server was started anew: then its id
 * may be another connection's. Part of struct replay; docs/failover.md. */
#ifndef PROXY_SESSION_ONCE_H
#define PROXY_SESSION_ONCE_H

#include "protocol/reply.h"
#include "proxy/session/session.h"

enum once_phase {
    ONCE_NONE,
    ONCE_MARKED,     /* the row goes before the command, in the client's own transaction */
    ONCE_WRAPPED,    /* the proxy has begun a transaction for the command */
    ONCE_KEPT,       /* it was answered; the end of the reply waits for the COMMIT */
    ONCE_COMMITTING, /* which was sent */
    ONCE_SETTLED,    /* and answered */
};

struct once {
    uint8_t phase;    /* enum once_phase; of the command under way */
    bool refused;     /* the row could not be written: nothing will be known */
    bool barred;      /* … for the server is read-only: so is all that the command would write */
    bool probing;     /* session_probe_sql was asked in front of the COMMIT; not answered yet */
    bool probed;      /* … it was */
    bool clean;       /* … and nothing is left behind */
    bool has_slot;    /* `slot` is the session's */
    uint32_t slot;    /* its row: unique in this process, used again by later sessions */
    uint64_t number;  /* that was written last */
    uint64_t sent_ns; /* when */

    /* the end of the reply that is kept back */
    bool failed;       /* it is an ERR packet: `text` */
    uint8_t packet;    /* its sequence number */
    struct ok ok;      /* without its spans */
    uint64_t rows;     /* of its result set, as in struct reply */
    struct buf text;   /* of the OK packet; all of the ERR packet's payload */
    struct buf change; /* session-state changes */

    /* the primary was lost in between */
    bool in_doubt;
    uint64_t asked_ns; /* when the next primary was asked; 0: it is to be */
    bool gone;         /* before that, it was known that the connection had ended */
    bool was_kept;     /* the reply had come */
    int server;        /* the one that was lost */
    uint32_t thread;   /* the connection's id there */
    uint64_t until_ns; /* so long its end is awaited; 0: it was not asked for yet */
    char trace[48];    /* how many connections of that id there are, and the server's uptime; empty:
                        * not told yet */
    char told[48];     /* the row's number; the same */
};

void session_once_free(struct session *s);
/* Before the command's text is fitted to the connection: what goes before it counts rows. */
void session_once_arrange(struct session *s, const struct backend *b);
/* Write what goes before the command's bytes into b->out. */
bool session_once_begin(struct session *s, struct backend *b) MUST_CHECK;
/* The last step of its reply. True: it is kept back, all but the first step->last bytes. */
bool session_once_keep(struct session *s, const struct backend *b, const uint8_t *at,
                       const struct reply_out *step);
/* Send the COMMIT that a kept reply waits for. */
bool session_once_commit(struct session *s, struct backend *b) MUST_CHECK;
/* A reply to what the proxy has sent; `failed`: an ERR packet. False: the connection is of no use
 * any more: it is a server that is no primary, or a node that is cut off from its cluster. */
bool session_once_reply(struct session *s, struct backend *b, bool failed) MUST_CHECK;
/* Append the kept end of the reply to s->out, as a packet. */
void session_once_tell_kept(struct session *s);
/* What b->reply told of the statement, in the place of what it tells of the COMMIT. */
void session_once_recall(const struct session *s, struct backend *b);
/* The command is through. */
void session_once_end(struct session *s);
/* … and its reply was kept: what stands on the connection now are the COMMIT's counts, and the
 * probe's. */
void session_once_kept_end(struct session *s, const struct backend *b);
bool session_once_is(const struct session *s, enum once_phase phase);

/* Neither the row nor what the command, which ended in the same error, would write found a primary.
 */
bool session_once_is_barred(const struct session *s);

/* The primary was lost, and the row will tell whether the command was committed. */
bool session_once_will_tell(const struct session *s);
/* The command has certainly had no effect: as if it had not been sent. */
bool session_once_is_undone(const struct session *s);
/* Forget the proxy's own transaction, which was under way on connection `thread` of the server;
 * `in_doubt`: the row is to be asked on the next primary. */
void session_once_lost(struct session *s, int server, uint32_t thread, bool in_doubt);
/* SESSION_REPLAY, while it is in doubt. */
enum step session_once_resolve(struct session *s);

#endif
