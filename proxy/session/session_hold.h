/* Multiplexing: which server connections a session keeps between two commands, and what it has left
 * on those that it gave back. */
#ifndef PROXY_SESSION_HOLD_H
#define PROXY_SESSION_HOLD_H

#include "proxy/backend/backend.h"

struct session;
struct worker;

/* What would be lost with the server connection the session calls home; bits. */
enum {
    FRAGILE_USER_VARIABLES = 1 << 0,
    FRAGILE_TEMPORARY = 1 << 1,
    FRAGILE_LOCKS = 1 << 2,
    FRAGILE_PREPARED = 1 << 3, /* SQL-level PREPARE */
    FRAGILE_OPAQUE = 1 << 4,
    FRAGILE_XA = 1 << 5,
    FRAGILE_UNSEEN = 1 << 6, /* code ran and told of no change; gone once the server was asked */
};

/* What a session may ask of its statements before, where no server connection holds it. */
struct left_values {
    uint64_t insert_id;
    int64_t row_count;
    uint64_t found_rows;
};

/* The connections that have them newer than that; 0: none. */
struct left_serials {
    uint64_t row_count;
    uint64_t found_rows;
    struct backend *rescue; /* is asked for them; NULL: none */
    bool rescues_row_count; /* what it answers is still the newest */
    bool rescues_found_rows;
};

/* Whether something binds the session to its connections. */
bool session_has_state(const struct session *s);
/* Give back the connections that it need not hold. */
void session_let_go(struct session *s);
void session_let_go_of(struct session *s, struct backend *b);
/* Since when a connection must be idle for others to take it although it has warnings. */
uint64_t session_awaited_before_ns(const struct worker *w);
/* An idle connection, now held; NULL: none, make one. `no_other`: none can be made. */
struct backend *session_take_idle(struct session *s, int server, bool no_other);
/* An idle connection that has the session's state already, and what its command needs, taken from
 * the one that used it last; nobody's. NULL: none. */
struct backend *session_take_equal(struct session *s, int server);
void session_hold(struct session *s, struct backend *b);
/* An idle connection is to go: not before what its session has left there is saved. */
void session_give_up(struct backend *b);
/* The session ends, or begins anew: what it has left is forgotten. */
void session_part_all(struct session *s);
/* A command of the client's is through. */
void session_note_left(struct session *s, struct backend *b);
/* Write into b->out what saves the values of the session before, and what makes the connection
 * fit for this one: before anything else. */
bool session_take_over(struct backend *b) MUST_CHECK;
/* … and the values of this one, where the command may ask for them. */
bool session_lay_on_left(struct session *s, struct backend *b) MUST_CHECK;
/* Whether LAST_INSERT_ID() is among these. */
bool session_left_gives_insert_id(const struct session *s, const struct backend *b);
/* … and where GET DIAGNOSTICS asks, what has the connection count as behind the statement before,
 * behind all else: -1 for a query, 0. Any other count was left by a change, and nothing but a
 * change would bring it back. */
bool session_left_give_row_count(struct session *s, struct backend *b) MUST_CHECK;
/* Write into the out of an idle connection, held, what saves what the session has left there, for
 * a statement of the proxy's own is to follow. */
bool session_left_save(struct session *s, struct backend *b) MUST_CHECK;
/* The reply to EXPECT_RESCUE. */
void session_rescued(struct backend *b, bool failed);
/* A statement of the proxy's own runs there: it counts rows, perhaps found ones. */
void session_left_disturbed(struct session *s, const struct backend *b, bool found);
/* The proxy itself has answered a command: with OK or an error. */
void session_left_by_proxy(struct session *s, bool error);
/* Whether ROW_COUNT(), or FOUND_ROWS(), would not be the session's there. */
bool session_row_count_elsewhere(const struct session *s, const struct backend *b);
bool session_found_rows_elsewhere(const struct session *s, const struct backend *b);

/* A query of a table, even of one that is none, forgets the warnings of statements before. */
extern const char session_clear_sql[];
/* Asks for what a session has left. */
extern const char session_rescue_sql[];

#endif
