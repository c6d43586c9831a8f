/* What `_id` is: see document.h. */
#include "mirror/document/document.h"

#include <assert.h>
#include <string.h>

/* The key of a level, with the kinds of its columns. */
struct key {
    const struct aggregate *a;
    const struct map_level *level;
    const enum value_kind *kinds;
    const struct span *columns;
};

/* The value as `name`, or of several columns a document of them. */
static bool append_key(const struct key *key, const char *name, bson_t *out, struct err *e)
{
    const struct map_ref *refs = key->level->key;
    bson_t inner;
    bool ok = true;

    if (key->level->n_key == 1)
        return value_append(out, name, key->kinds[0], key->columns[0], e);
    (void)bson_append_document_begin(out, name, -1, &inner);
    for (int i = 0; ok && i < key->level->n_key; i++)
        ok = value_append(&inner, key->a->tables[refs[i].table].columns[refs[i].column].name,
                          key->kinds[i], key->columns[i], e);
    (void)bson_append_document_end(out, &inner);
    return ok;
}

bool document_id(const struct plan *plan, const enum value_kind *kinds, const struct span *key,
                 bson_t *out, struct err *e)
{
    const struct key k = {plan->a, aggregate_root(plan->a), kinds, key};

    return append_key(&k, "_id", out, e);
}

bool document_page_id(const struct plan *plan, const enum value_kind *kinds,
                      const struct span *root, const struct span *from, bson_t *out, struct err *e)
{
    const struct aggregate *a = plan->a;
    const struct key k = {a, aggregate_root(a), kinds, root};
    const struct key element = {a, &a->levels[a->paged], kinds + plan->n_key, from};
    bson_t id;
    bool ok;

    assert(a->paged);
    (void)bson_append_document_begin(out, "_id", -1, &id);
    ok = append_key(&k, "k", &id, e) && append_key(&element, "from", &id, e);
    (void)bson_append_document_end(out, &id);
    return ok;
}

/* The n columns of a key whose value is at `it`; each ends at ends[i] of `memory`. */
static bool read_key(const bson_iter_t *it, int n, struct buf *memory, size_t *ends)
{
    bson_iter_t inner;

    if (n > 1 && (!BSON_ITER_HOLDS_DOCUMENT(it) || !bson_iter_recurse(it, &inner)))
        return false;
    for (int i = 0; i < n; i++) {
        if (n > 1 && !bson_iter_next(&inner))
            return false;
        if (!value_text(n > 1 ? &inner : it, memory))
            return false;
        ends[i] = memory->len;
    }
    return true;
}

static bool cut_key(const struct buf *memory, const size_t *ends, int n, struct span *key)
{
    size_t begin = 0;

    for (int i = 0; i < n; i++) {
        key[i] = (struct span){memory->data + begin, ends[i] - begin};
        begin = ends[i];
    }
    return buf_ok(memory);
}

/* The two parts of a page's `_id`; false where it is a head's. */
static bool page_parts(const struct plan *plan, const bson_t *doc, bson_iter_t *k,
                       bson_iter_t *from)
{
    bson_iter_t id;

    return plan->a->paged && bson_iter_init_find(&id, doc, "_id") &&
           BSON_ITER_HOLDS_DOCUMENT(&id) && bson_iter_recurse(&id, k) && bson_iter_next(k) &&
           strcmp(bson_iter_key(k), "k") == 0 && bson_iter_recurse(&id, from) &&
           bson_iter_next(from) && bson_iter_next(from) && strcmp(bson_iter_key(from), "from") == 0;
}

bool document_is_page(const struct plan *plan, const bson_t *doc)
{
    bson_iter_t k;
    bson_iter_t from;

    return page_parts(plan, doc, &k, &from);
}

bool document_page_key(const struct plan *plan, const bson_t *doc, struct buf *memory,
                       struct span *key)
{
    size_t ends[MAP_KEY_MAX];
    bson_iter_t k;
    bson_iter_t from;

    buf_clear(memory);
    return page_parts(plan, doc, &k, &from) && read_key(&k, plan->n_key, memory, ends) &&
           read_key(&from, plan->page.n_element, memory, ends + plan->n_key) &&
           cut_key(memory, ends, plan->n_key + plan->page.n_element, key);
}

bool document_key(const struct plan *plan, const bson_t *doc, struct buf *memory, struct span *key)
{
    size_t ends[MAP_KEY_MAX];
    bson_iter_t it;
    bson_iter_t from;

    buf_clear(memory);
    if (!page_parts(plan, doc, &it, &from) && !bson_iter_init_find(&it, doc, "_id"))
        return false;
    return read_key(&it, plan->n_key, memory, ends) && cut_key(memory, ends, plan->n_key, key);
}
