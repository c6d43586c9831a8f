/* What a session has written and seen, and which servers may answer its next read: read-your-writes
 * and monotonic reads.
 *
 *  - After an own write with GTID g, a server must have g.
 *  - After a read at server S finished at time t, another server must have all that S had at t. S's
 * position at t is not known, but any later sample of S's (or of the primary's) position is an
 * upper bound: until one is there, only S itself and the primary will do; then it is folded into
 * `need`.
 *  - A commit that reported a GTID g covers all that its session saw before, in g's domain; with
 *    several domains about, what was seen stays to be folded.
 *  - A replica shows a transaction in its tables a moment before it does in its position, but after
 * it does in its binlog: both bound what was read there. Without log_slave_updates there is only
 * the position, hence a sample binds only what was read CAUSAL_SETTLE_NS before it.
 *  - A server that went down or changed its role after the session read there is taken for
 *    another: it may have come back with less.
 *  - A primary sends a transaction to its replicas before its own engine shows it, and tells nobody
 * how far that is. What was read on a replica it shows for sure once the session has committed
 * behind it (`seen_on`).
 *  - In a Galera cluster positions do not bound what was seen (docs/galera.md), and a commit is on
 *    no other node yet when it is acknowledged, not even on the next writer. There the server that
 *    answered last fits, the others after a barrier (CAUSAL_WAIT): `seen_at` is all that counts,
 * and stays. A session that reads without a pause between samples therefore stays where it read
 * last. Pure values; the caller passes the time (clock_mono_ns). */
#ifndef ROUTING_CAUSAL_H
#define ROUTING_CAUSAL_H

#include "routing/topology.h"

struct causal {
    struct gtid_set need; /* what a server must have applied */
    int seen_at;          /* server index of the last read not yet folded into `need`, or -1 */
    uint64_t seen_ns;     /* when it finished */
    uint32_t seen_on;     /* bit i: it has read at server i since its last commit */
    bool wrote_since;     /* `need` grew after that read: seen_at does not cover it by itself */
    bool several_domains; /* as last seen in a topology */
    bool untracked;       /* more domains than a gtid_set holds: only the primary will do */
};

#define CAUSAL_SETTLE_NS 1000000ULL

void causal_init(struct causal *c);
/* The session committed `g` on the primary. */
void causal_wrote(struct causal *c, const struct gtid *g);
/* A statement was answered by `server` at `now_ns` (reads, and anything on the primary that
 * reported no GTID). If an earlier read at another server is still unfolded it is because `server`
 * was entitled to answer after it (its sample covered it, or it is the primary). */
void causal_saw(struct causal *c, int server, uint64_t now_ns);
/* `position` is the primary's, asked after the last read finished: what was seen at the primary is
 * within it. */
void causal_bound(struct causal *c, const struct gtid_set *position);
/* Whether server i, where it is the primary, surely shows all that the session has seen. */
bool causal_shows_all(const struct causal *c, int i);
/* Fold what newer samples allow. */
void causal_fold(struct causal *c, const struct topology *t);

enum causal_fit {
    CAUSAL_FITS,
    CAUSAL_WAIT /* may fit after MASTER_GTID_WAIT(need), or Galera's barrier */,
    CAUSAL_UNFIT
};
/* Whether server i may answer the session's next read now (after causal_fold). The primary always
 * fits. CAUSAL_WAIT only where need alone is missing (nothing unfolded elsewhere). */
enum causal_fit causal_fits(const struct causal *c, const struct topology *t, int i);

#endif
