#include "protocol/binlog/binlog_field.h"

#include <assert.h>

enum {
    MICROS = 1000000,
    DATETIME_MONTHS = 13, /* year * 13 + month */
};

static uint64_t little(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;

    for (unsigned i = n; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static uint64_t big(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static int64_t sign_extended(uint64_t v, unsigned bytes)
{
    unsigned shift = 64 - 8 * bytes;

    assert(bytes >= 1 && bytes <= 8);
    return (int64_t)(v << shift) >> shift;
}

/* Fraction bytes to microseconds: two digits a byte. */
static uint32_t fraction_micros(uint64_t fraction, unsigned decimals)
{
    static const uint32_t scale[] = {0, 10000, 10000, 100, 100, 1, 1};

    return (uint32_t)fraction * scale[decimals];
}

/* Three bytes and up to three of fraction, as the table map said. */
static unsigned time_width(const struct binlog_column *c)
{
    assert(c->width >= 3 && c->width <= 6);
    return c->width;
}

/* Seconds fields with the fraction below them, offset so that bytes sort: one big signed number
 * whose magnitude is the time's. */
static int64_t read_time(const uint8_t *p, const struct binlog_column *c)
{
    unsigned fraction_bits = 8 * (time_width(c) - 3u);
    int64_t packed = (int64_t)big(p, c->width) - (0x800000LL << fraction_bits);
    uint64_t size = (uint64_t)(packed < 0 ? -packed : packed);
    uint64_t hms = size >> fraction_bits;
    uint64_t seconds = (hms >> 12 & 0x3FF) * 3600 + (hms >> 6 & 0x3F) * 60 + (hms & 0x3F);
    uint64_t fraction = size & ((1ULL << fraction_bits) - 1);
    int64_t micros = (int64_t)(seconds * MICROS + fraction_micros(fraction, c->decimals));

    return packed < 0 ? -micros : micros;
}

static void read_datetime(const uint8_t *p, const struct binlog_column *c, struct binlog_when *w)
{
    uint64_t v = big(p, 5) & 0x7FFFFFFFFFULL; /* without the sign, always positive */
    uint64_t months = v >> 22;

    w->year = (uint16_t)(months / DATETIME_MONTHS);
    w->month = (uint8_t)(months % DATETIME_MONTHS);
    w->day = v >> 17 & 0x1F;
    w->hour = v >> 12 & 0x1F;
    w->minute = v >> 6 & 0x3F;
    w->second = v & 0x3F;
    w->micros = fraction_micros(big(p + 5, c->width - 5u), c->decimals);
}

static void read_date(const uint8_t *p, struct binlog_when *w)
{
    uint32_t v = (uint32_t)little(p, 3);

    *w = (struct binlog_when){.year = (uint16_t)(v >> 9), .month = v >> 5 & 0xF, .day = v & 0x1F};
}

/* YYYYMMDDHHMMSS as a number. */
static bool read_old_datetime(const uint8_t *p, struct binlog_when *w)
{
    uint64_t v = little(p, 8);
    uint64_t date = v / 1000000;
    uint64_t time = v % 1000000;

    *w = (struct binlog_when){
        .year = (uint16_t)(date / 10000),
        .month = (uint8_t)(date / 100 % 100),
        .day = (uint8_t)(date % 100),
        .hour = (uint8_t)(time / 10000),
        .minute = (uint8_t)(time / 100 % 100),
        .second = (uint8_t)(time % 100),
    };
    return date <= 99991231 && w->month <= 12 && w->day <= 31 && w->hour < 24 && w->minute < 60 &&
           w->second < 60;
}

/* ±HHHMMSS as a number. */
static bool read_old_time(const uint8_t *p, int64_t *micros)
{
    int64_t v = sign_extended(little(p, 3), 3);
    int64_t size = v < 0 ? -v : v;
    int64_t seconds = size / 10000 * 3600 + size / 100 % 100 * 60 + size % 100;

    *micros = (v < 0 ? -seconds : seconds) * MICROS;
    return size <= 8385959 && size / 100 % 100 < 60 && size % 100 < 60;
}

static bool read_string(struct cursor *at, const struct binlog_column *c, struct binlog_value *v)
{
    const uint8_t *p = cursor_take(at, c->width);
    uint64_t n = p ? little(p, c->width) : 0;

    v->bytes = (struct span){NULL, 0};
    if (!p || n > cursor_left(at)) {
        at->bad = true;
        return false;
    }
    v->bytes = (struct span){at->p, (size_t)n};
    at->p += n;
    return true;
}

static bool read_moment(const uint8_t *p, const struct binlog_column *c, struct binlog_value *v)
{
    switch (c->form) {
    case BINLOG_FORM_DATE:
        read_date(p, &v->when);
        return true;
    case BINLOG_FORM_TIME:
        v->i = read_time(p, c);
        return true;
    case BINLOG_FORM_DATETIME:
        read_datetime(p, c, &v->when);
        return true;
    case BINLOG_FORM_TIMESTAMP:
        v->i =
            (int64_t)(big(p, 4) * MICROS + fraction_micros(big(p + 4, c->width - 4u), c->decimals));
        return true;
    case BINLOG_FORM_OLD_TIME:
        return read_old_time(p, &v->i);
    case BINLOG_FORM_OLD_DATETIME:
        return read_old_datetime(p, &v->when);
    default:
        v->i = (int64_t)little(p, 4) * MICROS; /* BINLOG_FORM_OLD_TIMESTAMP */
        return true;
    }
}

static void read_float(const uint8_t *p, const struct binlog_column *c, struct binlog_value *v)
{
    uint64_t bits = little(p, c->width);
    uint32_t low = (uint32_t)bits;

    if (c->form == BINLOG_FORM_DOUBLE)
        memcpy(&v->d, &bits, sizeof v->d);
    else
        memcpy(&v->f, &low, sizeof v->f);
}

static void read_int(const uint8_t *p, const struct binlog_column *c, struct binlog_value *v)
{
    uint64_t bits = c->width == 4 ? little(p, 4) : c->width == 8 ? little(p, 8) : 0;

    if (c->width != 4 && c->width != 8)
        bits = little(p, c->width);
    v->u = c->is_unsigned ? bits : (uint64_t)sign_extended(bits, c->width);
}

bool binlog_field_read(struct cursor *at, const struct binlog_column *c, struct binlog_value *v)
{
    const uint8_t *p;

    v->kind = c->kind;
    if (c->form == BINLOG_FORM_STRING || c->form == BINLOG_FORM_COMPRESSED)
        return read_string(at, c, v);
    p = cursor_take(at, c->width);
    if (!p)
        return false;
    switch (c->form) {
    case BINLOG_FORM_INT:
        read_int(p, c, v);
        return true;
    case BINLOG_FORM_FLOAT:
    case BINLOG_FORM_DOUBLE:
        read_float(p, c, v);
        return true;
    case BINLOG_FORM_DECIMAL:
        v->bytes = (struct span){p, c->width};
        return true;
    case BINLOG_FORM_ENUM:
    case BINLOG_FORM_SET:
        v->u = little(p, c->width);
        return true;
    case BINLOG_FORM_BIT:
        v->u = big(p, c->width);
        return true;
    case BINLOG_FORM_YEAR:
        v->u = *p ? 1900u + *p : 0;
        return true;
    default:
        return read_moment(p, c, v);
    }
}
