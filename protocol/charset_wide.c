#include "protocol/charset_wide.h"

#include <assert.h>
#include <iconv.h>

static const char *const converters[CHARSET_COUNT] = {
    [CHARSET_BIG5] = "BIG5-HKSCS", [CHARSET_CP932] = "CP932",    [CHARSET_EUCJPMS] = "EUC-JP-MS",
    [CHARSET_EUCKR] = "CP949",     [CHARSET_GB2312] = "GB2312",  [CHARSET_GBK] = "GBK",
    [CHARSET_SJIS] = "CP932",      [CHARSET_UJIS] = "EUC-JP-MS",
};

/* Runs of characters that MariaDB 10.11 converts otherwise than the library: found by converting
 * every valid code with both. */
static const struct {
    uint8_t charset;
    uint16_t code;
    uint16_t character;
    uint8_t count;
} differences[] = {
    {CHARSET_BIG5, 0xA15A, 0xFFFD, 1},  {CHARSET_BIG5, 0xA1C3, 0xFFFD, 1},
    {CHARSET_BIG5, 0xA1C5, 0xFFFD, 1},  {CHARSET_BIG5, 0xA1FE, 0xFFFD, 1},
    {CHARSET_BIG5, 0xA240, 0xFFFD, 1},  {CHARSET_BIG5, 0xA2CC, 0xFFFD, 1},
    {CHARSET_BIG5, 0xA2CE, 0xFFFD, 1},  {CHARSET_BIG5, 0xC6A1, 0x30FE, 1},
    {CHARSET_BIG5, 0xC6A2, 0x309D, 2},  {CHARSET_BIG5, 0xC6A4, 0x3005, 1},
    {CHARSET_BIG5, 0xC6A5, 0x3041, 83}, {CHARSET_BIG5, 0xC6F8, 0x30A1, 86},
    {CHARSET_BIG5, 0xC7B1, 0x0414, 2},  {CHARSET_BIG5, 0xC7B3, 0x0401, 1},
    {CHARSET_BIG5, 0xC7B4, 0x0416, 7},  {CHARSET_BIG5, 0xC7BB, 0x0423, 19},
    {CHARSET_BIG5, 0xC7CE, 0x0451, 1},  {CHARSET_BIG5, 0xC7CF, 0x0436, 26},
    {CHARSET_BIG5, 0xC7E9, 0x2460, 10}, {CHARSET_BIG5, 0xC7F3, 0x2474, 10},
    {CHARSET_SJIS, 0x815F, 0x005C, 1},  {CHARSET_SJIS, 0x8160, 0x301C, 1},
    {CHARSET_SJIS, 0x8161, 0x2016, 1},  {CHARSET_SJIS, 0x817C, 0x2212, 1},
    {CHARSET_SJIS, 0x8191, 0x00A2, 1},  {CHARSET_SJIS, 0x8192, 0x00A3, 1},
    {CHARSET_SJIS, 0x81CA, 0x00AC, 1},  {CHARSET_UJIS, 0xA1C0, 0x005C, 1},
    {CHARSET_UJIS, 0xA1C1, 0x301C, 1},  {CHARSET_UJIS, 0xA1C2, 0x2016, 1},
    {CHARSET_UJIS, 0xA1DD, 0x2212, 1},  {CHARSET_UJIS, 0xA1F1, 0x00A2, 1},
    {CHARSET_UJIS, 0xA1F2, 0x00A3, 1},  {CHARSET_UJIS, 0xA2CC, 0x00AC, 1},
};

/* Bytes written. */
static size_t encode(uint32_t c, uint8_t *out)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
        out[0] = '?';
        return 1;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}

void charset_put_utf8(uint32_t character, struct buf *out)
{
    uint8_t bytes[4];

    buf_put(out, bytes, encode(character, bytes));
}

static bool is_euc_japanese(enum charset set)
{
    return set == CHARSET_EUCJPMS || set == CHARSET_UJIS;
}

static bool is_shift_jis(enum charset set)
{
    return set == CHARSET_CP932 || set == CHARSET_SJIS;
}

/* Bytes of the character that begins so. */
static size_t character_bytes(enum charset set, uint8_t lead)
{
    if (is_euc_japanese(set))
        return lead == 0x8F ? 3 : lead == 0x8E || lead >= 0xA1 ? 2 : 1;
    if (is_shift_jis(set) && lead >= 0xA0 && lead < 0xE0)
        return 1; /* half-width katakana */
    return lead > 0x80 && lead < 0xFF ? 2 : 1;
}

/* Where a code stands among those of its charset: rows have 63 codes from 0x40 and 94 from 0xA1. */
static unsigned place(uint16_t code)
{
    unsigned low = code & 0xFF;

    return (code >> 8) * 157u + (low < 0xA1 ? low - 0x40 : low - 0xA1 + 63);
}

/* MariaDB's own reading of a code, or 0. */
static uint32_t difference(enum charset set, uint16_t code)
{
    for (size_t i = 0; i < ARRAY_LEN(differences); i++) {
        unsigned behind;

        if (differences[i].charset != set || code < differences[i].code)
            continue;
        behind = place(code) - place(differences[i].code);
        if (behind < differences[i].count)
            return differences[i].character + behind;
    }
    return 0;
}

static void convert_one(iconv_t cd, enum charset set, struct span one, struct buf *out)
{
    uint32_t other = one.n == 2 ? difference(set, (uint16_t)(one.p[0] << 8 | one.p[1])) : 0;
    char bytes[4];
    char utf8[16];
    char *in = bytes;
    char *at = utf8;
    size_t left = sizeof utf8;

    assert(one.p && one.n <= sizeof bytes);
    memcpy(bytes, one.p, one.n);
    if (other)
        charset_put_utf8(other, out);
    else if (iconv(cd, &in, &one.n, &at, &left) == (size_t)-1)
        buf_put_u8(out, '?');
    else
        buf_put(out, utf8, sizeof utf8 - left);
}

bool charset_wide_to_utf8(enum charset set, struct span text, struct buf *out)
{
    iconv_t cd = iconv_open("UTF-8", converters[set]);
    struct cursor c = cursor_span(text);

    if ((intptr_t)cd == -1)
        return false;
    while (cursor_left(&c)) {
        size_t n = character_bytes(set, *c.p);

        convert_one(cd, set, cursor_bytes(&c, n < cursor_left(&c) ? n : cursor_left(&c)), out);
        (void)iconv(cd, NULL, NULL, NULL, NULL); /* an error leaves no trace */
    }
    (void)iconv_close(cd);
    return true;
}
