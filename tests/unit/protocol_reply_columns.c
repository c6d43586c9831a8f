/* Metadata caching: column definitions that a server leaves out, and what is told of others. */
#include "tests/unit/check.h"
#include "tests/unit/reply_run.h"

enum { MAX_WHOLE = 4096 };

static const uint64_t server_caps = CAP_SESSION_TRACK | CAP_DEPRECATE_EOF | CAP_MARIADB_CACHE_META;

static const struct reply_cut cuts[] = {{0, 0}, {1, 0}, {2, 0}, {5, 0}, {9, 11}, {40, 13}};

/* Two definitions of the names a and bc, numbered as they came once. */
#define TWO_COLUMNS \
    "\x01\0\0\x05"  \
    "a"             \
    "\x02\0\0\x06"  \
    "bc"

/* Packets behind those that are put in count on; an old client gets its EOF behind them. */
static void columns_put_in(void **state)
{
    static const struct span left_out = ROW_BYTES("\x02\0\0\x01\x02\0"
                                                  "\x02\0\0\x02\x01"
                                                  "x"
                                                  "\x07\0\0\x03\xfe\0\0\x02\0\0\0");
    static const struct {
        uint64_t client;
        struct span out;
    } clients[] = {
        {CAP_DEPRECATE_EOF, ROW_BYTES("\x02\0\0\x01\x02\x01"
                                      "\x01\0\0\x02"
                                      "a"
                                      "\x02\0\0\x03"
                                      "bc"
                                      "\x02\0\0\x04\x01"
                                      "x"
                                      "\x07\0\0\x05\xfe\0\0\x02\0\0\0")},
        {0, ROW_BYTES("\x02\0\0\x01\x02\x01"
                      "\x01\0\0\x02"
                      "a"
                      "\x02\0\0\x03"
                      "bc"
                      "\x05\0\0\x04\xfe\0\0\x02\0"
                      "\x02\0\0\x05\x01"
                      "x"
                      "\x05\0\0\x06\xfe\0\0\x02\0")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(clients) * ARRAY_LEN(cuts); i++) {
        uint8_t columns[] = TWO_COLUMNS;
        struct reply_run run = {.max_whole = MAX_WHOLE, .out = buf_with_max(1000)};

        reply_begin(&run.reply, REPLY_RESULT, server_caps,
                    clients[i % 2].client | CAP_MARIADB_CACHE_META, 2);
        run.reply.columns = columns;
        run.reply.columns_n = sizeof columns - 1;
        reply_run(&run, left_out, cuts[i / 2]);
        assert_true(run.done);
        check_bytes(buf_span(&run.out), clients[i % 2].out);
        buf_free(&run.out);
    }
}

/* What was never sent cannot be left out. */
static void columns_unknown(void **state)
{
    struct reply_run run = {.max_whole = MAX_WHOLE, .out = buf_with_max(1000)};

    (void)state;
    reply_begin(&run.reply, REPLY_RESULT, server_caps, server_caps, 2);
    reply_run(&run, (struct span)ROW_BYTES("\x02\0\0\x01\x01\0"), cuts[0]);
    assert_true(run.bad);
    buf_free(&run.out);
}

static void check_told(enum reply_kind kind, struct span in, struct span told)
{
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        struct reply_run run = {
            .max_whole = MAX_WHOLE, .out = buf_with_max(1000), .told = buf_with_max(1000)};

        reply_begin(&run.reply, kind, server_caps, server_caps, 2);
        run.reply.tells_columns = true;
        reply_run(&run, in, cuts[i]);
        assert_true(run.done);
        check_bytes(buf_span(&run.told), told);
        assert_int_equal(run.wholes, told.n > 0);
        buf_free(&run.out);
        buf_free(&run.told);
    }
}

static void columns_told(void **state)
{
    (void)state;
    check_told(REPLY_RESULT,
               (struct span)ROW_BYTES("\x02\0\0\x01\x01\x01"
                                      "\x03\0\0\x02"
                                      "abc"
                                      "\x02\0\0\x03\x01"
                                      "x"
                                      "\x07\0\0\x04\xfe\0\0\x02\0\0\0"),
               (struct span)ROW_BYTES("\x03\0\0\x02"
                                      "abc"));
    check_told(REPLY_PREPARE, /* a column and a parameter, which is not told of */
               (struct span)ROW_BYTES("\x0c\0\0\x01\0\x07\0\0\0\x01\0\x01\0\0\0\0"
                                      "\x01\0\0\x02"
                                      "?"
                                      "\x01\0\0\x03"
                                      "a"),
               (struct span)ROW_BYTES("\x01\0\0\x03"
                                      "a"));
    check_told(REPLY_PREPARE, /* a parameter alone */
               (struct span)ROW_BYTES("\x0c\0\0\x01\0\x07\0\0\0\0\0\x01\0\0\0\0"
                                      "\x01\0\0\x02"
                                      "?"),
               (struct span){NULL, 0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_put_in),
        cmocka_unit_test(columns_unknown),
        cmocka_unit_test(columns_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
