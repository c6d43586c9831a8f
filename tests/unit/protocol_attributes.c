#include "protocol/attributes.h"

#include "tests/unit/check.h"

#include <stdlib.h>

#define OS "\x03_os\x05Linux"
#define PID        \
    "\x04_pid\x04" \
    "8914"
#define HERE             \
    "\x0a_client_ip\x08" \
    "10.0.0.7"

static void a_value_is_found_by_its_key(void **state)
{
    (void)state;
    check_span(attribute_of(BYTES(OS PID), "_pid"), "8914");
    check_span(attribute_of(BYTES(OS PID), "_os"), "Linux");
    check_span(attribute_of(BYTES(OS PID), "_o"), "");
    check_span(attribute_of(BYTES(""), "_os"), "");
    check_span(attribute_of(BYTES("\x03_os\x09Linux"), "_os"), "");
}

static const struct {
    const char *what;
    struct span from, to;
} introductions[] = {
    {"in front", ROW_BYTES(OS PID), ROW_BYTES(HERE OS PID)},
    {"alone", ROW_BYTES(""), ROW_BYTES(HERE)},
    {"what the client claims goes",
     ROW_BYTES(OS "\x0a_client_ip\x01"
                  "x" PID),
     ROW_BYTES(HERE OS PID)},
    {"a value beyond the end",
     ROW_BYTES(OS "\x04_pid\x05"
                  "8914"),
     ROW_BYTES(HERE OS)},
    {"a key without value", ROW_BYTES(OS "\x04_pid"), ROW_BYTES(HERE OS)},
    {"an empty value", ROW_BYTES("\x01k\x00" PID), ROW_BYTES(HERE "\x01k\x00" PID)},
    {"no length", ROW_BYTES(OS "\xff" PID), ROW_BYTES(HERE OS)},
};

static void the_address_is_put_in_front(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(introductions); i++) {
        struct buf b = buf_with_max(100);

        attributes_introduce(&b, introductions[i].from, "10.0.0.7");
        assert_true(buf_ok(&b));
        check_bytes(buf_span(&b), introductions[i].to);
        buf_free(&b);
    }
}

/* 300 pairs of 20 bytes each: those that lie within the limit are kept. */
static void too_many_are_cut(void **state)
{
    struct buf from = buf_with_max(10000);
    struct buf to = buf_with_max(10000);

    (void)state;
    for (int i = 0; i < 300; i++)
        buf_printf(&from, "\x09key%06d\x09val%06d", i, i);
    attributes_introduce(&to, buf_span(&from), "::1");
    check_span(attribute_of(buf_span(&to), "_client_ip"), "::1");
    check_span(attribute_of(buf_span(&to), "key000203"), "val000203");
    check_span(attribute_of(buf_span(&to), "key000204"), "");
    assert_int_equal(to.len, 204 * 20 + 15);
    buf_free(&from);
    buf_free(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_found_by_its_key),
        cmocka_unit_test(the_address_is_put_in_front),
        cmocka_unit_test(too_many_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
