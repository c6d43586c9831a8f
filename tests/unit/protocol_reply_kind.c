#include "protocol/reply.h"
#include "tests/unit/check.h"

static const struct {
    enum command command;
    enum reply_kind kind;
} rows[] = {
    {COM_QUIT, REPLY_NONE},
    {COM_STMT_SEND_LONG_DATA, REPLY_NONE},
    {COM_STMT_CLOSE, REPLY_NONE},
    {COM_QUERY, REPLY_RESULT},
    {COM_PROCESS_INFO, REPLY_RESULT},
    {COM_STMT_EXECUTE, REPLY_RESULT},
    {COM_STMT_BULK_EXECUTE, REPLY_RESULT},
    {COM_STMT_FETCH, REPLY_ROWS},
    {COM_BINLOG_DUMP, REPLY_ROWS},
    {COM_FIELD_LIST, REPLY_FIELDS},
    {COM_STMT_PREPARE, REPLY_PREPARE},
    {COM_STATISTICS, REPLY_TEXT},
};

/* A command that nobody knows is answered by an error, too. */
static void all_others_are_answered_by_one_packet(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        enum reply_kind kind = REPLY_SINGLE;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            if (rows[i].command == c)
                kind = rows[i].kind;
        assert_int_equal(reply_kind_of((uint8_t)c), kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_others_are_answered_by_one_packet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
