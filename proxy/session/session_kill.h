/* KILL, by the ids that the proxy greeted with, or of a user; whichever workers they live on. The
 * killer waits in ASK for the answer. */
#ifndef PROXY_SESSION_SESSION_KILL_H
#define PROXY_SESSION_SESSION_KILL_H

#include "proxy/session/session.h"

/* The number by which a session's statement is listed and killed (KILL QUERY ID), beyond what a
 * server has counted to. */
static inline uint64_t session_query_id(const struct session *s)
{
    return (uint64_t)s->id << 32 | (uint32_t)s->statements;
}

enum step session_kill(struct session *s, const struct sql_kill *kill);
enum step session_kill_user(struct session *s, const struct sql_kill *kill);
/* The error that a server answers the command with: whether it has evaluated the expression of a
 * KILL, or run one by EXECUTE, and does not know the id, for that is a session's, or a session's
 * statement's. It stands in the command's `statement.kill` then. */
bool session_kill_missed(struct session *s, const struct server_error *e) MUST_CHECK;
/* session_kill_prepared.c: the command, which has run, may have prepared a KILL by SQL. */
void session_kill_note(struct session *s);
/* Whether the command is an EXECUTE of a KILL; which one goes to `kill`. */
bool session_kill_executed(const struct session *s, struct sql_kill *kill) MUST_CHECK;
void session_kill_forget(struct session *s);
/* State ASK. */
enum step session_ask(struct session *s);

/* On the victim's worker. */
void session_kill_victim(struct session *victim, const struct sql_kill *kill);
struct session *session_by_id(struct worker *w, uint32_t id);
/* Its account has one of these rights, ACCESS_… */
bool session_may(const struct session *s, uint64_t access);
/* Its account may kill everybody's sessions. */
bool session_kills_all(const struct session *s);

/* The first number in a text; 0: there is none. */
uint64_t session_id_told(struct span text);

/* Close the connections that were opened before `before_ns` to carry a KILL to a server. */
void session_kill_trim(struct worker *w, uint64_t before_ns);

#endif
