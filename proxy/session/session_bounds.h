/* What bounds a session: how long it waits for its client (for a command, for the rest of one, for
 * a reply to be taken), how many there are of one address or user, and how it ends where a client
 * is beyond that. The janitor looks at each session from time to time; on the data path a client's
 * progress costs one store and no look at the clock. */
#ifndef PROXY_SESSION_BOUNDS_H
#define PROXY_SESSION_BOUNDS_H

#include "base/compiler.h"
#include "base/cursor.h"

struct session;

enum stall {
    STALL_NONE,  /* it waits for a server, or not at all */
    STALL_IDLE,  /* for the next command: wait_timeout */
    STALL_READ,  /* for the rest of a command: limits.read_timeout */
    STALL_WRITE, /* for the client to take its reply: limits.write_timeout */
};

struct session_bounds {
    uint64_t stalled_ns;   /* it waits for what `stall` says since then */
    uint8_t stall;         /* enum stall, when the janitor looked last */
    bool moved;            /* the client did something since */
    uint8_t login_packets; /* of the log-in under way, so far */
    bool address_counted;  /* in shared->addresses */
    bool user_counted;     /* the identity's name is, in shared->users */
};

/* The state's deadline has passed. In session_lost.c. */
void session_timeout(struct session *s);
/* End the session where its client is over the limit; `now_ns` as worker_now_ns gives it. */
void session_check_stall(struct session *s, uint64_t now_ns);

/* One more session of its address. False: there are as many as may be, and it has ended. */
bool session_count_address(struct session *s) MUST_CHECK;
/* One more of this user, in the place of the identity's. False: there are as many as may be. */
bool session_count_user(struct session *s, struct span user) MUST_CHECK;
void session_uncount(struct session *s);

/* As session_end, where what the client sent, or did not send, is the reason: counted, and a
 * warning. In session.c. */
void session_fault(struct session *s, uint16_t code, const char *sqlstate, const char *why);
#define SESSION_FAULT_EVENT "session.protocol"

#endif
