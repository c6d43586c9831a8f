#include "protocol/ok.h"
#include "tests/unit/check.h"

static const uint64_t both = CAP_SESSION_TRACK | CAP_DEPRECATE_EOF;

/* Packets of MariaDB 10.11.19. */
#define OK_UPDATE "\0\x01\0\x02\0\0\0(Rows matched: 1  Changed: 1  Warnings: 0"
#define OK_WITH_GTID                                                                      \
    "\0\x01\0\x02@\0\0(Rows matched: 1  Changed: 1  Warnings: 0\x13\0\x11\tlast_gtid\x06" \
    "0-1-10"
#define OK_SCHEMA                                   \
    "\0\0\0\x02@\0\0\0\x0a\x01\x05\x04test\x02\x01" \
    "1"
#define OK_BEGIN    "\0\0\0\x03@\0\0\0 \x05\t\x08T_______\x04\x13\x12START TRANSACTION;"
#define OK_ROLLBACK "\0\0\0\x02@\0\0\0\x0e\x05\t\x08________\x04\x01\0"
#define END_PLAIN   "\xfe\0\0\x22\0\x01\0"
#define END_TRACKED "\xfe\0\0\x23@\0\0\0\x0b\x05\t\x08T_R___S_"

static void decoding(void **state)
{
    static const struct {
        struct span in;
        uint64_t caps;
        bool ok;
        uint64_t affected;
        uint16_t status;
        uint16_t warnings;
        size_t info;
        size_t changes;
    } rows[] = {
        {ROW_BYTES("\0\0\0\x02\0\0\0"), 0, true, 0, 2, 0, 0, 0},
        {ROW_BYTES(OK_UPDATE), 0, true, 1, 2, 0, 40, 0},
        {ROW_BYTES(OK_UPDATE), CAP_SESSION_TRACK, true, 1, 2, 0, 40, 0},
        {ROW_BYTES(OK_WITH_GTID), CAP_SESSION_TRACK, true, 1, 0x4002, 0, 40, 19},
        {ROW_BYTES(OK_SCHEMA), CAP_SESSION_TRACK, true, 0, 0x4002, 0, 0, 10},
        {ROW_BYTES(END_PLAIN), CAP_SESSION_TRACK, true, 0, 0x22, 1, 0, 0},
        {ROW_BYTES(END_TRACKED), CAP_SESSION_TRACK, true, 0, 0x4023, 0, 0, 11},
        {ROW_BYTES("\xfe\x01\0\x22\0"), 0, true, 0, 0x22, 1, 0, 0}, /* EOF */
        {ROW_BYTES("\xfe"), 0, true, 0, 0, 0, 0, 0},
        {ROW_BYTES("\xfe\x01\0\x22"), 0, false, 0, 0, 0, 0, 0},
        {ROW_BYTES("\x01\0\0\x02\0\0\0"), 0, false, 0, 0, 0, 0, 0},
        {ROW_BYTES("\xff\0\0\x02\0\0\0"), 0, false, 0, 0, 0, 0, 0},
        {ROW_BYTES("\0\0\0\x02\0\0"), 0, false, 0, 0, 0, 0, 0},
        {ROW_BYTES("\0\xfb\0\x02\0\0\0"), 0, false, 0, 0, 0, 0, 0},
        {ROW_BYTES("\0\0\0\x02@\0\0\0\x0b\x01\x05\x04test\x02\x01"
                   "1"),
         CAP_SESSION_TRACK, false, 0, 0, 0, 0, 0},
        {ROW_BYTES("\0\0\0\x02\0\0\0\x05"
                   "abc"),
         0, false, 0, 0, 0, 0, 0},
        {ROW_BYTES("\xff\x10\x04"
                   "Too many"),
         0, false, 0, 0, 0, 0, 0},
        {ROW_BYTES(""), 0, false, 0, 0, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ok ok;

        assert_int_equal(ok_decode(rows[i].in, rows[i].caps, &ok), rows[i].ok);
        if (!rows[i].ok)
            continue;
        assert_int_equal(ok.header, rows[i].in.p[0]);
        assert_int_equal(ok.affected_rows, rows[i].affected);
        assert_int_equal(ok.status, rows[i].status);
        assert_int_equal(ok.warnings, rows[i].warnings);
        assert_int_equal(ok.info.n, rows[i].info);
        assert_int_equal(ok.changes.n, rows[i].changes);
    }
}

static void encoding_for_a_client(void **state)
{
    static const struct {
        struct span in;
        uint64_t caps;
        struct span out;
    } rows[] = {
        {ROW_BYTES(OK_WITH_GTID), CAP_SESSION_TRACK | CAP_DEPRECATE_EOF, ROW_BYTES(OK_WITH_GTID)},
        {ROW_BYTES(OK_WITH_GTID), CAP_DEPRECATE_EOF, ROW_BYTES(OK_UPDATE)},
        {ROW_BYTES(OK_WITH_GTID), 0, ROW_BYTES(OK_UPDATE)},
        {ROW_BYTES(OK_SCHEMA), CAP_SESSION_TRACK, ROW_BYTES(OK_SCHEMA)},
        {ROW_BYTES(OK_SCHEMA), 0, ROW_BYTES("\0\0\0\x02\0\0\0")},
        {ROW_BYTES(END_PLAIN), CAP_DEPRECATE_EOF, ROW_BYTES(END_PLAIN)},
        {ROW_BYTES(END_PLAIN), 0, ROW_BYTES("\xfe\x01\0\x22\0")},
        {ROW_BYTES(END_TRACKED), CAP_DEPRECATE_EOF, ROW_BYTES("\xfe\0\0\x23\0\0\0")},
        {ROW_BYTES(END_TRACKED), CAP_SESSION_TRACK, ROW_BYTES("\xfe\0\0\x23\0")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b = buf_with_max(1000);
        struct ok ok;

        assert_true(ok_decode(rows[i].in, both, &ok));
        ok_encode(&b, &ok, rows[i].caps);
        check_bytes(buf_span(&b), rows[i].out);
        buf_free(&b);
    }
}

static void errors(void **state)
{
    static const struct {
        struct span in;
        bool ok;
        uint16_t code;
        const char *sqlstate;
        const char *message;
    } rows[] = {
        {ROW_BYTES("\xff&\x04#23000Duplicate entry"), true, 1062, "23000", "Duplicate entry"},
        {ROW_BYTES("\xff\x10\x04Too many connections"), true, 1040, "HY000",
         "Too many connections"},
        {ROW_BYTES("\xff\x10\x04"), true, 1040, "HY000", ""},
        {ROW_BYTES("\xff\x10\x04#0800"), true, 1040, "HY000", "#0800"},
        {ROW_BYTES("\xff\x10\x04#08004"), true, 1040, "08004", ""},
        {ROW_BYTES("\xff\x10"), false, 0, "", ""},
        {ROW_BYTES("\0\0\0\x02\0\0\0"), false, 0, "", ""},
        {ROW_BYTES(""), false, 0, "", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct server_error e;

        assert_int_equal(error_decode(rows[i].in, &e), rows[i].ok);
        if (!rows[i].ok)
            continue;
        assert_int_equal(e.code, rows[i].code);
        assert_string_equal(e.sqlstate, rows[i].sqlstate);
        check_span(e.message, rows[i].message);
    }
}

static void own_errors(void **state)
{
    struct buf b = buf_with_max(2000);
    char text[1000];

    (void)state;
    error_encode(&b, ER_UNKNOWN_COM_ERROR, "08S01", "Unknown command");
    check_bytes(buf_span(&b), BYTES("\xff\x17\x04#08S01Unknown command"));
    buf_clear(&b);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    error_encode(&b, 1105, "HY000", text);
    assert_int_equal(b.len, 9 + 512);
    buf_free(&b);
}

struct expected_change {
    uint8_t kind;
    const char *name;
    const char *value;
};

static const struct {
    struct span in;
    struct expected_change all[4];
    int n;
    int last; /* what the call behind them answers */
} change_rows[] = {
    {ROW_BYTES(""), {{0, "", ""}}, 0, 0},
    {ROW_BYTES("\0\x11\tlast_gtid\x06"
               "0-1-10"),
     {{0, "last_gtid", "0-1-10"}},
     1,
     0},
    {ROW_BYTES("\x01\x05\x04test\x02\x01"
               "1"),
     {{1, "", "test"}, {2, "", "1"}},
     2,
     0},
    {ROW_BYTES("\x05\t\x08T_______\x04\x13\x12START TRANSACTION;"),
     {{5, "", "T_______"}, {4, "", "START TRANSACTION;"}},
     2,
     0},
    {ROW_BYTES("\x05\t\x08________\x04\x01\0"), {{5, "", "________"}, {4, "", ""}}, 2, 0},
    {ROW_BYTES("\0\x0c\x01"
               "a\x01"
               "1\x01"
               "b\0\x02"
               "cd\x01"
               "2\x02\x01"
               "1"),
     {{0, "a", "1"}, {0, "b", ""}, {0, "cd", "2"}, {2, "", "1"}},
     4,
     0},
    {ROW_BYTES("\x03\x04\0\x02"
               "gt"),
     {{3, "", "gt"}},
     1,
     0},
    {ROW_BYTES("\x77\x02"
               "??\x02\x01"
               "1"),
     {{0x77, "", "??"}, {2, "", "1"}},
     2,
     0},
    {ROW_BYTES("\x01\x05\x04test\x02"), {{1, "", "test"}}, 1, -1},
    {ROW_BYTES("\x01\x09\x04test"), {{0, "", ""}}, 0, -1},
    {ROW_BYTES("\x01\x05\x03test"), {{0, "", ""}}, 0, -1},
    {ROW_BYTES("\0\x04\x01"
               "a\x05"
               "1"),
     {{0, "", ""}},
     0,
     -1},
    {ROW_BYTES("\0\0"), {{0, "", ""}}, 0, -1},
};

static void changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(change_rows); i++) {
        struct change_iter it = change_iter_of(change_rows[i].in);
        struct change c;

        for (int k = 0; k < change_rows[i].n; k++) {
            assert_int_equal(change_next(&it, &c), 1);
            assert_int_equal(c.kind, change_rows[i].all[k].kind);
            check_span(c.name, change_rows[i].all[k].name);
            check_span(c.value, change_rows[i].all[k].value);
        }
        assert_int_equal(change_next(&it, &c), change_rows[i].last);
        assert_int_equal(change_next(&it, &c), change_rows[i].last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding), cmocka_unit_test(encoding_for_a_client),
        cmocka_unit_test(errors),   cmocka_unit_test(own_errors),
        cmocka_unit_test(changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
