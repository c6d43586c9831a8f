#include "protocol/reply_digest.h"

#include "tests/unit/check.h"

static const uint64_t caps = CAP_SESSION_TRACK | CAP_DEPRECATE_EOF;

static void put_packet(struct buf *b, uint8_t seq, struct span payload)
{
    size_t at = packet_begin(b);

    buf_put_span(b, payload);
    packet_end(b, at, seq);
}

static void put_ok(struct buf *b, uint8_t seq, const struct ok *ok)
{
    size_t at = packet_begin(b);

    ok_encode(b, ok, caps);
    packet_end(b, at, seq);
}

/* The digest of a reply that comes in reads of `chunk` bytes. */
static uint64_t digest(const struct buf *b, size_t chunk, uint64_t client_caps)
{
    struct reply_digest d;
    struct reply r;
    struct reply_out out = {.done = false};
    uint8_t held[4096];
    size_t n = 0;

    reply_begin(&r, REPLY_RESULT, caps, client_caps, 0);
    reply_digest_begin(&d);
    for (size_t at = 0; at < b->len && !out.done; at += chunk) {
        size_t more = chunk < b->len - at ? chunk : b->len - at;

        memcpy(held + n, b->data + at, more);
        n += more;
        do {
            reply_feed(&r, held, n, sizeof held, &out);
            reply_digest_step(&d, &r, held, &out);
            n -= out.pass + out.drop;
            memmove(held, held + out.pass + out.drop, n);
        } while (!out.done && out.event != REPLY_MORE);
    }
    assert_true(out.done);
    return reply_digest_value(&d);
}

static uint64_t of_ok(const struct ok *ok)
{
    struct buf b = buf_with_max(4096);
    uint64_t value;

    put_ok(&b, 1, ok);
    value = digest(&b, b.len, caps);
    buf_free(&b);
    return value;
}

static void test_ok(void **state)
{
    const struct ok base = {.affected_rows = 1, .status = STATUS_IN_TRANS, .info = span_of("x")};
    struct ok other = base;

    (void)state;
    other.changes = BYTES("\0\x11\tlast_gtid\x06"
                          "0-1-10");
    other.status |= STATUS_SESSION_STATE_CHANGED;
    assert_true(of_ok(&base) == of_ok(&other)); /* the session's matter, not the statement's */
    other = base;
    other.affected_rows = 2;
    assert_true(of_ok(&base) != of_ok(&other));
    other = base;
    other.last_insert_id = 9;
    assert_true(of_ok(&base) != of_ok(&other));
    other = base;
    other.warnings = 1;
    assert_true(of_ok(&base) != of_ok(&other));
    other = base;
    other.status = 0; /* the transaction is gone */
    assert_true(of_ok(&base) != of_ok(&other));
}

static void put_rows(struct buf *b, const char *value)
{
    struct buf row = buf_with_max(64);

    buf_put_u8(&row, (uint8_t)strlen(value));
    buf_put_span(&row, span_of(value));
    put_packet(b, 1, BYTES("\1"));
    put_packet(b, 2, BYTES("\3def definition"));
    put_packet(b, 3, buf_span(&row));
    put_ok(b, 4, &(struct ok){.header = 0xFE, .status = STATUS_IN_TRANS});
    buf_free(&row);
}

static void test_rows(void **state)
{
    struct buf a = buf_with_max(4096);
    struct buf b = buf_with_max(4096);

    (void)state;
    put_rows(&a, "4711");
    put_rows(&b, "4712");
    for (size_t chunk = 1; chunk <= a.len; chunk++) {
        assert_true(digest(&a, chunk, caps) == digest(&a, a.len, caps));
        assert_true(digest(&a, chunk, 0) == digest(&a, a.len, 0)); /* with EOF packets put in */
        assert_true(digest(&a, chunk, caps) != digest(&b, chunk, caps));
    }
    buf_free(&a);
    buf_free(&b);
}

static uint64_t of_error(uint16_t code, const char *text)
{
    struct buf b = buf_with_max(4096);
    size_t at = packet_begin(&b);
    uint64_t value;

    error_encode(&b, code, "HY000", text);
    packet_end(&b, at, 1);
    value = digest(&b, b.len, caps);
    buf_free(&b);
    return value;
}

static void test_errors_count_by_number(void **state)
{
    (void)state;
    assert_true(of_error(1062, "entry 1") == of_error(1062, "entry 2"));
    assert_true(of_error(1062, "entry 1") != of_error(1452, "entry 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ok),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_errors_count_by_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
