/* Which documents a stretch of the binlog touches: sets of root keys, and of the links from changed
 * rows that lead to roots by SQL.
 *
 * A changed row leads to the roots it had before and to those it has after, so whatever moved in
 * the same stretch has left its own trace. Sets only grow until cleared; too large ones turn into
 * "the whole aggregate". One thread. */
#ifndef MIRROR_TOUCH_H
#define MIRROR_TOUCH_H

#include "mirror/mapping/keyset.h"
#include "mirror/mapping/plan.h"
#include "protocol/binlog/binlog_group.h"

struct touched {
    struct keyset roots;
    struct keyset links[MAP_TABLES_MAX]; /* by table use; width 0: walked directly */
    bool all;                            /* the whole aggregate */
    /* Of an aggregate with a paged array, while its rows are told by their elements: */
    struct keyset heads; /* roots whose own fields have changed, and not their pages */
    struct keyset pairs; /* root and element */
    /* By table use: what leads to pairs by SQL, and what did where the stretch began. The latter is
     * of rows that say which element they are in: what showed in an element by others' rows is
     * there still, or those have changed, too. */
    struct keyset pair_links[MAP_TABLES_MAX];
    struct keyset pair_links_before[MAP_TABLES_MAX];
};

struct cascade;
struct touch;

/* The mapping's classes must be known (schema_check). Plans outlive it. NULL: no memory. */
struct touch *touch_new(struct plan *const *plans, int n);
void touch_free(struct touch *t);
void touch_clear(struct touch *t);

/* How rows inside paged arrays are told. */
enum touch_told {
    TOUCH_BY_ROOT,
    /* By their elements, but by the root where only a snapshot from before could say which. */
    TOUCH_BY_ROW,
    /* By their elements. The caller looks t->pair_links_before up in the snapshot where the stretch
     * begins. */
    TOUCH_BY_ELEMENT,
};

/* From now on; call it while nothing is touched. */
void touch_tell(struct touch *t, enum touch_told told);
/* Foreign keys that act, told of each change from now on and cleared with it; NULL: none. The
 * caller's. */
void touch_cascades(struct touch *t, struct cascade *c);
/* Whether some aggregate shows the table; others' rows need not be decoded. */
bool touch_wants(const struct touch *t, const struct binlog_table *table);
/* One changed row. False with `e` where the event does not say what it must (row image or metadata
 * not FULL). */
bool touch_change(struct touch *t, const struct binlog_change *c, struct err *e) MUST_CHECK;
/* A DDL statement; whole aggregates where it may have changed one of their tables. */
void touch_ddl(struct touch *t, const struct binlog_query *q);
/* Whether a change in statement format may concern a mapped table: nobody can know its rows. */
bool touch_statement(const struct touch *t, const struct binlog_query *q);
/* All of it, e.g. after an XA COMMIT. */
void touch_all(struct touch *t);
/* Some aggregates as a whole, a bit each. */
void touch_whole(struct touch *t, uint32_t aggregates);
/* A changed row of a table use, by its handle as SQL prints it (of plan_use_walk). */
void touch_link(struct touch *t, int aggregate, int table, const struct span *handle);

/* A document of which nothing has changed. */
void touch_root(struct touch *t, int aggregate, const struct span *key);

struct touched *touch_of(struct touch *t, int aggregate);
/* Row changes since the last clear, one for each use that shows them. */
uint64_t touch_count(const struct touch *t);
/* Whether nothing is touched. */
bool touch_empty(const struct touch *t);
/* Whether a DDL was among it, so that the schema wants checking again. */
bool touch_schema(const struct touch *t);

#endif
