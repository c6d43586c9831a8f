#include "proxy/quota.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct quota_row {
    UT_hash_handle hh;
    uint32_t count;
    size_t n;
    uint8_t key[QUOTA_KEY_MAX];
};

bool quota_init(struct quota *q)
{
    *q = (struct quota){.rows = NULL};
    return uv_mutex_init(&q->lock) == 0;
}

/* uthash's macros, each in a function of its own. */
/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static void take_out(struct quota *q, struct quota_row *r)
{
    HASH_DEL(q->rows, r); /* NOLINT(clang-analyzer-unix.Malloc): it loses count of the list */
}

/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static struct quota_row *find(struct quota *q, struct span key)
{
    struct quota_row *r;

    HASH_FIND(hh, q->rows, key.p, key.n, r);
    return r;
}

/* False: no memory. */
/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static bool put(struct quota *q, struct quota_row *r)
{
    HASH_ADD(hh, q->rows, key, r->n, r);
    return r->hh.tbl != NULL;
}

void quota_free(struct quota *q)
{
    while (q->rows) {
        struct quota_row *r = q->rows;

        take_out(q, r);
        free(r);
    }
    uv_mutex_destroy(&q->lock);
}

static struct span cut(struct span key)
{
    return (struct span){key.p, key.n < QUOTA_KEY_MAX ? key.n : QUOTA_KEY_MAX};
}

/* NULL: no memory. */
static struct quota_row *row_of(struct quota *q, struct span key)
{
    struct quota_row *r = find(q, key);

    if (r)
        return r;
    r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->n = key.n;
    if (key.n)
        memcpy(r->key, key.p, key.n);
    if (put(q, r))
        return r;
    free(r);
    return NULL;
}

bool quota_take(struct quota *q, struct span key, uint32_t max)
{
    struct quota_row *r;
    bool taken;

    uv_mutex_lock(&q->lock);
    r = row_of(q, cut(key));
    taken = r && (max == 0 || r->count < max);
    if (taken)
        r->count++;
    uv_mutex_unlock(&q->lock);
    return taken;
}

void quota_give(struct quota *q, struct span key)
{
    struct quota_row *r;

    uv_mutex_lock(&q->lock);
    r = find(q, cut(key));
    assert(r && r->count > 0);
    if (--r->count == 0) {
        take_out(q, r);
        free(r);
    }
    uv_mutex_unlock(&q->lock);
}
