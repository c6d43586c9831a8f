#include "protocol/stmt.h"
#include "tests/unit/check.h"

/* Two parameters: statement 0x01020304, no cursor. */
#define HEAD "\x17\x04\x03\x02\x01\x00\x01\0\0\0"

static void execute(void **state)
{
    static const struct {
        struct span in;
        uint16_t params;
        int answer;
        bool has_types;
        size_t bound_at;
        size_t types;
    } rows[] = {
        {ROW_BYTES(HEAD), 0, 1, false, 0, 0},
        {ROW_BYTES("\x17\x04\x03\x02\x01\x00\x01\0\0"), 0, 0, false, 0, 0},
        {ROW_BYTES(""), 0, 0, false, 0, 0},
        {ROW_BYTES("\x16\x04\x03\x02\x01\x00\x01\0\0\0"), 0, -1, false, 0, 0},
        {ROW_BYTES(HEAD), 2, 0, false, 0, 0},
        {ROW_BYTES(HEAD "\0"), 2, 0, false, 0, 0},
        {ROW_BYTES(HEAD "\0\0"), 2, 1, false, 11, 0},
        {ROW_BYTES(HEAD "\0\x01\x08\0\xfd"), 2, 0, false, 11, 0},
        {ROW_BYTES(HEAD "\0\x01\x08\0\xfd\0"), 2, 1, true, 11, 4},
        {ROW_BYTES(HEAD "\0\x01\x08\0\xfd\0values"), 2, 1, true, 11, 4},
        {ROW_BYTES(HEAD "\0\0\x01"
                        "0000000000000000000"),
         9, 1, true, 12, 18},
        {ROW_BYTES(HEAD "\0\0"), 65535, 0, false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stmt_execute e;

        assert_int_equal(stmt_execute_decode(rows[i].in, rows[i].params, &e), rows[i].answer);
        if (rows[i].answer != 1)
            continue;
        assert_int_equal(e.stmt_id, 0x01020304);
        assert_int_equal(e.flags, 0);
        assert_int_equal(e.has_types, rows[i].has_types);
        assert_int_equal(e.bound_at, rows[i].bound_at);
        assert_int_equal(e.types.n, rows[i].types);
    }
}

static void flags_and_types(void **state)
{
    struct stmt_execute e;

    (void)state;
    assert_int_equal(
        stmt_execute_decode(BYTES("\x17\xff\xff\xff\xff\x01\x01\0\0\0\0\x01\x08\x80"), 1, &e), 1);
    assert_true(e.stmt_id == STMT_ID_LAST);
    assert_true(e.flags & STMT_FLAG_CURSOR);
    check_bytes(e.types, BYTES("\x08\x80"));
}

static void ids(void **state)
{
    uint8_t payload[] = {COM_STMT_CLOSE, 4, 3, 2, 1, 9};
    uint32_t id;

    (void)state;
    assert_true(stmt_id_of((struct span){payload, 5}, &id));
    assert_int_equal(id, 0x01020304);
    assert_false(stmt_id_of((struct span){payload, 4}, &id));
    assert_false(stmt_id_of((struct span){NULL, 0}, &id));
    stmt_id_patch(payload, 0xA0B0C0D0);
    assert_memory_equal(payload, "\x19\xd0\xc0\xb0\xa0\x09", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(execute),
        cmocka_unit_test(flags_and_types),
        cmocka_unit_test(ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
