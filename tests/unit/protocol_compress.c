#include "protocol/compress.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum { BIG = 100000 };

static const enum compress_by both[] = {COMPRESS_ZLIB, COMPRESS_ZSTD};

static enum compress_by by; /* of the test that runs */

/* As the libraries themselves pack it. */
static size_t pack(uint8_t *bytes, size_t room, struct span plain)
{
    uLongf n = room;

    if (by == COMPRESS_ZSTD) {
        n = ZSTD_compress(bytes, room, plain.p, plain.n, 5);
        assert_false(ZSTD_isError(n));
    } else {
        assert_int_equal(compress(bytes, &n, plain.p, plain.n), Z_OK);
    }
    return n;
}

static void put_frame(struct buf *b, uint8_t seq, struct span plain, bool packed)
{
    static uint8_t bytes[BIG + 1000];
    size_t n = packed ? pack(bytes, sizeof bytes, plain) : 0;

    buf_put_u24(b, (uint32_t)(packed ? n : plain.n));
    buf_put_u8(b, seq);
    buf_put_u24(b, packed ? (uint32_t)plain.n : 0);
    buf_put(b, packed ? bytes : plain.p, packed ? n : plain.n);
}

static uint8_t text[BIG];

static struct span fill(size_t n)
{
    for (size_t i = 0; i < n; i++)
        text[i] = (uint8_t)((size_t) "abc"[i % 3] + (i / 1000) % 20);
    return (struct span){text, n};
}

/* All of `in`, given `bite` bytes at a time into `room` bytes at a time. */
static size_t read_all(struct compress *c, struct span in, size_t bite, size_t room, uint8_t *out)
{
    size_t total = 0;
    size_t given = 0;
    size_t made;

    do {
        size_t end = given + bite < in.n ? given + bite : in.n;
        struct span part = {in.p + given, end - given};

        assert_true(compress_read(c, &part, out + total, room, &made));
        assert_true(made <= room);
        total += made;
        if (made == 0 && end - given == part.n && end == in.n)
            break;
        given = (size_t)(part.n ? part.p - in.p : (ptrdiff_t)end);
        bite = made == 0 && part.n == bite ? bite + 1 : bite;
    } while (given < in.n || made > 0);
    return total;
}

static void frames_come_in_any_pieces(void **state)
{
    static const size_t bites[] = {1, 6, 7, 8, 100, BIG};
    static const size_t rooms[] = {1, 3, 4096, BIG};
    struct buf b = buf_with_max(1 << 20);
    static uint8_t out[BIG];
    struct span plain = fill(20000);

    (void)state;
    put_frame(&b, 0, (struct span){plain.p, 19000}, true);
    put_frame(&b, 1, (struct span){plain.p + 19000, 10}, false);
    put_frame(&b, 2, (struct span){plain.p + 19010, 990}, true);
    for (size_t i = 0; i < ARRAY_LEN(bites); i++)
        for (size_t k = 0; k < ARRAY_LEN(rooms); k++) {
            struct compress c;

            compress_init(&c, by, 3);
            assert_int_equal(read_all(&c, buf_span(&b), bites[i], rooms[k], out), plain.n);
            assert_memory_equal(out, plain.p, plain.n);
            compress_next(&c);
            assert_int_equal(c.seq, 2);
            compress_free(&c);
        }
    buf_free(&b);
}

/* Packets for a client: every third of them does not become smaller. */
static struct span packets(struct buf *b, const uint32_t *sizes, size_t n)
{
    uint32_t noise = 1;

    for (size_t i = 0; i < n; i++) {
        buf_put_u24(b, sizes[i]);
        buf_put_u8(b, (uint8_t)i);
        for (uint32_t k = 0; k < sizes[i]; k++) {
            noise = noise * 1664525 + 1013904223;
            buf_put_u8(b, i % 3 == 2 ? (uint8_t)(noise >> 24) : (uint8_t) "abcd"[k / 100 % 4]);
        }
    }
    assert_true(buf_ok(b));
    return buf_span(b);
}

/* No packet lies in more than two frames. */
static void assert_frames(struct span frames, const uint32_t *sizes, size_t n)
{
    struct cursor at = cursor_span(frames);
    size_t inside = 0; /* bytes of the frame that no packet took yet */

    for (size_t i = 0; i < n; i++) {
        size_t left = sizes[i] + 4;
        int pieces = 0;

        while (left > 0) {
            size_t part;

            if (inside == 0) {
                uint32_t packed = cursor_u24(&at);

                cursor_skip(&at, 1);
                inside = cursor_u24(&at);
                inside = inside ? inside : packed;
                cursor_skip(&at, packed);
            }
            part = left < inside ? left : inside;
            left -= part;
            inside -= part;
            pieces++;
        }
        assert_true(pieces <= 2);
    }
}

