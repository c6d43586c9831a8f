#include "unit/monitor_rows.h"

#include "monitor/catalog_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define HASH "*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9"

struct one {
    const char *plugin, *hash, *access, *locked, *role, *native;
    enum account_auth auth;
    uint8_t first;
};

static const struct one cases[] = {
    {"mysql_native_password", HASH, "0", NULL, NULL, NULL, ACCOUNT_NATIVE, 0x6b},
    {"mysql_native_password", "", "0", NULL, NULL, NULL, ACCOUNT_NO_PASSWORD, 0},
    {NULL, NULL, "18446744073709551615", NULL, NULL, NULL, ACCOUNT_NO_PASSWORD, 0},
    {"mysql_native_password", "invalid", "0", NULL, NULL, NULL, ACCOUNT_NATIVE, 0},
    {"unix_socket", "", "0", NULL, NULL, NULL, ACCOUNT_OTHER, 0},
    {"ed25519", "abc", "0", NULL, NULL, HASH, ACCOUNT_NATIVE, 0x6b},
    {"mysql_native_password", HASH, "0", "1", NULL, NULL, ACCOUNT_LOCKED, 0x6b},
    {"mysql_native_password", HASH, "0", "true", NULL, NULL, ACCOUNT_LOCKED, 0x6b},
    {"mysql_native_password", HASH, "0", "0", "0", NULL, ACCOUNT_NATIVE, 0x6b},
    {NULL, NULL, "0", NULL, "1", NULL, ACCOUNT_ROLE, 0},
};

static void test_accounts(void **state)
{
    struct catalog *c = calloc(1, sizeof *c);
    struct rows r;

    (void)state;
    assert_non_null(c);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct one *o = &cases[i];
        const char *values[] = {"u",       "%",       o->plugin, o->hash,
                                o->access, o->locked, o->role,   o->native};
        const struct account *a;

        rows_make(&r, ARRAY_LEN(values), NULL, values);
        assert_true(catalog_read_account(c, &r.row));
        a = &c->accounts[i];
        assert_string_equal(a->user, "u");
        assert_string_equal(a->host, "%");
        assert_int_equal(a->auth, o->auth);
        assert_int_equal(a->stage2[0], o->first);
        assert_true(a->access == strtoull(o->access, NULL, 10));
        assert_string_equal(a->plugin, o->plugin ? o->plugin : "mysql_native_password");
    }
    catalog_seal(c);
    catalog_unref(c);
}

static void test_many(void **state)
{
    struct catalog *c = calloc(1, sizeof *c);
    char name[16];
    const char *values[] = {name, "%", NULL, NULL, "0", NULL, NULL, NULL};
    struct rows r;

    (void)state;
    assert_non_null(c);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof name, "u%d", i);
        rows_make(&r, ARRAY_LEN(values), NULL, values);
        assert_true(catalog_read_account(c, &r.row));
    }
    catalog_seal(c);
    assert_int_equal(c->account_count, 1000);
    assert_non_null(catalog_account(c, span_of("u999"), "10.0.0.1"));
    catalog_unref(c);
}

static void test_wrong_row(void **state)
{
    struct catalog *c = calloc(1, sizeof *c);
    const char *values[] = {"u", "%"};
    struct rows r;

    (void)state;
    assert_non_null(c);
    rows_make(&r, ARRAY_LEN(values), NULL, values);
    assert_false(catalog_read_account(c, &r.row));
    catalog_seal(c);
    catalog_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_wrong_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
