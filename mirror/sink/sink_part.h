/* Shared by the files sink*.c; nobody else's business. */
#ifndef MIRROR_SINK_PART_H
#define MIRROR_SINK_PART_H

#include "mirror/sink/sink.h"

#include <mongoc/mongoc.h>

struct sink_bulk;
struct writers;
struct letters;

struct sink {
    const struct sink_target *target;
    mongoc_client_t *client;
    mongoc_database_t *database;
    const char *database_name; /* the target's */
    mongoc_collection_t *state;
    mongoc_write_concern_t *concern;
    mongoc_read_concern_t *read;
    bson_t *upsert;          /* options of a replacement */
    bson_t *insert;          /* of an insert */
    struct sink_bulk *bulk;  /* that is being filled; NULL: none */
    struct writers *writers; /* NULL: nothing was too much for this thread yet */
    struct letters *letters; /* of a sink that has claimed; NULL: none are kept */
    uint64_t written;
    int64_t epoch; /* of our claim; 0: none */
    /* A collection that is made anew, and what it is called meanwhile (sink_stage); NULL: none. */
    char *staged;
    char *stage;
};

/* libmongoc's error as ours; false. */
bool sink_failed(struct err *e, const bson_error_t *error);
/* Whether a write met a later claim's document. */
bool sink_is_fence(int64_t code, const char *message);
/* What a collection is called now. */
const char *sink_where(const struct sink *s, const char *collection);
/* Add to {_id: …} that no later claim's number stands there, in the field `epoch`: where there is
 * one an upsert meets the `_id` that is there, and fails. */
void sink_put_fence(const struct sink *s, const char *epoch, bson_t *filter);

#endif