/* Written `bite` bytes at a time, as an answer to a command of three frames. The last number. */
static uint8_t writes(struct deflaters *d, struct span plain, size_t bite, struct buf *out)
{
    struct compress c;

    compress_init(&c, by, 3);
    c.seq = 2;
    for (size_t at = 0; at < plain.n; at += bite) {
        size_t n = bite < plain.n - at ? bite : plain.n - at;

        compress_write(&c, d, (struct span){plain.p + at, n}, out);
        assert_true(buf_ok(out));
    }
    compress_free(&c);
    return c.seq;
}

static void what_is_written_reads_the_same(void **state)
{
    static const uint32_t sizes[] = {0, 1, 45, 46, 5000, 16380, 16381, 40000, 3, 100000, 7, 16384};
    static const size_t bites[] = {1, 5, 1000, 16384, 1 << 20};
    struct deflaters d = {{NULL}};
    struct buf from = buf_with_max(1 << 20);
    struct buf b = buf_with_max(1 << 21);
    struct span plain = packets(&from, sizes, ARRAY_LEN(sizes));
    uint8_t *out = malloc(plain.n);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bites); i++) {
        struct compress reader;
        uint8_t last = writes(&d, plain, bites[i], &b);

        assert_true(b.len < plain.n);
        assert_frames(buf_span(&b), sizes, ARRAY_LEN(sizes));
        compress_init(&reader, by, 3);
        reader.seq = 2;
        assert_int_equal(read_all(&reader, buf_span(&b), b.len, plain.n, out), plain.n);
        assert_memory_equal(out, plain.p, plain.n);
        assert_int_equal(reader.seq, last);
        compress_free(&reader);
        buf_clear(&b);
    }
    free(out);
    deflaters_free(&d);
    buf_free(&from);
    buf_free(&b);
}

/* What does not become smaller fits the headers all the same, and memory is bounded. */
static void the_largest_packet_has_two_frames(void **state)
{
    static const uint32_t sizes[] = {1, 2, 0xFFFFFF, 4};
    struct deflaters d = {{NULL}};
    struct buf from = buf_with_max(1 << 25);
    struct buf b = buf_with_max(1 << 25);
    struct span plain = packets(&from, sizes, ARRAY_LEN(sizes));

    (void)state;
    (void)writes(&d, plain, 16384, &b);
    assert_true(b.len > plain.n - 1000 && b.len < plain.n + 20000);
    assert_frames(buf_span(&b), sizes, ARRAY_LEN(sizes));
    deflaters_free(&d);
    buf_free(&from);
    buf_free(&b);
}

/* Each reply goes on from the last number of its own command. */
static void commands_may_come_ahead(void **state)
{
    struct buf b = buf_with_max(4096);
    struct compress c;
    uint8_t out[100];
    struct span in;
    size_t made;

    (void)state;
    compress_init(&c, by, 3);
    put_frame(&b, 0, span_of("one"), false);
    put_frame(&b, 1, span_of("more"), false);
    for (int i = 0; i < COMPRESS_AHEAD; i++)
        put_frame(&b, 0, span_of("x"), false);
    in = buf_span(&b);
    assert_true(compress_read(&c, &in, out, sizeof out, &made));
    assert_int_equal(made, 7 + COMPRESS_AHEAD - 1);
    assert_true(compress_is_ahead(&c));
    compress_next(&c);
    assert_int_equal(c.seq, 1);
    assert_true(compress_read(&c, &in, out, sizeof out, &made));
    assert_int_equal(made, 1);
    assert_int_equal(in.n, 0);
    compress_next(&c);
    assert_int_equal(c.seq, 0);
    compress_free(&c);
    buf_free(&b);
}

static void refuses(const struct buf *b)
{
    struct span in = buf_span(b);
    static uint8_t out[BIG];
    struct compress c;
    size_t made;

    compress_init(&c, by, 3);
    assert_false(compress_read(&c, &in, out, sizeof out, &made));
    assert_true(c.why[0]);
    compress_free(&c);
}

static void lies_are_refused(void **state)
{
    struct buf b = buf_with_max(1 << 20);
    struct span plain = fill(1000);

    (void)state;
    put_frame(&b, 3, plain, true); /* out of order */
    refuses(&b);
    buf_clear(&b);
    put_frame(&b, 0, plain, true);
    b.data[4] = 1; /* says less than there is */
    b.data[5] = 1;
    refuses(&b);
    b.data[5] = 200; /* says more */
    refuses(&b);
    buf_clear(&b);
    put_frame(&b, 0, plain, true);
    b.data[9] ^= 0x55;
    refuses(&b);
    buf_clear(&b);
    buf_put(&b, "\0\0\0\0\0\0\0", 7); /* nothing in it */
    refuses(&b);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_in_any_pieces),
        cmocka_unit_test(what_is_written_reads_the_same),
        cmocka_unit_test(the_largest_packet_has_two_frames),
        cmocka_unit_test(commands_may_come_ahead),
        cmocka_unit_test(lies_are_refused),
    };

    int failed = 0;

    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        by = both[i];
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
