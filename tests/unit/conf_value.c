#include "conf/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MS 1000000ULL
#define S  (1000 * MS)

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } good[] = {{"0", 0},         {"50us", 50000},     {"50ms", 50 * MS},
                {"2s", 2 * S},    {"0s", 0},           {"5m", 300 * S},
                {"1h", 3600 * S}, {"0010ms", 10 * MS}, {"5124095h", 5124095ULL * 3600 * S}};
    static const char *const bad[] = {"",
                                      "5",
                                      "ms",
                                      "-5ms",
                                      "5 ms",
                                      "5sec",
                                      "5MS",
                                      "1.5s",
                                      "1m30s",
                                      "5124096h",
                                      "99999999999999999999s",
                                      "5ms "};
    uint64_t v;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_null(conf_value_duration(good[i].text, &v));
        assert_int_equal(v, good[i].ns);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(conf_value_duration(bad[i], &v));
}

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0},          {"4096", 4096},      {"64k", 65536},     {"64KiB", 65536},
                {"16M", 16777216}, {"16MiB", 16777216}, {"1G", 1073741824}, {"1GiB", 1073741824}};
    static const char *const bad[] = {"",
                                      "k",
                                      "64K",
                                      "64kB",
                                      "64KB",
                                      "1MB",
                                      "1T",
                                      "-1k",
                                      "1 k",
                                      "17179869184G",
                                      "18446744073709551616"};
    uint64_t v;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_null(conf_value_size(good[i].text, &v));
        assert_int_equal(v, good[i].bytes);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(conf_value_size(bad[i], &v));
}

static void test_numbers(void **state)
{
    static const char *const bad[] = {"",      "-1", "+1", "1.0",  "0x10",
                                      "1_000", " 1", "1 ", "33x6", "18446744073709551616"};
    uint64_t v;

    (void)state;
    assert_null(conf_value_number("18446744073709551615", &v));
    assert_true(v == UINT64_MAX);
    assert_null(conf_value_number("0", &v));
    assert_int_equal(v, 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(conf_value_number(bad[i], &v));
}

static void test_addresses(void **state)
{
    static const struct {
        const char *text, *host;
        uint32_t port;
        bool numeric;
    } good[] = {
        {"127.0.0.1:3306", "127.0.0.1", 3306, true},
        {"db-1.shop.example:1", "db-1.shop.example", 1, false},
        {"[::1]:65535", "::1", 65535, true},
        {"[2001:db8::13]:3306", "2001:db8::13", 3306, true},
        {"/run/x.sock", "/run/x.sock", 0, true},
        {"localhost:3306", "localhost", 3306, false},
    };
    static const char *const bad[] = {
        "",          "host",       ":3306",      "host:",     "host:0",      "host:65536",
        "host:33x6", "::1:3306",   "[::1]",      "[::1]3306", "[::1:3306",   "[nope]:3306",
        "[]:3306",   "ho st:3306", "host:3306 ", "a/b:3306",  "user@host:1",
    };
    char host[CONF_HOST_MAX];
    uint32_t port;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_null(conf_value_address(good[i].text, host, &port));
        assert_string_equal(host, good[i].host);
        assert_int_equal(port, good[i].port);
        assert_int_equal(conf_value_numeric(host), good[i].numeric);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(conf_value_address(bad[i], host, &port));
}

static void test_long_host(void **state)
{
    char text[400];
    char host[CONF_HOST_MAX];
    uint32_t port;

    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text + CONF_HOST_MAX - 1, ":1", 3);
    assert_null(conf_value_address(text, host, &port));
    assert_int_equal(strlen(host), CONF_HOST_MAX - 1);
    text[CONF_HOST_MAX - 1] = 'a';
    memcpy(text + CONF_HOST_MAX, ":1", 3);
    assert_non_null(conf_value_address(text, host, &port));
}

static void test_long_path(void **state)
{
    char text[109] = "/";
    char host[CONF_HOST_MAX];
    uint32_t port;

    (void)state;
    memset(text + 1, 'a', 107);
    assert_non_null(conf_value_address(text, host, &port));
    text[107] = 0;
    assert_null(conf_value_address(text, host, &port));
    assert_int_equal(strlen(host), 107);
}

static void test_names(void **state)
{
    (void)state;
    assert_null(conf_value_name("db-1.shop_A9"));
    assert_non_null(conf_value_name("db 1"));
    assert_non_null(conf_value_name("d\xc3\xa9"));
}

static void test_printed_values_read_back(void **state)
{
    static const uint64_t values[] = {0,     50000,   50 * MS, 1500 * MS,
                                      2 * S, 300 * S, 90 * S,  7200 * S};
    static const uint64_t sizes[] = {0, 1, 1023, 4096, 32768, 16777216, 1073741824, 1536};
    char text[32];
    uint64_t v;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        conf_value_print_duration(values[i], text, sizeof text);
        assert_null(conf_value_duration(text, &v));
        assert_int_equal(v, values[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        conf_value_print_size(sizes[i], text, sizeof text);
        assert_null(conf_value_size(text, &v));
        assert_int_equal(v, sizes[i]);
    }
    conf_value_print_size(16777216, text, sizeof text);
    assert_string_equal(text, "16MiB");
    conf_value_print_duration(1500 * MS, text, sizeof text);
    assert_string_equal(text, "1500ms");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations), cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_long_host), cmocka_unit_test(test_long_path),
        cmocka_unit_test(test_names),     cmocka_unit_test(test_printed_values_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
