#include "conf/network.h"
#include "tests/unit/check.h"

static bool have(const char *network, const char *address)
{
    struct conf_network one;
    struct conf_networks all = {1, &one};

    assert_null(conf_network_parse(network, &one));
    return conf_networks_have(&all, address);
}

static void addresses_are_found(void **state)
{
    (void)state;
    assert_true(have("10.1.0.0/16", "10.1.255.3"));
    assert_false(have("10.1.0.0/16", "10.2.0.1"));
    assert_true(have("10.1.2.3", "10.1.2.3"));
    assert_false(have("10.1.2.3", "10.1.2.4"));
    assert_true(have("10.1.2.128/25", "10.1.2.200"));
    assert_false(have("10.1.2.128/25", "10.1.2.100"));
    assert_true(have("0.0.0.0/0", "198.51.100.1"));
    assert_false(have("0.0.0.0/0", "2001:db8::1"));
    assert_true(have("2001:db8::/32", "2001:db8:5::1"));
    assert_false(have("2001:db8::/32", "2001:db9::1"));
    assert_true(have("::/0", "2001:db9::1"));
    assert_true(have("localhost", "localhost"));
    assert_false(have("localhost", "127.0.0.1"));
    assert_false(have("127.0.0.1", "localhost"));
    assert_false(have("::/0", "nonsense"));
}

static void anything_else_is_refused(void **state)
{
    static const char *const bad[] = {
        "",       "10.1",        "10.0.0.0/33",  "10.0.0.0/",  "10.0.0.0/-1", "10.0.0.0/8x",
        "::/129", "example.com", "10.0.0.0/8/8", "10.0.0.0 /8"};
    struct conf_network one;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(conf_network_parse(bad[i], &one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_found),
        cmocka_unit_test(anything_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
