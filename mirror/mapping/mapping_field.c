#include "mirror/mapping/mapping_parse.h"

#include <string.h>

static const char *const value_keys[] = {"column", "sql", "sum", "count", "min",
                                         "max",    "avg", "of",  "type",  NULL};
static const char *const object_keys[] = {"fields", "unless_null", NULL};

static const struct {
    const char *key;
    enum map_fold fold;
} folds[] = {
    {"sum", MAP_FOLD_SUM}, {"count", MAP_FOLD_COUNT}, {"min", MAP_FOLD_MIN},
    {"max", MAP_FOLD_MAX}, {"avg", MAP_FOLD_AVG},
};

static const struct {
    const char *name;
    enum map_type type;
} types[] = {
    {"int", MAP_TYPE_INT},   {"double", MAP_TYPE_DOUBLE}, {"decimal", MAP_TYPE_DECIMAL},
    {"text", MAP_TYPE_TEXT}, {"date", MAP_TYPE_DATE},     {"bool", MAP_TYPE_BOOL},
};

static bool check_name(struct map_parser *p, const struct map_level *l, const struct conf_node *n)
{
    const char *name = n->key;
    int depth = 0;

    if (!*name || *name == '$' || strchr(name, '.'))
        return conf_node_key_err(n, p->e, "a field's name has no dots and does not begin with $");
    if (l->depth == 0 && (strcmp(name, "_id") == 0 || strcmp(name, "_tillway") == 0))
        return conf_node_key_err(n, p->e, "`%s` is made by the mirror itself", name);
    /* Names of the same object: those after the last unfinished OBJECT. */
    for (int i = l->n_ops - 1; i >= 0 && depth >= 0; i--) {
        const struct map_op *op = &l->ops[i];

        depth += op->kind == MAP_OP_END;
        depth -= op->kind == MAP_OP_OBJECT;
        if (depth == 0 && op->kind != MAP_OP_END && strcmp(op->name, name) == 0)
            return conf_node_key_err(n, p->e, "two fields of one name");
    }
    return true;
}

static struct map_op *add_op(struct map_parser *p, struct map_level *l, enum map_op_kind kind,
                             const struct conf_node *n)
{
    if (l->n_ops == MAP_OPS_MAX) {
        (void)conf_node_err(n, p->e, "more than %d fields", MAP_OPS_MAX);
        return NULL;
    }
    l->ops[l->n_ops] =
        (struct map_op){.kind = kind, .name = n->key, .at = n, .of = -1, .level = -1};
    return &l->ops[l->n_ops++];
}

static bool parse_type(struct map_parser *p, const struct conf_node *n, enum map_type *out)
{
    if (!n)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (n->kind == CONF_SCALAR && strcmp(n->text, types[i].name) == 0) {
            *out = types[i].type;
            return true;
        }
    }
    return conf_node_err(n, p->e, "int, double, decimal, text, date or bool");
}

static bool parse_of(struct map_parser *p, int level, const struct conf_node *n, int *out)
{
    for (int i = 0; i < p->a->n_levels; i++) {
        if (p->a->levels[i].parent == level && n->kind == CONF_SCALAR &&
            strcmp(p->a->levels[i].name, n->text) == 0) {
            *out = i;
            return p->a->levels[i].grouped
                       ? conf_node_err(n, p->e, "folds over grouped elements are not possible")
                       : true;
        }
    }
    return conf_node_err(n, p->e, "no array `%s` beside this field", n->text);
}

/* A bare word is a column, anything else SQL. */
static bool column_or_sql(struct map_parser *p, int level, const struct conf_node *n,
                          struct map_expr *out)
{
    struct map_ref ref;

    if (n->kind == CONF_SCALAR && strpbrk(n->text, "{}()*+-/ '\"0123456789") == NULL) {
        if (!map_ref_node(p, level, n, &ref))
            return false;
        map_expr_column(p, n, ref, out);
        return true;
    }
    return map_expr_parse(p, level, n, out);
}

/* The one key of `map` that says what the value is. */
static const struct conf_node *what_of(struct map_parser *p, const struct conf_node *map)
{
    const struct conf_node *what = NULL;

    for (const struct conf_node *n = conf_node_first(map); n; n = conf_node_next(n)) {
        if (strcmp(n->key, "type") == 0 || strcmp(n->key, "of") == 0)
            continue;
        if (what) {
            (void)conf_node_key_err(n, p->e, "`%s` or `%s`, not both", what->key, n->key);
            return NULL;
        }
        what = n;
    }
    if (!what)
        (void)conf_node_err(map, p->e, "column, sql, sum, count, min, max, avg or fields");
    return what;
}

