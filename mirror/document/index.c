#include "mirror/document/index.h"

enum { NAME_MAX_BYTES = 2048 };

bool index_own(const struct plan *plan, struct sink *s, struct err *e)
{
    bson_t keys = BSON_INITIALIZER;
    bool ok;

    if (!plan->a->paged)
        return true;
    (void)bson_append_int32(&keys, "_tillway.page", -1, 1);
    ok = sink_index(s, plan->a->collection, "tillway_page", &keys, true, e);
    bson_destroy(&keys);
    return ok;
}

static bool make(const struct plan *plan, const struct conf_node *index, struct sink *s,
                 struct err *e)
{
    struct buf name = buf_with_max(NAME_MAX_BYTES);
    bson_t keys = BSON_INITIALIZER;
    bool ok;

    for (const struct conf_node *n = conf_node_first(index); n; n = conf_node_next(n)) {
        (void)bson_append_int32(&keys, n->text, -1, 1);
        buf_printf(&name, "%s%s_1", name.len ? "_" : "", n->text);
    }
    ok = sink_index(s, plan->a->collection, buf_text(&name), &keys, false, e) ||
         err_wrap(e, "the index on %s of %s", buf_text(&name), plan->a->collection);
    bson_destroy(&keys);
    buf_free(&name);
    return ok;
}

bool index_mapped(const struct plan *plan, struct sink *s, struct err *e)
{
    for (const struct conf_node *n = conf_node_first(plan->a->indexes); n; n = conf_node_next(n))
        if (!make(plan, n, s, e))
            return false;
    return true;
}
