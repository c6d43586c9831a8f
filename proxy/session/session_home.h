/* The session's home, the server connection that has its state: what would go with it, and what
 * replies have left unsaid, which it is asked. */
#ifndef PROXY_SESSION_HOME_H
#define PROXY_SESSION_HOME_H

#include "proxy/backend/backend.h"

struct session;

/* Reads known to be short that the home answers before it is asked what unseen code left behind. */
enum { HOME_READS_FIRST = 4 };

/* What replies have left open, to be asked before the next command is routed: session_home.c. */
struct unsaid {
    bool probe;           /* PIN_OPAQUE is to be checked, … */
    uint32_t reads;       /* … and has not been before so many reads */
    bool probing;         /* … it is being: the answer is on its way */
    bool status;          /* the flags: an error, which has none, may have ended the transaction */
    struct buf variables; /* the SET that tells what an earlier one left unsaid; empty: none */
    uint32_t pins;        /* of that one alone; gone with the answer */
    uint32_t fragile;
    bool unknown; /* a variable has a value that no question will tell */
};

/* Asks whether code that the text did not show left anything behind: "0/" where it did not. */
extern const char session_probe_sql[];
void session_home_forget(struct session *s);
void session_home_forget_variables(struct session *s);
/* The command, which has ended, may have set variables unreported. */
void session_home_untracked(struct session *s);
/* … to what nobody will tell: they stay on their connection. */
void session_home_unknown(struct session *s);
/* Whether session->vars has the values of all that can be carried. */
bool session_home_knows_variables(const struct session *s);
/* Whether the reply under way is to a command that sets the variable for itself only: SET
 * STATEMENT. */
bool session_home_restores(struct session *s, const struct backend *b, struct span name);
/* Append to a SET, behind `before`, what has the server report the variable. False: that would
 * change more. */
bool session_home_set_again(struct buf *sql, const char *before, struct span name) MUST_CHECK;
enum asked { ASKED_NOTHING, ASKED, ASKED_IN_VAIN };
/* Write into the home's `out` what is to be known before the command is routed, and make it the
 * target. IN_VAIN: out of memory. */
enum asked session_home_ask(struct session *s);
/* Where a lost primary may be replaced, without being asked for: till the probe is answered, a
 * session whose primary is lost must be told that it may have lost something. False: the connection
 * is lost. */
bool session_home_ask_early(struct session *s, struct backend *b) MUST_CHECK;
/* Whether the probe may be asked right behind the command under way: it left no warnings. */
bool session_home_may_probe_behind(const struct session *s);
/* Whether the reply to session_probe_sql says that nothing was left behind; then, once the command
 * has ended: */
bool session_home_is_clean(const struct reply *r);
void session_home_note_clean(struct session *s);
/* A reply came; false: it is not one to such a question. */
bool session_home_answer(struct session *s, struct backend *b, enum expect_role role, bool failed);

#endif
