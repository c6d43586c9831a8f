#include "routing/waits.h"

#include <assert.h>
#include <stddef.h>

static bool knows_domains(const struct gtid_set *s, const struct gtid_set *need)
{
    for (uint32_t i = 0; i < need->count; i++)
        if (!gtid_set_of(s, need->at[i].domain))
            return false;
    return true;
}

bool waits_may_join(const struct waits *q, const struct gtid_set *need)
{
    return q->asker && knows_domains(&q->asked, need);
}

void waits_join(struct waits *q, struct waiter *w, const struct gtid_set *need)
{
    assert(w->role == WAIT_NONE);
    *w = (struct waiter){.prev = q->tail, .need = need, .role = WAIT_WAITS};
    if (q->tail)
        q->tail->next = w;
    else
        q->head = w;
    q->tail = w;
}

static void unlink_waiter(struct waits *q, const struct waiter *w)
{
    if (w->prev)
        w->prev->next = w->next;
    else
        q->head = w->next;
    if (w->next)
        w->next->prev = w->prev;
    else
        q->tail = w->prev;
}

void waits_leave(struct waits *q, struct waiter *w)
{
    if (w->role == WAIT_WAITS)
        unlink_waiter(q, w);
    else if (w->role == WAIT_ASKS)
        q->asker = NULL;
    w->role = WAIT_NONE;
}

bool waits_ask(struct waits *q, struct waiter *w, const struct gtid_set *need,
               struct gtid_set *position)
{
    assert(w->role == WAIT_NONE);
    *position = *need;
    if (q->asker)
        return false;
    for (const struct waiter *x = q->head; x; x = x->next)
        if (knows_domains(need, x->need))
            (void)!gtid_set_merge(position, x->need); /* no domain is new to it */
    q->asked = *position;
    q->asker = w;
    w->role = WAIT_ASKS;
    return true;
}

unsigned waits_count(const struct waits *q)
{
    unsigned n = 0;

    for (const struct waiter *w = q->head; w; w = w->next)
        n++;
    return n;
}
