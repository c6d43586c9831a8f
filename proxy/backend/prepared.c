#include "proxy/backend/prepared.h"

#include <stdlib.h>

/* What the server keeps of a statement besides its text. */
enum { STATEMENT_BYTES = 4096 };

struct prepared_use {
    UT_hash_handle hh;
    struct prepared_key key;
    uint32_t count;
};

/* uthash's macros, each in a function of its own. */
/* False, and not added: no memory. */
/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static bool add_prepared(struct prepared_set *all, struct prepared *p)
{
    HASH_ADD(hh, all->by_key, key, sizeof p->key, p);
    return p->hh.tbl != NULL;
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

/* False, and not added: no memory. */
/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static bool add_use(struct prepared_uses *all, struct prepared_use *u)
{
    HASH_ADD(hh, all->by_key, key, sizeof u->key, u);
    return u->hh.tbl != NULL;
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

struct prepared *prepared_ref(struct prepared *p)
{
    p->refs++;
    return p;
}

void prepared_unref(struct prepared *p)
{
    if (!p || --p->refs > 0)
        return;
    metadata_free(&p->metadata);
    free(p);
}

/* The set lets go of it. */
static void leave(struct prepared *p)
{
    p->left = true;
    prepared_unref(p);
}

/* NULL, and it has left: no memory. The server keeps the statement as long as the connection. */
static struct prepared *put(struct prepared_set *all, struct prepared *p)
{
    if (add_prepared(all, p)) {
        all->bytes += p->bytes;
        return p;
    }
    leave(p);
    return NULL;
}

static void take_out(struct prepared_set *all, struct prepared *p)
{
    remove_prepared(all, p);
    all->bytes -= p->bytes;
}

const struct prepared *prepared_peek(const struct prepared_set *all, struct prepared_key key)
{
    return look_up(all, key);
}

struct prepared *prepared_find(struct prepared_set *all, struct prepared_key key)
{
    struct prepared *p = look_up(all, key);

    if (!p || !p->hh.next)
        return p;
    take_out(all, p); /* it goes to the end: the hash remembers the order of additions */
    return put(all, p);
}

struct prepared *prepared_add(struct prepared_set *all, struct prepared_key key, size_t n)
{
    struct prepared *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->key = key;
    p->refs = 1;
    p->metadata = metadata_none();
    p->bytes = n + STATEMENT_BYTES;
    return put(all, p);
}

void prepared_rekey(struct prepared_set *all, struct prepared *p, struct prepared_key key)
{
    take_out(all, p);
    p->key = key;
    (void)put(all, p);
}

void prepared_remove(struct prepared_set *all, struct prepared *p)
{
    take_out(all, p);
    leave(p);
}

void prepared_clear(struct prepared_set *all)
{
    struct prepared *next;

    for (struct prepared *p = all->by_key; p; p = next) {
        next = prepared_next(p);
        prepared_remove(all, p);
    }
}

void prepared_keep_metadata(struct prepared_set *all, struct prepared *p, struct metadata *m)
{
    if (!p->left) {
        all->bytes += m->packets.len - p->metadata.packets.len;
        p->bytes += m->packets.len - p->metadata.packets.len;
    }
    metadata_move(&p->metadata, m);
}

bool prepared_use(struct prepared_uses *all, struct prepared_key key)
{
    struct prepared_use *u = look_up_use(all, key);

    if (!u) {
        u = calloc(1, sizeof *u);
        if (!u)
            return false;
        u->key = key;
        if (!add_use(all, u)) {
            free(u);
            return false;
        }
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
