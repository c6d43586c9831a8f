#include "unit/monitor_rows.h"

#include "monitor/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool take(struct facts *f, const char *ro, const char *id, const char *binlog,
                 const char *slave)
{
    const char *values[] = {ro, id, binlog, slave};
    struct rows r;
    const char *why;
    bool ok;

    rows_make(&r, 4, NULL, values);
    ok = facts_take_position(f, &r.row, &why);
    assert_int_equal(ok, why == NULL);
    return ok;
}

static void test_position(void **state)
{
    struct facts f = {.known = true};

    (void)state;
    assert_true(take(&f, "0", "4294967295", "0-1-7,1-2-9", "0-1-5"));
    assert_false(f.read_only);
    assert_int_equal(f.server_id, 4294967295);
    assert_int_equal(f.binlog_pos.count, 2);
    assert_int_equal(f.binlog_pos.at[1].seq, 9);
    assert_int_equal(f.slave_pos.at[0].seq, 5);
    assert_true(f.known);
    assert_true(take(&f, "1", "2", "", ""));
    assert_true(f.read_only);
    assert_int_equal(f.binlog_pos.count, 0);
}

static void test_read_only_of_newer_servers(void **state)
{
    struct facts f = {.known = true};

    (void)state;
    assert_true(take(&f, "OFF", "1", "", ""));
    assert_false(f.read_only);
    assert_true(take(&f, "NO_LOCK_NO_ADMIN", "1", "", ""));
    assert_true(f.read_only);
}

static void test_bad_position_changes_nothing(void **state)
{
    struct facts f = {.known = true, .server_id = 7};

    (void)state;
    assert_false(take(&f, "1", "8", "0-1", ""));
    assert_false(take(&f, "1", "8", "", "nonsense"));
    assert_false(take(&f, "1", "8", "0-1-1", NULL));
    assert_false(take(&f, NULL, "8", "", ""));
    assert_int_equal(f.server_id, 7);
    assert_false(f.read_only);
}

static const char *const names[] = {
    "Connection_name", "Master_Host",   "Master_Port",    "Slave_IO_Running", "Slave_SQL_Running",
    "Last_IO_Errno",   "Last_IO_Error", "Last_SQL_Errno", "Last_SQL_Error",   "Master_Server_Id"};

static void take_channel(struct facts *f, const char *const *values)
{
    struct rows r;

    rows_make(&r, ARRAY_LEN(names), names, values);
    facts_take_channel(f, &r.row);
}

static void test_channel(void **state)
{
    const char *good[] = {"", "db1", "3306", "Yes", "Yes", "0", "", "0", "", "1"};
    const char *bad[] = {"two",  "db2",    "3307", "Preparing", "No",
                         "2003", "no way", "1062", "Duplicate", "0"};
    struct facts f = {.known = true};

    (void)state;
    take_channel(&f, good);
    take_channel(&f, bad);
    assert_int_equal(f.channel_count, 2);
    assert_string_equal(f.channels[0].host, "db1");
    assert_int_equal(f.channels[0].port, 3306);
    assert_int_equal(f.channels[0].master_id, 1);
    assert_int_equal(f.channels[0].io, CHANNEL_RUNNING);
    assert_true(f.channels[0].sql_running);
    assert_string_equal(f.channels[1].name, "two");
    assert_int_equal(f.channels[1].io, CHANNEL_CONNECTING);
    assert_false(f.channels[1].sql_running);
    assert_int_equal(f.channels[1].io_errno, 2003);
    assert_string_equal(f.channels[1].io_error, "no way");
    assert_int_equal(f.channels[1].sql_errno, 1062);
    assert_string_equal(f.channels[1].sql_error, "Duplicate");
}

static void test_too_many_channels(void **state)
{
    const char *one[] = {"", "db1", "3306", "No", "Yes", "0", "", "0", "", "1"};
    struct facts f = {.known = true};

    (void)state;
    for (int i = 0; i < CHANNELS_MAX + 3; i++)
        take_channel(&f, one);
    assert_int_equal(f.channel_count, CHANNELS_MAX);
    assert_int_equal(f.channels[0].io, CHANNEL_STOPPED);
}

static void test_missing_columns_are_empty(void **state)
{
    const char *only[] = {"Master_Host"};
    const char *values[] = {"db1"};
    struct facts f = {.known = true};
    struct rows r;

    (void)state;
    rows_make(&r, 1, only, values);
    facts_take_channel(&f, &r.row);
    assert_string_equal(f.channels[0].host, "db1");
    assert_int_equal(f.channels[0].port, 0);
    assert_false(f.channels[0].sql_running);
}

static void test_connecting_since(void **state)
{
    struct facts before = {.channel_count = 2};
    struct facts f = before;

    (void)state;
    (void)snprintf(before.channels[1].name, CHANNEL_NAME_MAX, "x");
    f = before;
    f.channels[0].io = f.channels[1].io = CHANNEL_CONNECTING;
    before.channels[1].connecting_ns = 70;
    facts_note_connecting(&f, &before, 100);
    assert_int_equal(f.channels[0].connecting_ns, 100);
    assert_int_equal(f.channels[1].connecting_ns, 70);
    f.channels[1].io = CHANNEL_RUNNING;
    facts_note_connecting(&f, &before, 200);
    assert_int_equal(f.channels[1].connecting_ns, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_position),
        cmocka_unit_test(test_read_only_of_newer_servers),
        cmocka_unit_test(test_bad_position_changes_nothing),
        cmocka_unit_test(test_channel),
        cmocka_unit_test(test_too_many_channels),
        cmocka_unit_test(test_missing_columns_are_empty),
        cmocka_unit_test(test_connecting_since),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
