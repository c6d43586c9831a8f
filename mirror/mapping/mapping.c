#include "mirror/mapping/mapping.h"

#include "conf/value.h"
#include "mirror/mapping/mapping_parse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct map_memory {
    struct map_memory *next;
    max_align_t bytes[];
};

static const char *const root_keys[] = {"collection", "table",  "as",     "key",     "where",
                                        "joins",      "fields", "arrays", "indexes", NULL};
static const char *const array_keys[] = {"table",  "as",       "on",    "key",  "where",
                                         "joins",  "order_by", "limit", "page", "group_by",
                                         "fields", "arrays",   NULL};
static const char *const join_keys[] = {"table", "as", "on", "required", NULL};

void *map_alloc(struct mapping *m, size_t n)
{
    struct map_memory *piece = calloc(1, sizeof *piece + n);

    if (!piece)
        abort(); /* some kilobytes, at start */
    piece->next = m->memory;
    m->memory = piece;
    return piece->bytes;
}

const char *map_text(struct mapping *m, const char *p, size_t n)
{
    char *text = map_alloc(m, n + 1);

    memcpy(text, p, n);
    return text;
}

static const struct conf_node *need(struct map_parser *p, const struct conf_node *map,
                                    const char *key, enum conf_kind kind)
{
    const struct conf_node *n = conf_node_get(map, key);

    if (!n)
        (void)conf_node_err(map, p->e, "`%s` is missing", key);
    else if (n->kind != kind)
        (void)conf_node_err(n, p->e, "must be %s", conf_kind_name(kind));
    else
        return n;
    return NULL;
}

/* An optional list. */
static bool may_have_list(struct map_parser *p, const struct conf_node *map, const char *key,
                          const struct conf_node **out)
{
    *out = conf_node_get(map, key);
    if (*out && (*out)->kind != CONF_LIST)
        return conf_node_err(*out, p->e, "must be a list, such as [id]");
    return true;
}

static bool add_table(struct map_parser *p, const struct conf_node *map, int level, int *index)
{
    const struct conf_node *n = need(p, map, "table", CONF_SCALAR);
    const struct conf_node *as = conf_node_get(map, "as");
    struct map_table *t = &p->a->tables[p->a->n_tables];
    const char *dot;

    if (!n)
        return false;
    dot = strchr(n->text, '.');
    if (!dot || dot == n->text || !dot[1] || strchr(dot + 1, '.') || strchr(n->text, '`'))
        return conf_node_err(n, p->e, "write database.table, such as pos.Customer");
    if (p->a->n_tables == MAP_TABLES_MAX)
        return conf_node_err(n, p->e, "more than %d tables in an aggregate", MAP_TABLES_MAX);
    *t = (struct map_table){.at = n, .level = level, .parent = -1, .name = dot + 1};
    t->database = map_text(p->m, n->text, (size_t)(dot - n->text));
    t->alias = t->name;
    if (as && !conf_node_text(as, &t->alias, p->e))
        return false;
    if (!*t->alias || strchr(t->alias, '.'))
        return conf_node_err(as ? as : n, p->e, "an alias has no dots and is not empty");
    for (int i = 0; i < p->a->n_tables; i++)
        if (p->a->tables[i].level == level && strcmp(p->a->tables[i].alias, t->alias) == 0)
            return conf_node_err(n, p->e, "`%s` stands here twice; tell them apart with `as`",
                                 t->alias);
    *index = p->a->n_tables++;
    return true;
}

/* `on: {own column: parent column}`; scope: the level whose tables may be the parent. */
static bool parse_on(struct map_parser *p, const struct conf_node *map, int table, int scope)
{
    const struct conf_node *on = need(p, map, "on", CONF_MAP);
    struct map_table *t = &p->a->tables[table];

    if (!on)
        return false;
    if (on->count == 0 || on->count > MAP_KEY_MAX)
        return conf_node_err(on, p->e, "one to %d columns", MAP_KEY_MAX);
    for (const struct conf_node *n = conf_node_first(on); n; n = conf_node_next(n)) {
        struct map_ref ref;
        int own = map_column_add(p, table, n->key, n);

        if (own < 0 || !map_ref_node(p, scope, n, &ref))
            return false;
        if (ref.table == table)
            return conf_node_err(n, p->e, "links the table to itself; a self-join needs `as`");
        if (t->parent >= 0 && t->parent != ref.table)
            return conf_node_err(n, p->e, "all columns of `on` must belong to one other table");
        t->parent = ref.table;
        t->on[t->n_on] = (int16_t)own;
        t->on_parent[t->n_on++] = ref.column;
    }
    return true;
}

