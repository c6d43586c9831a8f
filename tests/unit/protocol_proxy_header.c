#include "protocol/proxy_header.h"
#include "tests/unit/check.h"

static const char sig[] = "\r\n\r\n\0\r\nQUIT\n";

static struct span binary(struct buf *b, uint8_t command, uint8_t family, const void *body,
                          uint16_t n)
{
    buf_clear(b);
    buf_put(b, sig, 12);
    buf_put_u8(b, command);
    buf_put_u8(b, family);
    buf_put_u8(b, (uint8_t)(n >> 8));
    buf_put_u8(b, (uint8_t)n);
    buf_put(b, body, n);
    return buf_span(b);
}

static const struct {
    const char *line;
    enum proxy_found found;
    const char *address;
} lines[] = {
    {"PROXY TCP4 203.0.113.7 10.0.0.1 5123 3306\r\n", PROXY_CLIENT, "203.0.113.7"},
    {"PROXY TCP6 2001:db8::7 ::1 5123 3306\r\n", PROXY_CLIENT, "2001:db8::7"},
    {"PROXY TCP6 ::ffff:203.0.113.9 ::1 5123 3306\r\n", PROXY_CLIENT, "203.0.113.9"},
    {"PROXY UNKNOWN\r\n", PROXY_LOCAL, ""},
    {"PROXY UNKNOWN ffff:f...f:ffff ffff::1 65535 65535\r\n", PROXY_LOCAL, ""},
    {"PROXY TCP4 203.0.113.700 10.0.0.1 5123 3306\r\n", PROXY_INVALID, ""},
    {"PROXY TCP4 2001:db8::7 ::1 5123 3306\r\n", PROXY_INVALID, ""},
    {"PROXY TCP4\r\n", PROXY_INVALID, ""},
    {"PROXY UDP4 203.0.113.7 10.0.0.1 5123 3306\r\n", PROXY_INVALID, ""},
    {"PROXY TCP4 203.0.113.7 10.0.0.1 5123 3306\n", PROXY_INVALID, ""},
    {"PROXY TCP4 11111111111111111111111111111111111111111111111111 1 2 3\r\n", PROXY_INVALID, ""},
    {"PROXY TCP4 203.0.113.7 10.0.0.1 5123 3306\r", PROXY_MORE, ""},
    {"PROXY ", PROXY_MORE, ""},
    {"P", PROXY_MORE, ""},
    {"PROXZ TCP4 203.0.113.7 10.0.0.1 5123 3306\r\n", PROXY_ABSENT, ""},
    {"hello", PROXY_ABSENT, ""},
};

static void text_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct proxy_header h;

        assert_int_equal(proxy_header_decode(span_of(lines[i].line), &h), lines[i].found);
        assert_string_equal(h.address, lines[i].address);
        if (lines[i].found == PROXY_CLIENT || lines[i].found == PROXY_LOCAL)
            assert_int_equal(h.used, strlen(lines[i].line));
        if (lines[i].found == PROXY_INVALID)
            assert_true(h.why[0]);
    }
}

static void an_endless_line_is_invalid(void **state)
{
    char line[108] = "PROXY TCP4 ";
    struct proxy_header h;

    (void)state;
    memset(line + 11, '1', sizeof line - 12);
    assert_int_equal(proxy_header_decode((struct span){(uint8_t *)line, 106}, &h), PROXY_MORE);
    assert_int_equal(proxy_header_decode((struct span){(uint8_t *)line, 107}, &h), PROXY_INVALID);
}

static void binary_headers(void **state)
{
    struct buf b = buf_with_max(65536);
    uint8_t body[3000] = {203, 0, 113, 7, 10, 0, 0, 1, 20, 3, 12, 234};
    struct proxy_header h;
    struct span in;

    (void)state;
    in = binary(&b, 0x21, 0x11, body, 12);
    assert_int_equal(proxy_header_decode(in, &h), PROXY_CLIENT);
    assert_string_equal(h.address, "203.0.113.7");
    assert_int_equal(h.used, 28);
    for (size_t n = 1; n < in.n; n++)
        assert_int_equal(proxy_header_decode((struct span){in.p, n}, &h), PROXY_MORE);
    in = binary(&b, 0x21, 0x11, body, 100); /* extensions follow */
    assert_int_equal(proxy_header_decode(in, &h), PROXY_CLIENT);
    assert_int_equal(h.used, 116);
    assert_int_equal(proxy_header_decode(binary(&b, 0x20, 0x00, body, 0), &h), PROXY_LOCAL);
    assert_int_equal(proxy_header_decode(binary(&b, 0x21, 0x00, body, 5), &h), PROXY_LOCAL);
    assert_int_equal(proxy_header_decode(binary(&b, 0x21, 0x31, body, 216), &h), PROXY_CLIENT);
    assert_string_equal(h.address, "localhost");
    assert_int_equal(proxy_header_decode(binary(&b, 0x21, 0x11, body, 11), &h), PROXY_INVALID);
    assert_int_equal(proxy_header_decode(binary(&b, 0x21, 0x21, body, 35), &h), PROXY_INVALID);
    assert_int_equal(proxy_header_decode(binary(&b, 0x11, 0x11, body, 12), &h), PROXY_INVALID);
    assert_int_equal(proxy_header_decode(binary(&b, 0x21, 0x11, body, 3000), &h), PROXY_INVALID);
    buf_free(&b);
}

static void what_is_written_reads_the_same(void **state)
{
    static const char *const addresses[] = {"203.0.113.7", "2001:db8::7", "localhost"};
    struct buf b = buf_with_max(1024);
    struct proxy_header h;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        buf_clear(&b);
        proxy_header_encode(&b, addresses[i]);
        assert_int_equal(proxy_header_decode(buf_span(&b), &h), PROXY_CLIENT);
        assert_string_equal(h.address, addresses[i]);
        assert_int_equal(h.used, b.len);
    }
    buf_clear(&b);
    proxy_header_encode(&b, "");
    assert_int_equal(proxy_header_decode(buf_span(&b), &h), PROXY_LOCAL);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_headers),
        cmocka_unit_test(an_endless_line_is_invalid),
        cmocka_unit_test(binary_headers),
        cmocka_unit_test(what_is_written_reads_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