static bool parse_fold(struct map_parser *p, int level, const struct conf_node *map,
                       const struct conf_node *what, struct map_op *op)
{
    const struct conf_node *of = conf_node_get(map, "of");

    if (of && !parse_of(p, level, of, &op->of))
        return false;
    if (!of && !p->a->levels[level].grouped)
        return conf_node_key_err(what, p->e,
                                 "over what? add `of: ARRAY`, or `group_by` to the array");
    return column_or_sql(p, of ? op->of : level, what, &op->expr);
}

static bool parse_value_map(struct map_parser *p, int level, const struct conf_node *map,
                            struct map_op *op)
{
    const struct conf_node *what;
    struct map_ref ref;

    if (!conf_node_keys(map, value_keys, p->e) ||
        !parse_type(p, conf_node_get(map, "type"), &op->type))
        return false;
    what = what_of(p, map);
    if (!what)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(folds); i++)
        if (strcmp(what->key, folds[i].key) == 0)
            op->fold = folds[i].fold;
    if (op->fold != MAP_FOLD_NONE)
        return parse_fold(p, level, map, what, op);
    if (conf_node_get(map, "of"))
        return conf_node_key_err(conf_node_get(map, "of"), p->e,
                                 "goes with sum, count, min, max, avg");
    if (strcmp(what->key, "sql") == 0)
        return map_expr_parse(p, level, what, &op->expr);
    if (!map_ref_node(p, level, what, &ref))
        return false;
    map_expr_column(p, what, ref, &op->expr);
    return true;
}

static bool parse_value(struct map_parser *p, int level, const struct conf_node *n)
{
    struct map_op *op = add_op(p, &p->a->levels[level], MAP_OP_VALUE, n);
    struct map_ref ref;

    if (!op)
        return false;
    if (n->kind == CONF_MAP)
        return parse_value_map(p, level, n, op);
    if (n->kind == CONF_LIST)
        return conf_node_err(n, p->e, "a column, or {sql: …}; arrays stand under `arrays`");
    if (!map_ref_node(p, level, n, &ref))
        return false;
    map_expr_column(p, n, ref, &op->expr);
    return true;
}

static bool open_object(struct map_parser *p, int level, const struct conf_node *n)
{
    const struct conf_node *fields = conf_node_get(n, "fields");
    const struct conf_node *unless = conf_node_get(n, "unless_null");
    struct map_op *op = add_op(p, &p->a->levels[level], MAP_OP_OBJECT, n);
    struct map_ref ref;

    if (!op || !conf_node_keys(n, object_keys, p->e))
        return false;
    if (fields->kind != CONF_MAP)
        return conf_node_err(fields, p->e, "must be a map of fields");
    if (!unless)
        return true;
    if (!map_ref_node(p, level, unless, &ref))
        return false;
    map_expr_column(p, unless, ref, &op->expr);
    return true;
}

/* The fields of one map and, by a stack, of the objects in it. */
static bool parse_fields(struct map_parser *p, int level, const struct conf_node *fields)
{
    struct map_level *l = &p->a->levels[level];
    const struct conf_node *stack[MAP_DEPTH_MAX];
    const struct conf_node *n = conf_node_first(fields);
    int depth = 0;

    for (;;) {
        while (!n && depth > 0) {
            n = stack[--depth];
            if (!add_op(p, l, MAP_OP_END, n))
                return false;
            n = conf_node_next(n);
        }
        if (!n)
            return true;
        if (!check_name(p, l, n))
            return false;
        if (n->kind == CONF_MAP && conf_node_get(n, "fields")) {
            if (depth == MAP_DEPTH_MAX)
                return conf_node_err(n, p->e, "objects nest at most %d deep", MAP_DEPTH_MAX);
            if (!open_object(p, level, n))
                return false;
            stack[depth++] = n;
            n = conf_node_first(conf_node_get(n, "fields"));
            continue;
        }
        if (!parse_value(p, level, n))
            return false;
        n = conf_node_next(n);
    }
}

bool map_fields_parse(struct map_parser *p, int level, const struct conf_node *node)
{
    const struct conf_node *fields = conf_node_get(node, "fields");
    struct map_level *l = &p->a->levels[level];

    l->ops = map_alloc(p->m, MAP_OPS_MAX * sizeof *l->ops);
    if (fields && fields->kind != CONF_MAP)
        return conf_node_err(fields, p->e, "must be a map of fields");
    if (fields && !parse_fields(p, level, fields))
        return false;
    for (int i = 0; i < p->a->n_levels; i++) {
        struct map_op *op;

        if (p->a->levels[i].parent != level)
            continue;
        if (!check_name(p, l, p->a->levels[i].at))
            return false;
        op = add_op(p, l, MAP_OP_ARRAY, p->a->levels[i].at);
        if (!op)
            return false;
        op->level = i;
    }
    return l->n_ops > 0 || conf_node_err(node, p->e, "no fields");
}
