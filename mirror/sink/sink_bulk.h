/* Writes of one collection, kept until they are sent at once: each document's `_id`, and what it
 * becomes. What goes into a collection that is made anew is inserted, which costs MongoDB a quarter
 * of putting it over what may be there. One thread at a time. */
#ifndef MIRROR_SINK_BULK_H
#define MIRROR_SINK_BULK_H

#include "base/buf.h"
#include "mirror/sink/sink_part.h"

/* A bulk is full with so many writes or bytes; what a batch changes is to fill more than one, which
 * several threads write. */
enum {
    BULK_DOCUMENTS = 250,
    BULK_INSERTS = 1000, /* of a collection that is made anew */
    BULK_BYTES = 4 << 20,
    BULK_DOCUMENT_BYTES = 16 << 20
};

/* What MongoDB had against one document. */
struct sink_refusal {
    unsigned write; /* its number in the bulk */
    int code;
    char *reason; /* free() */
    bool kept;    /* as a dead letter */
};

struct sink_bulk {
    char *collection;
    char *into; /* what the collection is called now: something else while it is made anew */
    unsigned n;
    struct buf writes; /* so many struct bulk_write, one behind the other */
    struct sink_refusal *refusals;
    unsigned n_refusals;
    struct sink_bulk *next; /* of those that are held (sink_atomic) */
};

/* What becomes of one document; good while the bulk is. */
struct bulk_write {
    bson_t id;       /* {_id: …} */
    bson_t doc;      /* {}: it is deleted */
    const char *but; /* the field that stays as it is in MongoDB; "": none */
};

enum bulk_got { BULK_SENT, BULK_REFUSED, BULK_FAILED };

/* NULL: no memory. */
struct sink_bulk *bulk_new(const char *collection, const char *into);
void bulk_free(struct sink_bulk *b);
/* `doc` NULL: delete it. A document that MongoDB would not take for its size becomes a refusal. */
bool bulk_add(struct sink_bulk *b, const bson_t *id, const bson_t *doc, const char *but,
              struct err *e) MUST_CHECK;
bool bulk_full(const struct sink_bulk *b);
/* Send all of it through `s`; not ordered. What single documents are refused for is noted, the
 * others are written. Again after an error does no harm. */
bool bulk_send(struct sink_bulk *b, struct sink *s, struct err *e) MUST_CHECK;
/* Send all of it but what was refused before in the transaction of s->session, which is lost unless
 * the answer is BULK_SENT. BULK_REFUSED: single documents were refused, which is noted. */
enum bulk_got bulk_send_once(struct sink_bulk *b, struct sink *s, struct err *e) MUST_CHECK;
/* Whether it is for a collection that is made anew. */
bool bulk_is_staged(const struct sink_bulk *b);
const struct sink_refusal *bulk_refusal(const struct sink_bulk *b, unsigned write);

/* Go through the writes: `at` begins at 0; false at the end. */
bool bulk_next(const struct sink_bulk *b, size_t *at, struct bulk_write *w);

#endif
