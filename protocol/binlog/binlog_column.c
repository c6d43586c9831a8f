#include "protocol/binlog/binlog_column.h"

enum server_type {
    TYPE_TINY = 1,
    TYPE_SHORT = 2,
    TYPE_LONG = 3,
    TYPE_FLOAT = 4,
    TYPE_DOUBLE = 5,
    TYPE_TIMESTAMP = 7,
    TYPE_LONGLONG = 8,
    TYPE_INT24 = 9,
    TYPE_DATE = 10,
    TYPE_TIME = 11,
    TYPE_DATETIME = 12,
    TYPE_YEAR = 13,
    TYPE_NEWDATE = 14,
    TYPE_VARCHAR = 15,
    TYPE_BIT = 16,
    TYPE_TIMESTAMP2 = 17,
    TYPE_DATETIME2 = 18,
    TYPE_TIME2 = 19,
    TYPE_BLOB_COMPRESSED = 140,
    TYPE_VARCHAR_COMPRESSED = 141,
    TYPE_NEWDECIMAL = 246,
    TYPE_ENUM = 247,
    TYPE_SET = 248,
    TYPE_BLOB = 252,
    TYPE_VAR_STRING = 253,
    TYPE_GEOMETRY = 255,
};

enum { DECIMAL_DIGITS_MAX = 65, DECIMAL_SCALE_MAX = 38 };

/* Bytes of a packed DECIMAL: four for nine digits, and 0, 1, 1, 2, 2, 3, 3, 4, 4 for the rest, on
 * each side of the point. https://mariadb.com/kb/en/decimal/ */
static uint8_t decimal_width(unsigned precision, unsigned scale)
{
    static const uint8_t rest[] = {0, 1, 1, 2, 2, 3, 3, 4, 4};
    unsigned whole = precision - scale;

    return (uint8_t)(whole / 9 * 4 + rest[whole % 9] + scale / 9 * 4 + rest[scale % 9]);
}

/* Types without metadata whose form says all. */
struct simple_type {
    uint8_t type;
    uint8_t form;
    uint8_t kind;
    uint8_t width;
};

static const struct simple_type simple_types[] = {
    {TYPE_TINY, BINLOG_FORM_INT, BINLOG_INT, 1},
    {TYPE_SHORT, BINLOG_FORM_INT, BINLOG_INT, 2},
    {TYPE_INT24, BINLOG_FORM_INT, BINLOG_INT, 3},
    {TYPE_LONG, BINLOG_FORM_INT, BINLOG_INT, 4},
    {TYPE_LONGLONG, BINLOG_FORM_INT, BINLOG_INT, 8},
    {TYPE_YEAR, BINLOG_FORM_YEAR, BINLOG_YEAR, 1},
    {TYPE_DATE, BINLOG_FORM_DATE, BINLOG_DATE, 3},
    {TYPE_NEWDATE, BINLOG_FORM_DATE, BINLOG_DATE, 3},
    {TYPE_TIME, BINLOG_FORM_OLD_TIME, BINLOG_TIME, 3},
    {TYPE_DATETIME, BINLOG_FORM_OLD_DATETIME, BINLOG_DATETIME, 8},
    {TYPE_TIMESTAMP, BINLOG_FORM_OLD_TIMESTAMP, BINLOG_TIMESTAMP, 4},
};

static bool set_simple(struct binlog_column *c)
{
    for (size_t i = 0; i < ARRAY_LEN(simple_types); i++) {
        const struct simple_type *s = &simple_types[i];

        if (s->type == c->type) {
            c->form = s->form;
            c->kind = s->kind;
            c->width = s->width;
            return true;
        }
    }
    return false;
}

static const char *set_temporal(struct binlog_column *c, struct cursor *meta)
{
    c->decimals = cursor_u8(meta);
    if (c->decimals > 6)
        return "more than six fraction digits";
    c->width = (uint8_t)((c->decimals + 1) / 2);
    if (c->type == TYPE_TIME2) {
        c->form = BINLOG_FORM_TIME;
        c->kind = BINLOG_TIME;
        c->width = (uint8_t)(c->width + 3);
    } else if (c->type == TYPE_DATETIME2) {
        c->form = BINLOG_FORM_DATETIME;
        c->kind = BINLOG_DATETIME;
        c->width = (uint8_t)(c->width + 5);
    } else {
        c->form = BINLOG_FORM_TIMESTAMP;
        c->kind = BINLOG_TIMESTAMP;
        c->width = (uint8_t)(c->width + 4);
    }
    return NULL;
}

