#include "mirror/document/sum.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    LIMB_DIGITS = 18,
    DIGITS_MAX = 65 - 22, /* of a number: MariaDB gives its sum 22 more, and no decimal over 65 */
    DECIMALS_MAX = 30,    /* over 38 are cut off in products */
};

static const uint64_t limb_base = 1000000000000000000U;

bool sum_takes(enum value_kind kind, struct value_shape shape)
{
    return (kind == VALUE_INT || kind == VALUE_DECIMAL) && shape.digits <= DIGITS_MAX &&
           shape.decimals <= DECIMALS_MAX;
}

void sum_init(struct sum *s, unsigned decimals)
{
    *s = (struct sum){.decimals = decimals};
}

/* The digits of a number, without its point, into limbs. */
static bool parse(struct span number, unsigned decimals, uint64_t limbs[SUM_LIMBS])
{
    uint64_t unit = 1;
    size_t n = 0; /* digits so far */

    for (size_t i = number.n; i-- > 0;) {
        uint8_t c = number.p[i];

        if (c == '.' && n == decimals && decimals > 0)
            continue;
        if (!isdigit(c) || n == (size_t)SUM_LIMBS * LIMB_DIGITS)
            return false;
        if (n % LIMB_DIGITS == 0)
            unit = 1;
        limbs[n / LIMB_DIGITS] += unit * (uint64_t)(c - '0');
        unit *= 10;
        n++;
    }
    return n > decimals;
}

static void add(uint64_t to[SUM_LIMBS], const uint64_t limbs[SUM_LIMBS])
{
    uint64_t carry = 0;

    for (int i = 0; i < SUM_LIMBS; i++) {
        to[i] += limbs[i] + carry;
        carry = to[i] >= limb_base;
        to[i] -= carry ? limb_base : 0;
    }
}

bool sum_add(struct sum *s, struct span number)
{
    uint64_t limbs[SUM_LIMBS] = {0};
    bool negative = number.n > 0 && *number.p == '-';

    if (negative) {
        number.p++;
        number.n--;
    }
    if (!parse(number, s->decimals, limbs))
        return false;
    add(negative ? s->minus : s->plus, limbs);
    return true;
}

static bool less(const uint64_t a[SUM_LIMBS], const uint64_t b[SUM_LIMBS])
{
    for (int i = SUM_LIMBS; i-- > 0;)
        if (a[i] != b[i])
            return a[i] < b[i];
    return false;
}

/* The larger one without the smaller. */
static void subtract(const uint64_t a[SUM_LIMBS], const uint64_t b[SUM_LIMBS],
                     uint64_t out[SUM_LIMBS])
{
    uint64_t borrow = 0;

    for (int i = 0; i < SUM_LIMBS; i++) {
        uint64_t off = b[i] + borrow;

        borrow = a[i] < off;
        out[i] = a[i] + (borrow ? limb_base : 0) - off;
    }
}

struct span sum_text(const struct sum *s, char out[SUM_TEXT_MAX])
{
    bool negative = less(s->plus, s->minus);
    uint64_t limbs[SUM_LIMBS];
    char digits[SUM_LIMBS * LIMB_DIGITS + 1];
    const char *begin = digits;
    size_t whole = sizeof digits - 1 - s->decimals;
    int n;

    subtract(negative ? s->minus : s->plus, negative ? s->plus : s->minus, limbs);
    for (int i = 0; i < SUM_LIMBS; i++)
        (void)snprintf(digits + (size_t)i * LIMB_DIGITS, LIMB_DIGITS + 1, "%018" PRIu64,
                       limbs[SUM_LIMBS - 1 - i]);
    for (; whole > 1 && *begin == '0'; begin++)
        whole--;
    n = snprintf(out, SUM_TEXT_MAX, "%s%.*s%s%s", negative ? "-" : "", (int)whole, begin,
                 s->decimals ? "." : "", begin + whole);
    return (struct span){(const uint8_t *)out, (size_t)n};
}
