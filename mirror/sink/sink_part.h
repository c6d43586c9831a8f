/* Shared by the files sink*.c; nobody else's business. */
#ifndef MIRROR_SINK_PART_H
#define MIRROR_SINK_PART_H

#include "mirror/sink/sink.h"

#include <mongoc/mongoc.h>

struct sink {
    mongoc_client_t *client;
    mongoc_database_t *database;
    mongoc_collection_t *state;
    mongoc_write_concern_t *concern;
    mongoc_read_concern_t *read;
    bson_t *upsert; /* options of a replacement */
    mongoc_collection_t *collection;
    mongoc_bulk_operation_t *bulk;
    unsigned n;
    size_t bytes;
    uint64_t written;
    int64_t epoch; /* of our claim; 0: none */
};

/* libmongoc's error as ours; false. */
bool sink_failed(struct err *e, const bson_error_t *error);

#endif
