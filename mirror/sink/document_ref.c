#include "mirror/sink/document_ref.h"

#include <string.h>

void document_ref_put(bson_t *to, const char *collection, const bson_t *id)
{
    bson_iter_t it;

    (void)bson_append_utf8(to, "collection", -1, collection, -1);
    if (bson_iter_init_find(&it, id, "_id"))
        (void)bson_append_iter(to, "id", -1, &it);
}

const char *document_ref_take(const bson_iter_t *from, bson_t *id)
{
    const char *collection = NULL;
    bson_iter_t it;

    if (!bson_iter_recurse(from, &it))
        return NULL;
    while (bson_iter_next(&it)) {
        if (strcmp(bson_iter_key(&it), "id") == 0)
            (void)bson_append_iter(id, "_id", -1, &it);
        else if (BSON_ITER_HOLDS_UTF8(&it))
            collection = bson_iter_utf8(&it, NULL);
    }
    return collection;
}
