/* Packed DECIMAL: groups of nine digits as four big-endian bytes, shorter groups at the outer ends
 * of both sides; the first bit inverted, and all bits of a negative one.
 * https://mariadb.com/kb/en/decimal/
 */
#include "protocol/binlog/binlog_value.h"

enum { GROUP = 9, DIGITS_MAX = 65 };

static const uint8_t group_bytes[GROUP + 1] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};

/* What is left to read: the sign's mask is taken off byte by byte. */
struct packed {
    const uint8_t *p;
    uint8_t mask; /* 0, or 0xFF where negative */
    uint8_t flip; /* 0x80 for the first byte, then 0 */
};

/* `count` digits (at most nine) into out; false where the bytes are a larger number. */
static bool take_group(struct packed *in, unsigned count, char *out)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < group_bytes[count]; i++) {
        v = v << 8 | (uint8_t)(*in->p++ ^ in->mask ^ in->flip);
        in->flip = 0;
    }
    for (unsigned i = count; i-- > 0; v /= 10)
        out[i] = (char)('0' + v % 10);
    return v == 0;
}

/* All digits of one side: the short group first on the left of the point, last on the right. */
static bool take_side(struct packed *in, unsigned digits, bool short_first, char *out)
{
    unsigned rest = digits % GROUP;
    bool ok = true;

    if (short_first) {
        ok = take_group(in, rest, out);
        out += rest;
    }
    for (unsigned i = 0; i < digits / GROUP; i++, out += GROUP)
        ok = take_group(in, GROUP, out) && ok;
    if (!short_first)
        ok = take_group(in, rest, out) && ok;
    return ok;
}

static size_t packed_size(unsigned whole, unsigned scale)
{
    return whole / GROUP * 4u + group_bytes[whole % GROUP] + scale / GROUP * 4u +
           group_bytes[scale % GROUP];
}

bool binlog_decimal_text(struct span packed, unsigned precision, unsigned scale,
                         char out[BINLOG_DECIMAL_TEXT_MAX])
{
    char digits[DIGITS_MAX];
    unsigned whole = precision - scale;
    unsigned skip = 0;
    struct packed in;
    bool ok;

    if (precision < 1 || precision > DIGITS_MAX || scale > precision ||
        packed.n != packed_size(whole, scale))
        return false;
    in = (struct packed){packed.p, packed.p[0] & 0x80 ? 0 : 0xFF, 0x80};
    if (in.mask)
        *out++ = '-';
    memset(digits, '0', sizeof digits);
    ok = take_side(&in, whole, true, digits);
    ok = take_side(&in, scale, false, digits + whole) && ok;
    while (skip + 1 < whole && digits[skip] == '0')
        skip++;
    if (whole == 0)
        *out++ = '0';
    memcpy(out, digits + skip, whole - skip);
    out += whole - skip;
    if (scale) {
        *out++ = '.';
        memcpy(out, digits + whole, scale);
        out += scale;
    }
    *out = 0;
    return ok;
}
