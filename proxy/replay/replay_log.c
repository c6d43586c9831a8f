#include "proxy/replay/replay_log.h"

#include <stdlib.h>

enum { FIRST_ROOM = 16, BYTES_KEPT = 4096 };

void replay_log_init(struct replay_log *l, uint64_t budget)
{
    *l = (struct replay_log){.bytes = buf_with_max(budget)};
}

/* Statements that the client has closed meanwhile were left to the log. */
static void let_go(struct replay_log *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->entries[i].stmt)
            stmt_unref(l->entries[i].stmt);
    l->count = 0;
}

void replay_log_free(struct replay_log *l)
{
    let_go(l);
    free(l->entries);
    buf_free(&l->bytes);
}

void replay_log_clear(struct replay_log *l)
{
    let_go(l);
    if (l->bytes.cap > BYTES_KEPT)
        buf_free(&l->bytes);
    buf_clear(&l->bytes);
    l->insert_id = 0;
    l->closed = NULL;
}

void replay_log_close(struct replay_log *l, const char *why)
{
    if (l->closed)
        return;
    replay_log_clear(l);
    l->closed = why;
}

static bool has_room(struct replay_log *l)
{
    size_t room = l->room ? l->room * 2 : FIRST_ROOM;
    struct replay_entry *entries;

    if (l->count < l->room)
        return true;
    entries = realloc(l->entries, room * sizeof *entries);
    if (!entries)
        return false;
    l->entries = entries;
    l->room = room;
    return true;
}

void replay_log_add(struct replay_log *l, const struct replay_entry *e, struct span packet)
{
    struct replay_entry *to;

    if (l->closed)
        return;
    buf_put_span(&l->bytes, packet);
    /* an entry counts, too: a million empty statements are not free */
    if (!buf_ok(&l->bytes) || l->bytes.len + l->count * sizeof *e > l->bytes.max || !has_room(l)) {
        replay_log_close(l, "the transaction is larger than failover.replay_budget");
        return;
    }
    to = &l->entries[l->count++];
    *to = *e;
    to->n = packet.n;
    to->at = l->bytes.len - packet.n;
    if (to->stmt)
        stmt_ref(to->stmt);
}
