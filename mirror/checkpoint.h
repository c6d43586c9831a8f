/* The mirror's documents in the state collection: where it stands, what it is told to do.
 *
 * `checkpoint` is written after the data it speaks of; `control` by the command line; `status` once
 * a second, for people and for a second mirror to see that it is not alone. `lease` numbers the
 * mirrors that wrote here (sink_claim). */
#ifndef MIRROR_CHECKPOINT_H
#define MIRROR_CHECKPOINT_H

#include "mirror/sink/sink.h"
#include "protocol/gtid.h"

struct checkpoint {
    bool present;         /* a whole snapshot has been written once */
    struct gtid_set gtid; /* the documents hold everything up to here, and nothing beyond */
    char source[128];     /* name of the server it was read from */
    char file[512];       /* and the place in that one's binlog */
    uint64_t position;
    uint64_t fingerprint; /* of the mapping */
    bool xa;              /* prepared XA transactions changed mapped tables and are not decided */
    bson_oid_t rebuild;   /* the last rebuild that was asked for and is done */
};

/* The checkpoint; `present` false where there is none. */
bool checkpoint_load(struct sink *s, struct checkpoint *out, struct err *e) MUST_CHECK;
/* Under the sink's claim; refused (SINK_ERR_FENCED) where there is a later one. */
bool checkpoint_save(struct sink *s, const struct checkpoint *c, struct err *e) MUST_CHECK;

/* Its form: into an empty document with such an `_id`, under the sink's claim; and back. */
void checkpoint_bson(const struct checkpoint *c, const char *id, const struct sink *s, bson_t *out);
bool checkpoint_read(const bson_t *doc, struct checkpoint *out, struct err *e) MUST_CHECK;

/* What the command line has asked for last; all zero: never. */
struct orders {
    bson_oid_t rebuild;
    bson_oid_t repair; /* see repair.h */
};

bool checkpoint_orders(struct sink *s, struct orders *out, struct err *e) MUST_CHECK;
/* `what`: the order's name. */
bool checkpoint_ask(struct sink *s, const char *what, const bson_oid_t *id,
                    struct err *e) MUST_CHECK;

/* What the state document of that name is about is through: its `done`. */
bool checkpoint_done(struct sink *s, const char *name, struct err *e) MUST_CHECK;

/* Text of a field of a document; "" where there is none. */
const char *checkpoint_text(const bson_t *doc, const char *name);
int64_t checkpoint_number(const bson_t *doc, const char *name);
bool checkpoint_flag(const bson_t *doc, const char *name);

#endif
