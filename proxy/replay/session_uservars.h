/* A session's user variables, as they were when its transaction began: so that it can be repeated
 * on the next primary, where they have those values again.
 *
 * They are asked for in front of a BEGIN, where a statement may have changed them since they were
 * asked for last; the answer is the SET that makes them. What cannot be told that way (a character
 * that utf8mb3 does not have, more than the proxy keeps of an answer) is not, and the transaction
 * is not repeated. */
#ifndef PROXY_SESSION_USERVARS_H
#define PROXY_SESSION_USERVARS_H

#include "base/buf.h"
#include "base/compiler.h"

struct backend;
struct session;

struct uservars {
    struct buf set; /* what makes them, behind "SET "; empty: it is not known */
    bool asked;     /* since one of them may have changed */
    bool fresh;     /* … and `set` has them as they are */
    bool due;       /* they are lost: the next connection to a primary is to be given them */
};

void session_uservars_forget(struct session *s);
/* The command, which has ended, may have changed some. */
void session_uservars_changed(struct session *s);
/* Whether to ask before the command goes out on its home; and do that. */
bool session_uservars_must_ask(const struct session *s, const struct backend *b);
bool session_uservars_ask(struct session *s, struct backend *b) MUST_CHECK;
void session_uservars_told(struct session *s, const struct backend *b, bool failed);
/* The connection is lost, on which they were as `set` says, or have become by what is repeated. */
void session_uservars_lost(struct session *s);
/* Whether the connection is to be given them; and do that, in b->out. */
bool session_uservars_are_due(const struct session *s, const struct backend *b);
bool session_uservars_lay_on(struct session *s, struct backend *b) MUST_CHECK;

#endif
