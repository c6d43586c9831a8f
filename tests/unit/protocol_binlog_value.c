#include "unit/binlog_data.h"

#include "protocol/binlog/binlog_table.h"
#include "protocol/charset.h"
#include "protocol/number.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <time.h>

static uint64_t seed = 20240229;

static uint64_t dice(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static unsigned group_bytes(unsigned digits)
{
    static const uint8_t bytes[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};

    return bytes[digits];
}

static void pack_group(struct buf *b, const char *digits, unsigned n)
{
    unsigned value = 0;

    for (unsigned i = 0; i < n; i++)
        value = value * 10 + (unsigned)(digits[i] - '0');
    for (unsigned i = group_bytes(n); i-- > 0;)
        buf_put_u8(b, (uint8_t)(value >> (8 * i)));
}

/* The other way round, written for the test: digits to MariaDB's packed form. */
static void pack(struct buf *b, const char *digits, unsigned whole, unsigned scale, bool negative)
{
    unsigned first = whole % 9;

    pack_group(b, digits, first);
    for (unsigned i = first; i < whole; i += 9)
        pack_group(b, digits + i, 9);
    for (unsigned i = 0; i + 9 <= scale; i += 9)
        pack_group(b, digits + whole + i, 9);
    pack_group(b, digits + whole + (size_t)(scale - scale % 9), scale % 9);
    assert(b->data);
    b->data[0] ^= 0x80;
    for (size_t i = 0; negative && i < b->len; i++)
        b->data[i] = (uint8_t)~b->data[i];
}

static void expect_decimal(const char *digits, unsigned whole, unsigned scale, bool negative)
{
    char want[BINLOG_DECIMAL_TEXT_MAX];
    char have[BINLOG_DECIMAL_TEXT_MAX];
    struct buf b = buf_with_max(64);
    unsigned skip = 0;

    while (skip + 1 < whole && digits[skip] == '0')
        skip++;
    (void)snprintf(want, sizeof want, "%s%s%.*s%s%.*s", negative ? "-" : "", whole ? "" : "0",
                   (int)(whole - skip), digits + skip, scale ? "." : "", (int)scale,
                   digits + whole);
    pack(&b, digits, whole, scale, negative);
    assert_true(binlog_decimal_text(buf_span(&b), whole + scale, scale, have));
    assert_string_equal(have, want);
    buf_free(&b);
}

static void test_decimals(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char digits[66];
        unsigned precision = 1 + (unsigned)(dice() % 65);
        unsigned scale = (unsigned)(dice() % (precision + 1));
        unsigned zeros = (unsigned)(dice() % (precision + 1));

        for (unsigned i = 0; i < precision; i++)
            digits[i] = (char)(i < zeros ? '0' : '0' + dice() % 10);
        digits[precision] = 0;
        if (strspn(digits, "0") == precision) /* the server has no negative zero */
            expect_decimal(digits, precision - scale, scale, false);
        else
            expect_decimal(digits, precision - scale, scale, dice() % 2);
    }
}

static void test_bad_decimals(void **state)
{
    static const uint8_t nines[30] = {0xFF, 0xFF, 0xFF, 0xFF};
    char out[BINLOG_DECIMAL_TEXT_MAX];

    (void)state;
    assert_false(
        binlog_decimal_text((struct span){nines, 4}, 9, 0, out)); /* more than nine digits */
    assert_false(binlog_decimal_text((struct span){nines, 3}, 9, 0, out));
    assert_false(binlog_decimal_text((struct span){nines, 4}, 0, 0, out));
    assert_false(binlog_decimal_text((struct span){nines, 30}, 66, 0, out));
    assert_false(binlog_decimal_text((struct span){nines, 4}, 8, 9, out));
}

/* What a 10.11 server prints of these DOUBLEs and FLOATs. */
static void test_numbers(void **state)
{
    static const struct {
        double v;
        const char *text;
    } doubles[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1e14, "100000000000000"},
        {1e15, "1e15"},
        {123456789012345, "123456789012345"},
        {1234567890123456, "1.234567890123456e15"},
        {1234567890123456.5, "1234567890123456.5"},
        {1.2345678901234567e16, "1.2345678901234568e16"},
        {999999999999999, "999999999999999"},
        {1e15 + 1, "1.000000000000001e15"},
        {4503599627370497.5, "4.503599627370498e15"},
        {9007199254740993.0, "9.007199254740992e15"},
        {1e-15, "0.000000000000001"},
        {1e-16, "1e-16"},
        {1.5e-15, "0.0000000000000015"},
        {1.234567e-14, "0.00000000000001234567"},
        {0.1, "0.1"},
        {-1e300, "-1e300"},
        {5e-324, "5e-324"},
        {DBL_MAX, "1.7976931348623157e308"},
        {6.150157786156811e259, "6.150157786156811e259"}, /* just above a power of two */
    };
    static const struct {
        float v;
        const char *text;
    } floats[] = {{1.5F, "1.5"},        {16777216.0F, "16777200"},
                  {1e15F, "1e15"},      {3.402823466e38F, "3.40282e38"},
                  {0.1F, "0.1"},        {1e-15F, "0.000000000000001"},
                  {1e-16F, "1e-16"},    {-0.0F, "-0"},
                  {3.14159F, "3.14159"}};
    char text[NUMBER_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(doubles); i++) {
        number_double_text(doubles[i].v, text);
        assert_string_equal(text, doubles[i].text);
    }
    for (size_t i = 0; i < ARRAY_LEN(floats); i++) {
        number_float_text(floats[i].v, text);
        assert_string_equal(text, floats[i].text);
    }
}

