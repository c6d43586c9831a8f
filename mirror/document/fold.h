/* Sums over the rows of an array, put into the rows of the level around it: both are fetched
 * anyway, and a subselect for each row costs MariaDB more than fetching them does. */
#ifndef MIRROR_FOLD_H
#define MIRROR_FOLD_H

#include "mirror/document/rows.h"
#include "mirror/mapping/plan.h"

/* The rows of `level` with the sums that plan->folds has for it in their columns; rows[] are those
 * of all levels, in order and not read yet, and outlive it. Takes rows[level] over, with which it
 * is freed. NULL with `e`, rows[level] freed. */
struct rows *fold_rows(const struct plan *p, int level, struct rows *const *rows,
                       struct err *e) MUST_CHECK;

#endif
