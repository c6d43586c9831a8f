/* What a classification may be told of names that only the servers know: stored functions and
 * views.
 */
#ifndef SQL_LOOKUP_H
#define SQL_LOOKUP_H

#include "sql/classify.h"

/* What the servers know of names: answers for texts as they stand in a statement, without their
 * quotes. A name that is spelt in a way nobody can be sure of gets the careful answer. */
struct sql_names {
    const void *ctx;
    /* All answers are the same where these two are. */
    uint64_t version;
    struct span schema; /* the default one */
    /* Every function that a call of this name may mean is known to have no effect. `schema` p NULL:
     * none stands in front. */
    bool (*function_reads)(const void *ctx, struct span schema, struct span name);
    /* Whether it may be a view of which that is not known. NULL: there are no such views. */
    bool (*view_acts)(const void *ctx, struct span name);
    /* Whether it may be a routine, a view or a table with triggers that leaves something on its
     * connection which the server does not report: see sql_body_leaves. */
    bool (*leaves)(const void *ctx, struct span name);
    /* Every procedure that a CALL of this name may mean is known to leave no such thing. */
    bool (*procedure_reported)(const void *ctx, struct span schema, struct span name);
    /* Whether a SET of it in a routine changes a system variable. */
    bool (*is_variable)(const void *ctx, struct span name);
};

/* Whether a stored function with this body reads its arguments and tables and does nothing else:
 * judged by the body, for a declaration (READS SQL DATA) proves nothing. */
bool sql_routine_reads(struct span body, struct sql_mode mode, const struct sql_names *names);

/* Whether a routine, a trigger or a view with this text may leave a temporary table, a role or an
 * XA transaction on its connection, or hide from the proxy what it changes; itself, or by what it
 * names (`names->leaves`). */
bool sql_body_leaves(struct span body, struct sql_mode mode, const struct sql_names *names);

#endif
