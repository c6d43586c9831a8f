/* The steps of the session's machine, by the file each stands in. For the session_*.c files alone.
 */
#ifndef PROXY_SESSION_STEPS_H
#define PROXY_SESSION_STEPS_H

#include "proxy/session/session.h"
#include "proxy/session/session_text.h"

/* session.c: go to a state and set its deadline. */
void session_enter(struct session *s, enum session_state next);
/* Run its machine, but not from inside the caller. */
void session_step_later(struct session *s);
/* session_proxied.c: take a PROXY header off the client's first bytes. False: wait, or the session
 * has ended. */
bool session_introduced(struct session *s) MUST_CHECK;
/* Whether one may come yet. */
bool session_may_be_introduced(const struct session *s);

/* session_login.c */
enum step session_greet(struct session *s);
enum step session_login(struct session *s);
enum step session_switch(struct session *s);
/* Write `out` as one packet that starts at `at`. False: the session has ended. */
bool session_send_packet(struct session *s, size_t at, uint8_t seq);
bool session_random(uint8_t *to, size_t n) MUST_CHECK;
void session_logged_in(struct session *s); /* or will not be any more */
void session_adopt_login(struct session *s);
void session_forget_credentials(struct session *s);
/* session_verify.c */
enum step session_verify(struct session *s);
/* session_refused.c: a server denied the session's log-in. Whether there is another way to it, by
 * which the session goes on. */
bool session_log_in_otherwise(struct session *s) MUST_CHECK;
/* session_login.c */
enum step session_begin_change_user(struct session *s, struct span payload);
enum step session_welcome(struct session *s);

/* session_command.c */
enum step session_ready(struct session *s);
/* Answer the command under way with an OK or ERR packet of the proxy's own and go on with the next.
 */
enum step session_answer_ok(struct session *s);
/* The same with what stands in `ok`, but for its status; what came of statements before is as it
 * was. */
enum step session_answer_told(struct session *s, struct ok ok);
/* The same where it may be a log-in that failed: that ends the session. */
enum step session_fail(struct session *s, uint16_t code, const char *sqlstate, const char *text);
/* The connection that held the session's state is gone: say so once, then start afresh. */
enum step session_tell_loss(struct session *s);
/* Nothing to answer: only take the command off the client. */
enum step session_answer_nothing(struct session *s);
enum step session_answer_error(struct session *s, uint16_t code, const char *sqlstate,
                               const char *text);
enum step session_reply(struct session *s);
/* What the command means has to be seen anew: the session has learnt more of its own state. */
enum step session_command_again(struct session *s);
/* The command's bytes are done with; the session is ready for the next. */
void session_finish_command(struct session *s);

/* session_route.c */
enum step session_route(struct session *s);
enum step session_queue(struct session *s);
enum step session_connect(struct session *s);
/* Give up the connection to a server, if the session holds one; `keep`: it is clean enough for the
 * pool. */
void session_release(struct session *s, int server, bool keep);
void session_release_all(struct session *s);
/* Nobody holds the connection any more: into the pool, if it is clean enough. */
void session_put_back(struct worker *w, struct backend *b);
/* The client was not greeted in time: nothing is known to greet it with. */
void session_end_uninformed(struct session *s);
/* Send the command to another server: this one failed it before anything of the reply was
 * forwarded. */
enum step session_reroute(struct session *s);
void session_backend_event(struct backend *b, void *owner);
/* The client's, as the process list tells it: "10.0.0.7:52114". */
void session_host(const struct session *s, char out[THREAD_HOST_MAX]);
/* That the connection serves the session, for all to see. */
void session_list_thread(const struct session *s, struct backend *b);

/* session_sync.c */
/* Write into the target's `out` what brings it to the session's state. */
bool session_lay_on_state(struct session *s, struct backend *b) MUST_CHECK;
/* Whether that takes commands which count rows. */
bool session_lays_on(const struct session *s, struct backend *b);
enum step session_sync(struct session *s);
/* Where the command under way is of a prepared statement: have that prepared there. */
bool session_lay_on_statement(struct session *s, struct backend *b) MUST_CHECK;
/* Take off the replies that belong to the proxy, up to the client's. */
enum swallow {
    SWALLOW_DONE,  /* none is left before the client's */
    SWALLOW_WAIT,  /* more bytes are to come */
    SWALLOW_STALE, /* the replica did not catch up in time: the rest will be discarded */
    SWALLOW_ERROR, /* the server refused, see b->error; the connection is of no use */
    SWALLOW_LOST,  /* the connection ended */
};
enum swallow session_swallow(struct session *s, struct backend *b);

/* session_prove.c */
/* Note whether a connection, just taken out of the pool, idled there for so long that it may be
 * dead without a sign. */
void session_doubt(const struct worker *w, struct backend *b);
/* If so, have it show that it is not. */
enum swallow session_prove(struct session *s, struct backend *b);
/* It does not: on with another one. */
enum step session_not_proven(struct session *s);

/* session_relay.c */
enum step session_relay(struct session *s);
/* session_timing.c: the command is on its way: note when, where replicas are measured. */
void session_begin_timing(struct session *s);
/* The first bytes of its reply go out. */
void session_end_timing(struct session *s, const struct backend *b);

/* session_ride.c */
enum step session_share(struct session *s);

/* session_lost.c */
enum step session_target_lost(struct session *s);
/* The session's home is lost while no command of it runs there: the next one repeats the open
 * transaction, or is told. */
void session_lost_idle(struct session *s);
/* The connection that may have held state of the session is gone: forget what it held; whether
 * there was any. */
bool session_lose_home(struct session *s);
/* Between two commands: its transaction may still be open on the primary before, where nothing more
 * can come of it. */
void session_leave_old_primary(struct session *s);
/* Whether what the session has on the primary before would have the command go there, which takes
 * no writes any more: of code that the text does not show nobody would know how far it came. */
bool session_is_left_behind(const struct session *s);
/* Then that is given up, and the client told. */
enum step session_leave_home(struct session *s);

/* session_track.c: what an OK packet of the client's command tells. */
void session_track(struct session *s, struct backend *b, const struct ok *ok);
/* The command ended: pins, causality. */
void session_track_end(struct session *s, struct backend *b);
void session_set_charset(struct session *s, uint16_t collation);
/* The client's character set: what it set, or else the servers' default. */
struct span session_charset(const struct session *s);
void session_forget_state(struct session *s);

/* session_home.c: the session begins anew; where its home has something of it, have the server let
 * go of that before the client is answered. True: that is under way, and the command comes again.
 */
bool session_sheds(struct session *s) MUST_CHECK;
enum step session_shed(struct session *s);

#endif
