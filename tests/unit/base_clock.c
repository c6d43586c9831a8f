#include "base/clock.h"
#include "tests/unit/check.h"

#include <time.h>

static void iso8601(void **state)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {951782400999, "2000-02-29T00:00:00.999Z"},
        {1772373900123, "2026-03-01T14:05:00.123Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
    };
    char text[25];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        clock_iso8601(rows[i].ms, text, sizeof text);
        assert_string_equal(text, rows[i].text);
    }
    clock_iso8601(UINT64_MAX, text, sizeof text); /* no overrun, whatever it says */
    assert_true(strlen(text) < sizeof text);
}

static void units_are_what_they_say(void **state)
{
    struct timespec nap = {0, 20 * 1000 * 1000};
    uint64_t mono = clock_mono_ns();
    uint64_t wall = clock_wall_ms();

    (void)state;
    (void)nanosleep(&nap, NULL);
    assert_in_range(clock_mono_ns() - mono, 20 * CLOCK_NS_PER_MS, 10 * CLOCK_NS_PER_S);
    assert_in_range(clock_wall_ms() - wall, 10, 10000);
    assert_true(wall > 1700000000000ULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iso8601),
        cmocka_unit_test(units_are_what_they_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
