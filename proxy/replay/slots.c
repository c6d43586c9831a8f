#include "proxy/replay/slots.h"

#include <string.h>

enum { FREE_MAX = 1 << 24 };

void slots_init(struct slots *s)
{
    *s = (struct slots){.free = buf_with_max(FREE_MAX)};
}

void slots_free(struct slots *s)
{
    buf_free(&s->free);
}

uint32_t slots_take(struct slots *s)
{
    uint32_t slot;

    if (s->free.len < sizeof slot)
        return s->next++;
    s->free.len -= sizeof slot;
    memcpy(&slot, s->free.data + s->free.len, sizeof slot);
    return slot;
}

void slots_give(struct slots *s, uint32_t slot)
{
    buf_put(&s->free, &slot, sizeof slot);
    s->free.bad = false;
}