static const char *set_decimal(struct binlog_column *c, struct cursor *meta)
{
    c->precision = cursor_u8(meta);
    c->decimals = cursor_u8(meta);
    c->form = BINLOG_FORM_DECIMAL;
    c->kind = BINLOG_DECIMAL;
    if (c->precision < 1 || c->precision > DECIMAL_DIGITS_MAX || c->decimals > c->precision ||
        c->decimals > DECIMAL_SCALE_MAX)
        return "odd DECIMAL";
    c->width = decimal_width(c->precision, c->decimals);
    return NULL;
}

static const char *set_float(struct binlog_column *c, struct cursor *meta)
{
    bool is_double = c->type == TYPE_DOUBLE;

    c->width = cursor_u8(meta);
    c->form = is_double ? BINLOG_FORM_DOUBLE : BINLOG_FORM_FLOAT;
    c->kind = is_double ? BINLOG_DOUBLE : BINLOG_FLOAT;
    return c->width == (is_double ? 8 : 4) ? NULL : "odd FLOAT";
}

static const char *set_bit(struct binlog_column *c, struct cursor *meta)
{
    unsigned rest = cursor_u8(meta);
    unsigned bytes = cursor_u8(meta);

    c->form = BINLOG_FORM_BIT;
    c->kind = BINLOG_BIT;
    if (rest > 7 || bytes > 8 || bytes * 8 + rest > 64 || bytes + rest == 0)
        return "odd BIT";
    c->precision = (uint8_t)(bytes * 8 + rest);
    c->width = (uint8_t)(bytes + (rest ? 1 : 0));
    return NULL;
}

static const char *set_enum(struct binlog_column *c, uint8_t real_type, uint8_t width)
{
    c->type = real_type;
    c->width = width;
    c->form = real_type == TYPE_ENUM ? BINLOG_FORM_ENUM : BINLOG_FORM_SET;
    c->kind = real_type == TYPE_ENUM ? BINLOG_ENUM : BINLOG_SET;
    if (width < 1 || width > (real_type == TYPE_ENUM ? 2 : 8))
        return "odd ENUM or SET";
    return NULL;
}

/* CHAR: the real type and the length share two bytes, bits 8 and 9 of the length inverted in the
 * first one's 0x30. */
static const char *set_char(struct binlog_column *c, struct cursor *meta)
{
    uint8_t real_type = cursor_u8(meta);
    uint8_t low = cursor_u8(meta);
    unsigned length;

    if (real_type == TYPE_ENUM || real_type == TYPE_SET)
        return set_enum(c, real_type, low);
    length = ((real_type & 0x30u) ^ 0x30u) << 4 | low;
    if ((real_type | 0x30u) != BINLOG_TYPE_STRING)
        return "odd CHAR";
    c->form = BINLOG_FORM_STRING;
    c->kind = BINLOG_BYTES;
    c->width = length > 255 ? 2 : 1;
    c->pad = (uint16_t)length; /* dropped again unless it is BINARY */
    return NULL;
}

static const char *set_string(struct binlog_column *c, struct cursor *meta)
{
    bool varchar =
        c->type == TYPE_VARCHAR || c->type == TYPE_VAR_STRING || c->type == TYPE_VARCHAR_COMPRESSED;
    bool compressed = c->type == TYPE_VARCHAR_COMPRESSED || c->type == TYPE_BLOB_COMPRESSED;

    c->form = compressed ? BINLOG_FORM_COMPRESSED : BINLOG_FORM_STRING;
    c->kind = c->type == TYPE_GEOMETRY ? BINLOG_GEOMETRY : BINLOG_BYTES;
    if (varchar)
        c->width = cursor_u16(meta) > 255 ? 2 : 1;
    else
        c->width = cursor_u8(meta);
    return c->width >= 1 && c->width <= 4 ? NULL : "odd string or BLOB";
}

const char *binlog_column_set_type(struct binlog_column *c, struct cursor *meta)
{
    if (set_simple(c))
        return NULL;
    switch (c->type) {
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return set_float(c, meta);
    case TYPE_NEWDECIMAL:
        return set_decimal(c, meta);
    case TYPE_TIME2:
    case TYPE_DATETIME2:
    case TYPE_TIMESTAMP2:
        return set_temporal(c, meta);
    case TYPE_BIT:
        return set_bit(c, meta);
    case BINLOG_TYPE_STRING:
        return set_char(c, meta);
    case TYPE_VARCHAR:
    case TYPE_VAR_STRING:
    case TYPE_VARCHAR_COMPRESSED:
    case TYPE_BLOB:
    case TYPE_BLOB_COMPRESSED:
    case TYPE_GEOMETRY:
        return set_string(c, meta);
    default:
        return "a column of a type that is not known";
    }
}
