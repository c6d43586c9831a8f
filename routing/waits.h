/* Reads that wait for one replica to have what their sessions need, and which of them asks it, for
 * all. Whoever comes while nothing is asked asks; those that come meanwhile wait for the answer,
 * and when it is there all of them look anew: who has what it needs reads, the first of the others
 * asks for itself and for those that still wait.
 *
 *     join ──▶ [first] … [last] ──take──▶ reads, asks, or joins again
 *
 * A question is for several positions at once: of each domain the furthest. Nobody waits for a
 * question about other domains than its own, and nobody's domain is asked for beside others': one
 * may lag where another does not. Pure; the caller keeps the time. */
#ifndef ROUTING_WAITS_H
#define ROUTING_WAITS_H

#include "protocol/gtid.h"

enum wait_role {
    WAIT_NONE,
    WAIT_WAITS, /* in the list, for the answer to another one's question */
    WAIT_ASKS,
};

/* One that waits, or asks. */
struct waiter {
    struct waiter *next, *prev;
    const struct gtid_set *need; /* the caller's, as long as it waits */
    enum wait_role role;
};

/* All that wait for one replica. Zeroed: nobody. */
struct waits {
    struct waiter *head, *tail; /* first come, first served */
    struct waiter *asker;       /* NULL: nothing is asked */
    struct gtid_set asked;
};

/* Whether something is asked that is worth waiting for: it is about all domains of `need`. */
bool waits_may_join(const struct waits *q, const struct gtid_set *need);
/* Behind the others. */
void waits_join(struct waits *q, struct waiter *w, const struct gtid_set *need);
/* Waits or asks no more, if it did. */
void waits_leave(struct waits *q, struct waiter *w);
/* The position that `w`, which does not wait, is to ask for: what it needs, and where nothing is
 * asked yet, what those in the list need in its domains. True: it asks for them, too. */
bool waits_ask(struct waits *q, struct waiter *w, const struct gtid_set *need,
               struct gtid_set *position);
/* How many are in the list. */
unsigned waits_count(const struct waits *q);

#endif
