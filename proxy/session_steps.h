/* The steps of the session's machine, by the file each stands in. For the session_*.c files alone.
 */
#ifndef PROXY_SESSION_STEPS_H
#define PROXY_SESSION_STEPS_H

#include "proxy/session.h"

/* session.c: go to a state and set its deadline. */
void session_enter(struct session *s, enum session_state next);
/* session_proxied.c: take a PROXY header off the client's first bytes. False: wait, or the session
 * has ended. */
bool session_introduced(struct session *s) MUST_CHECK;

/* session_login.c */
enum step session_greet(struct session *s);
enum step session_login(struct session *s);
enum step session_switch(struct session *s);
/* Write `out` as one packet that starts at `at`. False: the session has ended. */
bool session_send_packet(struct session *s, size_t at, uint8_t seq);
bool session_random(uint8_t *to, size_t n) MUST_CHECK;
void session_adopt_login(struct session *s);
void session_forget_credentials(struct session *s);
/* session_verify.c */
enum step session_verify(struct session *s);
/* session_login.c */
enum step session_begin_change_user(struct session *s, struct span payload);
enum step session_welcome(struct session *s);

/* session_command.c */
enum step session_ready(struct session *s);
/* Answer the command under way with an OK or ERR packet of the proxy's own and go on with the next.
 */
enum step session_answer_ok(struct session *s);
/* The same, with a text in it. */
enum step session_answer_info(struct session *s, struct span info);
/* The same where it may be a log-in that failed: that ends the session. */
enum step session_fail(struct session *s, uint16_t code, const char *sqlstate, const char *text);
/* Nothing to answer: only take the command off the client. */
enum step session_answer_nothing(struct session *s);
enum step session_answer_error(struct session *s, uint16_t code, const char *sqlstate,
                               const char *text);
enum step session_reply(struct session *s);
/* The command's bytes are done with; the session is ready for the next. */
void session_finish_command(struct session *s);

/* session_route.c */
enum step session_route(struct session *s);
enum step session_connect(struct session *s);
/* Give up the connection to a server, if the session holds one; `keep`: it is clean enough for the
 * pool. */
void session_release(struct session *s, int server, bool keep);
void session_release_all(struct session *s);
/* Send the command to another server: this one failed it before anything of the reply was
 * forwarded. */
enum step session_reroute(struct session *s);
/* Asks about the statement before and leaves nothing behind: it goes where that went, a replica
 * perhaps, and the session's home stays where its state is. */
bool session_only_asks(const struct sql_class *c);
void session_backend_event(struct backend *b, void *owner);

/* session_sync.c */
/* Write into the target's `out` what brings it to the session's state. */
bool session_lay_on_state(struct session *s, struct backend *b) MUST_CHECK;
enum step session_sync(struct session *s);
/* Take off the replies that belong to the proxy, up to the client's. */
enum swallow {
    SWALLOW_DONE,  /* none is left before the client's */
    SWALLOW_WAIT,  /* more bytes are to come */
    SWALLOW_STALE, /* the replica did not catch up in time: the rest will be discarded */
    SWALLOW_ERROR, /* the server refused, see b->error; the connection is of no use */
    SWALLOW_LOST,  /* the connection ended */
};
enum swallow session_swallow(struct session *s, struct backend *b);

/* session_relay.c */
enum step session_relay(struct session *s);

/* session_lost.c */
enum step session_target_lost(struct session *s);
/* The connection that may have held state of the session is gone: forget what it held; whether
 * there was any. */
bool session_lose_home(struct session *s);

/* session_track.c: what an OK packet of the client's command tells. */
void session_track(struct session *s, struct backend *b, const struct ok *ok);
/* The command ended: pins, causality. */
void session_track_end(struct session *s, struct backend *b);
/* Ask whether code that the text did not show left anything behind; and the answer: "0/" where it
 * did not. */
extern const char session_probe_sql[];
bool session_track_ask(struct session *s, struct backend *b) MUST_CHECK;
void session_track_probe(struct session *s, const struct reply *r);
void session_set_charset(struct session *s, uint16_t collation);
/* The client's character set: what it set, or else the servers' default. */
struct span session_charset(const struct session *s);
void session_forget_state(struct session *s);

/* session_classify.c: what a statement means to this session. */
void session_classify(struct session *s, struct span text, bool whole, struct sql_class *out);
/* The same for one that is being prepared; `text` where it is too long to be kept. */
void session_classify_prepared(struct session *s, struct stmt *stmt, struct span text);
/* Once more, where the stored objects have changed since. */
void session_classify_again(const struct session *s, struct stmt *stmt);

/* session_stmt.c: prepared statements. */
enum step session_prepare(struct session *s, struct span payload);
enum step session_execute(struct session *s, struct span payload);
enum step session_bulk_execute(struct session *s, struct span payload);
enum step session_long_data(struct session *s, struct span payload);
enum step session_stmt_close(struct session *s, struct span payload);
enum step session_stmt_reset(struct session *s, struct span payload);
enum step session_fetch(struct session *s, struct span payload);
/* Whether the command's statement must be prepared on the connection, and do that. */
bool session_stmt_missing(const struct session *s, const struct backend *b);
bool session_stmt_ensure(struct session *s, struct backend *b) MUST_CHECK;
/* What the command's first bytes become for this connection: the statement's id there, the
 * parameter types where it has not seen them. Answers the part to write behind b->out. */
struct span session_stmt_fit(struct session *s, struct backend *b, struct span bytes);
/* The connection has accepted a statement prepared again, under the id its reply tells. */
void session_stmt_known(struct session *s, const struct backend *b, uint32_t client_id,
                        bool failed);
/* The command is through. */
void session_stmt_end(struct session *s, struct backend *b);
/* Data of a COM_STMT_SEND_LONG_DATA, which is never answered, did not arrive: executing the
 * statement will tell. */
void session_stmt_data_lost(struct session *s);
/* A PREPARE that came to nothing leaves nothing. */
void session_stmt_drop_unprepared(struct session *s);

/* session_rewrite.c: whether the statement must be looked at. */
bool session_text_names_ids(const struct session *s, const struct sql_class *c);
/* The command, COM_QUERY or COM_STMT_PREPARE, as servers shall read it, with its header, into an
 * empty buffer; false: as it is. */
bool session_rewrite(struct session *s, uint8_t command, struct span text,
                     struct buf *out) MUST_CHECK;

/* session_kill.c: KILL of a session by the id the proxy greeted it with, whichever worker it lives
 * on. */
enum step session_kill(struct session *s, const struct sql_kill *kill);
/* Whether the id is one of the proxy's; else it is a server's own. */
static inline bool session_is_id(uint64_t id)
{
    return id >= SESSION_ID_FIRST && id <= SESSION_ID_LAST;
}
enum step session_ask(struct session *s);

#endif
