/* How the mirror is doing: what the engine notes, the reporter writes to MongoDB once a second, and
 * `tillway mirror status` prints from there. */
#ifndef MIRROR_NOTES_H
#define MIRROR_NOTES_H

#include "base/state.h"
#include "mirror/behind.h"
#include "mirror/checkpoint.h"
#include "protocol/gtid.h"

#include <bson/bson.h>
#include <pthread.h>

/* What the mirror does:
 *
 *   CONNECTING ──▶ SNAPSHOT ──▶ STREAMING ──▶ CONNECTING   (a rebuild is asked for)
 *   CONNECTING ──▶ STREAMING                               (from a checkpoint)
 *   CONNECTING ◀─▶ STANDBY
 *   any ──▶ RETRYING or STOPPED ──▶ CONNECTING             (after a pause)
 */
enum status_state {
    STATUS_CONNECTING,
    STATUS_STANDBY, /* another mirror writes */
    STATUS_SNAPSHOT,
    STATUS_STREAMING,
    STATUS_RETRYING, /* something failed that may pass */
    STATUS_STOPPED,  /* something is wrong that a person must mend */
    STATUS_COUNT
};

struct status {
    struct state state;
    char reason[512];     /* why RETRYING, STOPPED or STANDBY; else "" */
    char last_error[512]; /* also of the past */
    uint64_t last_error_ms;
    char source[128];
    struct gtid_set gtid; /* all up to here is in the documents */
    bool has_gtid;
    char collection[128]; /* of a running whole pass … */
    uint64_t done, total; /* … its documents; total is an estimate */
    uint64_t pass_ms;     /* when it began, by the clock that only goes on … */
    uint64_t pass_first;  /* … and how many were done then */
    uint64_t documents;   /* written or deleted since the start */
    uint64_t changes;     /* row changes of mapped tables read since the start */
    int64_t epoch;        /* of our claim: the status document is ours; 0: another's */
    uint64_t pending_ms;  /* wall time of the first commit seen and not applied; 0: none */
};

/* The engine's notes, for the reporter to read. Any thread. */
struct notes {
    pthread_mutex_t lock;
    struct status status;
    struct orders asked;     /* as the reporter saw them last */
    bool seen;               /* whether it has looked */
    bool stuck;              /* the source does not follow the primary */
    struct gtid_set primary; /* where the primary stood … */
    uint64_t primary_ns;     /* … when it was asked; 0: it never answered */
};

void notes_init(struct notes *b);
void notes_destroy(struct notes *b);
struct status notes_read(struct notes *b);
void notes_state(struct notes *b, int state, const char *reason);
void notes_error(struct notes *b, const char *text);
void notes_source(struct notes *b, const char *name);
void notes_gtid(struct notes *b, const struct gtid_set *gtid);
void notes_pass(struct notes *b, const char *collection, uint64_t done, uint64_t total);
void notes_counts(struct notes *b, uint64_t documents, uint64_t changes);
void notes_pending(struct notes *b, uint64_t wall_ms);
void notes_epoch(struct notes *b, int64_t epoch);
/* Such a claim is superseded: no epoch, unless there is a newer one of ours. */
void notes_fenced(struct notes *b, int64_t epoch);
void notes_asked(struct notes *b, const struct orders *orders);
/* Whether a rebuild other than this one is asked for. */
bool notes_wants_rebuild(struct notes *b, const bson_oid_t *known);
/* The same of a repair; which. */
bool notes_wants_repair(struct notes *b, const bson_oid_t *known, bson_oid_t *which);

/* The reporter says so; true once, to whoever asks next. */
void notes_stuck(struct notes *b, bool stuck);
bool notes_take_stuck(struct notes *b);

/* The primary, asked at that moment, stands here. */
void notes_primary(struct notes *b, uint64_t mono_ns, const struct gtid_set *gtid);
/* Where it stood, if it was asked behind that moment. */
bool notes_primary_since(struct notes *b, uint64_t mono_ns, struct gtid_set *gtid);

/* The status document; lag_ms < 0: not known. */
void status_bson(const struct status *s, int64_t lag_ms, const bson_oid_t *owner, bson_t *out);

#endif
