/* Shared by the files that compare the mapping with the schema (schema*.c); nobody else's business.
 */
#ifndef MIRROR_SCHEMA_PART_H
#define MIRROR_SCHEMA_PART_H

#include "base/buf.h"
#include "mirror/mapping/mapping.h"
#include "mirror/source/source.h"

/* A catalogue query that ends in "table_schema = 'd' AND table_name = 'n'" and `tail`, over `head`;
 * `sql` is scratch. NULL with `e`. */
struct rows *schema_ask_table(struct source *s, struct buf *sql, const char *head,
                              const struct map_table *t, const char *tail, struct err *e);

/* Whether the root's key is unique, and what rows are looked up by has indexes; notes which of the
 * links are unique. ERR_USAGE with the CREATE INDEX that is missing. */
bool schema_check_indexes(struct aggregate *a, struct source *s, struct buf *sql,
                          struct err *e) MUST_CHECK;

#endif
