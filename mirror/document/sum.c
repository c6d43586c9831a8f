#include "mirror/document/sum.h"

#include <ctype.h>
#include <string.h>

enum {
    LIMB_DIGITS = 18,
    SUM_DIGITS = SUM_LIMBS * LIMB_DIGITS,
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

/* All digits, the highest first. */
static void print(const uint64_t limbs[SUM_LIMBS], char digits[SUM_DIGITS])
{
    memset(digits, '0', SUM_DIGITS);
    for (int i = 0; i < SUM_LIMBS; i++) {
        char *end = digits + SUM_DIGITS - (size_t)i * LIMB_DIGITS;

        for (uint64_t left = limbs[i]; left; left /= 10)
            *--end = (char)('0' + left % 10);
    }
}

static char *put(char *to, const char *from, size_t n)
{
    memcpy(to, from, n);
    return to + n;
}

struct span sum_text(const struct sum *s, char out[SUM_TEXT_MAX])
{
    bool negative = less(s->plus, s->minus);
    uint64_t limbs[SUM_LIMBS];
    char digits[SUM_DIGITS];
    size_t point = SUM_DIGITS - s->decimals;
    size_t begin = 0;
    char *to = out;

    subtract(negative ? s->minus : s->plus, negative ? s->plus : s->minus, limbs);
    print(limbs, digits);
    while (begin + 1 < point && digits[begin] == '0')
        begin++;
    to = put(to, "-", negative);
    to = put(to, digits + begin, point - begin);
    to = put(to, ".", s->decimals > 0);
    to = put(to, digits + point, s->decimals);
    *to = '\0';
    return (struct span){(const uint8_t *)out, (size_t)(to - out)};
}
