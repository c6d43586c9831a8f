/* Which document: {collection: …, id: …}, as dead letters and orders to repair name one. */
#ifndef MIRROR_SINK_DOCUMENT_REF_H
#define MIRROR_SINK_DOCUMENT_REF_H

#include <bson/bson.h>

/* Append its two fields; `id` is {_id: …}. */
void document_ref_put(bson_t *to, const char *collection, const bson_t *id);
/* Out of such a document: {_id: …} into `id`, which is initialised and empty. The collection's
 * name, in the document's memory; NULL where there is none. */
const char *document_ref_take(const bson_iter_t *from, bson_t *id);

#endif
