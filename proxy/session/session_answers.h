/* Which connection has the list of warnings that the primary alone would have. */
#ifndef PROXY_SESSION_ANSWERS_H
#define PROXY_SESSION_ANSWERS_H

#include "proxy/backend/backend.h"

struct session;
struct stmt;

struct answers {
    int last;        /* the server that answered the last command; -1 */
    uint64_t serial; /* of the connection that has it; 0: whichever is asked */
    int server;
    bool some;         /* it may hold some */
    struct buf read;   /* the read that raised them on a replica, as it came; empty: not kept */
    struct stmt *stmt; /* what it executes: held, for the client may close it; or NULL */
};

void session_answers_forget(struct session *s);
void session_answers_free(struct session *s);
/* The command's reply is complete. */
void session_answers_note(struct session *s, struct backend *b);
/* What the command raised on `b` is nobody's to see. */
void session_answers_hide(struct session *s, struct backend *b);
/* The server that must be asked, -1: the command is not such a question, or no one server knows. */
int session_who_answers(const struct session *s);
/* Where the command asks more than that: have its connection know what another one knows. Before
 * its text is fitted to the connection; and into b->out. */
void session_answers_arrange(struct session *s, const struct backend *b);
bool session_answers_lay_on(struct session *s, struct backend *b) MUST_CHECK;

#endif
