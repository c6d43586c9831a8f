/* libyaml's events to nodes. An explicit stack instead of recursion, and limits on everything, so
 * that no file can take more than it should. */
#include "conf/doc.h"

#include <assert.h>
#include <string.h>
#include <yaml.h>

enum { DEPTH_MAX = 32, NODES_MAX = 20000, KEYS_MAX = 1000 };

/* One open list or map. */
struct level {
    struct conf_node *node;
    struct conf_node *last; /* child */
    const char *key;        /* map: read, its value not yet */
    unsigned key_line, key_column;
};

struct builder {
    struct conf_doc *doc;
    struct err *e;
    struct level stack[DEPTH_MAX];
    int depth;
    size_t nodes;
    struct conf_node *root;
};

static bool fail_at(struct builder *b, yaml_mark_t at, const char *what)
{
    return err_set(b->e, ERR_USAGE, "%s:%zu:%zu: %s", b->doc->name, at.line + 1, at.column + 1,
                   what);
}

/* Where the next node belongs, in words. */
static const char *path_of_next(struct builder *b)
{
    const struct level *top = b->depth > 0 ? &b->stack[b->depth - 1] : NULL;

    if (!top)
        return "";
    if (top->node->kind == CONF_LIST)
        return conf_doc_printf(b->doc, "%s[%zu]", top->node->path, top->node->count);
    if (top->node->path[0] == 0)
        return top->key;
    return conf_doc_printf(b->doc, "%s.%s", top->node->path, top->key);
}

static void attach(struct builder *b, struct conf_node *n)
{
    struct level *top = b->depth > 0 ? &b->stack[b->depth - 1] : NULL;

    if (!top) {
        b->root = n;
        return;
    }
    n->key = top->key;
    n->key_line = top->key_line;
    n->key_column = top->key_column;
    top->key = NULL;
    if (top->last)
        top->last->next = n;
    else
        top->node->first = n;
    top->last = n;
    top->node->count++;
}

static struct conf_node *add_node(struct builder *b, const yaml_event_t *ev, enum conf_kind kind)
{
    struct conf_node *n;

    if (++b->nodes > NODES_MAX) {
        (void)fail_at(b, ev->start_mark, "the file has too many entries");
        return NULL;
    }
    n = conf_doc_alloc(b->doc, sizeof *n);
    n->kind = kind;
    n->file = b->doc->name;
    n->line = (unsigned)ev->start_mark.line + 1;
    n->column = (unsigned)ev->start_mark.column + 1;
    n->text = "";
    n->path = path_of_next(b);
    attach(b, n);
    return n;
}

static bool open_level(struct builder *b, const yaml_event_t *ev, enum conf_kind kind)
{
    struct conf_node *n;

    if (b->depth == DEPTH_MAX)
        return fail_at(b, ev->start_mark, "nested too deeply");
    n = add_node(b, ev, kind);
    if (!n)
        return false;
    b->stack[b->depth++] = (struct level){.node = n};
    return true;
}

static bool take_key(struct builder *b, const yaml_event_t *ev, const char *text)
{
    struct level *top = &b->stack[b->depth - 1];
    const struct conf_node *old = conf_node_get(top->node, text);

    if (old)
        return err_set(b->e, ERR_USAGE,
                       "%s:%zu:%zu: %s: the key stands twice (first in line %u); remove one",
                       b->doc->name, ev->start_mark.line + 1, ev->start_mark.column + 1, old->path,
                       old->key_line);
    if (top->node->count >= KEYS_MAX)
        return fail_at(b, ev->start_mark, "too many keys in one section");
    top->key = text;
    top->key_line = (unsigned)ev->start_mark.line + 1;
    top->key_column = (unsigned)ev->start_mark.column + 1;
    return true;
}

