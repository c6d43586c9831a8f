/* The open transaction of a session, done again on another primary when the one it was open on is
 * lost: what is written down while it runs, and the state SESSION_REPLAY.
 *
 * Each of its statements is written down once it was answered (replay_log.h). When the primary is
 * lost the session's next command, or the one under way where that cannot have committed anything,
 * waits for the next primary; there the statements are executed in their order, at the time they
 * were first executed at and with the ids they first generated, and what they answer is compared.
 * All the same: the client never knows. Anything else: rolled back, error 1213, which clients know
 * as a deadlock; the session lives. docs/failover.md says what cannot be replayed.
 *
 * All of it is idle, and struct replay not there, where failover is not enabled. */
#ifndef PROXY_SESSION_REPLAY_H
#define PROXY_SESSION_REPLAY_H

#include "protocol/reply_digest.h"
#include "proxy/replay/replay_log.h"
#include "proxy/replay/session_once.h"

struct replay {
    struct replay_log log;
    struct reply_digest digest; /* of the reply under way */
    uint64_t sent_ms;           /* wall clock, when the command under way was sent */
    uint32_t seeds[2];          /* given to it, as in struct replay_entry */
    uint32_t fragile;           /* the session's bits before it */
    uint32_t pins;
    bool remembers;     /* … which user variables there were: session_uservars.h */
    uint32_t gained;    /* FRAGILE_ bits that come with the transaction's own statements */
    uint64_t insert_id; /* the session's LAST_INSERT_ID(), as replies told it; 0: none yet */
    bool id_due;        /* the next connection to a primary is to be told it */
    bool tell;          /* the transaction was rolled back unseen: the next command is told */
    bool wrote;         /* the transaction has changed something */
    struct once once;
    bool watching; /* the command under way may become a part of the transaction */
    bool counted;  /* it is, in shared->replays_due, until its own statements are repeated */
    bool due;      /* the transaction is to be replayed before the next command goes out */
    bool awaiting; /* the reply of an entry */
    size_t next;   /* the entry to be sent, or whose reply is awaited */
};

void session_replay_free(struct session *s);

/* The command is about to be sent; a step of its reply; its end, after session_track_end and before
 * its bytes are consumed. */
void session_replay_begin(struct session *s);
/* Write into b->out what the command's RAND() begins with, so that it can begin with that again. */
bool session_replay_give_seeds(struct session *s, struct backend *b) MUST_CHECK;
void session_replay_step(struct session *s, const struct backend *b, const uint8_t *at,
                         const struct reply_out *step);
void session_replay_end(struct session *s, const struct backend *b);
/* The server tells the transaction's state: eight characters, see CHANGE_TX_STATE. */
void session_replay_note_state(struct session *s, struct span state);
/* Another command begins: what was not told of the one before will not be. */
void session_replay_next_command(struct session *s);
/* The session is in no transaction any more, whatever became of it. */
void session_replay_drop(struct session *s);
/* The command that was in doubt was not committed: on with the transaction, or with it alone. */
enum step session_replay_undone(struct session *s);
/* The transaction is over: nothing of it is needed any more. */
void session_replay_end_transaction(struct session *s);
/* The session's state is thrown away: COM_RESET_CONNECTION and the like. */
void session_replay_forget(struct session *s);

/* What becomes of the open transaction when its connection is lost. */
enum replay_verdict {
    REPLAY_NOT_ASKED, /* there is none, or more was lost with it, or nobody knows whether the
                         command under way committed it */
    REPLAY_POSSIBLE,
    REPLAY_UNDONE,      /* exactly_once: the command has certainly had no effect */
    REPLAY_IN_DOUBT,    /* exactly_once: the next primary will tell */
    REPLAY_ROLLED_BACK, /* it cannot be replayed; nothing but it was lost */
};
/* `idle`: no command of it is under way. */
enum replay_verdict session_replay_judge(const struct session *s, bool idle);
void session_replay_set_due(struct session *s, bool due);
/* Whether a write outside of a transaction is to wait a little: others are to be repeated on a
 * server that has just begun to take writes. */
bool session_replay_lets_others_first(struct session *s);
/* It is: before the next command goes out. */
void session_replay_arrange(struct session *s);
/* The connection to the primary is lost, and no transaction is repeated. */
void session_replay_note_loss(struct session *s);
/* LAST_INSERT_ID() went with the connection: the next one to a primary is given what is known of
 * it.
 */
void session_replay_lay_on(struct session *s, const struct backend *b);
/* Static words. */
const char *session_replay_why_not(const struct session *s);
/* Tell the client that the transaction was rolled back; the session is in none any more. */
enum step session_replay_roll_back(struct session *s, const char *why);
/* A command that was sent and not answered, outside of a transaction, may be sent once more,
 * whatever came of it. */
bool session_replay_is_harmless(const struct session *s);

static inline bool session_replay_due(const struct session *s)
{
    return s->replay && s->replay->due && !s->run.log_in;
}
/* SESSION_REPLAY */
enum step session_replay(struct session *s);

#endif
