#include "protocol/command.h"
#include "tests/unit/check.h"

/* What a MariaDB 10.11.19 server knows: sent each byte (but for shutdown and the two of
 * replication), the others it answered with
 * 1047. */
static const uint8_t known_to_mariadb[] = {0x01, 0x02, 0x03, 0x04, 0x07, 0x08, 0x09, 0x0A,
                                           0x0C, 0x0D, 0x0E, 0x11, 0x12, 0x15, 0x16, 0x17,
                                           0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1F, 0xFA};

static void each_byte_is_refused_or_known_as_by_the_server(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        bool known = memchr(known_to_mariadb, (int)c, sizeof known_to_mariadb) != NULL;
        const struct command_info *info = command_of((uint8_t)c);

        assert_int_equal(info->use != COMMAND_REFUSED, known);
        assert_int_equal(strncmp(info->name, "COM_", 4) == 0, known);
        if (!known)
            assert_int_equal(info->reply, REPLY_SINGLE);
        assert_int_equal(reply_kind_of((uint8_t)c), info->reply);
    }
}

static void kinds(void **state)
{
    static const struct {
        enum command command;
        enum reply_kind kind;
        bool stmt_id;
    } rows[] = {
        {COM_QUIT, REPLY_NONE, false},
        {COM_QUERY, REPLY_RESULT, false},
        {COM_FIELD_LIST, REPLY_FIELDS, false},
        {COM_STATISTICS, REPLY_TEXT, false},
        {COM_PROCESS_INFO, REPLY_RESULT, false},
        {COM_PING, REPLY_SINGLE, false},
        {COM_STMT_PREPARE, REPLY_PREPARE, false},
        {COM_STMT_EXECUTE, REPLY_RESULT, true},
        {COM_STMT_SEND_LONG_DATA, REPLY_NONE, true},
        {COM_STMT_CLOSE, REPLY_NONE, true},
        {COM_STMT_RESET, REPLY_SINGLE, true},
        {COM_SET_OPTION, REPLY_SINGLE, false},
        {COM_STMT_FETCH, REPLY_ROWS, true},
        {COM_STMT_BULK_EXECUTE, REPLY_RESULT, true},
        {COM_SLEEP, REPLY_SINGLE, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct command_info *info = command_of((uint8_t)rows[i].command);

        assert_int_equal(info->reply, rows[i].kind);
        assert_int_equal(info->stmt_id, rows[i].stmt_id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_is_refused_or_known_as_by_the_server),
        cmocka_unit_test(kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
