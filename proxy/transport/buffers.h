/* A worker's read buffers: one size, kept in a free list, lent to a stream only while it holds
 * bytes, so that an idle session has none. And what else its streams share: to compress, and to
 * write. One worker thread. */
#ifndef PROXY_BUFFERS_H
#define PROXY_BUFFERS_H

#include "protocol/compress.h"

#include <stddef.h>
#include <stdint.h>

struct outbox;

struct buffers {
    size_t size; /* bytes of each buffer */
    void *free;  /* list through the buffers' first bytes */
    int free_count;
    struct deflaters deflaters;
    struct outbox *outbox; /* its own; NULL: each write goes out at once */
};

void buffers_init(struct buffers *b, size_t size);
uint8_t *buffers_take(struct buffers *b); /* NULL where memory refuses */
void buffers_give(struct buffers *b, uint8_t *buffer);
void buffers_free(struct buffers *b);

#endif
