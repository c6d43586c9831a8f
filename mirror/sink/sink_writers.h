/* Threads that send bulks, each over a connection of its own: several at once, while the next is
 * being filled. Few wait for their turn: who brings more waits, too. The owner's calls are for one
 * thread. */
#ifndef MIRROR_SINK_WRITERS_H
#define MIRROR_SINK_WRITERS_H

#include "mirror/sink/sink_bulk.h"

struct writers;

/* What is done with each bulk that was sent, on the owner's thread. */
typedef bool writers_sent(void *to, const struct sink_bulk *b, struct err *e);

/* For sinks such as `of`, under its claim. NULL: no memory or no thread. */
struct writers *writers_new(const struct sink *of, unsigned n);
/* Waits for what is under way; bulks that wait are dropped. */
void writers_free(struct writers *w);
/* Takes the bulk over; waits while too many are under way. False with `e` where an earlier one
 * failed. */
bool writers_give(struct writers *w, struct sink_bulk *b, writers_sent *sent, void *to,
                  struct err *e) MUST_CHECK;
/* Until all that was given is sent; after an error the others may be or not. */
bool writers_wait(struct writers *w, writers_sent *sent, void *to, struct err *e) MUST_CHECK;

#endif
