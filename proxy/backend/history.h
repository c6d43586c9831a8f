/* How long replies were, by the statement's shape: whether one can be expected to be short. A table
 * of fixed size; of two shapes that want the same row the newer one has it. Pure but for its own
 * memory; one worker thread. */
#ifndef PROXY_HISTORY_H
#define PROXY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HISTORY_ROWS = 1024,
    HISTORY_ENOUGH = 8,        /* runs before anything is said of a shape */
    HISTORY_SHORT_US = 5000,   /* what most take: rises slowly, falls fast */
    HISTORY_SHORT_BYTES = 8192 /* rises at once, falls fast */
};

struct history_row {
    uint64_t shape;
    uint32_t seen; /* runs, up to HISTORY_ENOUGH */
    uint32_t us;
    uint32_t bytes;
};

struct history {
    struct history_row rows[HISTORY_ROWS];
};

/* A reply was complete so long after its statement was sent. */
void history_note(struct history *h, uint64_t shape, uint64_t ns, size_t bytes);
/* It took so long that others had to go elsewhere: what was known of it counts no more. */
void history_forget(struct history *h, uint64_t shape);
bool history_is_short(const struct history *h, uint64_t shape);
/* What most of them take, in microseconds; of a shape that is short. */
uint32_t history_us(const struct history *h, uint64_t shape);

#endif
