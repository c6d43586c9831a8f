#include "mirror/sink/sink_bulk.h"

#include "base/compiler.h"

#include <stdlib.h>

enum { EMPTY = 5 /* bytes of {} */, WRITES_MAX = 64 << 20 };

/* Codes by which MongoDB refuses one document for what it is, not for its own state. */
static const int of_the_document[] = {
    67,    /* CannotCreateIndex: e.g. a key too deep */
    121,   /* DocumentValidationFailure */
    171,   /* CannotIndexParallelArrays */
    10334, /* BSONObjectTooLarge */
    11000, /* DuplicateKey, of an index other than _id_ */
    16755, /* no location that a geo index knows */
    16804, /* the same, of an older kind */
    17280, /* KeyTooLong */
    17419, /* too large after the update */
};

struct sink_bulk *bulk_new(const char *collection)
{
    struct sink_bulk *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->writes = buf_with_max(WRITES_MAX);
    b->collection = strdup(collection);
    if (b->collection)
        return b;
    free(b);
    return NULL;
}

void bulk_free(struct sink_bulk *b)
{
    if (!b)
        return;
    for (unsigned i = 0; i < b->n_refusals; i++)
        free(b->refusals[i].reason);
    free(b->refusals);
    buf_free(&b->writes);
    free(b->collection);
    free(b);
}

const struct sink_refusal *bulk_refusal(const struct sink_bulk *b, unsigned write)
{
    for (unsigned i = 0; i < b->n_refusals; i++)
        if (b->refusals[i].write == write)
            return &b->refusals[i];
    return NULL;
}

static bool refuse(struct sink_bulk *b, unsigned write, int code, const char *reason, struct err *e)
{
    struct sink_refusal *more = realloc(b->refusals, (b->n_refusals + 1) * sizeof *more);
    char *copy = strdup(reason);

    if (more)
        b->refusals = more;
    if (!more || !copy) {
        free(copy);
        return err_set(e, ERR_IO, "out of memory");
    }
    b->refusals[b->n_refusals++] = (struct sink_refusal){write, code, copy};
    return true;
}

bool bulk_add(struct sink_bulk *b, const bson_t *id, const bson_t *doc, struct err *e)
{
    static const uint8_t empty[EMPTY] = {EMPTY};
    bool large = doc && doc->len > BULK_DOCUMENT_BYTES;

    if (large && !refuse(b, b->n, 10334, "the document is larger than 16 MiB", e))
        return false;
    buf_put(&b->writes, bson_get_data(id), id->len);
    if (doc && !large)
        buf_put(&b->writes, bson_get_data(doc), doc->len);
    else
        buf_put(&b->writes, empty, sizeof empty);
    b->n++;
    return buf_ok(&b->writes) || err_set(e, ERR_IO, "out of memory");
}

bool bulk_full(const struct sink_bulk *b)
{
    return b->n >= BULK_DOCUMENTS || b->writes.len >= BULK_BYTES;
}

static bool next_document(const struct buf *in, size_t *at, bson_t *out)
{
    uint32_t n;

    if (in->len - *at < EMPTY)
        return false;
    memcpy(&n, in->data + *at, sizeof n);
    n = BSON_UINT32_FROM_LE(n);
    if (!bson_init_static(out, in->data + *at, n))
        return false;
    *at += n;
    return true;
}

bool bulk_next(const struct sink_bulk *b, size_t *at, bson_t *id, bson_t *doc)
{
    return next_document(&b->writes, at, id) && next_document(&b->writes, at, doc);
}

static bool add_write(mongoc_bulk_operation_t *to, const struct sink *s, const bson_t *id,
                      const bson_t *doc, struct err *e)
{
    bson_error_t error;
    bson_t filter;
    bool ok;

    bson_copy_to(id, &filter);
    sink_put_fence(s, "_tillway.epoch", &filter);
    if (doc->len > EMPTY)
        ok = mongoc_bulk_operation_replace_one_with_opts(to, &filter, doc, s->upsert, &error);
    else
        ok = mongoc_bulk_operation_remove_one_with_opts(to, &filter, NULL, &error);
    bson_destroy(&filter);
    return ok || sink_failed(e, &error);
}

