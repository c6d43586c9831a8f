#include "mirror/resume.h"

#include "base/clock.h"

#include <stdio.h>

enum { KEY_MAX = 1 << 20, SAVE_MS = 1000 };

void resume_init(struct resume *r, const struct checkpoint *begun)
{
    *r = (struct resume){.begun = *begun};
    r->after.max_bytes = KEY_MAX;
}

void resume_free(struct resume *r)
{
    keyset_free(&r->after);
}

void resume_next(struct resume *r)
{
    r->aggregate++;
    r->documents = 0;
    r->from = 0;
    keyset_free(&r->after);
    r->after.width = 0;
}

static void set_after(struct resume *r, const struct span *key, int width)
{
    keyset_free(&r->after);
    keyset_init(&r->after, width, KEY_MAX);
    (void)keyset_add(&r->after, key);
}

static void load_key(struct resume *r, const bson_t *doc)
{
    struct span key[KEYSET_WIDTH_MAX];
    bson_iter_t it;
    bson_iter_t one;
    int width = 0;

    if (!bson_iter_init_find(&it, doc, "after") || !bson_iter_recurse(&it, &one))
        return;
    while (width < KEYSET_WIDTH_MAX && bson_iter_next(&one) && BSON_ITER_HOLDS_BINARY(&one)) {
        bson_subtype_t kind;
        uint32_t n;

        bson_iter_binary(&one, &kind, &n, &key[width].p);
        key[width++].n = n;
    }
    if (width > 0)
        set_after(r, key, width);
}

static bool fits(const bson_t *doc, const struct checkpoint *want, const struct checkpoint *found)
{
    bson_iter_t it;

    return bson_iter_init_find(&it, doc, "done") && !bson_iter_as_bool(&it) &&
           found->fingerprint == want->fingerprint &&
           bson_oid_equal(&found->rebuild, &want->rebuild);
}

bool resume_load(struct sink *s, const struct checkpoint *want, struct resume *r, struct err *e)
{
    struct checkpoint found;
    bson_t doc;
    int got = sink_state_get(s, "snapshot", &doc, e);
    bool ok;

    if (got <= 0)
        return false;
    ok = checkpoint_read(&doc, &found, e) && fits(&doc, want, &found);
    if (ok) {
        resume_init(r, &found);
        r->from = checkpoint_number(&doc, "epoch");
        r->aggregate = (int)checkpoint_number(&doc, "aggregate");
        r->documents = (uint64_t)checkpoint_number(&doc, "documents");
        load_key(r, &doc);
    }
    bson_destroy(&doc);
    return ok;
}

static void put_key(const struct span *key, int width, bson_t *doc)
{
    bson_t list;
    char name[4];

    (void)bson_append_array_begin(doc, "after", -1, &list);
    for (int i = 0; i < width; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        (void)bson_append_binary(&list, name, -1, BSON_SUBTYPE_BINARY, key[i].p,
                                 (uint32_t)key[i].n);
    }
    (void)bson_append_array_end(doc, &list);
}

/* It costs a write, and a wait for all that are under way. */
bool resume_save(struct resume *r, struct sink *s, const struct span *key, int width, struct err *e)
{
    bson_t doc = BSON_INITIALIZER;
    bool ok;

    if (clock_mono_ns() - r->saved_ns < SAVE_MS * CLOCK_NS_PER_MS)
        return true;
    checkpoint_bson(&r->begun, "snapshot", s, &doc);
    (void)bson_append_bool(&doc, "done", -1, false);
    (void)bson_append_int32(&doc, "aggregate", -1, r->aggregate);
    (void)bson_append_int64(&doc, "documents", -1, (int64_t)r->documents);
    put_key(key, width, &doc);
    ok = sink_flush(s, e) && sink_state_put_fenced(s, "snapshot", &doc, e);
    bson_destroy(&doc);
    r->saved_ns = clock_mono_ns();
    return ok;
}

bool resume_end(struct sink *s, struct err *e)
{
    return checkpoint_done(s, "snapshot", e);
}
