/* Interrupt coalescing, as network cards have it. Where threads wait for cores, a worker that is
 * woken by one reply takes the core from the server that is about to send the next ones: each is
 * woken for, read and passed on by itself, and all parties pay for it. So there, while many
 * statements and log-ins are under way, much comes all the time and little came in this turn, a
 * worker lets more of it gather before it looks.
 *
 * Threads wait where more of them are ready to run than there are cores, as the kernel counts them;
 * of a worker's own waiting nothing is seen, for it is the one that the others wait for. One worker
 * thread. docs/decisions/0026-small-writes-go-out-together.md */
#ifndef PROXY_COALESCE_H
#define PROXY_COALESCE_H

#include <stdbool.h>
#include <stdint.h>

struct coalesce {
    int load;           /* /proc/loadavg; -1: the kernel does not tell */
    long cores;         /* of the machine */
    uint64_t looked_ms; /* by the loop's clock */
    unsigned events;    /* of this turn: statements sent, replies finished, clients that came, said
                           who they are, left; who does it counts */
    unsigned came;      /* … since it looked */
    unsigned full;      /* of the last looks, how many more found much to do and threads waiting */
};

void coalesce_open(struct coalesce *c);
void coalesce_close(struct coalesce *c);

/* Statements of a worker that wait for a server, and sessions that are logging in: with fewer there
 * is nothing to gather. */
enum { COALESCE_MANY = 8 };

/* Of `full`; once may be chance. */
enum { COALESCE_FULL = 4 };

/* Threads wait for cores while much comes. */
static inline bool coalesce_is_full(const struct coalesce *c)
{
    return c->full >= COALESCE_FULL;
}

/* Behind each turn: whether to pause, where COALESCE_MANY are under way. Looks at the machine, a
 * hundred times a second at most. */
bool coalesce_is_due(struct coalesce *c, uint64_t now_ms);
/* Long enough that on two full cores some replies come meanwhile, at 40 to 100 us each. */
void coalesce_pause(void);

#endif
