/* The servers' stored code and views: which functions and views are free of effects, and what may
 * leave things on its connection that the server does not report (sql_body_leaves).
 *
 * Judged by their texts: a function by its body, a view by its query, both with all that they name
 * in turn. A function is free of effects only if that is proved. A view whose text is not known
 * (the monitor's account may not see it) is left to the guard that replicas are read under
 * (docs/decisions/). Names are compared without regard to case, and whatever is spelt with more
 * than plain ASCII counts as equal to anything that is, too. */
#ifndef ROUTING_OBJECTS_H
#define ROUTING_OBJECTS_H

#include "base/ref.h"
#include "sql/lookup.h"

#include <stddef.h>

enum object_kind {
    OBJECT_FUNCTION,
    OBJECT_PROCEDURE,
    OBJECT_LOADABLE, /* CREATE FUNCTION … SONAME: code that nobody can read */
    OBJECT_PACKAGE,
    OBJECT_VIEW,
    OBJECT_TRIGGER, /* by the name of its table */
    OBJECT_KINDS
};

struct object {
    enum object_kind kind;
    char *schema;
    char *name;
    char *text; /* malloc'ed; NULL: not known. Freed once it is judged */
    size_t text_len;
    struct sql_mode mode; /* that the text is to be read in */
    bool acts;            /* of a function or view: not known to be free of effects */
    bool leaves;          /* it may leave something on its connection unreported */
};

/* Immutable once judged; ref-counted, any thread. */
struct objects {
    struct ref ref;
    uint64_t fingerprint;
    struct object *list; /* sorted by name once judged */
    size_t count;
    bool acting_views;     /* there are some */
    bool odd_acting_views; /* … with names that are not plain */
    bool odd_leaving;      /* something leaves things, and its name is not plain */
    bool triggers;         /* all triggers could be seen */
    bool random;           /* a routine, trigger or view may call RAND(), going by its text */
};

struct objects *objects_new(void); /* empty, one reference; NULL: no memory */
void objects_ref(struct objects *o);
void objects_unref(struct objects *o); /* NULL is fine */

/* Judge and sort all. `is_variable` tells system variables; see struct sql_names. */
void objects_judge(struct objects *o, const void *ctx,
                   bool (*is_variable)(const void *ctx, struct span name));

/* What a session with this default schema may know: a view into both, valid as long as they are. */
struct object_names {
    const struct objects *objects;
    struct span schema;
    struct sql_names names;
};
/* Fill it in; answers its names, or NULL where nothing would be found (also for no objects). */
const struct sql_names *objects_names(const struct objects *o, struct span schema,
                                      struct object_names *out);

#endif
