#include "proxy/prepared.h"

#include <stdlib.h>

/* What the server keeps of a statement besides its text. */
enum { STATEMENT_BYTES = 4096 };

struct prepared_use {
    UT_hash_handle hh;
    struct prepared_key key;
    uint32_t count;
};

/* uthash's macros, each in a function of its own. */
/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static void add_prepared(struct prepared_set *all, struct prepared *p)
{
    HASH_ADD(hh, all->by_key, key, sizeof p->key, p);
}

/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static void remove_prepared(struct prepared_set *all, struct prepared *p)
{
    HASH_DEL(all->by_key, p); /* NOLINT(clang-analyzer-unix.Malloc): it loses count of the list */
}

/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static struct prepared *look_up(const struct prepared_set *all, struct prepared_key key)
{
    struct prepared *p = NULL;

    HASH_FIND(hh, all->by_key, &key, sizeof key, p);
    return p;
}

/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static void add_use(struct prepared_uses *all, struct prepared_use *u)
{
    HASH_ADD(hh, all->by_key, key, sizeof u->key, u);
}

/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static void remove_use(struct prepared_uses *all, struct prepared_use *u)
{
    HASH_DEL(all->by_key, u); /* NOLINT(clang-analyzer-unix.Malloc): it loses count of the list */
}

/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static struct prepared_use *look_up_use(const struct prepared_uses *all, struct prepared_key key)
{
    struct prepared_use *u = NULL;

    HASH_FIND(hh, all->by_key, &key, sizeof key, u);
    return u;
}

struct prepared *prepared_find(struct prepared_set *all, struct prepared_key key)
{
    struct prepared *p = look_up(all, key);

    if (p && p->hh.next) { /* it goes to the end: the hash remembers the order of additions */
        remove_prepared(all, p);
        add_prepared(all, p);
    }
    return p;
}

struct prepared *prepared_add(struct prepared_set *all, struct prepared_key key, size_t n)
{
    struct prepared *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->key = key;
    p->bytes = n + STATEMENT_BYTES;
    add_prepared(all, p);
    all->bytes += p->bytes;
    return p;
}

void prepared_rekey(struct prepared_set *all, struct prepared *p, struct prepared_key key)
{
    remove_prepared(all, p);
    p->key = key;
    add_prepared(all, p);
}

void prepared_remove(struct prepared_set *all, struct prepared *p)
{
    remove_prepared(all, p);
    all->bytes -= p->bytes;
    free(p);
}

void prepared_clear(struct prepared_set *all)
{
    struct prepared *next;

    for (struct prepared *p = all->by_key; p; p = next) {
        next = prepared_next(p);
        prepared_remove(all, p);
    }
}

bool prepared_use(struct prepared_uses *all, struct prepared_key key)
{
    struct prepared_use *u = look_up_use(all, key);

    if (!u) {
        u = calloc(1, sizeof *u);
        if (!u)
            return false;
        u->key = key;
        add_use(all, u);
    }
    u->count++;
    return true;
}

void prepared_unuse(struct prepared_uses *all, struct prepared_key key)
{
    struct prepared_use *u = look_up_use(all, key);

    if (!u || --u->count > 0)
        return;
    all->closings++;
    remove_use(all, u);
    free(u);
}

bool prepared_is_used(const struct prepared_uses *all, struct prepared_key key)
{
    return look_up_use(all, key) != NULL;
}
