/* To-one joins that the mirror makes: tables that are small are read once, by the key that rows are
 * linked by, and give each row its values. A hash join, as MariaDB has none that is as cheap. One
 * thread. */
#ifndef MIRROR_JOIN_H
#define MIRROR_JOIN_H

#include "mirror/mapping/plan.h"
#include "mirror/source/source.h"

struct joins;

/* Of all tables of the plan that are small enough, as the source's snapshot has them. NULL with
 * `e`. */
struct joins *joins_load(const struct plan *p, struct source *s, struct err *e) MUST_CHECK;
/* None yet; NULL: no memory. */
struct joins *joins_new(const struct plan *p);
/* Take over the rows of plan->joins[join].select, whose cells stay where they are. False, with the
 * rows freed, where they are too many or no integers tell them apart: MariaDB makes that join. */
bool joins_take(struct joins *j, int join, struct rows *rows);
/* NULL is fine. */
void joins_free(struct joins *j);
/* The statement that a level's rows are to be read by (as plan_head); `j` NULL: no joins here. */
const char *joins_head(const struct joins *j, const struct plan *p, int level);
/* Rows that were read by it, with what it left out; takes them over. NULL with `e`, they freed. */
struct rows *joins_rows(const struct joins *j, int level, struct rows *rows,
                        struct err *e) MUST_CHECK;

#endif
