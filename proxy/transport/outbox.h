/* Small writes of one turn of a loop, handed to the kernel together at its end.
 *
 * Each write wakes whoever waits for it, and on busy cores he runs at once, before the next one is
 * written. So what is small is copied, and all of it goes out by one system call (io_uring, Linux
 * 5.19 or newer); where the kernel has none, or forbids it, one call each at the same place. What
 * a peer's socket does not take then is libuv's to write.
 *
 * One for each worker, on its thread. docs/decisions/0026-small-writes-go-out-together.md */
#ifndef PROXY_OUTBOX_H
#define PROXY_OUTBOX_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct stream;
struct outbox;

/* Writes in all, bytes of one, bytes in all. */
enum { OUTBOX_MAX = 64, OUTBOX_ONE = 2048, OUTBOX_BYTES = 1 << 16 };

/* `together`: by one call, where the kernel lets us. NULL: no memory. */
struct outbox *outbox_new(bool together);
void outbox_free(struct outbox *o); /* may be NULL */
/* Whether the kernel lets us. */
bool outbox_is_together(const struct outbox *o);

/* Take a copy of the buffers, `n` bytes together, for a connected stream that has nothing else to
 * write. False, with nothing taken: they are too large. */
bool outbox_post(struct outbox *o, struct stream *s, const uv_buf_t *bufs, int count,
                 size_t n) MUST_CHECK;
/* Calls nobody back. */
void outbox_flush(struct outbox *o);

#endif