static bool parse_joins(struct map_parser *p, const struct conf_node *map, int level)
{
    const struct conf_node *joins;

    if (!may_have_list(p, map, "joins", &joins))
        return false;
    for (const struct conf_node *n = conf_node_first(joins); n; n = conf_node_next(n)) {
        const struct conf_node *required = conf_node_get(n, "required");
        int table;

        if (n->kind != CONF_MAP)
            return conf_node_err(n, p->e,
                                 "a join is {table: database.table, on: {column: column}}");
        if (!conf_node_keys(n, join_keys, p->e) || !add_table(p, n, level, &table) ||
            !parse_on(p, n, table, level))
            return false;
        p->a->tables[table].joined = true;
        if (required && !conf_node_bool(required, &p->a->tables[table].required, p->e))
            return false;
    }
    return true;
}

/* `key` or `group_by`: the columns that tell elements apart. */
static bool parse_key(struct map_parser *p, const struct conf_node *list, int level)
{
    struct map_level *l = &p->a->levels[level];

    if (list->count == 0 || list->count > MAP_KEY_MAX)
        return conf_node_err(list, p->e, "one to %d columns", MAP_KEY_MAX);
    for (const struct conf_node *n = conf_node_first(list); n; n = conf_node_next(n)) {
        if (!map_ref_node(p, level, n, &l->key[l->n_key]))
            return false;
        if (!l->grouped && l->key[l->n_key].table != l->table)
            return conf_node_err(n, p->e, "a key consists of columns of its own table");
        l->n_key++;
    }
    return true;
}

/* "column" or "column desc". */
static bool parse_order(struct map_parser *p, const struct conf_node *map, int level)
{
    struct map_level *l = &p->a->levels[level];
    const struct conf_node *list;

    if (!may_have_list(p, map, "order_by", &list))
        return false;
    for (const struct conf_node *n = conf_node_first(list); n; n = conf_node_next(n)) {
        struct map_order *o = &l->order[l->n_order];
        const char *text;
        size_t len;

        if (!conf_node_text(n, &text, p->e))
            return false;
        if (l->n_order == MAP_KEY_MAX)
            return conf_node_err(n, p->e, "at most %d columns", MAP_KEY_MAX);
        len = strlen(text);
        o->descending = len > 5 && strcasecmp(text + len - 5, " desc") == 0;
        if (!map_ref_parse(p, level, n, map_text(p->m, text, o->descending ? len - 5 : len),
                           &o->ref))
            return false;
        l->n_order++;
    }
    return true;
}

/* A number of an array's elements; 0 where the key is not there. */
static bool parse_elements(struct map_parser *p, const struct conf_node *n, unsigned min,
                           unsigned max, unsigned *out)
{
    uint64_t number = 0;

    if (!n)
        return true;
    if (n->kind != CONF_SCALAR || conf_value_number(n->text, &number) || number < min ||
        number > max)
        return conf_node_err(n, p->e, "a number of elements, %u to %u", min, max);
    *out = (unsigned)number;
    return true;
}

/* How many elements of the array are shown, and how many a document takes. */
static bool parse_sizes(struct map_parser *p, const struct conf_node *map, int level)
{
    struct map_level *l = &p->a->levels[level];

    return parse_elements(p, conf_node_get(map, "limit"), 1, MAP_LIMIT_MAX, &l->limit) &&
           parse_elements(p, conf_node_get(map, "page"), MAP_PAGE_MIN, MAP_PAGE_MAX, &l->page);
}

static bool level_has_group(const struct aggregate *a, int level)
{
    return level >= 0 && a->levels[level].grouped;
}

/* What the root and an array have in common; the level and its table are there. */
static bool parse_level(struct map_parser *p, const struct conf_node *map, int level)
{
    struct map_level *l = &p->a->levels[level];
    const struct conf_node *key;
    const struct conf_node *group;
    const struct conf_node *where = conf_node_get(map, "where");

    if (!parse_joins(p, map, level) || !may_have_list(p, map, "key", &key) ||
        !may_have_list(p, map, "group_by", &group))
        return false;
    if (level_has_group(p->a, l->parent))
        return conf_node_key_err(map, p->e, "an array inside grouped elements has no one parent");
    if (key && group)
        return conf_node_err(group, p->e, "`key` or `group_by`, not both");
    if (!key && !group)
        return conf_node_err(map, p->e, "`key` is missing: the columns that tell rows apart");
    l->grouped = group != NULL;
    if (!parse_key(p, key ? key : group, level) || !parse_order(p, map, level) ||
        !parse_sizes(p, map, level))
        return false;
    return !where || map_expr_parse(p, level, where, &l->where);
}

