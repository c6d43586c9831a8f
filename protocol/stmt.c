#include "protocol/stmt.h"

#include <assert.h>

enum { BULK_SENDS_TYPES = 128, ID_AT = 1, ID_END = 5 };

int stmt_execute_decode(struct span payload, uint16_t params, struct stmt_execute *e)
{
    struct cursor c = cursor_span(payload);
    size_t null_bytes = ((size_t)params + 7) / 8;
    size_t type_bytes = 2 * (size_t)params;

    *e = (struct stmt_execute){0};
    if (payload.n < STMT_EXECUTE_HEAD)
        return 0;
    if (cursor_u8(&c) != COM_STMT_EXECUTE)
        return -1;
    e->stmt_id = cursor_u32(&c);
    e->flags = cursor_u8(&c);
    cursor_skip(&c, 4); /* the iteration count, always 1 */
    if (params == 0)
        return 1;
    if (cursor_left(&c) < null_bytes + 1)
        return 0;
    cursor_skip(&c, null_bytes);
    e->bound_at = STMT_EXECUTE_HEAD + null_bytes;
    e->has_types = cursor_u8(&c) != 0;
    if (!e->has_types)
        return 1;
    if (cursor_left(&c) < type_bytes)
        return 0;
    e->types = cursor_bytes(&c, type_bytes);
    return 1;
}

bool stmt_bulk_decode(struct span payload, uint16_t params, struct span *types)
{
    struct cursor c = cursor_span(payload);
    uint16_t flags;

    *types = (struct span){NULL, 0};
    cursor_skip(&c, ID_END);
    flags = cursor_u16(&c);
    if (flags & BULK_SENDS_TYPES)
        *types = cursor_bytes(&c, 2 * (size_t)params);
    return cursor_ok(&c);
}

bool stmt_id_of(struct span payload, uint32_t *id)
{
    struct cursor c = cursor_span(payload);

    cursor_skip(&c, ID_AT);
    *id = cursor_u32(&c);
    return cursor_ok(&c);
}

void stmt_id_patch(uint8_t *payload, uint32_t id)
{
    for (size_t i = ID_AT; i < ID_END; i++)
        payload[i] = (uint8_t)(id >> (8 * (i - ID_AT)));
}
