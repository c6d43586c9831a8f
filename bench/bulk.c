/* What libmongoc's bulk writes alone reach: the documents of a file (BSON, one behind the other)
 * are read into memory, then inserted into a collection or put over what is there, by `_id`.
 *
 *   bench_bulk URI DATABASE COLLECTION insert|replace FILE
 *
 * Prints documents a second. Written as the mirror writes: not ordered, 1000 at once, w: majority,
 * j: true; over one connection. */
#include "base/buf.h"
#include "base/clock.h"
#include "bench/file.h"

#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>

enum { AT_ONCE = 1000 };
static const size_t all_bytes = (size_t)4 << 30;

static bool next(const struct buf *in, size_t *at, bson_t *doc)
{
    uint32_t n;

    if (in->len - *at < sizeof n)
        return false;
    memcpy(&n, in->data + *at, sizeof n);
    n = BSON_UINT32_FROM_LE(n);
    if (n > in->len - *at || !bson_init_static(doc, in->data + *at, n))
        return false;
    *at += n;
    return true;
}

static bool add(mongoc_bulk_operation_t *to, const bson_t *doc, bool replace, const bson_t *upsert)
{
    bson_t filter = BSON_INITIALIZER;
    bson_error_t error;
    bson_iter_t it;
    bool ok;

    if (!replace)
        return mongoc_bulk_operation_insert_with_opts(to, doc, NULL, &error);
    if (bson_iter_init_find(&it, doc, "_id"))
        (void)bson_append_iter(&filter, "_id", -1, &it);
    ok = mongoc_bulk_operation_replace_one_with_opts(to, &filter, doc, upsert, &error);
    bson_destroy(&filter);
    return ok;
}

/* Up to AT_ONCE documents; how many, or -1. */
static int write_some(mongoc_collection_t *c, const bson_t *options, const struct buf *in,
                      size_t *at, bool replace)
{
    mongoc_bulk_operation_t *bulk = mongoc_collection_create_bulk_operation_with_opts(c, options);
    bson_t *upsert = BCON_NEW("upsert", BCON_BOOL(true));
    bson_error_t error;
    bson_t doc;
    int n = 0;

    while (n >= 0 && n < AT_ONCE && next(in, at, &doc))
        n = add(bulk, &doc, replace, upsert) ? n + 1 : -1;
    if (n > 0 && !mongoc_bulk_operation_execute(bulk, NULL, &error)) {
        (void)fprintf(stderr, "bench_bulk: %s\n", error.message);
        n = -1;
    }
    bson_destroy(upsert);
    mongoc_bulk_operation_destroy(bulk);
    return n;
}

static bool write_all(mongoc_collection_t *c, const struct buf *in, bool replace)
{
    bson_t *options = BCON_NEW("ordered", BCON_BOOL(false), "writeConcern", "{", "w",
                               BCON_UTF8("majority"), "j", BCON_BOOL(true), "}");
    uint64_t began = clock_mono_ns();
    uint64_t total = 0;
    size_t at = 0;
    int n;

    while ((n = write_some(c, options, in, &at, replace)) > 0)
        total += (uint64_t)n;
    bson_destroy(options);
    printf("%.0f\n", (double)total * (double)CLOCK_NS_PER_S / (double)(clock_mono_ns() - began));
    return n == 0 && total > 0;
}

int main(int argc, char **argv)
{
    struct buf in = buf_with_max(all_bytes);
    mongoc_client_t *client;
    mongoc_collection_t *c;
    bool ok;

    if (argc != 6 || !file_read(argv[5], &in)) {
        (void)fprintf(stderr, "usage: bench_bulk URI DATABASE COLLECTION insert|replace FILE\n");
        return 2;
    }
    mongoc_init();
    client = mongoc_client_new(argv[1]);
    if (!client)
        return 2;
    c = mongoc_client_get_collection(client, argv[2], argv[3]);
    ok = write_all(c, &in, strcmp(argv[4], "replace") == 0);
    mongoc_collection_destroy(c);
    mongoc_client_destroy(client);
    mongoc_cleanup();
    buf_free(&in);
    return ok ? 0 : 1;
}
