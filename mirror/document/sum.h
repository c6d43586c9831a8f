/* Exact sums of decimal numbers, as MariaDB's SUM has them. */
#ifndef MIRROR_SUM_H
#define MIRROR_SUM_H

#include "mirror/document/rows.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SUM_LIMBS = 4,
    SUM_TEXT_MAX = 80, /* bytes, with the NUL */
};

struct sum {
    unsigned decimals; /* of each number or product, and of the sum */
    /* Of the positive numbers and of the negative ones; the lowest limb first. */
    uint64_t plus[SUM_LIMBS], minus[SUM_LIMBS];
};

/* Whether sums of such numbers have no more digits than MariaDB's may have. */
bool sum_takes(enum value_kind kind, struct value_shape shape);
void sum_init(struct sum *s, unsigned decimals);
/* A number as MariaDB prints it. False where it is none, or has other decimals or too many digits.
 */
bool sum_add(struct sum *s, struct span number);
/* The product of two numbers that have the sum's decimals together. */
bool sum_add_product(struct sum *s, struct span a, struct span b);
/* The sum so far, printed as MariaDB does; good while `out` is. */
struct span sum_text(const struct sum *s, char out[SUM_TEXT_MAX]);

#endif
