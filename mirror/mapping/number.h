/* Numbers as SQL prints them. */
#ifndef MIRROR_NUMBER_H
#define MIRROR_NUMBER_H

#include "base/cursor.h"

/* An integer without leading zeros. */
struct span number_plain(struct span s);
/* <0, 0, >0: two numbers of one column, that is with as many decimals. */
int number_compare(struct span a, struct span b);
/* The same of keys of n such columns, the first before the others. */
int number_compare_keys(const struct span *a, const struct span *b, int n);

#endif
