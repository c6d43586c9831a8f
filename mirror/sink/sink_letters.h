/* Dead letters: documents that MongoDB refuses, each kept in a collection of their own with the
 * reason: {_id: {collection, id}, reason, code, at}. The document itself stays as
 * it was. A later write of it that succeeds takes the letter away. One thread. */
#ifndef MIRROR_SINK_LETTERS_H
#define MIRROR_SINK_LETTERS_H

#include "mirror/mapping/keyset.h"
#include "mirror/sink/sink_bulk.h"

/* The letters that there are, by their `_id`. */
struct letters {
    struct keyset known;
    bool stale; /* some of them are gone */
};

struct letters *letters_new(void);
void letters_free(struct letters *l);
/* Learn which letters there are. */
bool letters_load(struct letters *l, struct sink *s, struct err *e) MUST_CHECK;
/* None are kept of a collection that is made anew. */
bool letters_forget(struct letters *l, struct sink *s, const char *collection,
                    struct err *e) MUST_CHECK;
/* A letter for each refusal of the bulk that has none yet. */
bool letters_keep(struct letters *l, struct sink *s, struct sink_bulk *b, struct err *e) MUST_CHECK;
/* After a bulk was sent: a letter for each refusal, none any more for what was written. */
bool letters_settle(struct letters *l, struct sink *s, const struct sink_bulk *b,
                    struct err *e) MUST_CHECK;

#endif
