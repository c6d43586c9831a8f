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
    bson_t *insert;          /* of an insert, and of what changes one that is there */
    struct sink_bulk *bulk;  /* that is being filled; NULL: none */
    struct writers *writers; /* NULL: nothing was too much for this thread yet */
    struct letters *letters; /* of a sink that has claimed; NULL: none are kept */
    uint64_t written;
    int64_t epoch; /* of our claim; 0: none */
    bool intact;   /* the claim before was given back */
    bool atomic;   /* the configuration's … */
    bool validate; /* … and so is this */
    mongoc_client_session_t
        *session;           /* for its transactions, of a sink that has claimed; or NULL */
    bool transacting;       /* what is written belongs to one now */
    bool holding;           /* a batch that is to be one has begun (sink_atomic) */
    struct sink_bulk *held; /* its bulks, in order */
    size_t held_bytes;
    /* A collection that is made anew, and what it is called meanwhile (sink_stage); NULL: none. */
    char *staged;
    char *stage;
};

/* Where a document has the number of the claim that it was written under. */
#define SINK_EPOCH "_tillway.epoch"

/* libmongoc's error as ours; false. */
bool sink_failed(struct err *e, const bson_error_t *error);
/* Whether a write met a later claim's document. */
bool sink_is_fence(int64_t code, const char *message);
/* What a bulk that was sent leaves to do: count it, settle its letters. */
bool sink_sent(struct sink *s, const struct sink_bulk *b, struct err *e);
/* Whether the bulk is one to hold; then hold it, which takes it over. */
bool sink_holds(const struct sink *s, const struct sink_bulk *b);
bool sink_hold(struct sink *s, struct sink_bulk *b, struct err *e) MUST_CHECK;
/* Forget what is held. */
void sink_drop_held(struct sink *s);
/* Make the session; its id goes into `lease`, for whoever claims next. */
bool sink_open_session(struct sink *s, bson_t *lease, struct err *e);
/* End what the one that had this lease before was about to commit: else it would be in the way of
 * our writes until MongoDB ends it, after a minute. */
bool sink_end_session(struct sink *s, const bson_iter_t *lease, struct err *e);
/* A command that changes collections. A build of an index that somebody has just begun, or has been
 * told is done, refuses some: it waits a little for that. */
bool sink_run(struct sink *s, mongoc_database_t *on, const bson_t *command, struct err *e);
/* What a collection is called now. */
const char *sink_where(const struct sink *s, const char *collection);
/* Add to {_id: …} that no later claim's number stands there, in the field `epoch`: where there is
 * one an upsert meets the `_id` that is there, and fails. */
void sink_put_fence(const struct sink *s, const char *epoch, bson_t *filter);

#endif
