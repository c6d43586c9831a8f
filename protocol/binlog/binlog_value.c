#include "protocol/binlog/binlog_value.h"

#include "protocol/binlog/binlog_table.h"
#include "protocol/charset.h"
#include "protocol/number.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

enum { MICROS = 1000000, SECONDS_PER_DAY = 86400, DAYS_TO_1970 = 719468, DAYS_PER_ERA = 146097 };

/* ".123" of 123456 microseconds with three decimals. */
static void put_fraction(struct buf *out, uint32_t micros, unsigned decimals)
{
    char digits[16];

    if (decimals == 0 || decimals > 6)
        return;
    (void)snprintf(digits, sizeof digits, ".%06" PRIu32, micros % MICROS);
    buf_put(out, digits, decimals + 1);
}

static void put_date(struct buf *out, const struct binlog_when *w)
{
    buf_printf(out, "%04u-%02u-%02u", w->year, w->month, w->day);
}

static void put_datetime(struct buf *out, const struct binlog_when *w, unsigned decimals)
{
    put_date(out, w);
    buf_printf(out, " %02u:%02u:%02u", w->hour, w->minute, w->second);
    put_fraction(out, w->micros, decimals);
}

static void put_time(struct buf *out, int64_t micros, unsigned decimals)
{
    uint64_t size = micros < 0 ? 0 - (uint64_t)micros : (uint64_t)micros;
    uint64_t seconds = size / MICROS;

    buf_printf(out, "%s%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64, micros < 0 ? "-" : "",
               seconds / 3600, seconds / 60 % 60, seconds % 60);
    put_fraction(out, (uint32_t)(size % MICROS), decimals);
}

/* Days since 1970 to a date of the Gregorian calendar, counted in years that begin in March and
 * eras of 400. http://howardhinnant.github.io/date_algorithms.html#civil_from_days */
static void date_of_day(uint32_t days, struct binlog_when *w)
{
    uint32_t z = days + DAYS_TO_1970;
    uint32_t era = z / DAYS_PER_ERA;
    uint32_t day = z % DAYS_PER_ERA;
    uint32_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    uint32_t of_year = day - (365 * year + year / 4 - year / 100);
    uint32_t march = (5 * of_year + 2) / 153;

    w->day = (uint8_t)(of_year - (153 * march + 2) / 5 + 1);
    w->month = (uint8_t)(march < 10 ? march + 3 : march - 9);
    w->year = (uint16_t)(year + era * 400 + (w->month <= 2));
}

static void put_timestamp(struct buf *out, int64_t micros, unsigned decimals)
{
    struct binlog_when w = {0};
    uint32_t seconds = (uint32_t)(micros / MICROS);

    if (micros) {
        date_of_day(seconds / SECONDS_PER_DAY, &w);
        w.hour = (uint8_t)(seconds / 3600 % 24);
        w.minute = (uint8_t)(seconds / 60 % 60);
        w.second = (uint8_t)(seconds % 60);
        w.micros = (uint32_t)(micros % MICROS);
    }
    put_datetime(out, &w, decimals);
}

static void put_text(struct buf *out, struct span text, uint16_t collation)
{
    if (!charset_to_utf8(collation, text, out))
        buf_put_span(out, text);
}

static void put_set(struct buf *out, const struct binlog_value *v, const struct binlog_column *c)
{
    struct cursor names = cursor_span(c->values);
    const char *comma = "";

    for (unsigned i = 0; i < 64 && i < c->members; i++) {
        struct span name = cursor_lenenc_bytes(&names);

        if (!(v->u >> i & 1u))
            continue;
        buf_put_str(out, comma);
        put_text(out, name, c->collation);
        comma = ",";
    }
}

static void put_bit(struct buf *out, const struct binlog_value *v, const struct binlog_column *c)
{
    for (unsigned i = c->width; i-- > 0;)
        buf_put_u8(out, (uint8_t)(v->u >> (8 * i)));
}

