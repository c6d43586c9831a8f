/* The pieces of SQL that plan.c puts together; nobody else's business. A table use is t<number>. */
#ifndef MIRROR_PLAN_PART_H
#define MIRROR_PLAN_PART_H

#include "base/buf.h"
#include "mirror/mapping/mapping.h"
#include "mirror/mapping/plan.h"

/* The levels from the root down to `level`; how many. */
int plan_path_of(const struct aggregate *a, int level, int path[MAP_DEPTH_MAX]);
/* The table uses, a bit each, that a level's rows, their order and their values need. */
uint32_t plan_tables(const struct aggregate *a, int level);
/* Those that an expression names, and all that link table uses to the root. */
uint32_t plan_expr_tables(const struct map_expr *x);
uint32_t plan_with_parents(const struct aggregate *a, uint32_t mask);
void plan_put_expr(struct buf *b, const struct aggregate *a, const struct map_expr *x);
/* The column that the expression is; NULL: it is no column alone. */
const struct map_ref *plan_plain(const struct map_expr *x);
/* Which of a level's columns has such a value as SQL prints it, uncast: one of those that are
 * there, or one more. -1: there is no room for it. */
int plan_column_of(struct plan *p, int level, struct map_ref ref);
/* The same of an expression; always one more. */
int plan_column_more(struct plan *p, int level, const struct map_expr *x);
/* plan->folds, and each level's `lean`. False: no memory. */
bool plan_fold_make(struct plan *p, struct buf *b);
/* The head of a level without its folds, and without such table uses and their values; returns
 * where its tables begin. */
size_t plan_put_lean(struct buf *b, const struct plan *p, int level, uint32_t without);
/* plan->joins, and each level's `bare`. False: no memory. */
bool plan_join_make(struct plan *p, struct buf *b);
/* Each level's `late_head` and `late_tail`. False: no memory. */
bool plan_late_make(struct plan *p, struct buf *b);

void plan_put_ref(struct buf *b, const struct aggregate *a, struct map_ref r);
void plan_put_table(struct buf *b, const struct aggregate *a, int table);
/* "child = parent AND …" */
void plan_put_link(struct buf *b, const struct aggregate *a, int table);
/* The kind of join, a table, and the link of this one or of the one below it. */
void plan_put_join(struct buf *b, const struct aggregate *a, const char *join, int table, int link);
/* The first table bare, the others joined to what stands before them. */
void plan_put_from(struct buf *b, const struct aggregate *a, uint32_t mask);
/* A table and those that it is linked to, up to `top`; these, a bit each. */
uint32_t plan_put_climb(struct buf *b, const struct aggregate *a, int from, int top);
/* A level's key; separator: what stands before its first column, then ", ". */
void plan_put_keys(struct buf *b, const struct aggregate *a, const struct map_level *l,
                   const char **separator);
/* The keys from the root's to the level's own. */
void plan_put_path(struct buf *b, const struct aggregate *a, int level);
/* " ORDER BY …": the path, each level in its order. */
void plan_put_order(struct buf *b, const struct aggregate *a, int level);
/* " AND (…)": the conditions of the level and those around it. */
void plan_put_where(struct buf *b, const struct aggregate *a, int level);
/* The columns of a table use that are the root's key, in its order; false where `on` lacks some. */
bool plan_covers_key(const struct map_level *root, const struct map_table *t, int at[MAP_KEY_MAX]);
/* The text so far, emptied; NULL: no memory. */
char *plan_take(struct buf *b);
/* p->page, of an aggregate that has a paged array. False: no memory. */
bool plan_page_make(struct plan *p, struct buf *b);
void plan_page_free(struct plan_page *p);
void plan_walk_free(struct plan_walk *w);
/* A field's value. */
void plan_put_value(struct buf *b, const struct aggregate *a, const struct map_op *op);

#endif
