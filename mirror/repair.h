/* Single documents that are to be made anew: `tillway mirror repair` and `retry` ask for them in
 * the state collection, the one mirror that writes does it. So there is no second writer.
 *
 * The state document `repair`: {id: …, documents: [{collection, id}, …], done: bool}. */
#ifndef MIRROR_REPAIR_H
#define MIRROR_REPAIR_H

#include "mirror/checkpoint.h"

struct work;

/* Documents to ask for. */
struct repair {
    bson_t documents; /* an array */
    unsigned n;
    bool full; /* there were more than can be asked for at once */
};

void repair_init(struct repair *r);
void repair_free(struct repair *r);
/* `id` is {_id: …}. */
void repair_add(struct repair *r, const char *collection, const bson_t *id);
/* Ask the mirror; `asked` tells this from other times. */
bool repair_ask(struct sink *s, const struct repair *r, bson_oid_t *asked,
                struct err *e) MUST_CHECK;
/* Whether the mirror has done it. */
bool repair_done(struct sink *s, const bson_oid_t *asked, bool *done, struct err *e) MUST_CHECK;

/* The engine's side. While nothing is touched: touch what is asked for, if anything is. */
bool repair_begin(struct work *k, struct err *e) MUST_CHECK;
/* What was touched is written. */
bool repair_end(struct work *k, struct err *e) MUST_CHECK;

#endif
