/* Whether a statement's text concerns a table. Conservative: a word that looks like the name is the
 * name, wherever it stands. Pure. */
#ifndef MIRROR_DDL_H
#define MIRROR_DDL_H

#include "base/cursor.h"

enum ddl_scope {
    DDL_NOTHING,  /* no table's rows or columns change: GRANT, CREATE INDEX, CREATE VIEW, … */
    DDL_TABLE,    /* TRUNCATE, and ALTER, CREATE, DROP, RENAME of tables */
    DDL_DATABASE, /* of databases */
};

/* What the statement is about. What isn't known is DDL_TABLE. */
enum ddl_scope ddl_scope(struct span sql);

/* Whether `name` stands in `sql` as a word, in any case. */
bool ddl_mentions(struct span sql, const char *name);

#endif
