#include "proxy/threads.h"

#include <stdio.h>
#include <stdlib.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct thread_row {
    UT_hash_handle hh;
    uint64_t key; /* server, then thread */
    uint32_t session;
    char host[THREAD_HOST_MAX];
};

static uint64_t key_of(int server, uint32_t thread)
{
    return (uint64_t)(unsigned)server << 32 | thread;
}

static int server_of(const struct thread_row *r)
{
    return (int)(r->key >> 32);
}

/* uthash's macros, each in a function of its own. */
/* False: no memory. */
/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static bool add_row(struct threads *t, struct thread_row *r)
{
    HASH_ADD(hh, t->rows, key, sizeof r->key, r);
    return r->hh.tbl != NULL;
}

/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static struct thread_row *find_row(const struct threads *t, uint64_t key)
{
    struct thread_row *r = NULL;

    HASH_FIND(hh, t->rows, &key, sizeof key, r);
    return r;
}

/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static void remove_row(struct threads *t, struct thread_row *r)
{
    HASH_DEL(t->rows, r); /* NOLINT(clang-analyzer-unix.Malloc): it loses count of the list */
}

bool threads_init(struct threads *t)
{
    t->rows = NULL;
    return pthread_mutex_init(&t->lock, NULL) == 0;
}

void threads_free(struct threads *t)
{
    struct thread_row *next;

    for (struct thread_row *r = t->rows; r; r = next) {
        next = r->hh.next;
        remove_row(t, r);
        free(r);
    }
    (void)pthread_mutex_destroy(&t->lock);
}

static struct thread_row *row_for(struct threads *t, uint64_t key)
{
    struct thread_row *r = find_row(t, key);

    if (r)
        return r;
    r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->key = key;
    if (add_row(t, r))
        return r;
    free(r);
    return NULL;
}

void threads_set(struct threads *t, int server, uint32_t thread, uint32_t session, const char *host)
{
    struct thread_row *r;

    (void)pthread_mutex_lock(&t->lock);
    r = row_for(t, key_of(server, thread));
    if (r) {
        r->session = session;
        (void)snprintf(r->host, sizeof r->host, "%s", host);
    }
    (void)pthread_mutex_unlock(&t->lock);
}

void threads_remove(struct threads *t, int server, uint32_t thread)
{
    struct thread_row *r;

    (void)pthread_mutex_lock(&t->lock);
    r = find_row(t, key_of(server, thread));
    if (r)
        remove_row(t, r);
    (void)pthread_mutex_unlock(&t->lock);
    free(r);
}

bool threads_has(struct threads *t, int server, uint32_t thread)
{
    bool has;

    (void)pthread_mutex_lock(&t->lock);
    has = find_row(t, key_of(server, thread)) != NULL;
    (void)pthread_mutex_unlock(&t->lock);
    return has;
}

uint32_t threads_of(struct threads *t, int server, uint32_t session)
{
    uint32_t thread = 0;

    (void)pthread_mutex_lock(&t->lock);
    for (struct thread_row *r = t->rows; r && !thread; r = r->hh.next)
        if (server_of(r) == server && r->session == session)
            thread = (uint32_t)r->key;
    (void)pthread_mutex_unlock(&t->lock);
    return thread;
}

void threads_each(struct threads *t, int server, threads_visit *visit, void *ctx)
{
    (void)pthread_mutex_lock(&t->lock);
    for (struct thread_row *r = t->rows; r; r = r->hh.next)
        if (server_of(r) == server)
            visit(ctx, (uint32_t)r->key, r->session, r->host);
    (void)pthread_mutex_unlock(&t->lock);
}
