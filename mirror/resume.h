/* A snapshot of all aggregates that is under way, kept in the state collection: where it is cut
 * short the next attempt goes on behind the last key that is safe. What is left is read at a newer
 * snapshot then, which does no harm: the binlog is followed from where the first one stood, and
 * whatever has changed since is made anew.
 *
 * The state document `snapshot`: {done, mapping, rebuild, epoch, gtid, file, position, aggregate,
 * documents, after: [key's columns as SQL prints them]}. One thread. */
#ifndef MIRROR_RESUME_H
#define MIRROR_RESUME_H

#include "mirror/checkpoint.h"
#include "mirror/mapping/keyset.h"

struct resume {
    struct checkpoint begun; /* what the checkpoint will be when all is done */
    int64_t from;            /* the claim it was written under, where it is gone on with; else 0 */
    int aggregate;           /* those before are complete */
    uint64_t documents;      /* of this one, done */
    struct keyset after;     /* of this one: its last key that is written, or none */
    uint64_t saved_ns;
};

void resume_free(struct resume *r);
/* The snapshot that was cut short; false where there is none that fits `want`'s mapping and
 * rebuild, or with `e` (kind other than ERR_NONE). */
bool resume_load(struct sink *s, const struct checkpoint *want, struct resume *r, struct err *e);
/* Begin anew from the start. */
void resume_init(struct resume *r, const struct checkpoint *begun);
/* The next aggregate. */
void resume_next(struct resume *r);
/* Documents up to the key are written and safe. */
bool resume_save(struct resume *r, struct sink *s, const struct span *key, int width,
                 struct err *e) MUST_CHECK;
/* All is done. */
bool resume_end(struct sink *s, struct err *e) MUST_CHECK;

#endif
