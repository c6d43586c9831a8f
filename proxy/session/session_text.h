/* The session's work on statements and their texts: what they mean, the rules, rewriting, prepared
 * statements; part of session_steps.h, and by the file each stands in as there. */
#ifndef PROXY_SESSION_TEXT_H
#define PROXY_SESSION_TEXT_H

#include "proxy/session/session.h"

/* session_classify.c: the servers' stored functions and views; NULL: not known yet. */
const struct objects *session_objects(const struct session *s);
/* What the statement under way means to this session. */
void session_classify(struct session *s, struct span text, bool whole);
/* The same for one that is being prepared; `text` where it is too long to be kept. */
void session_classify_prepared(struct session *s, struct stmt *stmt, struct span text);
/* Once more, where the stored objects have changed since. */
void session_classify_again(struct session *s, struct stmt *stmt);
/* The statement that the command under way executes, as rules have made it; empty where the command
 * executes none or its text is not here as a whole. */
struct span session_text(const struct session *s);

/* session_stmt.c: prepared statements. */
enum step session_prepare(struct session *s, struct span payload);
enum step session_execute(struct session *s, struct span payload);
enum step session_bulk_execute(struct session *s, struct span payload);
enum step session_long_data(struct session *s, struct span payload);
enum step session_stmt_close(struct session *s, struct span payload);
enum step session_stmt_reset(struct session *s, struct span payload);
enum step session_fetch(struct session *s, struct span payload);
/* What the connection for the command had better know already; NULL: nothing. */
const struct prepared_key *session_stmt_key(const struct session *s);
/* Whether the command's statement must be prepared on the connection, and do that. */
bool session_stmt_missing(const struct session *s, struct backend *b);
bool session_stmt_ensure(struct session *s, struct backend *b) MUST_CHECK;
/* What the command's first bytes become for this connection: the statement's id there, the
 * parameter types where it has not seen them. Answers the part to write behind b->out. */
struct span session_stmt_fit(struct session *s, struct backend *b, uint8_t *data, size_t n);
/* Execute in b->out what was executed before, its reply thrown away. `packet`: as the client sent
 * it. */
bool session_stmt_run_again(struct session *s, struct backend *b, struct stmt *stmt,
                            struct buf *packet) MUST_CHECK;
/* The EXECUTE under way as it is where no types were bound before it, into an empty buffer. False:
 * they are not known. */
bool session_stmt_with_types(const struct session *s, struct span packet,
                             struct buf *out) MUST_CHECK;
/* The connection has accepted a statement prepared again, under the id its reply tells, or has
 * failed to. NULL: it is one of the client's own, whose session went elsewhere. */
void session_stmt_known(struct backend *b, struct prepared *p, bool failed);
/* Close there what no session needs any more; make the command's statement its own where it has to
 * be; close what the command is about to prepare. */
bool session_stmt_sweep(struct session *s, struct backend *b) MUST_CHECK;
bool session_stmt_make_own(struct session *s, struct backend *b) MUST_CHECK;
bool session_stmt_make_room(struct session *s, struct backend *b) MUST_CHECK;
/* Whether a statement has a cursor, long data or itself on this connection alone. */
bool session_stmt_bound(struct session *s, const struct backend *b);
/* The command is through. */
void session_stmt_end(struct session *s, struct backend *b);
/* Data of a COM_STMT_SEND_LONG_DATA, which is never answered, did not arrive: executing the
 * statement will tell. */
void session_stmt_data_lost(struct session *s);
/* A PREPARE that came to nothing leaves nothing. */
void session_stmt_drop_unprepared(struct session *s);

/* session_rules.c, where there are rules: what the one that the statement under way falls under
 * asks for goes into s->run.wish, what it rewrites into `text`, classified anew. False: it is
 * denied, and answered. */
bool session_rule(struct session *s, struct span *text) MUST_CHECK;

/* session_show.c: answer SHOW TILLWAY SESSION. */
enum step session_show(struct session *s);

/* session_rewrite.c: whether it may name connections, or list them. */
bool session_names_ids(const struct session *s, const struct sql_class *c);
bool session_in_information_schema(const struct session *s);
/* Whether the statement must be looked at. */
bool session_text_is_own(const struct session *s, const struct sql_class *c);
/* The command, COM_QUERY or COM_STMT_PREPARE, as the server shall read it over this connection,
 * with its header, into an empty buffer; false: as it is. */
bool session_rewrite(struct session *s, const struct backend *b, uint8_t command, struct span text,
                     struct buf *out) MUST_CHECK;

#endif
