/* Documents of which only the elements that have changed are read: the others are kept from when
 * they were written last. What can't be made so is read as a whole. */
#include "mirror/document/fetch_part.h"

static const char *array_name(const struct fetch *f)
{
    return f->plan->a->levels[f->plan->a->paged].name;
}

void fetch_cache(struct fetch *f, const struct document_merge *merge, const bson_t *doc)
{
    struct page_elements all = page_elements_none();

    if (f->caches && merge->keys &&
        page_elements_take(&all, doc, array_name(f), merge->keys, f->plan->page.n_element))
        page_cache_put(&f->directory->cache, merge->root, merge->from, &all);
    else
        page_cache_drop(&f->directory->cache, merge->root, merge->from);
    buf_free(&all.bytes);
}

/* What is read now, and what is kept, put together; false: there is no such root any more, or it
 * can't be made so. */
static bool put_together(const struct unit *u, const struct document_merge *merge,
                         const bson_t *read, struct page_elements *out)
{
    const struct fetch *f = u->f;
    struct page_elements fresh = page_elements_none();
    const struct page_elements *old = page_cache_find(&f->directory->cache, u->at.root, u->at.from);
    bool ok =
        old &&
        page_elements_take(&fresh, read, array_name(f), merge->keys, f->plan->page.n_element) &&
        page_elements_change(out, old, &fresh, f->touched, u->touched, u->touched_end);

    buf_free(&fresh.bytes);
    return ok && out->n > 0 && out->n <= f->plan->a->levels[f->plan->a->paged].page;
}

static bool hand_out(const struct unit *u, const struct page_elements *all, const bson_t *read)
{
    const struct fetch *f = u->f;
    bson_t doc = BSON_INITIALIZER;
    bson_t id;
    bool ok;

    fetch_id(read, &id);
    ok = (page_elements_show(all, read, array_name(f), f->plan->page.n_element, &doc) ||
          err_set(u->e, ERR_DATA, "%s: a document is too large", f->plan->a->collection)) &&
         fetch_hand_out(u->f, &id, &doc, u->e);
    bson_destroy(&id);
    bson_destroy(&doc);
    return ok;
}

bool fetch_take_changed(struct unit *u, struct rows *const *rows)
{
    struct page_elements all = page_elements_none();
    struct document_merge merge;
    bson_t read = BSON_INITIALIZER;
    bson_t none = BSON_INITIALIZER;
    bool ok;
    int got;

    document_begin(&merge, u->f->plan, rows);
    merge.from = u->at.from;
    merge.keys = &u->f->element_keys;
    got = document_next(&merge, &read, u->e);
    if (got == 1 && document_next(&merge, &none, u->e) == 0 &&
        put_together(u, &merge, &read, &all)) {
        ok = hand_out(u, &all, &read);
        page_cache_put(&u->f->directory->cache, u->at.root, u->at.from, &all);
    } else {
        ok = got >= 0 && fetch_alone(u->f, u->at.root, u->at.from, u->e);
    }
    buf_free(&all.bytes);
    bson_destroy(&read);
    bson_destroy(&none);
    return ok;
}