/* Any double comes back from its text, and no text of fewer digits would do. */
static void test_doubles_come_back(void **state)
{
    char text[NUMBER_TEXT_MAX];

    (void)state;
    for (int round = 0; round < 50000; round++) {
        uint64_t bits = round % 8 ? dice() : 1ULL << (dice() % 63); /* also powers of two */
        double v;

        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        number_double_text(v, text);
        assert_true(strtod(text, NULL) == v);
        assert_true(strlen(text) < NUMBER_TEXT_MAX);
        if (fabs(v) >= DBL_MIN) {
            char shorter[64];
            int digits = 0;

            for (const char *p = text; *p && *p != 'e'; p++)
                digits += *p >= '0' && *p <= '9' && (digits || *p != '0');
            if (digits < 2 || digits > 17 || !strchr(text, 'e'))
                continue;
            (void)snprintf(shorter, sizeof shorter, "%.*e", digits - 2, v);
            assert_false(strtod(shorter, NULL) == v);
        }
    }
}

static void expect_text(const struct binlog_value *v, const struct binlog_column *c,
                        const char *want)
{
    struct buf b = buf_with_max(200);

    binlog_value_text(v, c, &b);
    assert_string_equal(buf_text(&b), want);
    buf_free(&b);
}

static void test_timestamps(void **state)
{
    const struct binlog_column whole = {.kind = BINLOG_TIMESTAMP};
    const struct binlog_column micros = {.kind = BINLOG_TIMESTAMP, .decimals = 6};
    struct binlog_value v = {.kind = BINLOG_TIMESTAMP, .i = 0};

    (void)state;
    expect_text(&v, &whole, "0000-00-00 00:00:00");
    v.i = 1;
    expect_text(&v, &micros, "1970-01-01 00:00:00.000001");
    for (int round = 0; round < 50000; round++) {
        time_t seconds = (time_t)(dice() % 4294967295u) + 1;
        char want[64];
        struct tm tm;

        assert_non_null(gmtime_r(&seconds, &tm));
        assert_true(strftime(want, sizeof want, "%Y-%m-%d %H:%M:%S", &tm) > 0);
        v.i = (int64_t)seconds * 1000000 + 999999;
        expect_text(&v, &whole, want);
    }
}

static void test_times_and_dates(void **state)
{
    static const struct {
        int64_t micros;
        uint8_t decimals;
        const char *text;
    } times[] = {{0, 0, "00:00:00"},
                 {-1000, 3, "-00:00:00.001"},
                 {-3020399999999, 6, "-838:59:59.999999"},
                 {3020399000000, 0, "838:59:59"},
                 {-90000100000, 1, "-25:00:00.1"},
                 {INT64_MIN, 0, "-2562047788:00:54"}};
    const struct binlog_column date = {.kind = BINLOG_DATE};
    const struct binlog_column moment = {.kind = BINLOG_DATETIME, .decimals = 2};
    struct binlog_value v = {.kind = BINLOG_DATE, .when = {.year = 2024}};

    (void)state;
    expect_text(&v, &date, "2024-00-00");
    v = (struct binlog_value){.kind = BINLOG_DATETIME, .when = {9999, 12, 31, 23, 59, 58, 120000}};
    expect_text(&v, &moment, "9999-12-31 23:59:58.12");
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        const struct binlog_column c = {.kind = BINLOG_TIME, .decimals = times[i].decimals};

        v = (struct binlog_value){.kind = BINLOG_TIME, .i = times[i].micros};
        expect_text(&v, &c, times[i].text);
    }
}

static void test_members(void **state)
{
    static const uint8_t names[] = "\x01"
                                   "a\x02"
                                   "b,\x00\x01\xe9";
    const struct binlog_column c = {
        .collation = 8, .members = 4, .values = {names, sizeof names - 1}};
    struct binlog_value v = {.kind = BINLOG_ENUM, .u = 0};

    (void)state;
    expect_text(&v, &c, "");
    v.u = 4;
    expect_text(&v, &c, "é");
    v.u = 5;
    expect_text(&v, &c, "");
    v.u = UINT64_MAX;
    expect_text(&v, &c, "");
    v = (struct binlog_value){.kind = BINLOG_SET, .u = 0xB};
    expect_text(&v, &c, "a,b,,é");
    v.u = UINT64_MAX;
    expect_text(&v, &c, "a,b,,,é");
    v.u = 0;
    expect_text(&v, &c, "");
}

