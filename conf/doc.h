/* The inside of a document: for node.c and yaml.c alone. */
#ifndef CONF_DOC_H
#define CONF_DOC_H

#include "conf/node.h"

/* One piece of memory of the document; the bytes follow. */
struct conf_piece {
    struct conf_piece *next;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct conf_doc {
    struct conf_piece *pieces;
    const char *name;
    struct conf_node *root;
};

/* Build d->root from the bytes. */
bool conf_yaml_parse(struct conf_doc *d, const void *data, size_t n, struct err *e) MUST_CHECK;

#endif
