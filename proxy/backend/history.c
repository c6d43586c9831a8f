#include "proxy/backend/history.h"

/* A reply that was slow says less than one that was fast: it may have waited for the machine. */
enum { WEIGHT_UP = 32, WEIGHT_DOWN = 2 };

static uint32_t at_most_u32(uint64_t n)
{
    return n < UINT32_MAX / 2 ? (uint32_t)n : UINT32_MAX / 2;
}

static uint32_t nearer(uint32_t average, uint32_t value)
{
    int64_t apart = (int64_t)value - (int64_t)average;

    return (uint32_t)((int64_t)average + apart / (apart > 0 ? WEIGHT_UP : WEIGHT_DOWN));
}

static size_t row_of(uint64_t shape)
{
    return (size_t)(shape % HISTORY_ROWS);
}

void history_note(struct history *h, uint64_t shape, uint64_t ns, size_t bytes)
{
    struct history_row *r = &h->rows[row_of(shape)];
    uint32_t us = at_most_u32(ns / 1000);
    uint32_t size = at_most_u32(bytes);

    if (r->shape != shape || r->seen == 0) {
        *r = (struct history_row){.shape = shape, .seen = 1, .us = us, .bytes = size};
        return;
    }
    r->us = nearer(r->us, us);
    r->bytes = r->bytes > size ? nearer(r->bytes, size) : size;
    if (r->seen < HISTORY_ENOUGH)
        r->seen++;
}

void history_forget(struct history *h, uint64_t shape)
{
    struct history_row *r = &h->rows[row_of(shape)];

    if (r->shape == shape)
        r->seen = 0;
}

bool history_is_short(const struct history *h, uint64_t shape)
{
    const struct history_row *r = &h->rows[row_of(shape)];

    return r->shape == shape && r->seen == HISTORY_ENOUGH && r->us <= HISTORY_SHORT_US &&
           r->bytes <= HISTORY_SHORT_BYTES;
}

uint32_t history_us(const struct history *h, uint64_t shape)
{
    return h->rows[row_of(shape)].us;
}
