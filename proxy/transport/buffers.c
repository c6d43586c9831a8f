#include "proxy/transport/buffers.h"

#include "proxy/transport/outbox.h"

#include <stdlib.h>
#include <string.h>

enum { FREE_MAX = 256 };

void buffers_init(struct buffers *b, size_t size)
{
    *b = (struct buffers){.size = size};
}

uint8_t *buffers_take(struct buffers *b)
{
    void *buffer = b->free;

    if (!buffer)
        return malloc(b->size);
    memcpy(&b->free, buffer, sizeof b->free);
    b->free_count--;
    return buffer;
}

void buffers_give(struct buffers *b, uint8_t *buffer)
{
    if (b->free_count >= FREE_MAX) {
        free(buffer);
        return;
    }
    memcpy(buffer, &b->free, sizeof b->free);
    b->free = buffer;
    b->free_count++;
}

void buffers_free(struct buffers *b)
{
    while (b->free)
        free(buffers_take(b));
    deflaters_free(&b->deflaters);
    outbox_free(b->outbox);
}
