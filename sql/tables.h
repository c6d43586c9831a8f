/* The tables that a statement names: by their places in it (behind FROM, JOIN, INTO, UPDATE, TABLE
 * and the like), not by asking a server. A name too many may be told (a part of a WITH clause,
 * say), none of a query or of DML is missed; of statements that define or administer, those of the
 * usual kinds. Pure; any thread. */
#ifndef SQL_TABLES_H
#define SQL_TABLES_H

#include "sql/classify.h"

/* Whether `is` says yes to one of them; without their quotes, `schema` p NULL where none stands in
 * front. */
bool sql_names_table(struct span text, struct sql_mode mode,
                     bool (*is)(void *ctx, struct span schema, struct span name), void *ctx);

#endif
