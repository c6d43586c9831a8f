#include "proxy/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum { KEY_MAX = 8, V4 = 4 };

struct guard_entry {
    UT_hash_handle hh;
    uint8_t key[KEY_MAX]; /* the first bytes of an IPv6 address; an IPv4 address behind four 0xFF */
    uint32_t failures;
    uint64_t last_ns;
};

bool guard_init(struct guard *g)
{
    *g = (struct guard){.entries = NULL};
    return uv_mutex_init(&g->lock) == 0;
}

/* uthash's macros, each in a function of its own. */
/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static void take_out(struct guard *g, struct guard_entry *e)
{
    HASH_DEL(g->entries, e); /* NOLINT(clang-analyzer-unix.Malloc): it loses count of the list */
}

/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static struct guard_entry *find(struct guard *g, const uint8_t key[KEY_MAX])
{
    struct guard_entry *e;

    HASH_FIND(hh, g->entries, key, KEY_MAX, e);
    return e;
}

/* False: no memory. */
/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static bool put_last(struct guard *g, struct guard_entry *e)
{
    HASH_ADD(hh, g->entries, key, KEY_MAX, e);
    return e->hh.tbl != NULL;
}

static void forget(struct guard *g, struct guard_entry *e)
{
    take_out(g, e);
    free(e);
    atomic_fetch_sub(&g->count, 1);
}

void guard_free(struct guard *g)
{
    while (g->entries)
        forget(g, g->entries);
    uv_mutex_destroy(&g->lock);
}

/* False: an address that is never blocked. */
static bool key_of(const char *address, uint8_t key[KEY_MAX])
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, address, &v4) == 1) {
        memset(key, 0xFF, V4);
        memcpy(key + V4, &v4, V4);
        return v4.s_addr != htonl(INADDR_LOOPBACK);
    }
    if (inet_pton(AF_INET6, address, &v6) != 1 || IN6_IS_ADDR_LOOPBACK(&v6))
        return false;
    memcpy(key, &v6, KEY_MAX);
    return true;
}

static bool is_over(const struct guard_entry *e, const struct conf_limits *l, uint64_t now_ns)
{
    return now_ns - e->last_ns >= l->login_block_ns;
}

bool guard_blocks(struct guard *g, const char *address, const struct conf_limits *l,
                  uint64_t now_ns)
{
    uint8_t key[KEY_MAX];
    struct guard_entry *e;
    bool blocks;

    if (l->max_login_errors == 0 || atomic_load(&g->count) == 0 || !key_of(address, key))
        return false;
    uv_mutex_lock(&g->lock);
    e = find(g, key);
    if (e && is_over(e, l, now_ns)) {
        forget(g, e);
        e = NULL;
    }
    blocks = e && e->failures >= l->max_login_errors;
    uv_mutex_unlock(&g->lock);
    return blocks;
}

/* The entry of a key, moved to the end of the order; NULL: no memory. */
static struct guard_entry *renew(struct guard *g, const uint8_t key[KEY_MAX])
{
    struct guard_entry *e = find(g, key);

    if (e) {
        take_out(g, e);
    } else {
        if (atomic_load(&g->count) >= GUARD_MAX)
            forget(g, g->entries);
        e = calloc(1, sizeof *e);
        if (!e)
            return NULL;
        memcpy(e->key, key, KEY_MAX);
        atomic_fetch_add(&g->count, 1);
    }
    if (put_last(g, e))
        return e;
    free(e);
    atomic_fetch_sub(&g->count, 1);
    return NULL;
}

void guard_failed(struct guard *g, const char *address, const struct conf_limits *l,
                  uint64_t now_ns)
{
    uint8_t key[KEY_MAX];
    struct guard_entry *e;

    if (l->max_login_errors == 0 || !key_of(address, key))
        return;
    uv_mutex_lock(&g->lock);
    e = renew(g, key);
    if (e) {
        e->failures = is_over(e, l, now_ns) ? 1 : e->failures + (e->failures < UINT32_MAX);
        e->last_ns = now_ns;
    }
    uv_mutex_unlock(&g->lock);
}

void guard_passed(struct guard *g, const char *address)
{
    uint8_t key[KEY_MAX];
    struct guard_entry *e;

    if (atomic_load(&g->count) == 0 || !key_of(address, key))
        return;
    uv_mutex_lock(&g->lock);
    e = find(g, key);
    if (e)
        forget(g, e);
    uv_mutex_unlock(&g->lock);
}
