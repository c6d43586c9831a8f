#include "conf/node.h"

#include "base/buf.h"
#include "conf/doc.h"
#include "conf/file.h"
#include "conf/hint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *conf_doc_alloc(struct conf_doc *d, size_t n)
{
    struct conf_piece *piece = calloc(1, sizeof *piece + n);

    if (!piece)
        abort(); /* at most a few megabytes, at start or reload */
    piece->next = d->pieces;
    d->pieces = piece;
    return piece->bytes;
}

const char *conf_doc_printf(struct conf_doc *d, const char *fmt, ...)
{
    va_list ap;
    va_list again;
    char *text;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n < 0)
        abort();
    text = conf_doc_alloc(d, (size_t)n + 1);
    (void)vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return text;
}

struct conf_doc *conf_doc_parse(const char *name, const void *data, size_t n, struct err *e)
{
    struct conf_doc *d = calloc(1, sizeof *d);

    if (!d) {
        (void)err_set(e, ERR_IO, "%s: out of memory", name);
        return NULL;
    }
    d->name = conf_doc_printf(d, "%s", name);
    if (conf_yaml_parse(d, data, n, e))
        return d;
    conf_doc_free(d);
    return NULL;
}

struct conf_doc *conf_doc_load(const char *path, struct err *e)
{
    struct buf text = buf_with_max(CONF_FILE_MAX);
    struct conf_doc *d = NULL;

    if (conf_file_read(path, false, &text, e))
        d = conf_doc_parse(path, text.data, text.len, e);
    buf_free(&text);
    return d;
}

void conf_doc_free(struct conf_doc *d)
{
    struct conf_piece *next;

    if (!d)
        return;
    for (struct conf_piece *p = d->pieces; p; p = next) {
        next = p->next;
        free(p);
    }
    free(d);
}

const struct conf_node *conf_doc_root(const struct conf_doc *d)
{
    return d->root;
}

const struct conf_node *conf_node_get(const struct conf_node *map, const char *key)
{
    if (!map || map->kind != CONF_MAP)
        return NULL;
    for (const struct conf_node *n = map->first; n; n = n->next)
        if (strcmp(n->key, key) == 0)
            return n;
    return NULL;
}

const struct conf_node *conf_node_first(const struct conf_node *n)
{
    return n ? n->first : NULL;
}

const struct conf_node *conf_node_next(const struct conf_node *n)
{
    return n->next;
}

const char *conf_kind_name(enum conf_kind k)
{
    static const char *const names[] = {"a text", "a list", "a map"};

    return names[k];
}

static void fill(const struct conf_node *n, bool at_key, struct err *e, const char *text)
{
    bool key = at_key && n->key;

    (void)err_set(e, ERR_USAGE, "%s:%u:%u: %s%s%s", n->file, key ? n->key_line : n->line,
                  key ? n->key_column : n->column, n->path, n->path[0] ? ": " : "", text);
}

bool conf_node_err(const struct conf_node *n, struct err *e, const char *fmt, ...)
{
    char text[sizeof e->text];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fill(n, false, e, text);
    return false;
}

bool conf_node_key_err(const struct conf_node *n, struct err *e, const char *fmt, ...)
{
    char text[sizeof e->text];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fill(n, true, e, text);
    return false;
}

static bool known(const char *const *keys, const char *key)
{
    for (; *keys; keys++)
        if (strcmp(*keys, key) == 0)
            return true;
    return false;
}

bool conf_node_keys(const struct conf_node *map, const char *const *keys, struct err *e)
{
    const char *near;

    if (map->kind != CONF_MAP)
        return conf_node_err(map, e, "must be a map (key: value), not %s",
                             conf_kind_name(map->kind));
    for (const struct conf_node *n = map->first; n; n = n->next) {
        if (known(keys, n->key))
            continue;
        near = conf_hint_nearest(n->key, keys);
        if (near)
            return conf_node_key_err(n, e, "unknown key; did you mean %s?", near);
        return conf_node_key_err(n, e, "unknown key");
    }
    return true;
}

bool conf_node_text(const struct conf_node *n, const char **out, struct err *e)
{
    if (n->kind != CONF_SCALAR)
        return conf_node_err(n, e, "must be a text, not %s", conf_kind_name(n->kind));
    if (n->plain && (n->text[0] == 0 || strcmp(n->text, "~") == 0 || strcmp(n->text, "null") == 0))
        return conf_node_err(n, e, "has no value");
    *out = n->text;
    return true;
}

bool conf_node_bool(const struct conf_node *n, bool *out, struct err *e)
{
    if (n->kind != CONF_SCALAR || !n->plain ||
        (strcmp(n->text, "true") != 0 && strcmp(n->text, "false") != 0))
        return conf_node_err(n, e, "must be true or false");
    *out = n->text[0] == 't';
    return true;
}
