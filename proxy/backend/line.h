/* Shared pipelining. A line is a connection that only reads, a replica's or the primary's, on which
 * several sessions' short reads are under way at once. What they send in one turn of the loop goes
 * out in one write at its end; the replies come in order, and each session forwards its own.
 *
 *     pool ──▶ line: [head's reply][rider's][rider's] … ──▶ pool, once nobody rides any more
 *                │
 *                └──▶ the head's own connection, where it turns out to be slow, its client does not
 *                     take the reply, or it is killed: all others are sent elsewhere
 *
 * A rider is a session in state SHARE; while its reply is at the front of the line, its turn, it is
 * in state RELAY and holds the connection as if it were its own. All that is not an orderly short
 * reply is thereby what it is on any connection. What rides is provably a read of which nothing was
 * forwarded before its turn, so it can always be sent again elsewhere. proxy/session/session_ride.c
 * decides what may. One worker thread. */
#ifndef PROXY_LINE_H
#define PROXY_LINE_H

#include "proxy/backend/backend.h"
#include "proxy/backend/history.h"

#include <uv.h>

enum {
    LINE_DEPTH = 31,    /* riders at most */
    LINE_AIM = 8,       /* enough riders, where cores are free, for another line to be begun, … */
    LINE_AIM_US = 2000, /* … or what they can be expected to take together, anywhere; … */
    LINES_AIM = 4,      /* … but behind so many, of one server, a worker, only where there is no
                           place on them, … */
    LINES_MAX = 16,     /* … and not more than these */
    LINE_SLOW_ROUNDS = 3,
};

_Static_assert((int)LINE_DEPTH < (int)EXPECT_MAX,
               "a reply is expected for each rider, and one more");

struct worker;

struct line {
    struct line *next; /* of the same server; or of those that are spare */
    struct line *next_unsent;
    struct worker *worker;
    struct backend *backend; /* NULL: it is not a line any more */
    struct rider {
        struct session *session; /* NULL: it has left */
        uint32_t us;             /* that it can be expected to take */
    } riders[LINE_DEPTH];        /* a ring, as backend->expect */
    unsigned head;
    unsigned count;
    uint32_t us;       /* of all of them */
    uint64_t since_ns; /* the head's reply is waited for since then; 0: nothing was sent */
    uint64_t now_ns;   /* of the event at hand */
    unsigned rounds;   /* of the watch, since something came */
    bool unsent;       /* something is to be written at the end of this turn */
    bool turn;         /* the head holds the connection */
    bool pumping;
};

struct lines {
    struct line *of[SERVERS_MAX]; /* with riders */
    struct line *unsent;
    struct line *spare;
    uint32_t favours; /* bit i: the server of the newest rider, for the next ones to join it */
    uv_timer_t watch;
    atomic_uint slow_rounds; /* of the watch, till a head is slow, … */
    atomic_uint aim_us; /* … and LINE_AIM_US; tests, which are slow themselves, give them more */
    struct history history;
};

/* False where memory refuses. */
bool lines_init(struct lines *all, uv_loop_t *loop) MUST_CHECK;
/* No session is left. */
void lines_close(struct lines *all);

/* At the end of each turn of the loop: write what was put on lines in it. */
void lines_write(struct lines *all);

/* The next rider is better off on another line. Where cores are full he is not: that has one more
 * thread wait for them, and saves nobody time. */
bool line_has_enough(const struct line *l);
/* A line on which the session's command may ride; NULL: none. */
struct line *line_find(struct session *s, int server);
/* Its command stands in the connection's `out`, its reply is expected there. */
void line_board(struct line *l, struct session *s);
/* The head's reply is through, or it goes elsewhere: the next one's turn. */
void line_turn_over(struct session *s);
/* The session does not wait any more: its reply will be dropped. */
void line_leave(struct session *s);
/* Make the connection the head's own; the others are sent elsewhere. False: it is not the head. */
bool line_take_over(struct session *s);

#endif
