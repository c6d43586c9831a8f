#include "conf/read.h"

#include "conf/hint.h"
#include "conf/schema.h"
#include "conf/value.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Rows under `prefix` read from `root` into `base`: struct conf, or one element of a list. */
struct scope {
    struct conf_doc *doc;
    const char *prefix;
    const struct conf_node *root;
    unsigned char *base;
    struct err *e;
};

/* A list's place in struct conf and the shape of its elements. */
struct list_shape {
    const char *path;
    size_t count_at;
    size_t element;
};

static const struct list_shape lists[] = {
    {"listeners", offsetof(struct conf, listener_count), sizeof(struct conf_listener)},
    {"servers", offsetof(struct conf, server_count), sizeof(struct conf_server)},
    {"rules", offsetof(struct conf, rule_count), sizeof(struct conf_rule)},
};

static bool unknown_key(const struct conf_node *n, const char *const *keys, struct err *e)
{
    const char *near = conf_hint_nearest(n->key, keys);
    const char *elsewhere = conf_schema_section_of(n->key);

    if (near)
        return conf_node_key_err(n, e, "unknown key; did you mean %s?", near);
    if (elsewhere)
        return conf_node_key_err(n, e, "unknown key here; did you mean %s?", elsewhere);
    return conf_node_key_err(n, e, "unknown key");
}

/* Whether `n` is a map with nothing but the keys of the section. */
static bool check_section(const struct conf_node *n, const char *path, struct err *e)
{
    const char *keys[SCHEMA_KEYS_MAX];
    size_t k;

    if (n->kind != CONF_MAP)
        return conf_node_err(n, e, "must be a section (key: value lines), not %s",
                             n->text[0] || n->kind != CONF_SCALAR ? conf_kind_name(n->kind)
                                                                  : "empty");
    conf_schema_keys(path, keys);
    for (const struct conf_node *c = n->first; c; c = c->next) {
        for (k = 0; keys[k] && strcmp(keys[k], c->key) != 0; k++)
            ;
        if (!keys[k])
            return unknown_key(c, keys, e);
    }
    return true;
}

/* Whether the section whose path ends at `end` may be left out with all its keys. */
static bool may_be_left_out(const char *path, const char *end)
{
    size_t n = (size_t)(end - path);

    for (size_t i = 0; i < conf_schema_count; i++)
        if (strncmp(conf_schema[i].path, path, n) == 0 && conf_schema[i].path[n] == 0)
            return conf_schema[i].at != SCHEMA_ALWAYS;
    return false;
}

/* The node that a row's path leads to from the scope's root, or NULL; *section is the nearest
 * enclosing node that stands. *skip: an optional section on the way is missing. */
static const struct conf_node *find(const struct scope *s, const struct schema_row *row,
                                    const struct conf_node **section, bool *skip)
{
    const char *rest = row->path + strlen(s->prefix) + (s->prefix[0] ? 1 : 0);
    const struct conf_node *at = s->root;
    char part[64];

    *section = s->root;
    *skip = false;
    for (const char *dot; (dot = strchr(rest, '.')); rest = dot + 1) {
        size_t n = (size_t)(dot - rest);

        assert(n < sizeof part);
        memcpy(part, rest, n);
        part[n] = 0;
        at = conf_node_get(at, part);
        if (at)
            *section = at;
        else if (may_be_left_out(row->path, dot))
            *skip = true;
    }
    return conf_node_get(at, rest);
}

static bool read_limited(const struct schema_row *row, const struct conf_node *n, uint64_t v,
                         struct err *e)
{
    void (*print)(uint64_t, char *, size_t) =
        row->type == SCHEMA_DURATION ? conf_value_print_duration : conf_value_print_size;
    char low[32];
    char high[32];

    if (v >= row->min && v <= row->max)
        return true;
    if (row->type == SCHEMA_NUMBER)
        return conf_node_err(n, e, "must be from %llu to %llu", (unsigned long long)row->min,
                             (unsigned long long)row->max);
    print(row->min, low, sizeof low);
    print(row->max, high, sizeof high);
    return conf_node_err(n, e, "must be from %s to %s", low, high);
}

static bool read_quantity(const struct schema_row *row, const struct conf_node *n, const char *text,
                          void *out, struct err *e)
{
    const char *why;
    uint64_t v;

    if (row->type == SCHEMA_NUMBER)
        why = n && !n->plain ? "must be a number without quotes" : conf_value_number(text, &v);
    else
        why = row->type == SCHEMA_DURATION ? conf_value_duration(text, &v)
                                           : conf_value_size(text, &v);
    if (why) {
        assert(n); /* defaults are right: a test reads them all */
        return conf_node_err(n, e, "%s, not \"%s\"", why, text);
    }
    if (n && !read_limited(row, n, v, e))
        return false;
    if (row->type == SCHEMA_NUMBER)
        *(uint32_t *)out = (uint32_t)v;
    else
        *(uint64_t *)out = v;
    return true;
}

