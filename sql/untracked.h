/* The variables of which a SET leaves the server's reports wrong. */
#ifndef SQL_UNTRACKED_H
#define SQL_UNTRACKED_H

#include "sql/classify.h"

/* Told of each name, as it stands in the text or static. */
typedef void sql_untracked_fn(void *ctx, struct span name);

/* For a text whose class has SQL_EFFECT_UNTRACKED or SQL_EFFECT_RESTORES: the variables of SET
 * CHARACTER SET, SET NAMES DEFAULT, SET @@name; those of SET STATEMENT. False: there may be more
 * than can be named. */
bool sql_untracked(struct span text, struct sql_mode mode, sql_untracked_fn *tell, void *ctx);

/* "@@name", not "@@session.name" or "@@global.name": MariaDB sets the session's variable and does
 * not report it. */
bool sql_scope_is_unsaid(struct span variable);

#endif
