#include "proxy/session/stmts.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* uthash's macros, each in a function of its own. */
/* False: no memory. */
/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static bool add_by_id(struct stmts *all, struct stmt *s)
{
    HASH_ADD_INT(all->by_id, id, s);
    return s->hh.tbl != NULL;
}

/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static struct stmt *find_by_id(const struct stmts *all, uint32_t id)
{
    struct stmt *s = NULL;

    HASH_FIND_INT(all->by_id, &id, s);
    return s;
}

/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
static void remove_by_id(struct stmts *all, struct stmt *s)
{
    HASH_DEL(all->by_id, s); /* NOLINT(clang-analyzer-unix.Malloc): it loses count of the list */
}

void stmt_ref(struct stmt *s)
{
    s->refs++;
}

void stmt_unref(struct stmt *s)
{
    if (--s->refs > 0)
        return;
    vars_free(s->vars);
    free(s->schema);
    free(s->types);
    free(s->text);
    free(s);
}

static bool keep_text(struct stmt *s, struct span text)
{
    s->home_only = !text.p;
    if (!text.p)
        return true;
    s->text = malloc(text.n + 1);
    if (!s->text)
        return false;
    memcpy(s->text, text.p, text.n);
    s->text[text.n] = 0;
    s->text_len = text.n;
    return true;
}

static struct prepared_key key_of_own(const struct stmts *all, const struct stmt *s)
{
    return (struct prepared_key){(uint64_t)all->owner << 32 | s->id, UINT64_MAX};
}

static struct prepared_key key_of(const struct stmts *all, const struct stmt *s)
{
    XXH64_hash_t under =
        XXH3_64bits_withSeed(s->schema, strlen(s->schema), vars_fingerprint(s->vars));
    XXH128_hash_t hash;

    if (!s->text)
        return key_of_own(all, s);
    hash = XXH3_128bits_withSeed(s->text, s->text_len, under);
    return (struct prepared_key){hash.low64, hash.high64};
}

bool stmts_set_apart(struct stmts *all, struct stmt *s)
{
    struct prepared_key own = key_of_own(all, s);

    if (s->apart)
        return true;
    if (!prepared_use(all->uses, own))
        return false;
    prepared_unuse(all->uses, s->key);
    s->key = own;
    s->apart = true;
    return true;
}

struct stmt *stmts_add(struct stmts *all, struct span text, const char *schema,
                       const struct vars *vars)
{
    struct stmt *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->refs = 1;
    s->schema = strdup(schema);
    s->vars = vars_new();
    if (!s->schema || !s->vars || !keep_text(s, text)) {
        stmt_unref(s);
        return NULL;
    }
    vars_copy(s->vars, vars);
    s->bound = -1;
    s->id = ++all->last_id;
    s->apart = !s->text;
    s->key = key_of(all, s);
    if (!prepared_use(all->uses, s->key)) {
        stmt_unref(s);
        return NULL;
    }
    if (!add_by_id(all, s)) {
        prepared_unuse(all->uses, s->key);
        stmt_unref(s);
        return NULL;
    }
    all->count++;
    s->bytes = sizeof *s + s->text_len + strlen(s->schema) + vars_bytes(s->vars);
    all->bytes += s->bytes;
    all->last = s;
    return s;
}

struct stmt *stmts_find(struct stmts *all, uint32_t id)
{
    return id == UINT32_MAX ? all->last : find_by_id(all, id);
}

void stmts_remove(struct stmts *all, struct stmt *s)
{
    remove_by_id(all, s);
    all->count--;
    all->bytes -= s->bytes;
    if (all->last == s)
        all->last = NULL;
    prepared_unuse(all->uses, s->key);
    stmt_unref(s);
}

void stmts_clear(struct stmts *all)
{
    struct stmt *next;

    for (struct stmt *s = all->by_id; s; s = next) {
        next = s->hh.next;
        stmts_remove(all, s);
    }
}

bool stmts_keep_types(struct stmts *all, struct stmt *s, struct span types)
{
    if (!s->types) {
        s->types = malloc(types.n ? types.n : 1);
        if (!s->types)
            return false;
        s->bytes += types.n;
        all->bytes += types.n;
    }
    if (types.n)
        memcpy(s->types, types.p, types.n);
    s->types_mark = XXH3_64bits(types.p, types.n) | 1;
    return true;
}
