/* The JSON schema of a collection's documents, which MongoDB checks all writes against where
 * `mirror.validate` is on. */
#ifndef MIRROR_VALIDATOR_H
#define MIRROR_VALIDATOR_H

#include "mirror/mapping/plan.h"
#include "mirror/sink/sink.h"
#include "mirror/source/source.h"

/* The validator of all that the mapping can make, pages too: {$jsonSchema: …}. rows[i]: how the
 * columns of level i come. `out` is initialised and empty. */
void validator_make(const struct plan *plan, struct rows *const *rows, bson_t *out);

/* Give the collection, if it is among these (of sink_collections), the validator that the
 * configuration asks for, or take ours away. The schema was checked. */
bool validator_set(const struct plan *plan, struct source *source, struct sink *s,
                   const bson_t *collections, struct err *e) MUST_CHECK;

#endif
