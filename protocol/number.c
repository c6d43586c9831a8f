#include "protocol/number.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOUBLE_DIGITS = 17, FLOAT_DIGITS = 6, PLAIN_MIN = -14, PLAIN_MAX = 15 };

/* ±0.d1d2d3… × 10^point */
struct digits {
    bool negative;
    int point;
    int count;
    char text[DOUBLE_DIGITS + 1];
};

/* Taken from printf's "-d.ddde±xx". */
static void digits_of(double v, int count, struct digits *d)
{
    char text[40];
    const char *p = text;
    int n = snprintf(text, sizeof text, "%.*e", count - 1, v);

    assert(n > 0 && (size_t)n < sizeof text);
    d->negative = *p == '-';
    d->count = 0;
    for (p += d->negative; *p && *p != 'e'; p++) {
        if (*p != '.' && *p != ',')
            d->text[d->count++] = *p;
    }
    d->point = *p ? (int)strtol(p + 1, NULL, 10) + 1 : 0;
    while (d->count > 1 && d->text[d->count - 1] == '0')
        d->count--;
    d->text[d->count] = 0;
}

static void put(char **at, const char *from, int n)
{
    memcpy(*at, from, (size_t)n);
    *at += n;
}

static void put_zeros(char **at, int n)
{
    memset(*at, '0', (size_t)n);
    *at += n;
}

static void put_plain(char *at, const struct digits *d)
{
    int whole = d->point < d->count ? d->point : d->count;

    if (d->point <= 0) {
        put(&at, "0.", 2);
        put_zeros(&at, -d->point);
        put(&at, d->text, d->count);
    } else {
        put(&at, d->text, whole);
        put_zeros(&at, d->point - whole);
        if (d->count > whole) {
            put(&at, ".", 1);
            put(&at, d->text + whole, d->count - whole);
        }
    }
    *at = 0;
}

static void put_digits(const struct digits *d, char out[NUMBER_TEXT_MAX])
{
    char *at = out;

    if (d->negative)
        *at++ = '-';
    if (d->point >= PLAIN_MIN && (d->point <= PLAIN_MAX || d->point < d->count)) {
        put_plain(at, d);
        return;
    }
    *at++ = d->text[0];
    if (d->count > 1) {
        *at++ = '.';
        put(&at, d->text + 1, d->count - 1);
    }
    (void)snprintf(at, (size_t)(out + NUMBER_TEXT_MAX - at), "e%d", d->point - 1);
}

static double value_of(const struct digits *d)
{
    char text[NUMBER_TEXT_MAX];

    (void)snprintf(text, sizeof text, "0.%.*se%d", d->count, d->text, d->point);
    return strtod(text, NULL);
}

/* The neighbour one up (or down) in the last of `count` digits, if it is v too. Where the numbers
 * below v are closer than those above, the nearest decimal may not be v although its neighbour is.
 */
static bool neighbour(double v, int count, bool up, struct digits *d)
{
    struct digits n = *d;
    int i = count - 1;

    while (n.count < count)
        n.text[n.count++] = '0';
    while (i >= 0 && n.text[i] == (up ? '9' : '0'))
        n.text[i--] = up ? '0' : '9';
    if (i < 0)
        return false;
    n.text[i] = (char)(n.text[i] + (up ? 1 : -1));
    if (value_of(&n) != fabs(v))
        return false;
    while (n.count > 1 && n.text[n.count - 1] == '0')
        n.count--;
    *d = n;
    return true;
}

void number_double_text(double v, char out[NUMBER_TEXT_MAX])
{
    struct digits d;

    if (v == 0) {
        (void)snprintf(out, NUMBER_TEXT_MAX, "%s", signbit(v) ? "-0" : "0");
        return;
    }
    /* Fifteen always come back, and are few enough, but for numbers with less than 53 bits. */
    for (int n = fabs(v) < DBL_MIN ? 1 : DOUBLE_DIGITS - 2; n <= DOUBLE_DIGITS; n++) {
        digits_of(v, n, &d);
        if (value_of(&d) == fabs(v) || neighbour(v, n, true, &d) || neighbour(v, n, false, &d))
            break;
    }
    put_digits(&d, out);
}

void number_float_text(float v, char out[NUMBER_TEXT_MAX])
{
    struct digits d;

    if (v == 0) {
        (void)snprintf(out, NUMBER_TEXT_MAX, "%s", signbit(v) ? "-0" : "0");
        return;
    }
    digits_of((double)v, FLOAT_DIGITS, &d);
    put_digits(&d, out);
}
