/* What the mirror makes of a level's rows instead of MariaDB: sums, and to-one joins. Of struct
 * plan, which is in plan.h. */
#ifndef MIRROR_PLAN_ROWS_H
#define MIRROR_PLAN_ROWS_H

#include "mirror/mapping/mapping.h"

enum { PLAN_FOLDS_MAX = 16, PLAN_EXTRAS_MAX = 24, PLAN_JOINS_MAX = 8, PLAN_JOINED_MAX = 32 };

struct plan;

/* A column behind the values of a level's rows, of which the mirror makes others. */
struct plan_extra {
    struct map_expr expr;
    struct map_piece one; /* of an expression of our own */
};

/* A sum over an array that the mirror can make of the array's rows. */
struct plan_fold {
    const struct map_op *op;
    int level, column; /* where it stands in the rows around */
    int child, child_column;
    int child_factor; /* the column that the other one is multiplied by; -1: none */
};

/* A to-one join that the mirror can make of the table's rows. */
struct plan_join {
    int table;
    char *select;            /* "SELECT on, values FROM table" */
    int at[MAP_KEY_MAX];     /* the columns of the level's rows that are equal to `on` … */
    int to[PLAN_JOINED_MAX]; /* … and those that the values are */
    int n_to;
};

/* Whether the mirror makes the sums of plan->folds: their numbers are exact. */
bool plan_lean(const struct plan *p);
/* Whether the mirror can make a join as MariaDB does: one row at most, linked by integers. */
bool plan_join_fits(const struct plan *p, const struct plan_join *j);
/* Whether an expression is of columns, numbers, +, - and * alone: then what is printed of an exact
 * value is all of it (a division has more digits than it shows). */
bool plan_arithmetic(const struct map_expr *x);

#endif
