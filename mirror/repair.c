#include "mirror/repair.h"

#include "base/log.h"
#include "mirror/document/directory_load.h"
#include "mirror/document/document.h"
#include "mirror/engine_batch.h"
#include "mirror/sink/document_ref.h"

#include <stdio.h>

enum { ASK_MAX = 100000, ASK_BYTES = 8 << 20, KEY_BYTES = 1 << 20 };

void repair_init(struct repair *r)
{
    *r = (struct repair){.n = 0};
    bson_init(&r->documents);
}

void repair_free(struct repair *r)
{
    bson_destroy(&r->documents);
}

void repair_add(struct repair *r, const char *collection, const bson_t *id)
{
    char name[16];
    bson_t one;

    if (r->n >= ASK_MAX || r->documents.len >= ASK_BYTES) {
        r->full = true;
        return;
    }
    (void)snprintf(name, sizeof name, "%u", r->n++);
    (void)bson_append_document_begin(&r->documents, name, -1, &one);
    document_ref_put(&one, collection, id);
    (void)bson_append_document_end(&r->documents, &one);
}

bool repair_ask(struct sink *s, const struct repair *r, bson_oid_t *asked, struct err *e)
{
    bson_t doc = BSON_INITIALIZER;
    bool ok;

    bson_oid_init(asked, NULL);
    (void)bson_append_utf8(&doc, "_id", -1, "repair", -1);
    (void)bson_append_oid(&doc, "id", -1, asked);
    (void)bson_append_array(&doc, "documents", -1, &r->documents);
    (void)bson_append_bool(&doc, "done", -1, false);
    ok = sink_state_put(s, "repair", &doc, e) && checkpoint_ask(s, "repair", asked, e);
    bson_destroy(&doc);
    return ok;
}

static bool is_of(const bson_t *doc, const bson_oid_t *asked)
{
    bson_iter_t it;

    return bson_iter_init_find(&it, doc, "id") && BSON_ITER_HOLDS_OID(&it) &&
           bson_oid_equal(bson_iter_oid(&it), asked);
}

bool repair_done(struct sink *s, const bson_oid_t *asked, bool *done, struct err *e)
{
    bson_t doc;
    int got = sink_state_get(s, "repair", &doc, e);
    bool ok;

    *done = false;
    if (got < 0)
        return false;
    if (got == 0)
        return err_set(e, ERR_SERVER, "what was asked for is gone from the state collection");
    ok = is_of(&doc, asked) || err_set(e, ERR_SERVER, "another repair was asked for meanwhile");
    *done = ok && checkpoint_flag(&doc, "done");
    bson_destroy(&doc);
    return ok;
}

/* One document of aggregate `i`. What no root leads to is deleted; so is a page, which its root
 * makes anew where it is due. */
static bool touch_document(struct work *k, int i, const bson_t *id, struct buf *memory,
                           struct err *e)
{
    const struct plan *p = k->w->plans[i];
    struct span key[MAP_KEY_MAX];
    bool page = document_page_key(p, id, memory, key);
    bool known = document_key(p, id, memory, key);

    if (known)
        touch_root(k->touch, i, key);
    return (known && !page) || sink_put(k->sink, p->a->collection, id, NULL, e);
}

static bool touch_one(struct work *k, const bson_iter_t *one, struct buf *memory, struct err *e)
{
    bson_t id = BSON_INITIALIZER;
    const char *collection = document_ref_take(one, &id);
    bool ok = true;

    for (int i = 0; ok && collection && i < k->w->n; i++)
        if (strcmp(k->w->plans[i]->a->collection, collection) == 0)
            ok = touch_document(k, i, &id, memory, e);
    bson_destroy(&id);
    return ok;
}

/* The pages that there really are. */
static bool load_pages(struct work *k, struct err *e)
{
    for (int i = 0; i < k->w->n; i++)
        if (!directory_load(&k->directories[i], k->w->plans[i], k->sink, e))
            return false;
    return true;
}

static bool touch_all_of(struct work *k, const bson_t *doc, struct err *e)
{
    struct buf memory = buf_with_max(KEY_BYTES);
    bson_iter_t it;
    bson_iter_t one;
    bool ok = load_pages(k, e);

    k->writing = true;

    if (ok && bson_iter_init_find(&it, doc, "documents") && bson_iter_recurse(&it, &one))
        while (ok && bson_iter_next(&one))
            ok = touch_one(k, &one, &memory, e);
    buf_free(&memory);
    return ok && sink_flush(k->sink, e);
}

bool repair_begin(struct work *k, struct err *e)
{
    bson_t doc;
    int got;
    bool ok = true;

    if (!notes_wants_repair(&k->w->notes, &k->repaired, &k->repairing))
        return true;
    got = sink_state_get(k->sink, "repair", &doc, e);
    if (got < 0)
        return false;
    if (got == 1 && is_of(&doc, &k->repairing) && !checkpoint_flag(&doc, "done")) {
        log_event(LOG_INFO, "mirror.repair", LOG_NUM("bytes", doc.len));
        ok = touch_all_of(k, &doc, e);
    } else {
        k->repaired = k->repairing;
    }
    if (got == 1)
        bson_destroy(&doc);
    return ok;
}

bool repair_end(struct work *k, struct err *e)
{
    if (bson_oid_equal(&k->repairing, &k->repaired))
        return true;
    if (!checkpoint_done(k->sink, "repair", e))
        return false;
    k->repaired = k->repairing;
    return true;
}
