/* The SQL for parts of a paged array. Pure text; see plan.h. */
#ifndef MIRROR_PLAN_PAGE_H
#define MIRROR_PLAN_PAGE_H

#include "mirror/mapping/plan.h"

/* plan_head for a range of a root's elements. Inside of the array MariaDB chooses where it begins,
 * for the elements are few of many; not where the array's own rows name their element: there the
 * order of the tables is good, the root's one row, then by an index the array's in the range. */
void plan_page_head(struct buf *out, const struct plan *p, int level);
/* " AND …": the element is at least `from` and less than `to`; NULL: no such end. */
void plan_range(struct buf *out, const struct plan *p, const struct span *from,
                const struct span *to);

/* Whether elements can be read by their keys: the array's own rows name them, and the keys are
 * integers. The schema must have been seen. */
bool plan_by_element(const struct plan *p);
/* "SELECT … FROM changed, … WHERE …": what a level inside of the array has of the
 * elements in a table `changed`, pairs of root and element (plan_rows_add). */
void plan_changed_head(struct buf *out, const struct plan *p, int level);

#endif
