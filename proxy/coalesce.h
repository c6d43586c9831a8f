/* Interrupt coalescing, as network cards have it. Where threads wait for cores, a worker that is
 * woken by one reply takes the core from the server that is about to send the next ones: each is
 * woken for, read and passed on by itself, and all parties pay for it. So there, while many short
 * reads are under way and few events came, a worker lets more of them gather before it looks.
 *
 * Whether threads wait for cores the kernel tells for each thread: the time in which it was ready
 * and did not run. One worker thread. docs/decisions/0026-small-writes-go-out-together.md */
#ifndef PROXY_COALESCE_H
#define PROXY_COALESCE_H

#include <stdbool.h>
#include <stdint.h>

struct coalesce {
    int stat;           /* the thread's schedstat; -1: the kernel does not tell */
    uint64_t waited_ns; /* … for a core, up to `looked_ns` */
    uint64_t looked_ns; /* 0: never */
    bool contended;     /* it waited for much of the time before that */
};

/* On the thread itself. */
void coalesce_open(struct coalesce *c);
void coalesce_close(struct coalesce *c);

/* Some times a second. `now_ns`: of any clock that goes on by itself. */
void coalesce_look(struct coalesce *c, uint64_t now_ns);

/* While it is contended: behind a turn with `events` requests and replies, while `under_way` short
 * reads wait for theirs. */
bool coalesce_is_due(unsigned under_way, unsigned events);
/* Some tens of microseconds more than a reply takes. */
void coalesce_pause(void);

#endif
