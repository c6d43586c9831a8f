#include "protocol/packet.h"
#include "tests/unit/check.h"

static void whole_packets(void **state)
{
    static const struct {
        struct span in;
        size_t limit;
        int answer;
        size_t length;
    } rows[] = {
        {ROW_BYTES(""), 10, 0, 0},
        {ROW_BYTES("\x03\0\0"), 10, 0, 0},
        {ROW_BYTES("\x03\0\0\x07"), 10, 0, 0},
        {ROW_BYTES("\x03\0\0\x07"
                   "ab"),
         10, 0, 0},
        {ROW_BYTES("\x03\0\0\x07"
                   "abc"),
         10, 1, 3},
        {ROW_BYTES("\x03\0\0\x07"
                   "abcd"),
         3, 1, 3},
        {ROW_BYTES("\0\0\0\x07"), 10, 1, 0},
        {ROW_BYTES("\x04\0\0\x07"), 3, -1, 0}, /* refused before its bytes are waited for */
        {ROW_BYTES("\xff\xff\xff\x07"), 3, -1, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct packet_header h;
        struct span payload;
        size_t used;

        assert_int_equal(packet_whole(rows[i].in, rows[i].limit, &h, &payload, &used),
                         rows[i].answer);
        if (rows[i].answer != 1)
            continue;
        assert_int_equal(h.seq, 7);
        assert_int_equal(h.length, rows[i].length);
        assert_int_equal(payload.n, rows[i].length);
        assert_int_equal(used, 4 + rows[i].length);
        assert_ptr_equal(payload.p, rows[i].in.p + 4);
    }
}

static void headers(void **state)
{
    uint8_t p[4];
    struct packet_header h;

    (void)state;
    packet_header_write(p, 0x123456, 0xAB);
    assert_memory_equal(p, "\x56\x34\x12\xab", 4);
    h = packet_header_at(p);
    assert_int_equal(h.length, 0x123456);
    assert_int_equal(h.seq, 0xAB);
}

static void building(void **state)
{
    struct buf b = buf_with_max(100);
    size_t first = packet_begin(&b);
    size_t second;

    (void)state;
    buf_put_str(&b, "abc");
    packet_end(&b, first, 0);
    second = packet_begin(&b);
    packet_end(&b, second, 255);
    check_bytes(buf_span(&b), BYTES("\x03\0\0\0abc\0\0\0\xff"));
    buf_free(&b);
}

static void building_without_room(void **state)
{
    struct buf b = buf_with_max(6);
    size_t at = packet_begin(&b);

    (void)state;
    buf_put_str(&b, "abc");
    packet_end(&b, at, 0);
    assert_false(buf_ok(&b));
    buf_free(&b);
    b = buf_with_max(3);
    packet_end(&b, packet_begin(&b), 0);
    assert_false(buf_ok(&b));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_packets),
        cmocka_unit_test(headers),
        cmocka_unit_test(building),
        cmocka_unit_test(building_without_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
