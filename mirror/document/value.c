#include "mirror/document/value.h"

#include "base/buf.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { NUMBER_TEXT_MAX = 400, MS_PER_DAY = 86400000 };

enum value_kind value_kind_of(enum map_type type, enum value_kind of_column)
{
    static const enum value_kind kinds[] = {
        [MAP_TYPE_INT] = VALUE_INT,         [MAP_TYPE_DOUBLE] = VALUE_DOUBLE,
        [MAP_TYPE_DECIMAL] = VALUE_DECIMAL, [MAP_TYPE_TEXT] = VALUE_TEXT,
        [MAP_TYPE_DATE] = VALUE_DATE,       [MAP_TYPE_BOOL] = VALUE_BOOL,
    };

    return type == MAP_TYPE_AUTO ? of_column : kinds[type];
}

/* n digits; false where there are others. */
static bool digits(struct cursor *c, size_t n, int *out)
{
    const uint8_t *p = cursor_take(c, n);

    *out = 0;
    for (size_t i = 0; p && i < n; i++) {
        if (!isdigit(p[i]))
            return false;
        *out = *out * 10 + (p[i] - '0');
    }
    return p != NULL;
}

static bool expect(struct cursor *c, const char *any)
{
    const uint8_t *p = cursor_take(c, 1);

    return p && *p && strchr(any, *p) != NULL;
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar (years count from March, so that leap
 * days end them). */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool parse_clock(struct cursor *c, int64_t *ms)
{
    int h;
    int m;
    int s;
    int64_t fraction = 0;
    int64_t unit = 100;

    if (!expect(c, " T") || !digits(c, 2, &h) || !expect(c, ":") || !digits(c, 2, &m) ||
        !expect(c, ":") || !digits(c, 2, &s))
        return false;
    if (cursor_left(c) && !expect(c, "."))
        return false;
    while (cursor_left(c)) {
        int digit;

        if (!digits(c, 1, &digit))
            return false;
        fraction += unit * digit;
        unit /= 10;
    }
    *ms = ((h * 60 + m) * 60 + s) * (int64_t)1000 + fraction;
    return true;
}

bool value_parse_moment(struct span text, int64_t *ms)
{
    struct cursor c = cursor_span(text);
    int64_t clock = 0;
    int year;
    int month;
    int day;

    if (!digits(&c, 4, &year) || !expect(&c, "-") || !digits(&c, 2, &month) || !expect(&c, "-") ||
        !digits(&c, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    if (cursor_left(&c) && !parse_clock(&c, &clock))
        return false;
    *ms = days_of(year, month, day) * MS_PER_DAY + clock;
    return true;
}

static bool bad(struct err *e, const char *name, const char *what)
{
    return err_set(e, ERR_DATA, "field `%s`: %s", name, what);
}

/* A NUL-terminated copy of a number's text. */
static bool number_text(struct span text, char out[NUMBER_TEXT_MAX])
{
    if (text.n == 0 || text.n >= NUMBER_TEXT_MAX)
        return false;
    memcpy(out, text.p, text.n);
    out[text.n] = '\0';
    return strlen(out) == text.n;
}

static bool append_decimal(bson_t *out, const char *name, const char *number, size_t n)
{
    bson_decimal128_t d;

    if (bson_decimal128_from_string(number, &d) && isdigit((unsigned char)number[n - 1]))
        return bson_append_decimal128(out, name, -1, &d);
    return bson_append_utf8(out, name, -1, number, (int)n);
}

/* libbson rounds what has over 34 digits: those stay text. */
static bool fits_decimal(const char *number)
{
    size_t significant = 0;

    for (const char *p = number; *p; p++) {
        if (!isdigit((unsigned char)*p))
            continue;
        if (*p != '0' || significant)
            significant++;
    }
    return significant <= 34;
}

static bool append_number(bson_t *out, const char *name, const char *number, size_t n)
{
    if (fits_decimal(number))
        return append_decimal(out, name, number, n);
    return bson_append_utf8(out, name, -1, number, (int)n);
}

static bool append_int(bson_t *out, const char *name, const char *number, size_t n)
{
    char *end;
    long long v;

    errno = 0;
    v = strtoll(number, &end, 10);
    if (errno == ERANGE || *end)
        return append_number(out, name, number, n); /* unsigned, or with a fraction */
    return bson_append_int64(out, name, -1, v);
}

static bool append_moment(bson_t *out, const char *name, struct span text)
{
    int64_t ms;

    if (!value_parse_moment(text, &ms))
        return bson_append_null(out, name, -1);
    return bson_append_date_time(out, name, -1, ms);
}

static bool append_double(bson_t *out, const char *name, const char *number)
{
    return bson_append_double(out, name, -1, strtod(number, NULL));
}

bool value_append(bson_t *out, const char *name, enum value_kind kind, struct span text,
                  struct err *e)
{
    char number[NUMBER_TEXT_MAX];
    bool numeric =
        kind == VALUE_INT || kind == VALUE_DECIMAL || kind == VALUE_DOUBLE || kind == VALUE_BOOL;
    bool ok = false;

    if (!text.p)
        return bson_append_null(out, name, -1) || bad(e, name, "the document is too large");
    if (numeric && !number_text(text, number))
        return bad(e, name, "the value is no number");
    if (text.n > INT32_MAX)
        return bad(e, name, "the value is too large");
    switch (kind) {
    case VALUE_TEXT:
        ok = bson_append_utf8(out, name, -1, (const char *)text.p, (int)text.n);
        break;
    case VALUE_INT:
        ok = append_int(out, name, number, text.n);
        break;
    case VALUE_DECIMAL:
        ok = append_number(out, name, number, text.n);
        break;
    case VALUE_DOUBLE:
        ok = append_double(out, name, number);
        break;
    case VALUE_DATE:
        ok = append_moment(out, name, text);
        break;
    case VALUE_BINARY:
        ok = bson_append_binary(out, name, -1, BSON_SUBTYPE_BINARY, text.p, (uint32_t)text.n);
        break;
    case VALUE_BOOL:
        ok = bson_append_bool(out, name, -1, fpclassify(strtod(number, NULL)) != FP_ZERO);
        break;
    }
    return ok || bad(e, name, "the document is too large");
}

static void put_moment(int64_t ms, struct buf *out)
{
    time_t seconds = (time_t)(ms >= 0 ? ms / 1000 : (ms - 999) / 1000);
    struct tm tm;

    if (gmtime_r(&seconds, &tm))
        buf_printf(out, "%04d-%02d-%02d %02d:%02d:%02d.%03d", tm.tm_year + 1900, tm.tm_mon + 1,
                   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ms - seconds * 1000));
}

/* As MariaDB prints it, that is without an exponent; libbson writes 1.2E-9. */
static bool put_decimal(const bson_iter_t *it, struct buf *out)
{
    char text[BSON_DECIMAL128_STRING];
    bson_decimal128_t d;
    const char *exponent;
    long zeros;

    (void)bson_iter_decimal128(it, &d);
    bson_decimal128_to_string(&d, text);
    if (strpbrk(text, "NI")) /* NaN, Infinity */
        return false;
    exponent = strchr(text, 'E');
    if (!exponent) {
        buf_put_str(out, text);
        return true;
    }
    zeros = -strtol(exponent + 1, NULL, 10) - 1;
    if (zeros < 0)
        return false;
    buf_printf(out, "%s0.%.*d", *text == '-' ? "-" : "", (int)zeros, 0);
    for (const char *p = text; p < exponent; p++)
        if (isdigit((unsigned char)*p))
            buf_put_u8(out, (uint8_t)*p);
    return true;
}

bool value_text(const bson_iter_t *it, struct buf *out)
{
    const uint8_t *p;
    const char *text;
    bson_subtype_t subtype;
    uint32_t n;

    switch (bson_iter_type(it)) {
    case BSON_TYPE_INT32:
    case BSON_TYPE_INT64:
        buf_printf(out, "%" PRId64, bson_iter_as_int64(it));
        return true;
    case BSON_TYPE_DECIMAL128:
        return put_decimal(it, out);
    case BSON_TYPE_UTF8:
        text = bson_iter_utf8(it, &n);
        buf_put(out, text, n);
        return true;
    case BSON_TYPE_BINARY:
        bson_iter_binary(it, &subtype, &n, &p);
        buf_put(out, p, n);
        return true;
    case BSON_TYPE_DATE_TIME:
        put_moment(bson_iter_date_time(it), out);
        return true;
    default:
        return false;
    }
}