static bool read_choice(const struct schema_row *row, const struct conf_node *n, const char *text,
                        void *out, struct err *e)
{
    const char *near;
    char all[128]; /* the words are few and short: conf/schema.c */
    size_t used = 0;

    for (int i = 0; row->words[i]; i++) {
        if (strcmp(row->words[i], text) == 0) {
            *(int *)out = i; /* enums are as wide as int, and these start at 0 */
            return true;
        }
    }
    assert(n);
    near = conf_hint_nearest(text, row->words);
    if (near)
        return conf_node_err(n, e, "unknown value \"%s\"; did you mean %s?", text, near);
    for (int i = 0; row->words[i]; i++)
        used +=
            (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", row->words[i]);
    return conf_node_err(n, e, "unknown value \"%s\"; one of %s", text, all);
}

static bool read_address(const struct scope *s, const struct schema_row *row,
                         const struct conf_node *n, struct conf_address *out)
{
    char host[CONF_HOST_MAX];
    uint32_t port;
    const char *why = conf_value_address(n->text, host, &port);

    if (why)
        return conf_node_err(n, s->e, "\"%s\" %s", n->text, why);
    if (row->type == SCHEMA_LISTEN && !conf_value_numeric(host))
        return conf_node_err(n, s->e,
                             "\"%s\" is a name; listen on a numeric address such as "
                             "127.0.0.1:%u or 0.0.0.0:%u",
                             n->text, port, port);
    *out = (struct conf_address){conf_doc_printf(s->doc, "%s", host), port, n->text};
    return true;
}

static bool read_text(const struct schema_row *row, const struct conf_node *n, const char *text,
                      void *out, struct err *e)
{
    const char *why = row->type == SCHEMA_NAME ? conf_value_name(text) : NULL;
    size_t length = strlen(text);

    if (n && length < row->min)
        return conf_node_err(n, e, "must not be empty");
    if (n && length > row->max)
        return conf_node_err(n, e, "is longer than %llu bytes", (unsigned long long)row->max);
    if (n && why)
        return conf_node_err(n, e, "%s", why);
    if (n && row->type == SCHEMA_PATH && text[0] != '/')
        return conf_node_err(n, e, "must be an absolute path");
    *(const char **)out = text;
    return true;
}

/* `n` is NULL where the default is read. */
static bool read_scalar(const struct scope *s, const struct schema_row *row,
                        const struct conf_node *n)
{
    void *out = s->base + row->at;
    const char *text = row->fallback;

    if (n && n->kind != CONF_SCALAR)
        return conf_node_err(n, s->e, "must be one value, not %s", conf_kind_name(n->kind));
    if (n && row->type == SCHEMA_BOOL)
        return conf_node_bool(n, out, s->e);
    if (n && !conf_node_text(n, &text, s->e))
        return false;
    switch (row->type) {
    case SCHEMA_BOOL:
        *(bool *)out = strcmp(text, "true") == 0;
        return true;
    case SCHEMA_NUMBER:
    case SCHEMA_DURATION:
    case SCHEMA_SIZE:
        return read_quantity(row, n, text, out, s->e);
    case SCHEMA_CHOICE:
        return read_choice(row, n, text, out, s->e);
    case SCHEMA_ADDRESS:
    case SCHEMA_LISTEN:
        assert(n); /* there is no default address */
        return read_address(s, row, n, out);
    default:
        return read_text(row, n, text, out, s->e);
    }
}

static bool check_list(const struct schema_row *row, const struct conf_node *n, struct err *e)
{
    if (n->kind != CONF_LIST)
        return conf_node_err(n, e, "must be a list (lines that begin with \"- \")");
    if (n->count < row->min)
        return conf_node_err(n, e, "must not be empty");
    if (n->count > row->max)
        return conf_node_err(n, e, "has %zu entries, %llu are allowed", n->count,
                             (unsigned long long)row->max);
    return true;
}

static bool read_tree(const struct scope *s, const struct schema_row *row,
                      const struct conf_node *n)
{
    assert(n); /* it has no default */
    if (!check_list(row, n, s->e))
        return false;
    *(const struct conf_node **)(void *)(s->base + row->at) = n;
    return true;
}

/* None where the key does not stand. */
static bool read_networks(const struct scope *s, const struct schema_row *row,
                          const struct conf_node *n)
{
    struct conf_networks out = {0, NULL};

    if (n && !check_list(row, n, s->e))
        return false;
    if (n)
        out.all = conf_doc_alloc(s->doc, n->count * sizeof *out.all);
    for (const struct conf_node *c = conf_node_first(n); c; c = conf_node_next(c)) {
        const char *text;
        const char *why;

        if (!conf_node_text(c, &text, s->e))
            return false;
        why = conf_network_parse(text, &out.all[out.count++]);
        if (why)
            return conf_node_err(c, s->e, "\"%s\" %s", text, why);
    }
    memcpy(s->base + row->at, &out, sizeof out);
    return true;
}

/* One text is a list of one. None where the key does not stand. */
static bool read_texts(const struct scope *s, const struct schema_row *row,
                       const struct conf_node *n)
{
    struct conf_texts out = {0, NULL};
    bool list = n && n->kind == CONF_LIST;
    const struct conf_node *c = list ? conf_node_first(n) : n;

    if (list && n->count == 0)
        return conf_node_err(n, s->e, "must not be empty");
    if (n)
        out.all = conf_doc_alloc(s->doc, (list ? n->count : 1) * sizeof *out.all);
    for (; c; c = list ? conf_node_next(c) : NULL) {
        const char *text;

        if (!conf_node_text(c, &text, s->e) ||
            !read_text(row, c, text, &out.all[out.count++], s->e))
            return false;
    }
    memcpy(s->base + row->at, &out, sizeof out);
    return true;
}

static bool missing(const struct conf_node *section, const struct schema_row *row, struct err *e)
{
    const char *dot = strrchr(row->path, '.');

    return conf_node_key_err(section, e, "%s is missing", dot ? dot + 1 : row->path);
}

/* One row that is not a list of sections. */
static bool read_row(const struct scope *s, const struct schema_row *row)
{
    const struct conf_node *section;
    const struct conf_node *n;
    bool skip;

    n = find(s, row, &section, &skip);
    if (skip)
        return true;
    if (row->type == SCHEMA_MAP) {
        if (row->at != SCHEMA_ALWAYS)
            *(bool *)(s->base + row->at) = n != NULL;
        return !n || check_section(n, row->path, s->e);
    }
    if (!n && !row->fallback)
        return missing(section, row, s->e);
    if (row->type == SCHEMA_TREE)
        return read_tree(s, row, n);
    if (row->type == SCHEMA_NETWORKS)
        return read_networks(s, row, n);
    if (row->type == SCHEMA_TEXTS)
        return read_texts(s, row, n);
    return read_scalar(s, row, n);
}

static bool read_element(const struct scope *s)
{
    size_t n = strlen(s->prefix);

    if (!check_section(s->root, s->prefix, s->e))
        return false;
    for (size_t i = 0; i < conf_schema_count; i++) {
        const char *path = conf_schema[i].path;

        if (strncmp(path, s->prefix, n) == 0 && path[n] == '.' && !read_row(s, &conf_schema[i]))
            return false;
    }
    return true;
}

static const struct list_shape *shape_of(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        if (strcmp(lists[i].path, path) == 0)
            return &lists[i];
    assert(false);
    return NULL;
}

static bool read_list(const struct scope *s, const struct schema_row *row)
{
    const struct conf_node *n = conf_node_get(s->root, row->path);
    const struct list_shape *shape = shape_of(row->path);
    struct scope element = *s;

    if (!n)
        return true;
    if (!check_list(row, n, s->e))
        return false;
    element.prefix = conf_doc_printf(s->doc, "%s[]", row->path);
    element.base = conf_doc_alloc(s->doc, (n->count + 1) * shape->element);
    memcpy(s->base + row->at, &element.base, sizeof element.base);
    memcpy(s->base + shape->count_at, &n->count, sizeof n->count);
    for (const struct conf_node *c = n->first; c; c = c->next) {
        element.root = c;
        if (!read_element(&element))
            return false;
        element.base += shape->element;
    }
    return true;
}

bool conf_read(struct conf_doc *d, struct conf *c, struct err *e)
{
    struct scope s = {d, "", conf_doc_root(d), (unsigned char *)c, e};

    if (!check_section(s.root, "", e))
        return false;
    for (size_t i = 0; i < conf_schema_count; i++) {
        const struct schema_row *row = &conf_schema[i];

        if (strstr(row->path, "[]"))
            continue;
        if (!(row->type == SCHEMA_LIST ? read_list : read_row)(&s, row))
            return false;
    }
    return true;
}
