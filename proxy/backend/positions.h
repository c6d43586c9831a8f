/* Asks the primary for its position on behalf of several sessions at once.
 *
 * A read that must see all that was committed when it began waits here; once a loop turn the first
 * of those that wait asks, over a connection of its own, for all of them: the question is sent
 * after each of these reads began, so that its answer covers what was committed by then. Those that
 * come while it is under way wait for the next one: its answer may be older than they are. Where
 * the asking comes to nothing nobody of its company knows the position, and their reads go to the
 * primary. A worker's own; its thread alone. */
#ifndef PROXY_POSITIONS_H
#define PROXY_POSITIONS_H

#include "protocol/gtid.h"

#include <uv.h>

struct session;

enum position_role {
    POSITION_NONE,
    POSITION_WAITS,   /* for a question to be asked */
    POSITION_TURN,    /* is to ask now */
    POSITION_ASKS,    /* its question is under way */
    POSITION_COMPANY, /* of that */
};

/* A session's place in it. */
struct position_place {
    enum position_role role;
    struct session *next; /* in the list that it is in */
};

struct positions {
    uv_idle_t idle; /* runs where somebody is to be stepped */
    struct session *asker;
    struct session *waiting; /* a list by position.next */
    struct session *company; /* of the asker */
    struct session *told;    /* company whose question has been answered, or will not be */
    struct gtid_set position;
    bool known;
};

bool positions_init(struct positions *p, uv_loop_t *loop);
void positions_close(struct positions *p);

/* The session, in SESSION_ROUTE, is stepped again when it is its turn to ask or when it knows. */
void positions_wait(struct session *s);
/* Its question is about to be sent. */
void positions_ask(struct session *s);
/* The answer, of the one that asks. */
void positions_answer(struct session *s, const struct gtid_set *position);
/* It goes on to something else, or leaves: whatever it had to do with a question is over. */
void positions_leave(struct session *s);

#endif