static bool take_scalar(struct builder *b, const yaml_event_t *ev)
{
    const char *value = (const char *)ev->data.scalar.value;
    struct level *top = b->depth > 0 ? &b->stack[b->depth - 1] : NULL;
    struct conf_node *n;
    char *text;

    if (strlen(value) != ev->data.scalar.length)
        return fail_at(b, ev->start_mark, "a NUL character inside a text");
    text = conf_doc_alloc(b->doc, ev->data.scalar.length + 1);
    memcpy(text, value, ev->data.scalar.length);
    if (top && top->node->kind == CONF_MAP && !top->key)
        return take_key(b, ev, text);
    n = add_node(b, ev, CONF_SCALAR);
    if (!n)
        return false;
    n->text = text;
    n->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return true;
}

/* What YAML can do and a configuration does not need. */
static const char *refused(const struct builder *b, const yaml_event_t *ev)
{
    const struct level *top = b->depth > 0 ? &b->stack[b->depth - 1] : NULL;
    bool opens = ev->type == YAML_MAPPING_START_EVENT || ev->type == YAML_SEQUENCE_START_EVENT;

    if (ev->type == YAML_ALIAS_EVENT)
        return "aliases (*name) are not supported; write the value out";
    if (ev->type == YAML_DOCUMENT_START_EVENT && b->root)
        return "a second document; one file is one configuration";
    if (ev->type == YAML_SCALAR_EVENT && (ev->data.scalar.anchor || ev->data.scalar.tag))
        return "anchors (&name) and tags (!name) are not supported";
    if (opens && (ev->type == YAML_MAPPING_START_EVENT
                      ? ev->data.mapping_start.anchor || ev->data.mapping_start.tag
                      : ev->data.sequence_start.anchor || ev->data.sequence_start.tag))
        return "anchors (&name) and tags (!name) are not supported";
    if (opens && top && top->node->kind == CONF_MAP && !top->key)
        return "a key must be a plain text";
    return NULL;
}

static bool take_event(struct builder *b, const yaml_event_t *ev)
{
    const char *why = refused(b, ev);

    if (why)
        return fail_at(b, ev->start_mark, why);
    switch (ev->type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(b, ev);
    case YAML_MAPPING_START_EVENT:
        return open_level(b, ev, CONF_MAP);
    case YAML_SEQUENCE_START_EVENT:
        return open_level(b, ev, CONF_LIST);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        assert(b->depth > 0);
        b->depth--;
        return true;
    default:
        return true;
    }
}

static bool fail_syntax(struct builder *b, const yaml_parser_t *p)
{
    const char *what = p->problem ? p->problem : "cannot be read";

    if (p->error == YAML_MEMORY_ERROR)
        return err_set(b->e, ERR_IO, "%s: out of memory", b->doc->name);
    if (p->error == YAML_READER_ERROR)
        return err_set(b->e, ERR_USAGE, "%s: byte %zu: %s; the file must be UTF-8", b->doc->name,
                       p->problem_offset, what);
    return err_set(b->e, ERR_USAGE, "%s:%zu:%zu: not valid YAML: %s%s%s", b->doc->name,
                   p->problem_mark.line + 1, p->problem_mark.column + 1, what,
                   p->context ? " " : "", p->context ? p->context : "");
}

static bool run(struct builder *b, yaml_parser_t *p)
{
    yaml_event_t ev;
    bool done = false;
    bool ok = true;

    while (ok && !done) {
        if (!yaml_parser_parse(p, &ev))
            return fail_syntax(b, p);
        done = ev.type == YAML_STREAM_END_EVENT;
        ok = take_event(b, &ev);
        yaml_event_delete(&ev);
    }
    return ok;
}

bool conf_yaml_parse(struct conf_doc *d, const void *data, size_t n, struct err *e)
{
    struct builder b = {.doc = d, .e = e};
    yaml_parser_t p;
    bool ok;

    if (!yaml_parser_initialize(&p))
        return err_set(e, ERR_IO, "%s: out of memory", d->name);
    yaml_parser_set_input_string(&p, data, n);
    ok = run(&b, &p);
    yaml_parser_delete(&p);
    if (ok && !b.root)
        return err_set(e, ERR_USAGE, "%s:1:1: the file is empty", d->name);
    d->root = b.root;
    return ok;
}
