#include "mirror/sink/sink_bulk.h"

#include "base/compiler.h"

#include <assert.h>
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

struct sink_bulk *bulk_new(const char *collection, const char *into)
{
    struct sink_bulk *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->writes = buf_with_max(WRITES_MAX);
    b->collection = strdup(collection);
    b->into = strdup(into);
    if (b->collection && b->into)
        return b;
    bulk_free(b);
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
    free(b->into);
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
    b->refusals[b->n_refusals++] =
        (struct sink_refusal){.write = write, .code = code, .reason = copy};
    return true;
}

bool bulk_add(struct sink_bulk *b, const bson_t *id, const bson_t *doc, const char *but,
              struct err *e)
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
    buf_put(&b->writes, but, strlen(but) + 1);
    b->n++;
    return buf_ok(&b->writes) || err_set(e, ERR_IO, "out of memory");
}

bool bulk_is_staged(const struct sink_bulk *b)
{
    return strcmp(b->into, b->collection) != 0;
}

bool bulk_full(const struct sink_bulk *b)
{
    return b->n >= (bulk_is_staged(b) ? BULK_INSERTS : BULK_DOCUMENTS) ||
           b->writes.len >= BULK_BYTES;
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

bool bulk_next(const struct sink_bulk *b, size_t *at, struct bulk_write *w)
{
    if (!next_document(&b->writes, at, &w->id) || !next_document(&b->writes, at, &w->doc))
        return false;
    w->but = (const char *)b->writes.data + *at;
    *at += strlen(w->but) + 1;
    return true;
}

/* An attempt to send some of the writes. */
struct attempt {
    struct sink_bulk *b;
    struct sink *s;
    bool insert;       /* documents are new; else they are put over what is there */
    unsigned *numbers; /* which writes of the bulk, documents before deletions … */
    unsigned n;
    unsigned n_documents; /* … so many */
    unsigned *there;      /* those that could not be inserted, for they are there */
    unsigned n_there;
};

/* What a document becomes: itself, or itself with a field of the one that is there. */
static bson_t *whole_or_but(const struct bulk_write *w)
{
    bson_t *whole = BCON_NEW("$literal", BCON_DOCUMENT(&w->doc));
    bson_t kept = BSON_INITIALIZER;
    struct buf path = buf_with_max(WRITES_MAX);
    bson_t *both;

    if (!*w->but)
        return whole;
    buf_printf(&path, "$%s", w->but);
    (void)bson_append_utf8(&kept, w->but, -1, (const char *)path.data, (int)path.len);
    both = BCON_NEW("$mergeObjects", "[", BCON_DOCUMENT(whole), BCON_DOCUMENT(&kept), "]");
    bson_destroy(whole);
    bson_destroy(&kept);
    buf_free(&path);
    return both;
}

/* The update that puts a document in the place of the one that is found by its `_id` alone, unless
 * that has a later claim's number: then it would get another `_id`, which MongoDB refuses. With the
 * number in the filter MongoDB would plan a query for each write, which costs it more. */
static void replacement(const struct sink *s, const struct bulk_write *w, bson_t *out)
{
    bson_t *later = BCON_NEW("$gt", "[", "$" SINK_EPOCH, BCON_INT64(s->epoch), "]");
    bson_t *what = whole_or_but(w);

    BCON_APPEND(out, "0", "{", "$replaceWith", "{", "$cond", "[", BCON_DOCUMENT(later), "{", "_id",
                BCON_NULL, "}", BCON_DOCUMENT(what), "]", "}", "}");
    bson_destroy(what);
    bson_destroy(later);
}

static bool add_document(const struct attempt *a, mongoc_bulk_operation_t *to,
                         const struct bulk_write *w, bson_error_t *error)
{
    bson_t update = BSON_INITIALIZER;
    bool ok;

    assert(!a->insert || !*w->but);
    if (a->insert)
        return mongoc_bulk_operation_insert_with_opts(to, &w->doc, a->s->insert, error);
    assert(a->s->epoch != 0);
    replacement(a->s, w, &update);
    ok = mongoc_bulk_operation_update_one_with_opts(to, &w->id, &update,
                                                    *w->but ? a->s->insert : a->s->upsert, error);
    bson_destroy(&update);
    return ok;
}

static bool add_deletion(const struct attempt *a, mongoc_bulk_operation_t *to, const bson_t *id,
                         bson_error_t *error)
{
    bson_t filter;
    bool ok;

    bson_copy_to(id, &filter);
    sink_put_fence(a->s, SINK_EPOCH, &filter);
    ok = mongoc_bulk_operation_remove_one_with_opts(to, &filter, NULL, error);
    bson_destroy(&filter);
    return ok;
}

static bool add_write(const struct attempt *a, mongoc_bulk_operation_t *to,
                      const struct bulk_write *w, struct err *e)
{
    bson_error_t error;
    bool ok =
        w->doc.len > EMPTY ? add_document(a, to, w, &error) : add_deletion(a, to, &w->id, &error);

    return ok || sink_failed(e, &error);
}

/* Add those of the writes to be sent that are documents, or that are deletions: libmongoc makes a
 * command of each run of one kind. `numbers` goes up. */
static bool fill_kind(struct attempt *a, mongoc_bulk_operation_t *to, const unsigned *numbers,
                      unsigned n, bool documents, struct err *e)
{
    size_t at = 0;
    unsigned k = 0;
    struct bulk_write w;

    for (unsigned i = 0; k < n && bulk_next(a->b, &at, &w); i++) {
        if (numbers[k] != i)
            continue;
        k++;
        if ((w.doc.len > EMPTY) != documents)
            continue;
        if (!add_write(a, to, &w, e))
            return false;
        a->numbers[a->n++] = i;
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
static bool take_error(struct attempt *a, const bson_iter_t *error, struct err *e)
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
    if (index < 0 || index >= a->n)
        return false;
    if (a->insert && sink_is_fence(code, message)) { /* an attempt before has written it */
        a->there[a->n_there++] = a->numbers[index];
        return true;
    }
    return is_of_the_document(code, message) &&
           refuse(a->b, a->numbers[index], (int)code, message, e);
}

/* Go through the reply's write errors: whether all that went wrong are single documents, at least
 * one. */
static bool take_errors(struct attempt *a, const bson_t *reply, struct err *e)
{
    unsigned before = a->b->n_refusals;
    bson_iter_t it;
    bson_iter_t errors;

    if (!bson_iter_init_find(&it, reply, "writeErrors") || !bson_iter_recurse(&it, &errors))
        return false;
    while (bson_iter_next(&errors))
        if (a->n_there >= a->n || !take_error(a, &errors, e))
            return false;
    return a->b->n_refusals > before || a->n_there > 0;
}

/* Whether the reply accounts for each write, and a majority has them. Nothing says how often a
 * deletion was tried. */
static bool accounted(const struct attempt *a, const bson_t *reply, unsigned refused)
{
    static const char *const counts[] = {"nInserted", "nMatched", "nUpserted"};
    int64_t sum = refused + a->n_there;
    bson_iter_t it;
    bson_iter_t errors;

    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        if (bson_iter_init_find(&it, reply, counts[i]))
            sum += bson_iter_as_int64(&it);
    if (bson_iter_init_find(&it, reply, "writeConcernErrors") && bson_iter_recurse(&it, &errors) &&
        bson_iter_next(&errors))
        return false;
    return a->n_documents == a->n && sum == a->n;
}

static mongoc_bulk_operation_t *operation(const struct attempt *a)
{
    mongoc_bulk_operation_t *o = mongoc_bulk_operation_new(false);

    mongoc_bulk_operation_set_client(o, a->s->client);
    mongoc_bulk_operation_set_database(o, a->s->database_name);
    mongoc_bulk_operation_set_collection(o, a->b->into);
    if (a->s->transacting) /* which has the concern */
        mongoc_bulk_operation_set_client_session(o, a->s->session);
    else
        mongoc_bulk_operation_set_write_concern(o, a->s->concern);
    return o;
}

/* Send what is in `a`. True: what is not refused is written, but for a->there. False with `again`:
 * some were refused, and of the others it is not known; of a transaction nothing is written. */
static bool execute(struct attempt *a, mongoc_bulk_operation_t *o, bool *again, struct err *e)
{
    unsigned before = a->b->n_refusals;
    bson_error_t error;
    bson_t reply;
    bool ok = mongoc_bulk_operation_execute(o, &reply, &error) != 0 || sink_failed(e, &error);

    *again = !ok && take_errors(a, &reply, e);
    if (*again && !a->s->transacting && accounted(a, &reply, a->b->n_refusals - before)) {
        *again = false;
        ok = true;
    }
    bson_destroy(&reply);
    return ok;
}

/* One attempt at the writes `numbers`, which go up. */
static bool send_once(struct attempt *a, const unsigned *numbers, unsigned n, bool *again,
                      struct err *e)
{
    mongoc_bulk_operation_t *o = operation(a);
    bool ok;

    *again = false;
    a->n = 0;
    a->n_there = 0;
    ok = fill_kind(a, o, numbers, n, true, e);
    a->n_documents = a->n;
    ok = ok && fill_kind(a, o, numbers, n, false, e) && (a->n == 0 || execute(a, o, again, e));
    mongoc_bulk_operation_destroy(o);
    return ok;
}

static int by_number(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a;
    unsigned y = *(const unsigned *)b;

    return x < y ? -1 : x > y;
}

/* Without those that are refused. */
static unsigned left(const struct sink_bulk *b, unsigned *numbers, unsigned n)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < n; i++)
        if (!bulk_refusal(b, numbers[i]))
            numbers[kept++] = numbers[i];
    return kept;
}

