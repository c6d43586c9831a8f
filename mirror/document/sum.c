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
static const uint64_t half_base = 1000000000U;

bool sum_takes(enum value_kind kind, struct value_shape shape)
{
    return (kind == VALUE_INT || kind == VALUE_DECIMAL) && shape.digits <= DIGITS_MAX &&
           shape.decimals <= DECIMALS_MAX;
}

void sum_init(struct sum *s, unsigned decimals)
{
    *s = (struct sum){.decimals = decimals};
}

/* The digits of a number, without its point, into limbs; how many of them stood behind it. */
static bool parse(struct span number, unsigned *decimals, uint64_t limbs[SUM_LIMBS])
{
    uint64_t unit = 1;
    unsigned n = 0; /* digits so far */

    *decimals = 0;
    for (size_t i = number.n; i-- > 0;) {
        uint8_t c = number.p[i];

        if (c == '.' && n > 0 && *decimals == 0) {
            *decimals = n;
            continue;
        }
        if (!isdigit(c) || n == SUM_DIGITS)
            return false;
        if (n % LIMB_DIGITS == 0)
            unit = 1;
        limbs[n / LIMB_DIGITS] += unit * (uint64_t)(c - '0');
        unit *= 10;
        n++;
    }
    return n > *decimals;
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

/* Without its sign; whether that was a minus. */
static bool take_sign(struct span *number)
{
    bool negative = number->n > 0 && *number->p == '-';

    if (negative) {
        number->p++;
        number->n--;
    }
    return negative;
}

bool sum_add(struct sum *s, struct span number)
{
    uint64_t limbs[SUM_LIMBS] = {0};
    bool negative = take_sign(&number);
    unsigned decimals;

    if (!parse(number, &decimals, limbs) || decimals != s->decimals)
        return false;
    add(negative ? s->minus : s->plus, limbs);
    return true;
}

/* Into halves, the lowest first; how many of them are needed. */
static int halve(const uint64_t limbs[SUM_LIMBS], uint64_t halves[2 * SUM_LIMBS])
{
    int n = 0;

    for (int i = 0; i < 2 * SUM_LIMBS; i++) {
        halves[i] = i % 2 ? limbs[i / 2] / half_base : limbs[i / 2] % half_base;
        n = halves[i] ? i + 1 : n;
    }
    return n;
}

/* Digit by digit, as on paper, but in base 10^9. False where it is too long. */
static bool multiply(const uint64_t a[SUM_LIMBS], const uint64_t b[SUM_LIMBS],
                     uint64_t out[SUM_LIMBS])
{
    uint64_t x[2 * SUM_LIMBS];
    uint64_t y[2 * SUM_LIMBS];
    uint64_t sum[4 * SUM_LIMBS] = {0};
    int n = halve(a, x);
    int m = halve(b, y);

    for (int i = 0; i < n; i++) {
        uint64_t carry = 0;

        for (int k = 0; k <= m; k++) {
            carry += sum[i + k] + (k < m ? x[i] * y[k] : 0);
            sum[i + k] = carry % half_base;
            carry /= half_base;
        }
    }
    for (int i = 0; i < SUM_LIMBS; i++)
        out[i] = sum[2 * (size_t)i] + sum[2 * (size_t)i + 1] * half_base;
    return n + m <= 2 * SUM_LIMBS;
}

bool sum_add_product(struct sum *s, struct span a, struct span b)
{
    uint64_t x[SUM_LIMBS] = {0};
    uint64_t y[SUM_LIMBS] = {0};
    uint64_t limbs[SUM_LIMBS];
    bool negative = take_sign(&a) != take_sign(&b);
    unsigned decimals_a;
    unsigned decimals_b;

    if (!parse(a, &decimals_a, x) || !parse(b, &decimals_b, y) ||
        decimals_a + decimals_b != s->decimals || !multiply(x, y, limbs))
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
