/* Where the documents go: MongoDB. The files sink*.c are the only ones that know libmongoc.
 *
 * Every write waits for a majority and its journal; every call has a deadline (five seconds unless
 * the URI says otherwise). One thread a sink; the target is for any. */
#ifndef MIRROR_SINK_H
#define MIRROR_SINK_H

#include "base/err.h"
#include "conf/mirror.h"

#include <bson/bson.h>
#include <stdint.h>

struct sink_target;
struct sink;
struct sink_cursor;

/* Before the first target; more than once is fine. Control thread. */
void sink_library_init(void);

/* NULL with `e` where the URI is malformed; MongoDB itself is not asked. */
struct sink_target *sink_target_new(const struct conf_mirror *c, struct err *e) MUST_CHECK;
void sink_target_free(struct sink_target *t);

/* Connects when it is first used. After errors of the network, a new one is quicker. */
struct sink *sink_open(const struct sink_target *t);
void sink_close(struct sink *s);
/* Whether the primary answers. */
bool sink_ping(struct sink *s, struct err *e) MUST_CHECK;

/* Become the only one that may write, under a number that is higher than all before: every write of
 * those who claimed earlier is refused from now on where it would undo one of ours. */
bool sink_claim(struct sink *s, const bson_oid_t *owner, struct err *e) MUST_CHECK;
/* Whether the claim before ours was given back. */
bool sink_found_intact(const struct sink *s);
/* Give the claim back: all that was written under it is complete, and nothing more will be. */
bool sink_leave_intact(struct sink *s, struct err *e) MUST_CHECK;
/* Write under the claim of another sink of this process. */
void sink_under(struct sink *s, int64_t epoch);
/* The number; 0: nothing is claimed. Documents carry it as `_tillway.epoch`. */
int64_t sink_epoch(const struct sink *s);
/* `e->code` of a write that was refused so. */
enum { SINK_ERR_FENCED = 11000 };

/* Documents of one collection, written in bulk, in no order: each `_id` at most once before a
 * flush. `id` is {_id: …}; `doc` replaces or becomes the document, NULL deletes it. When enough
 * have come other threads write them, as many as the configuration's `mirror.writers`. What MongoDB
 * refuses of single documents becomes dead letters (of a sink that has claimed; else an error). */
bool sink_put(struct sink *s, const char *collection, const bson_t *id, const bson_t *doc,
              struct err *e) MUST_CHECK;
/* The same, but the field `but` of the document stays as it is in MongoDB; where there is none
 * nothing is written. */
bool sink_put_fields(struct sink *s, const char *collection, const bson_t *id, const bson_t *doc,
                     const char *but, struct err *e) MUST_CHECK;
/* Write what is left, or hold it. False with `e`: some of the documents since the last flush may be
 * written. */
bool sink_flush(struct sink *s, struct err *e) MUST_CHECK;
/* Whether MongoDB can do what the configuration asks for: with `mirror.atomic`, transactions. */
bool sink_check(struct sink *s, struct err *e) MUST_CHECK;
/* A batch begins. With `mirror.atomic` what is put from now on is held in memory (documents of a
 * collection that is made anew are not), and what an attempt before has held is dropped. Without it
 * what was put before is written. */
bool sink_begin(struct sink *s, struct err *e) MUST_CHECK;
/* It ends with a state document, put as by sink_state_put_fenced; what is held is written in one
 * transaction with it. */
bool sink_commit(struct sink *s, const char *name, const bson_t *doc, struct err *e) MUST_CHECK;
/* It can't be one transaction: what is held is written by itself, as is what is put from now on. */
bool sink_spill(struct sink *s, struct err *e) MUST_CHECK;
/* The collection of the dead letters: {_id: {collection, id}, reason, code, at}. The sink's. */
const char *sink_letters_collection(const struct sink *s);
/* Whether there are any. */
bool sink_has_letters(const struct sink *s);
/* Documents written and deleted since the sink was opened. */
uint64_t sink_written(const struct sink *s);

/* Make an index, where there is none of the name yet. */
bool sink_index(struct sink *s, const char *collection, const char *name, const bson_t *keys,
                bool sparse, struct err *e) MUST_CHECK;

/* Whether the configuration asks for validators. */
bool sink_validates(const struct sink *s);
/* The title of our validators' schemas, by which one is known to be ours. */
#define SINK_VALIDATOR_TITLE "made by Tillway of the mapping"
/* The database's collections, {name: options}, into `out`, which is initialised and empty. */
bool sink_collections(struct sink *s, bson_t *out, struct err *e) MUST_CHECK;
/* Give one of these this validator where it has another one, or (NULL) take away ours; nothing
 * where it is not among them. */
bool sink_validator(struct sink *s, const bson_t *collections, const char *collection,
                    const bson_t *wanted, struct err *e) MUST_CHECK;

/* A document of the state collection. get: 1, 0 where there is none, -1 with `e`; `out` is
 * initialised by the call where it returns 1. put replaces or makes it; set changes these fields of
 * it, or makes it of them. */
int sink_state_get(struct sink *s, const char *name, bson_t *out, struct err *e) MUST_CHECK;
bool sink_state_put(struct sink *s, const char *name, const bson_t *doc, struct err *e) MUST_CHECK;
/* put, unless a later claim's number stands there; `doc` has ours as `epoch`. */
bool sink_state_put_fenced(struct sink *s, const char *name, const bson_t *doc,
                           struct err *e) MUST_CHECK;
bool sink_state_set(struct sink *s, const char *name, const bson_t *fields,
                    struct err *e) MUST_CHECK;

/* Documents that match, from the primary, majority-committed; `fields` is a projection or NULL. */
struct sink_cursor *sink_find(struct sink *s, const char *collection, const bson_t *filter,
                              const bson_t *fields) MUST_CHECK;
/* The next: 1 with `doc` (good until the next call), 0 at the end, -1 with `e`. */
int sink_next(struct sink_cursor *c, const bson_t **doc, struct err *e) MUST_CHECK;
void sink_cursor_free(struct sink_cursor *c);

#endif
