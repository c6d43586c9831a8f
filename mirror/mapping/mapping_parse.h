/* Shared by the files that read the mapping (mapping*.c); nobody else's business. */
#ifndef MIRROR_MAPPING_PARSE_H
#define MIRROR_MAPPING_PARSE_H

#include "mirror/mapping/mapping.h"

struct map_parser {
    struct mapping *m;
    struct aggregate *a;
    struct err *e;
};

/* Zeroed memory that lives as long as the mapping; aborts where there is none. */
void *map_alloc(struct mapping *m, size_t n);
const char *map_text(struct mapping *m, const char *p, size_t n);

/* A use's column by name, added where it is new; -1 with the error where there are too many. */
int map_column_add(struct map_parser *p, int table, const char *name, const struct conf_node *at);

/* "column" (of the level's own table) or "Alias.column", seen from a level: its tables, then those
 * of the levels around it. */
bool map_ref_parse(struct map_parser *p, int level, const struct conf_node *at, const char *text,
                   struct map_ref *out) MUST_CHECK;
/* The same from a node that must be a text. */
bool map_ref_node(struct map_parser *p, int level, const struct conf_node *n,
                  struct map_ref *out) MUST_CHECK;
/* SQL with {references} in it. */
bool map_expr_parse(struct map_parser *p, int level, const struct conf_node *n,
                    struct map_expr *out) MUST_CHECK;
/* One column as an expression. */
void map_expr_column(struct map_parser *p, const struct conf_node *at, struct map_ref ref,
                     struct map_expr *out);

/* The aggregate's paged array, if it has one: whether a change of one element can be told from the
 * rows alone. */
bool map_page_check(struct map_parser *p) MUST_CHECK;

/* Fields and arrays of a level, into its ops. */
bool map_fields_parse(struct map_parser *p, int level, const struct conf_node *node) MUST_CHECK;

#endif