/* Until all of the writes are written or refused; what is there already is put over in a second
 * round. `numbers` has room for all of the bulk's, three times. */
static bool send_rounds(struct sink_bulk *b, struct sink *s, unsigned *numbers, struct err *e)
{
    struct attempt a = {
        .b = b, .s = s, .numbers = numbers + b->n, .there = numbers + 2 * (size_t)b->n};
    unsigned n = b->n;

    a.insert = bulk_is_staged(b);
    for (unsigned i = 0; i < n; i++)
        numbers[i] = i;
    for (;;) {
        bool again;

        n = left(b, numbers, n);
        if (!send_once(&a, numbers, n, &again, e) && !again)
            return false;
        if (!again && a.n_there == 0)
            return true;
        if (!again) {
            n = a.n_there;
            memcpy(numbers, a.there, n * sizeof *numbers);
            qsort(numbers, n, sizeof *numbers, by_number);
        }
        a.insert = false;
    }
}

enum bulk_got bulk_send_once(struct sink_bulk *b, struct sink *s, struct err *e)
{
    unsigned *numbers = malloc((2 * (size_t)b->n + 1) * sizeof *numbers);
    struct attempt a = {.b = b, .s = s, .numbers = numbers + b->n};
    bool again = false;
    bool ok;

    if (!numbers) {
        (void)err_set(e, ERR_IO, "out of memory");
        return BULK_FAILED;
    }
    for (unsigned i = 0; i < b->n; i++)
        numbers[i] = i;
    ok = send_once(&a, numbers, left(b, numbers, b->n), &again, e);
    free(numbers);
    return ok ? BULK_SENT : again ? BULK_REFUSED : BULK_FAILED;
}

bool bulk_send(struct sink_bulk *b, struct sink *s, struct err *e)
{
    unsigned *numbers = malloc((3 * (size_t)b->n + 1) * sizeof *numbers);
    bool ok;

    if (!numbers)
        return err_set(e, ERR_IO, "out of memory");
    ok = send_rounds(b, s, numbers, e);
    free(numbers);
    return ok;
}
