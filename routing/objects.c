#include "routing/objects.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct objects *objects_new(void)
{
    struct objects *o = calloc(1, sizeof *o);

    if (o)
        ref_init(&o->ref);
    return o;
}

void objects_ref(struct objects *o)
{
    ref_get(&o->ref);
}

void objects_unref(struct objects *o)
{
    if (!o || !ref_put(&o->ref))
        return;
    for (size_t i = 0; i < o->count; i++) {
        free(o->list[i].schema);
        free(o->list[i].name);
        free(o->list[i].text);
    }
    free(o->list);
    free(o);
}

/* Letters that no character set or collation of the servers compares in surprising ways. */
static bool is_plain(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 0x80 || s.p[i] == '`' || s.p[i] == '"')
            return false;
    return true;
}

static int order_of(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? strncasecmp((const char *)a.p, (const char *)b.p, n) : 0;

    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static bool equal(struct span a, const char *b)
{
    return order_of(a, span_of(b)) == 0;
}

static int by_name(const void *a, const void *b)
{
    const struct object *x = a;
    const struct object *y = b;
    int order = strcasecmp(x->name, y->name);

    return order ? order : strcasecmp(x->schema, y->schema);
}

/* The first of this name, or where it would stand. */
static size_t first_of(const struct objects *o, struct span name)
{
    size_t low = 0;
    size_t high = o->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (order_of(span_of(o->list[mid].name), name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* `pkg.f()` may be a function of a package. */
static bool is_package(const struct objects *o, struct span name)
{
    for (size_t i = first_of(o, name); i < o->count && equal(name, o->list[i].name); i++)
        if (o->list[i].kind == OBJECT_PACKAGE)
            return true;
    return false;
}

/* Whether every one of the kind that goes by the name is as it should be: in the schema, in any
 * spelling. Loadable functions have no schema, and stand before stored ones. */
static bool all_harmless(const struct object_names *n, enum object_kind kind, struct span schema,
                         struct span name)
{
    const struct objects *o = n->objects;
    bool qualified = schema.p != NULL;
    bool found = false;

    if (!qualified)
        schema = n->schema;
    if (!is_plain(name) || !is_plain(schema) || (qualified && is_package(o, schema)))
        return false;
    for (size_t i = first_of(o, name); i < o->count && equal(name, o->list[i].name); i++) {
        const struct object *x = &o->list[i];

        if (kind == OBJECT_FUNCTION && x->kind == OBJECT_LOADABLE && !qualified)
            return false;
        if (x->kind != kind || !equal(schema, x->schema))
            continue;
        if (kind == OBJECT_FUNCTION ? x->acts : x->leaves)
            return false;
        found = true;
    }
    return found;
}

static bool function_reads(const void *ctx, struct span schema, struct span name)
{
    return all_harmless(ctx, OBJECT_FUNCTION, schema, name);
}

/* Nothing is known where some trigger could not be seen. */
static bool procedure_reported(const void *ctx, struct span schema, struct span name)
{
    const struct object_names *n = ctx;

    return n->objects->triggers && all_harmless(n, OBJECT_PROCEDURE, schema, name);
}

static bool view_acts(const void *ctx, struct span name)
{
    const struct object_names *n = ctx;
    const struct objects *o = n->objects;

    if (!is_plain(name))
        return o->odd_acting_views;
    for (size_t i = first_of(o, name); i < o->count && equal(name, o->list[i].name); i++)
        if (o->list[i].kind == OBJECT_VIEW && o->list[i].acts)
            return true;
    return false;
}

static bool leaves(const void *ctx, struct span name)
{
    const struct object_names *n = ctx;
    const struct objects *o = n->objects;

    if (!is_plain(name))
        return o->odd_leaving;
    for (size_t i = first_of(o, name); i < o->count && equal(name, o->list[i].name); i++)
        if (o->list[i].leaves)
            return true;
    return false;
}

/* What the judging of one object may know of the others. */
struct judging {
    struct object_names as; /* must be first: the functions above take it */
    const struct object *self;
    const void *ctx;
    bool (*is_variable)(const void *ctx, struct span name);
};

static bool is_variable(const void *ctx, struct span name)
{
    const struct judging *j = ctx;

    return j->is_variable(j->ctx, name);
}

/* A view is not its own part, but names its own columns. */
static bool other_view_acts(const void *ctx, struct span name)
{
    const struct judging *j = ctx;

    if (j->self->kind == OBJECT_VIEW && equal(name, j->self->name))
        return false;
    return view_acts(&j->as, name);
}

static struct span text_of(const struct object *x)
{
    return (struct span){(const uint8_t *)x->text, x->text_len};
}

static bool has_effects(const struct object *x, const struct sql_names *names)
{
    struct sql_class verdict;

    if (!x->text)
        return x->kind != OBJECT_VIEW;
    if (x->kind == OBJECT_FUNCTION)
        return !sql_routine_reads(text_of(x), x->mode, names);
    sql_classify_with(text_of(x), x->mode, false, names, &verdict);
    return !sql_is_read(&verdict);
}

/* What a loadable function does is no statement. */
static bool leaves_things(const struct object *x, const struct sql_names *names)
{
    if (x->kind == OBJECT_LOADABLE)
        return false;
    return x->kind == OBJECT_PACKAGE || !x->text || sql_body_leaves(text_of(x), x->mode, names);
}

static void note_acting(struct objects *o, struct object *x)
{
    x->acts = true;
    if (x->kind != OBJECT_VIEW)
        return;
    o->acting_views = true;
    o->odd_acting_views = o->odd_acting_views || !is_plain(span_of(x->name));
}

static bool may_be_read(const struct object *x)
{
    return x->kind != OBJECT_PROCEDURE && x->kind != OBJECT_TRIGGER;
}

/* Whether it was found to act, now. */
static bool judge_acts(struct objects *o, struct judging *j, struct object *x)
{
    if (x->acts || !may_be_read(x))
        return false;
    j->self = x;
    j->as.schema = span_of(x->schema);
    j->as.names.view_acts = o->acting_views ? other_view_acts : NULL;
    if (!has_effects(x, &j->as.names))
        return false;
    note_acting(o, x);
    return true;
}

static bool judge_leaves(struct objects *o, struct judging *j, struct object *x)
{
    if (x->leaves || !leaves_things(x, &j->as.names))
        return false;
    x->leaves = true;
    o->odd_leaving = o->odd_leaving || !is_plain(span_of(x->name));
    return true;
}

/* Whether something new was found. */
static bool judge_round(struct objects *o, struct judging *j)
{
    bool changed = false;

    for (size_t i = 0; i < o->count; i++) {
        changed = judge_acts(o, j, &o->list[i]) || changed;
        changed = judge_leaves(o, j, &o->list[i]) || changed;
    }
    return changed;
}

/* At first none acts, or leaves things, but what cannot be read; each round finds those that name
 * one which does. What is left names nothing that does, however deep. */
void objects_judge(struct objects *o, const void *ctx,
                   bool (*is_var)(const void *ctx, struct span name))
{
    struct judging j = {.as = {.objects = o}, .ctx = ctx, .is_variable = is_var};

    j.as.names = (struct sql_names){.ctx = &j,
                                    .function_reads = function_reads,
                                    .leaves = leaves,
                                    .procedure_reported = procedure_reported,
                                    .is_variable = is_variable};
    if (o->count > 1)
        qsort(o->list, o->count, sizeof *o->list, by_name);
    while (judge_round(o, &j))
        ;
    for (size_t i = 0; i < o->count; i++) {
        free(o->list[i].text);
        o->list[i].text = NULL;
    }
}

const struct sql_names *objects_names(const struct objects *o, struct span schema,
                                      struct object_names *out)
{
    if (!o || !o->count)
        return NULL;
    *out = (struct object_names){.objects = o, .schema = schema};
    out->names = (struct sql_names){
        .ctx = out,
        .version = o->fingerprint,
        .schema = schema,
        .function_reads = function_reads,
        .view_acts = o->acting_views ? view_acts : NULL,
        .leaves = leaves,
        .procedure_reported = procedure_reported,
    };
    return &out->names;
}
