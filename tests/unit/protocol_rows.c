#include "protocol/rows.h"

#include "protocol/reply.h"
#include "tests/unit/check.h"

/* Whether the tracker that reads servers' replies takes it for one whole result set. */
static void check_followed(const struct buf *out, uint64_t caps)
{
    struct reply r;
    struct reply_out step = {0};
    size_t at = 0;

    reply_begin(&r, REPLY_RESULT, caps | CAP_SESSION_TRACK, caps, STATUS_AUTOCOMMIT);
    while (!step.done) {
        reply_feed(&r, out->data + at, out->len - at, 65536, &step);
        assert_int_not_equal(step.event, REPLY_BAD);
        assert_int_not_equal(step.event, REPLY_ERROR);
        at += step.pass + step.drop;
        assert_true(step.done || step.event != REPLY_MORE);
    }
    assert_int_equal(at, out->len);
}

static void a_result_set(uint64_t caps, size_t packets)
{
    static const char *const names[] = {"Variable_name", "Value"};
    static const char *const first[] = {"a", ""};
    static const char *const second[] = {"b", "longer text"};
    struct buf out = buf_with_max(1 << 16);
    struct rows r = rows_begin(&out, caps, STATUS_AUTOCOMMIT, names, 2);
    size_t at = 0;
    uint8_t seq = 1;

    rows_put(&r, first, 2);
    rows_put(&r, second, 2);
    rows_end(&r);
    assert_true(buf_ok(&out));
    for (size_t n = 0; n < packets; n++, seq++) {
        assert_int_equal(out.data[at + 3], seq);
        at += 4 + (size_t)(out.data[at] | out.data[at + 1] << 8 | out.data[at + 2] << 16);
    }
    assert_int_equal(at, out.len);
    if (caps & CAP_DEPRECATE_EOF) /* as all servers' connections have it */
        check_followed(&out, caps);
    buf_free(&out);
}

static void with_and_without_eof(void **state)
{
    const uint64_t plain = CAP_PROTOCOL_41;

    (void)state;
    a_result_set(plain, 7);
    a_result_set(plain | CAP_DEPRECATE_EOF, 6);
    a_result_set(plain | CAP_DEPRECATE_EOF | CAP_MARIADB_EXTENDED, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(with_and_without_eof)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