static bool add_level(struct map_parser *p, const struct conf_node *map, int parent)
{
    int level = p->a->n_levels;
    struct map_level *l = &p->a->levels[level];

    if (level == MAP_LEVELS_MAX)
        return conf_node_key_err(map, p->e, "more than %d arrays", MAP_LEVELS_MAX - 1);
    *l = (struct map_level){.at = map, .name = map->key, .parent = parent};
    l->depth = parent < 0 ? 0 : p->a->levels[parent].depth + 1;
    if (l->depth >= MAP_DEPTH_MAX)
        return conf_node_key_err(map, p->e, "arrays nest at most %d deep", MAP_DEPTH_MAX - 1);
    p->a->n_levels++;
    if (!conf_node_keys(map, parent < 0 ? root_keys : array_keys, p->e) ||
        !add_table(p, map, level, &l->table))
        return false;
    if (parent >= 0 && !parse_on(p, map, l->table, parent))
        return false;
    return parse_level(p, map, level);
}

/* Levels breadth first, so that a parent stands before its children. */
static bool parse_levels(struct map_parser *p, const struct conf_node *map)
{
    if (!add_level(p, map, -1))
        return false;
    for (int i = 0; i < p->a->n_levels; i++) {
        const struct conf_node *arrays = conf_node_get(p->a->levels[i].at, "arrays");

        if (arrays && arrays->kind != CONF_MAP)
            return conf_node_err(arrays, p->e, "must be a map of arrays by their names");
        for (const struct conf_node *n = conf_node_first(arrays); n; n = conf_node_next(n)) {
            if (n->kind != CONF_MAP)
                return conf_node_err(n, p->e, "must be a map: table, on, key, fields");
            if (!add_level(p, n, i))
                return false;
        }
    }
    for (int i = 0; i < p->a->n_levels; i++)
        if (!map_fields_parse(p, i, p->a->levels[i].at))
            return false;
    return map_page_check(p);
}

static bool is_field_list(const struct conf_node *n)
{
    bool ok = n->kind == CONF_LIST && n->count > 0;

    for (const struct conf_node *field = conf_node_first(n); ok && field;
         field = conf_node_next(field))
        ok = field->kind == CONF_SCALAR && *field->text;
    return ok;
}

static bool parse_indexes(struct map_parser *p, const struct conf_node *aggregate)
{
    const struct conf_node *list;

    if (!may_have_list(p, aggregate, "indexes", &list))
        return false;
    p->a->indexes = list;
    for (const struct conf_node *n = conf_node_first(list); n; n = conf_node_next(n))
        if (!is_field_list(n))
            return conf_node_err(n, p->e, "an index is a list of fields' names in the document");
    return true;
}

static bool parse_aggregate(struct map_parser *p, const struct conf_node *n)
{
    const struct conf_node *collection;

    if (n->kind != CONF_MAP)
        return conf_node_err(n, p->e, "an aggregate is a map: collection, table, key, fields");
    if (p->m->n == MAP_AGGREGATES_MAX)
        return conf_node_err(n, p->e, "more than %d aggregates", MAP_AGGREGATES_MAX);
    collection = need(p, n, "collection", CONF_SCALAR);
    if (!collection)
        return false;
    if (!*collection->text || strchr(collection->text, '$') ||
        strncmp(collection->text, "system.", 7) == 0)
        return conf_node_err(collection, p->e, "no name for a collection");
    for (int i = 0; i < p->m->n; i++)
        if (strcmp(p->m->aggregates[i]->collection, collection->text) == 0)
            return conf_node_err(collection, p->e, "two aggregates for one collection");
    p->a = map_alloc(p->m, sizeof *p->a);
    p->a->collection = collection->text;
    p->m->aggregates[p->m->n++] = p->a;
    if (!parse_levels(p, n) || !parse_indexes(p, n))
        return false;
    p->a->levels[0].name = collection->text;
    return true;
}

struct mapping *mapping_new(const struct conf_node *aggregates, struct err *e)
{
    struct mapping *m = calloc(1, sizeof *m);
    struct map_parser p = {m, NULL, e};
    bool ok = true;

    if (!m) {
        (void)err_set(e, ERR_IO, "out of memory");
        return NULL;
    }
    if (aggregates->kind != CONF_LIST || aggregates->count == 0)
        ok = conf_node_err(aggregates, e, "a list of aggregates, at least one");
    for (const struct conf_node *n = conf_node_first(aggregates); ok && n; n = conf_node_next(n))
        ok = parse_aggregate(&p, n);
    if (ok)
        return m;
    mapping_free(m);
    return NULL;
}

void mapping_free(struct mapping *m)
{
    struct map_memory *next;

    if (!m)
        return;
    for (struct map_memory *piece = m->memory; piece; piece = next) {
        next = piece->next;
        free(piece);
    }
    free(m);
}
