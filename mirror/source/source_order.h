/* The order of a result's rows; for source.c. */
#ifndef MIRROR_SOURCE_ORDER_H
#define MIRROR_SOURCE_ORDER_H

#include "base/compiler.h"

#include <stdbool.h>

struct st_mysql_res;

/* Put the rows of a stored result of which none was read in the order of their first n columns,
 * which are numbers; NULLs first. False: no memory. */
bool source_order(struct st_mysql_res *result, int n) MUST_CHECK;

#endif
