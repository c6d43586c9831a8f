/* Small numbers that are given out and come back: each is one owner's at a time. One thread. */
#ifndef PROXY_SLOTS_H
#define PROXY_SLOTS_H

#include "base/buf.h"

struct slots {
    uint32_t next;   /* the least that was never given out */
    struct buf free; /* of uint32_t */
};

void slots_init(struct slots *s);
void slots_free(struct slots *s);
uint32_t slots_take(struct slots *s);
/* Where memory refuses, the number is not used again. */
void slots_give(struct slots *s, uint32_t slot);

#endif
