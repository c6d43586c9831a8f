#include "mirror/document/directory_load.h"

#include "mirror/document/document.h"

enum { KEY_MAX = 1 << 20 };

static bool take(struct directory *d, const struct plan *plan, const bson_t *doc,
                 struct buf *memory, struct err *e)
{
    struct span key[MAP_KEY_MAX];

    /* What is no page of ours is for `verify` to find. */
    if (!document_page_key(plan, doc, memory, key))
        return true;
    return directory_add(d, key, key + plan->n_key) || err_set(e, ERR_IO, "out of memory");
}

bool directory_load(struct directory *d, const struct plan *plan, struct sink *s, struct err *e)
{
    bson_t filter = BSON_INITIALIZER;
    bson_t fields = BSON_INITIALIZER;
    struct buf memory = buf_with_max(KEY_MAX);
    struct sink_cursor *c;
    const bson_t *doc;
    int got;

    directory_clear(d);
    if (!plan->a->paged)
        return true;
    (void)bson_append_bool(&filter, "_tillway.page", -1, true);
    (void)bson_append_int32(&fields, "_id", -1, 1);
    c = sink_find(s, plan->a->collection, &filter, &fields);
    while ((got = sink_next(c, &doc, e)) == 1)
        if (!take(d, plan, doc, &memory, e))
            break;
    sink_cursor_free(c);
    buf_free(&memory);
    bson_destroy(&filter);
    bson_destroy(&fields);
    return got == 0;
}
