/* A YAML document as a tree of nodes that know where they stand, so that whoever interprets one can
 * say so in an error.
 *
 * Every node lives as long as its document (a `struct conf` holds the document it came from).
 * Immutable once parsed: any thread may read. Anchors, aliases, tags and several documents in one
 * file are refused; so are keys that stand twice in one mapping. */
#ifndef CONF_NODE_H
#define CONF_NODE_H

#include "base/compiler.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum conf_kind { CONF_SCALAR, CONF_LIST, CONF_MAP };

struct conf_doc; /* owns nodes and texts */

/* Read-only for everybody but node.c. */
struct conf_node {
    enum conf_kind kind;
    unsigned line, column; /* from 1 */
    const char *file;      /* as the user named it */
    const char *path;      /* "servers[1].address", for errors; "" is the root */
    const char *key;       /* in a map: the key's text, else NULL */
    unsigned key_line, key_column;
    const char *text; /* scalars: NUL-terminated, without a NUL inside; else "" */
    bool plain;       /* scalars: written without quotes */
    size_t count;     /* children of a list or a map, in the file's order */
    struct conf_node *first;
    struct conf_node *next; /* sibling */
};

/* Read a file; NULL with `e` set ("FILE:LINE:COLUMN: what; hint"). The caller frees the document.
 */
struct conf_doc *conf_doc_load(const char *path, struct err *e) MUST_CHECK;
/* The same from memory; `name` stands for the file in errors. */
struct conf_doc *conf_doc_parse(const char *name, const void *data, size_t n,
                                struct err *e) MUST_CHECK;
void conf_doc_free(struct conf_doc *d);
const struct conf_node *conf_doc_root(const struct conf_doc *d);
/* Zeroed memory that lives as long as the document; aborts where there is none. */
void *conf_doc_alloc(struct conf_doc *d, size_t n);
/* printf into such memory. */
const char *conf_doc_printf(struct conf_doc *d, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The value of a key, or NULL; `map` may be NULL or no map (then NULL). */
const struct conf_node *conf_node_get(const struct conf_node *map, const char *key);
/* Elements, or a map's values (with `key`): for (n = conf_node_first(l); n; n = conf_node_next(n))
 */
const struct conf_node *conf_node_first(const struct conf_node *n);
const struct conf_node *conf_node_next(const struct conf_node *n);
const char *conf_kind_name(enum conf_kind k); /* "a text", "a list", "a map" */

/* Fill `e` with "FILE:LINE:COLUMN: PATH: text" (ERR_USAGE) and return false. */
bool conf_node_err(const struct conf_node *n, struct err *e, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* The same, at the node's key instead of its value. */
bool conf_node_key_err(const struct conf_node *n, struct err *e, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Every key of `map` must be one of `keys` (NULL-terminated); else an error at that key, with a
 * "did you mean". */
bool conf_node_keys(const struct conf_node *map, const char *const *keys, struct err *e) MUST_CHECK;

/* Typed reading for interpreters of free-form trees; false with `e` set at the node. */
bool conf_node_text(const struct conf_node *n, const char **out, struct err *e) MUST_CHECK;
bool conf_node_bool(const struct conf_node *n, bool *out, struct err *e) MUST_CHECK;

#endif
