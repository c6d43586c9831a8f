#include "proxy/pool.h"

#include "base/clock.h"

#include <assert.h>

void pool_init(struct pool *p, int max)
{
    *p = (struct pool){.max = max};
}

static void unlink_backend(struct pool *p, struct backend *b)
{
    if (b->prev)
        b->prev->next = b->next;
    else
        p->head = b->next;
    if (b->next)
        b->next->prev = b->prev;
    b->next = b->prev = NULL;
    p->count--;
}

/* An idle connection says something only when it ends. */
static void on_event(struct backend *b, void *owner)
{
    unlink_backend(owner, b);
    backend_close(b);
}

static bool fits(const struct backend *b, int server, const struct identity *identity,
                 bool with_schema)
{
    return b->server == server && (with_schema || b->schema[0] == 0) &&
           identity_equal(b->identity, identity);
}

struct backend *pool_take(struct pool *p, int server, const struct identity *identity,
                          bool with_schema)
{
    for (struct backend *b = p->head; b; b = b->next) {
        if (!fits(b, server, identity, with_schema))
            continue;
        unlink_backend(p, b);
        b->notify = NULL;
        b->owner = NULL;
        return b;
    }
    return NULL;
}

static struct backend *oldest(struct pool *p)
{
    struct backend *b = p->head;

    assert(b);
    while (b->next)
        b = b->next;
    return b;
}

static void drop(struct pool *p, struct backend *b)
{
    unlink_backend(p, b);
    backend_close(b);
}

void pool_give(struct pool *p, struct backend *b)
{
    assert(backend_is_ready(b) && b->expect_count == 0 && !b->load);
    if (p->max == 0 || b->identity->limited || stream_left(&b->stream) > 0 || b->stream.eof ||
        b->stream.writing) {
        backend_close(b);
        return;
    }
    if (p->head && p->count >= p->max)
        drop(p, oldest(p));
    backend_list(b, 0, "");
    b->used = true;
    b->idle_since_ns = clock_mono_ns();
    b->notify = on_event;
    b->owner = p;
    b->next = p->head;
    b->prev = NULL;
    if (p->head)
        p->head->prev = b;
    p->head = b;
    p->count++;
    stream_read(&b->stream, true);
}

void pool_trim(struct pool *p, uint64_t before_ns)
{
    struct backend *next;

    for (struct backend *b = p->head; b; b = next) {
        next = b->next;
        if (b->idle_since_ns < before_ns)
            drop(p, b);
    }
}

void pool_drop(struct pool *p, int server)
{
    struct backend *next;

    for (struct backend *b = p->head; b; b = next) {
        next = b->next;
        if (server < 0 || b->server == server)
            drop(p, b);
    }
}