static void put_number(struct buf *out, const struct binlog_value *v, const struct binlog_column *c)
{
    char text[BINLOG_DECIMAL_TEXT_MAX] = "";

    switch (v->kind) {
    case BINLOG_INT:
        buf_printf(out, "%" PRId64, v->i);
        return;
    case BINLOG_UINT:
        buf_printf(out, "%" PRIu64, v->u);
        return;
    case BINLOG_YEAR:
        buf_printf(out, "%04" PRIu64, v->u);
        return;
    case BINLOG_FLOAT:
        number_float_text(v->f, text);
        break;
    case BINLOG_DOUBLE:
        number_double_text(v->d, text);
        break;
    default:
        if (!binlog_decimal_text(v->bytes, c->precision, c->decimals, text))
            text[0] = 0;
        break;
    }
    buf_put_str(out, text);
}

void binlog_value_text(const struct binlog_value *v, const struct binlog_column *c, struct buf *out)
{
    switch (v->kind) {
    case BINLOG_ABSENT:
        return;
    case BINLOG_NULL:
        buf_put_str(out, "NULL");
        return;
    case BINLOG_TEXT:
        put_text(out, v->bytes, c->collation);
        return;
    case BINLOG_BYTES:
    case BINLOG_GEOMETRY:
        buf_put_span(out, v->bytes);
        return;
    case BINLOG_ENUM:
        put_text(out, binlog_column_member(c, v->u - 1), c->collation);
        return;
    case BINLOG_SET:
        put_set(out, v, c);
        return;
    case BINLOG_BIT:
        put_bit(out, v, c);
        return;
    case BINLOG_DATE:
        put_date(out, &v->when);
        return;
    case BINLOG_DATETIME:
        put_datetime(out, &v->when, c->decimals);
        return;
    case BINLOG_TIME:
        put_time(out, v->i, c->decimals);
        return;
    case BINLOG_TIMESTAMP:
        put_timestamp(out, v->i, c->decimals);
        return;
    default:
        put_number(out, v, c);
        return;
    }
}

struct span binlog_column_member(const struct binlog_column *c, uint64_t i)
{
    struct cursor names = cursor_span(c->values);
    struct span name = {NULL, 0};

    if (i >= c->members)
        return name;
    for (uint64_t k = 0; k <= i; k++)
        name = cursor_lenenc_bytes(&names);
    return name;
}

static bool same_moment(const struct binlog_when *a, const struct binlog_when *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day && a->hour == b->hour &&
           a->minute == b->minute && a->second == b->second && a->micros == b->micros;
}

static bool same_bits(float a, float b)
{
    uint32_t x;
    uint32_t y;

    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x == y;
}

bool binlog_value_equal(const struct binlog_value *a, const struct binlog_value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case BINLOG_ABSENT:
    case BINLOG_NULL:
        return true;
    case BINLOG_FLOAT:
        return same_bits(a->f, b->f);
    case BINLOG_DECIMAL:
    case BINLOG_TEXT:
    case BINLOG_BYTES:
    case BINLOG_GEOMETRY:
        return span_same(a->bytes, b->bytes);
    case BINLOG_DATE:
    case BINLOG_DATETIME:
        return same_moment(&a->when, &b->when);
    default:
        return a->u == b->u;
    }
}

void binlog_uuid_text(const uint8_t bytes[16], char out[37])
{
    static const char hex[] = "0123456789abcdef";

    for (unsigned i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = hex[bytes[i] >> 4];
        *out++ = hex[bytes[i] & 15];
    }
    *out = 0;
}

bool binlog_inet_text(struct span bytes, char *out, size_t size)
{
    int family = bytes.n == 4 ? AF_INET : AF_INET6;

    if (bytes.n != 4 && bytes.n != 16)
        return false;
    return inet_ntop(family, bytes.p, out, (socklen_t)size);
}
