/* Which session variables a SET statement assigns. Pure; any thread. */
#ifndef SQL_ASSIGNED_H
#define SQL_ASSIGNED_H

#include "sql/classify.h"

/* Call `found` with each name: letters, digits and underscores only. NAMES are four variables.
 * Assignments to global and user variables are passed over. False: it is no single SET of variables
 * (SET CHARACTER SET, SET a=1; SELECT 2), or the lexer cannot follow; some names may have been
 * told.
 */
bool sql_assigned(struct span text, struct sql_mode mode,
                  void (*found)(void *ctx, struct span name), void *ctx) MUST_CHECK;

#endif
