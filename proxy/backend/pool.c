#include "proxy/backend/pool.h"

#include "base/clock.h"

#include <assert.h>

enum { LOOKED_AT_MAX = 32, AWAITED_MAX = 64 };

/* Whether a session may come back for the warnings that it left there. */
static bool is_awaited(const struct backend *b)
{
    return b->diagnostics && b->last_of;
}

void pool_init(struct pool *p, int max, void (*give_up)(struct backend *b))
{
    *p = (struct pool){.max = max, .give_up = give_up};
}

void pool_list_remove(struct pool_list *l, struct backend *b)
{
    if (b->prev)
        b->prev->next = b->next;
    else
        l->head = b->next;
    if (b->next)
        b->next->prev = b->prev;
    else
        l->tail = b->prev;
    b->next = b->prev = NULL;
}

void pool_list_add(struct pool_list *l, struct backend *b)
{
    b->next = l->head;
    b->prev = NULL;
    if (l->head)
        l->head->prev = b;
    else
        l->tail = b;
    l->head = b;
}

static void unlink_backend(struct pool *p, struct backend *b)
{
    pool_list_remove(&p->of[b->server], b);
    p->count--;
}

static void link_backend(struct pool *p, struct backend *b)
{
    pool_list_add(&p->of[b->server], b);
    p->count++;
}

static void drop(struct pool *p, struct backend *b)
{
    unlink_backend(p, b);
    backend_close(b);
}

/* An idle connection says something only when it ends. */
static void on_event(struct backend *b, void *owner)
{
    drop(owner, b);
}

static bool fits(const struct backend *b, const struct pool_want *want)
{
    return (want->schema[0] || !b->schema[0]) && b->global_sets >= want->global_sets &&
           identity_equal(b->identity, want->identity);
}

/* A reset takes what is prepared, too. */
static bool knows(const struct backend *b, const struct prepared_key *stmt)
{
    return !stmt || (!b->dirty && prepared_peek(&b->prepared, *stmt));
}

/* What it would cost to use the connection: 0 is the best. A statement that is to be prepared again
 * costs the server more than a SET. */
static int cost_of(const struct backend *b, const struct pool_want *want)
{
    bool same = vars_fingerprint(b->vars) == want->vars && strcmp(b->schema, want->schema) == 0;

    return (b->global_sets == want->global_sets ? 0 : 16) + (b->dirty ? 8 : 0) +
           (b->unread && b->last_of ? 4 : 0) + (knows(b, want->stmt) ? 0 : 2) +
           (same && b->guarded == want->guarded ? 0 : 1);
}

void pool_remove(struct pool *p, struct backend *b)
{
    assert(pool_has(p, b));
    unlink_backend(p, b);
    b->notify = NULL;
    b->owner = NULL;
}

static struct backend *cheapest(const struct pool *p, const struct pool_want *want)
{
    struct backend *best = NULL;
    int least = 0;
    int seen = 0;

    for (struct backend *b = p->of[want->server].head; b && !(best && least == 0); b = b->next) {
        int cost;

        if (++seen > LOOKED_AT_MAX && (best || want->as_is))
            break;
        if (is_awaited(b) || !fits(b, want))
            continue;
        cost = cost_of(b, want);
        if (want->as_is && cost > 0)
            continue;
        if (!best || cost < least) {
            best = b;
            least = cost;
        }
    }
    return best;
}

/* Of those that are awaited the one that has been for the longest time, if that was long enough and
 * there are too many of them. */
static struct backend *overdue(const struct pool *p, const struct pool_want *want)
{
    struct backend *oldest = NULL;
    int count = 0;

    for (struct backend *b = p->of[want->server].tail; b; b = b->prev) {
        if (!is_awaited(b) || !fits(b, want))
            continue;
        oldest = oldest ? oldest : b;
        count++;
    }
    if (!oldest || oldest->idle_since_ns > want->awaited_before_ns)
        return NULL;
    return want->no_other || count > AWAITED_MAX ? oldest : NULL;
}

struct backend *pool_take(struct pool *p, const struct pool_want *want)
{
    struct backend *b = cheapest(p, want);

    if (!b)
        b = overdue(p, want);
    if (b)
        pool_remove(p, b);
    return b;
}

/* To a server: rather one that no session awaits. */
static struct backend *oldest_of(const struct pool *p, int server)
{
    struct backend *b = p->of[server].tail;

    while (b && is_awaited(b))
        b = b->prev;
    return b ? b : p->of[server].tail;
}

struct backend *pool_take_oldest(struct pool *p, int server, uint64_t awaited_before_ns)
{
    struct backend *b = oldest_of(p, server);

    if (!b || (is_awaited(b) && b->idle_since_ns > awaited_before_ns))
        return NULL;
    pool_remove(p, b);
    return b;
}

static void give_up(struct pool *p, struct backend *b)
{
    pool_remove(p, b);
    p->give_up(b);
}

static void drop_oldest(struct pool *p)
{
    struct backend *oldest = NULL;

    for (int i = 0; i < SERVERS_MAX; i++) {
        struct backend *b = oldest_of(p, i);

        if (b && (!oldest || b->idle_since_ns < oldest->idle_since_ns))
            oldest = b;
    }
    if (oldest)
        give_up(p, oldest);
}

void pool_give(struct pool *p, struct backend *b)
{
    assert(backend_is_ready(b) && b->expect_count == 0 && !b->load);
    if (p->max == 0 || b->identity->limited || stream_left(&b->stream) > 0 || b->stream.eof ||
        b->stream.writing) {
        backend_close(b);
        return;
    }
    if (p->count >= p->max)
        drop_oldest(p);
    b->idle_since_ns = clock_mono_ns();
    b->notify = on_event;
    b->owner = p;
    link_backend(p, b);
    stream_read(&b->stream, true);
}

/* How many of its identity come before `end` in the list: they were used later. */
static int count_to(const struct backend *head, const struct backend *end,
                    const struct identity *identity, int most)
{
    int count = 0;

    for (const struct backend *b = head; b != end && count < most; b = b->next)
        count += identity_equal(b->identity, identity);
    return count;
}

int pool_count(const struct pool *p, int server, const struct identity *identity, int most)
{
    return count_to(p->of[server].head, NULL, identity, most);
}

static bool stays(const struct pool *p, const struct backend *b, const struct pool_keep *keep)
{
    const struct backend *head = p->of[b->server].head;

    if (b->since_ns < keep->opened_since_ns)
        return false;
    return b->idle_since_ns >= keep->used_since_ns ||
           (identity_is_shared(b->identity) &&
            count_to(head, b, b->identity, keep->min_idle) < keep->min_idle);
}

void pool_trim(struct pool *p, const struct pool_keep *keep)
{
    for (int i = 0; i < SERVERS_MAX; i++) {
        struct backend *prev;

        for (struct backend *b = p->of[i].tail; b; b = prev) {
            prev = b->prev;
            if (!is_awaited(b) && !stays(p, b, keep))
                give_up(p, b);
        }
    }
}

void pool_drop_unused(struct pool *p, int server, uint64_t since_ns)
{
    while (p->of[server].tail && p->of[server].tail->idle_since_ns < since_ns)
        drop(p, p->of[server].tail);
}

void pool_drop(struct pool *p, int server)
{
    for (int i = 0; i < SERVERS_MAX; i++)
        while ((server < 0 || i == server) && p->of[i].head)
            drop(p, p->of[i].head);
}