/* The writes that are not refused; numbers[i] is the place in the bulk of the i-th of them. */
static bool fill(struct sink_bulk *b, const struct sink *s, mongoc_bulk_operation_t *to,
                 unsigned *numbers, unsigned *n, struct err *e)
{
    size_t at = 0;
    bson_t id;
    bson_t doc;

    *n = 0;
    for (unsigned i = 0; bulk_next(b, &at, &id, &doc); i++) {
        if (bulk_refusal(b, i))
            continue;
        if (!add_write(to, s, &id, &doc, e))
            return false;
        numbers[(*n)++] = i;
    }
    return true;
}

static bool is_of_the_document(int64_t code, const char *message)
{
    if (sink_is_fence(code, message))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(of_the_document); i++)
        if (of_the_document[i] == code)
            return true;
    return false;
}

/* One of the reply's write errors. */
static bool take_error(struct sink_bulk *b, const bson_iter_t *error, const unsigned *numbers,
                       unsigned n, struct err *e)
{
    const char *message = "";
    int64_t code = 0;
    int64_t index = -1;
    bson_iter_t it;

    if (!bson_iter_recurse(error, &it))
        return false;
    while (bson_iter_next(&it)) {
        if (strcmp(bson_iter_key(&it), "index") == 0)
            index = bson_iter_as_int64(&it);
        else if (strcmp(bson_iter_key(&it), "code") == 0)
            code = bson_iter_as_int64(&it);
        else if (strcmp(bson_iter_key(&it), "errmsg") == 0 && BSON_ITER_HOLDS_UTF8(&it))
            message = bson_iter_utf8(&it, NULL);
    }
    return index >= 0 && index < n && is_of_the_document(code, message) &&
           refuse(b, numbers[index], (int)code, message, e);
}

/* Whether all that went wrong are refusals of single documents, at least one. */
static bool take_refusals(struct sink_bulk *b, const bson_t *reply, const unsigned *numbers,
                          unsigned n, struct err *e)
{
    unsigned before = b->n_refusals;
    bson_iter_t it;
    bson_iter_t errors;

    if (!bson_iter_init_find(&it, reply, "writeErrors") || !bson_iter_recurse(&it, &errors))
        return false;
    while (bson_iter_next(&errors))
        if (!take_error(b, &errors, numbers, n, e))
            return false;
    return b->n_refusals > before;
}

static mongoc_bulk_operation_t *operation(const struct sink_bulk *b, const struct sink *s)
{
    mongoc_bulk_operation_t *o = mongoc_bulk_operation_new(false);

    mongoc_bulk_operation_set_client(o, s->client);
    mongoc_bulk_operation_set_database(o, s->database_name);
    mongoc_bulk_operation_set_collection(o, b->collection);
    mongoc_bulk_operation_set_write_concern(o, s->concern);
    return o;
}

/* One attempt: sent, or (`again`) refused in part. */
static bool send_once(struct sink_bulk *b, struct sink *s, unsigned *numbers, bool *again,
                      struct err *e)
{
    mongoc_bulk_operation_t *o = operation(b, s);
    bson_error_t error;
    bson_t reply;
    unsigned n;
    bool ok = fill(b, s, o, numbers, &n, e);

    *again = false;
    if (ok && n > 0) {
        ok = mongoc_bulk_operation_execute(o, &reply, &error) != 0 || sink_failed(e, &error);
        /* What else there was shows when the rest is sent again. */
        *again = !ok && take_refusals(b, &reply, numbers, n, e);
        bson_destroy(&reply);
    }
    mongoc_bulk_operation_destroy(o);
    return ok;
}

bool bulk_send(struct sink_bulk *b, struct sink *s, struct err *e)
{
    unsigned *numbers = malloc((b->n + 1) * sizeof *numbers);
    bool again = true;
    bool ok = false;

    if (!numbers)
        return err_set(e, ERR_IO, "out of memory");
    while (again)
        ok = send_once(b, s, numbers, &again, e);
    free(numbers);
    return ok;
}
