#include "protocol/charset.h"

#include "protocol/charset_table.h"
#include "protocol/charset_wide.h"

#define NOT_A_CHARACTER 0xFFFFFFFFu /* becomes a question mark */

static const char *const names[CHARSET_COUNT] = {
    [CHARSET_ASCII] = "ascii",     [CHARSET_ARMSCII8] = "armscii8", [CHARSET_CP1250] = "cp1250",
    [CHARSET_CP1251] = "cp1251",   [CHARSET_CP1256] = "cp1256",     [CHARSET_CP1257] = "cp1257",
    [CHARSET_CP850] = "cp850",     [CHARSET_CP852] = "cp852",       [CHARSET_CP866] = "cp866",
    [CHARSET_DEC8] = "dec8",       [CHARSET_GEOSTD8] = "geostd8",   [CHARSET_GREEK] = "greek",
    [CHARSET_HEBREW] = "hebrew",   [CHARSET_HP8] = "hp8",           [CHARSET_KEYBCS2] = "keybcs2",
    [CHARSET_KOI8R] = "koi8r",     [CHARSET_KOI8U] = "koi8u",       [CHARSET_LATIN1] = "latin1",
    [CHARSET_LATIN2] = "latin2",   [CHARSET_LATIN5] = "latin5",     [CHARSET_LATIN7] = "latin7",
    [CHARSET_MACCE] = "macce",     [CHARSET_MACROMAN] = "macroman", [CHARSET_SWE7] = "swe7",
    [CHARSET_TIS620] = "tis620",   [CHARSET_UCS2] = "ucs2",         [CHARSET_UTF16] = "utf16",
    [CHARSET_UTF16LE] = "utf16le", [CHARSET_UTF32] = "utf32",       [CHARSET_BIG5] = "big5",
    [CHARSET_CP932] = "cp932",     [CHARSET_EUCJPMS] = "eucjpms",   [CHARSET_EUCKR] = "euckr",
    [CHARSET_GB2312] = "gb2312",   [CHARSET_GBK] = "gbk",           [CHARSET_SJIS] = "sjis",
    [CHARSET_UJIS] = "ujis",       [CHARSET_BINARY] = "binary",     [CHARSET_UTF8MB3] = "utf8mb3",
    [CHARSET_UTF8MB4] = "utf8mb4",
};

/* Families of Unicode collations beyond the first hundred. */
static const struct {
    uint16_t first;
    uint16_t last;
    uint8_t charset;
} ranges[] = {
    {101, 127, CHARSET_UTF16},   {128, 159, CHARSET_UCS2},      {160, 191, CHARSET_UTF32},
    {192, 223, CHARSET_UTF8MB3}, {224, 254, CHARSET_UTF8MB4},   {576, 607, CHARSET_UTF8MB3},
    {608, 639, CHARSET_UTF8MB4}, {640, 671, CHARSET_UCS2},      {672, 703, CHARSET_UTF16},
    {736, 767, CHARSET_UTF32},   {2048, 2303, CHARSET_UTF8MB3}, {2304, 2559, CHARSET_UTF8MB4},
    {2560, 2815, CHARSET_UCS2},  {2816, 3071, CHARSET_UTF16},   {3072, 3327, CHARSET_UTF32},
};

enum { NOPAD_FIRST = 1024, NOPAD_LAST = 2047 };

static enum charset charset_of(uint16_t collation)
{
    if (collation >= NOPAD_FIRST && collation <= NOPAD_LAST)
        collation = (uint16_t)(collation - NOPAD_FIRST);
    if (collation < ARRAY_LEN(charset_of_collation))
        return (enum charset)charset_of_collation[collation];
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        if (collation >= ranges[i].first && collation <= ranges[i].last)
            return (enum charset)ranges[i].charset;
    }
    return CHARSET_UNKNOWN;
}

const char *charset_name(uint16_t collation)
{
    return names[charset_of(collation)];
}

static uint32_t swe7(uint8_t byte)
{
    static const struct {
        uint8_t byte;
        uint8_t character;
    } letters[] = {{0x40, 0xC9}, {0x5B, 0xC4}, {0x5C, 0xD6}, {0x5D, 0xC5}, {0x5E, 0xDC},
                   {0x60, 0xE9}, {0x7B, 0xE4}, {0x7C, 0xF6}, {0x7D, 0xE5}, {0x7E, 0xFC}};

    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (letters[i].byte == byte)
            return letters[i].character;
    }
    return byte < 0x7F ? byte : NOT_A_CHARACTER;
}

static uint32_t single_byte(enum charset set, uint8_t byte)
{
    uint16_t upper;

    if (set == CHARSET_SWE7)
        return swe7(byte);
    if (byte < 0x80)
        return byte;
    upper = charset_upper[set][byte - 0x80];
    return upper ? upper : NOT_A_CHARACTER;
}

static uint32_t take_unit(struct cursor *c, bool big_endian)
{
    uint32_t v = cursor_u16(c);

    return big_endian ? (v >> 8 | (v & 0xFF) << 8) : v;
}

/* UTF-16, where two surrogates make one character; UCS-2 has none. */
static uint32_t utf16(struct cursor *c, enum charset set)
{
    bool big_endian = set != CHARSET_UTF16LE;
    uint32_t high = take_unit(c, big_endian);
    uint32_t low;
    struct cursor after = *c;

    if (set == CHARSET_UCS2 || high < 0xD800 || high > 0xDBFF)
        return high;
    low = take_unit(&after, big_endian);
    if (!cursor_ok(&after) || low < 0xDC00 || low > 0xDFFF)
        return NOT_A_CHARACTER;
    *c = after;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

static uint32_t utf32(struct cursor *c)
{
    uint32_t v = cursor_u32(c);

    return v >> 24 | (v >> 8 & 0xFF00) | (v & 0xFF00) << 8 | v << 24;
}

static uint32_t next_character(struct cursor *c, enum charset set)
{
    uint32_t v;

    if (set < CHARSET_SINGLE_BYTE)
        return single_byte(set, cursor_u8(c));
    v = set == CHARSET_UTF32 ? utf32(c) : utf16(c, set);
    return cursor_ok(c) ? v : NOT_A_CHARACTER;
}

static void convert(enum charset set, struct span text, struct buf *out)
{
    struct cursor c = cursor_span(text);

    while (cursor_left(&c))
        charset_put_utf8(next_character(&c, set), out);
}

bool charset_to_utf8(uint16_t collation, struct span text, struct buf *out)
{
    enum charset set = charset_of(collation);

    if (set >= CHARSET_BIG5 && set < CHARSET_BINARY)
        return charset_wide_to_utf8(set, text, out);
    if (set == CHARSET_UNKNOWN || set >= CHARSET_BINARY)
        buf_put_span(out, text);
    else
        convert(set, text, out);
    return true;
}