static void test_other_texts(void **state)
{
    const struct binlog_column bits = {.kind = BINLOG_BIT, .width = 2};
    const struct binlog_column none = {0};
    struct binlog_value v = {.kind = BINLOG_BIT, .u = 0x4142};

    (void)state;
    expect_text(&v, &bits, "AB");
    v = (struct binlog_value){.kind = BINLOG_YEAR, .u = 0};
    expect_text(&v, &none, "0000");
    v = (struct binlog_value){.kind = BINLOG_UINT, .u = UINT64_MAX};
    expect_text(&v, &none, "18446744073709551615");
    v = (struct binlog_value){.kind = BINLOG_INT, .i = INT64_MIN};
    expect_text(&v, &none, "-9223372036854775808");
    v = (struct binlog_value){.kind = BINLOG_NULL};
    expect_text(&v, &none, "NULL");
    v = (struct binlog_value){.kind = BINLOG_ABSENT};
    expect_text(&v, &none, "");
}

static void test_equal(void **state)
{
    struct binlog_value a = {.kind = BINLOG_TEXT, .bytes = span_of("x")};
    struct binlog_value b = {.kind = BINLOG_TEXT, .bytes = span_of("y")};

    (void)state;
    assert_false(binlog_value_equal(&a, &b));
    b.bytes = span_of("x");
    assert_true(binlog_value_equal(&a, &b));
    b.kind = BINLOG_BYTES;
    assert_false(binlog_value_equal(&a, &b));
    a = (struct binlog_value){.kind = BINLOG_FLOAT, .f = 1};
    b = a;
    b.u |= 1ULL << 40; /* bytes beyond the float don't count */
    assert_true(binlog_value_equal(&a, &b));
    a = (struct binlog_value){.kind = BINLOG_DATE, .when = {.year = 2024, .day = 1}};
    b = a;
    assert_true(binlog_value_equal(&a, &b));
    b.when.day = 2;
    assert_false(binlog_value_equal(&a, &b));
    a = (struct binlog_value){.kind = BINLOG_TIME, .i = -1};
    b = (struct binlog_value){.kind = BINLOG_TIME, .i = 1};
    assert_false(binlog_value_equal(&a, &b));
    a.kind = b.kind = BINLOG_NULL;
    assert_true(binlog_value_equal(&a, &b));
}

static void test_addresses(void **state)
{
    static const uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0,
                                      0,    0,    0,    0,    0, 0, 0, 0xff};
    char text[64];
    char uuid[37];

    (void)state;
    binlog_uuid_text(bytes, uuid);
    assert_string_equal(uuid, "20010db8-0000-0000-0000-0000000000ff");
    assert_true(binlog_inet_text((struct span){bytes, 16}, text, sizeof text));
    assert_string_equal(text, "2001:db8::ff");
    assert_true(binlog_inet_text((struct span){bytes, 4}, text, sizeof text));
    assert_string_equal(text, "32.1.13.184");
    assert_false(binlog_inet_text((struct span){bytes, 5}, text, sizeof text));
}

static void expect_utf8(uint16_t collation, const char *bytes, size_t n, const char *want)
{
    struct buf b = buf_with_max(200);

    assert_true(charset_to_utf8(collation, (struct span){(const uint8_t *)bytes, n}, &b));
    assert_string_equal(buf_text(&b), want);
    buf_free(&b);
}

static void test_character_sets(void **state)
{
    (void)state;
    assert_string_equal(charset_name(8), "latin1");
    assert_string_equal(charset_name(45), "utf8mb4");
    assert_string_equal(charset_name(63), "binary");
    assert_string_equal(charset_name(2304), "utf8mb4");
    assert_string_equal(charset_name(1032), "latin1");
    assert_null(charset_name(0));
    assert_null(charset_name(9999));
    expect_utf8(8, "\xe9\x80\xff", 3, "é€ÿ");
    expect_utf8(45, "\xf0\x9f\x98\x80", 4, "😀");
    expect_utf8(35,
                "\x00"
                "a\x00\xdf\xd8\x00",
                6, "aß?");
    expect_utf8(54, "\xd8\x34\xdd\x1e\x00x\xd8\x34\x00", 9, "𝄞x??");
    expect_utf8(56, "\x34\xd8\x1e\xdd", 4, "𝄞");
    expect_utf8(60, "\x00\x01\xf6\x00\x00\x11\x00\x00\x00", 9, "😀??");
    expect_utf8(10, "[]{|}~\x80", 7, "ÄÅäöåü?");
    expect_utf8(11, "a\x80", 2, "a?");
    expect_utf8(28, "\xd6\xd0\xce\xc4\xff", 5, "中文?");
    expect_utf8(13, "\x81\x60\x5c\xb1\x81", 5, "〜\\ｱ?");
    expect_utf8(0, "raw\xff", 4, "raw\xff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimals),       cmocka_unit_test(test_bad_decimals),
        cmocka_unit_test(test_numbers),        cmocka_unit_test(test_doubles_come_back),
        cmocka_unit_test(test_timestamps),     cmocka_unit_test(test_times_and_dates),
        cmocka_unit_test(test_members),        cmocka_unit_test(test_other_texts),
        cmocka_unit_test(test_equal),          cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_character_sets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
