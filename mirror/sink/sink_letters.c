#include "mirror/sink/sink_letters.h"

#include "base/clock.h"
#include "base/log.h"
#include "mirror/sink/document_ref.h"

#include <stdlib.h>

enum { KNOWN_MAX = 8 << 20, LETTERS_MAX = 10000 };

struct letters *letters_new(void)
{
    struct letters *l = calloc(1, sizeof *l);

    if (!l)
        abort(); /* once a claim */
    keyset_init(&l->known, 1, KNOWN_MAX);
    return l;
}

void letters_free(struct letters *l)
{
    if (!l)
        return;
    keyset_free(&l->known);
    free(l);
}

/* {_id: {collection: …, id: …}} */
static void letter_id(const char *collection, const bson_t *id, bson_t *out)
{
    bson_t pair;

    bson_init(out);
    (void)bson_append_document_begin(out, "_id", -1, &pair);
    document_ref_put(&pair, collection, id);
    (void)bson_append_document_end(out, &pair);
}

static struct span key_of(const bson_t *id)
{
    return (struct span){bson_get_data(id), id->len};
}

static bool know(struct letters *l, const bson_t *id, struct err *e)
{
    struct span key = key_of(id);

    (void)keyset_add(&l->known, &key);
    if (!l->known.full && l->known.n <= LETTERS_MAX)
        return true;
    return err_set(e, ERR_DATA, "over %d documents are refused: see `tillway mirror status`",
                   LETTERS_MAX);
}

bool letters_load(struct letters *l, struct sink *s, struct err *e)
{
    bson_t all = BSON_INITIALIZER;
    bson_t *fields = BCON_NEW("_id", BCON_INT32(1));
    struct sink_cursor *c = sink_find(s, sink_letters_collection(s), &all, fields);
    const bson_t *doc;
    int got;

    keyset_clear(&l->known);
    l->stale = false;
    while ((got = sink_next(c, &doc, e)) == 1)
        if (!know(l, doc, e))
            break;
    sink_cursor_free(c);
    bson_destroy(fields);
    bson_destroy(&all);
    return got == 0;
}

static mongoc_collection_t *collection_of(struct sink *s)
{
    mongoc_collection_t *c =
        mongoc_database_get_collection(s->database, sink_letters_collection(s));

    mongoc_collection_set_write_concern(c, s->concern);
    return c;
}

static bool put_letter(struct letters *l, struct sink *s, const char *collection, const bson_t *id,
                       const struct sink_refusal *r, struct err *e)
{
    mongoc_collection_t *to = collection_of(s);
    bson_error_t error;
    bson_t letter;
    bson_t key;
    bool ok;

    letter_id(collection, id, &key);
    bson_copy_to(&key, &letter);
    (void)bson_append_utf8(&letter, "reason", -1, r->reason, -1);
    (void)bson_append_int32(&letter, "code", -1, r->code);
    (void)bson_append_date_time(&letter, "at", -1, (int64_t)clock_wall_ms());
    log_event(LOG_WARN, "mirror.refused", LOG_STR("collection", collection),
              LOG_STR("reason", r->reason));
    ok = know(l, &key, e) &&
         (mongoc_collection_replace_one(to, &key, &letter, s->upsert, NULL, &error) ||
          sink_failed(e, &error));
    bson_destroy(&letter);
    bson_destroy(&key);
    mongoc_collection_destroy(to);
    return ok;
}

static bool take_away(struct sink *s, const bson_t *key, struct err *e)
{
    mongoc_collection_t *from = collection_of(s);
    bson_error_t error;
    bool ok = mongoc_collection_delete_one(from, key, NULL, NULL, &error) || sink_failed(e, &error);

    mongoc_collection_destroy(from);
    return ok;
}

bool letters_forget(struct letters *l, struct sink *s, const char *collection, struct err *e)
{
    mongoc_collection_t *from = collection_of(s);
    bson_t *filter = BCON_NEW("_id.collection", BCON_UTF8(collection));
    bson_error_t error;
    bool ok =
        mongoc_collection_delete_many(from, filter, NULL, NULL, &error) || sink_failed(e, &error);

    bson_destroy(filter);
    mongoc_collection_destroy(from);
    return ok && letters_load(l, s, e);
}

/* One write. */
static bool settle(struct letters *l, struct sink *s, const struct sink_bulk *b, unsigned write,
                   const bson_t *id, struct err *e)
{
    const struct sink_refusal *r = bulk_refusal(b, write);
    struct span span;
    bson_t key;
    bool ok = true;

    if (r)
        return r->kept || put_letter(l, s, b->collection, id, r, e);
    letter_id(b->collection, id, &key);
    span = key_of(&key);
    if (keyset_find(&l->known, &span) >= 0) {
        ok = take_away(s, &key, e);
        l->stale = true;
    }
    bson_destroy(&key);
    return ok;
}

bool letters_keep(struct letters *l, struct sink *s, struct sink_bulk *b, struct err *e)
{
    size_t at = 0;
    struct bulk_write w;

    for (unsigned i = 0; b->n_refusals > 0 && bulk_next(b, &at, &w); i++)
        for (unsigned k = 0; k < b->n_refusals; k++) {
            struct sink_refusal *r = &b->refusals[k];

            if (r->write != i || r->kept)
                continue;
            if (!put_letter(l, s, b->collection, &w.id, r, e))
                return false;
            r->kept = true;
        }
    return true;
}

bool letters_settle(struct letters *l, struct sink *s, const struct sink_bulk *b, struct err *e)
{
    size_t at = 0;
    struct bulk_write w;

    if (l->known.n == 0 && b->n_refusals == 0)
        return true;
    for (unsigned i = 0; bulk_next(b, &at, &w); i++)
        if (!settle(l, s, b, i, &w.id, e))
            return false;
    return !l->stale || letters_load(l, s, e);
}
