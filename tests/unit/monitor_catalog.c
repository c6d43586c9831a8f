#include "unit/monitor_rows.h"

#include "monitor/catalog_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HASH "*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9"

#define KEY "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY"

/* "OR" lists as the question gives them. */
#define ED_OR_NATIVE     "65643235353139:787878,:" /* ed25519 USING 'xxx', then the one at the top */
#define NATIVE_OR_SOCKET ":,756E69785F736F636B6574:6F733A752C" /* then unix_socket AS 'os:u,' */

struct one {
    const char *plugin, *text, *ways;
    size_t count;
    enum way_kind kinds[2];
    uint8_t first; /* of the last way's hash */
    bool empty;    /* the last */
    const char *last_text;
};

static const struct one cases[] = {
    {"mysql_native_password", HASH, NULL, 1, {WAY_NATIVE}, 0x6b, false, HASH},
    {"mysql_native_password", "", NULL, 1, {WAY_NATIVE}, 0, true, ""},
    {NULL, NULL, NULL, 1, {WAY_NATIVE}, 0, true, ""},
    {"mysql_native_password", "invalid", NULL, 1, {WAY_NATIVE}, 0, false, "invalid"},
    {"unix_socket", "", NULL, 1, {WAY_SOCKET}, 0, false, ""},
    {"ed25519", KEY, NULL, 1, {WAY_ED25519}, 0x64, false, KEY},
    {"ed25519", "abc", NULL, 1, {WAY_ED25519}, 0, false, "abc"},
    {"caching_sha2_password", "$A$005$x", NULL, 1, {WAY_SHA2}, 0, false, "$A$005$x"},
    {"pam", "mariadb", NULL, 1, {WAY_OTHER}, 0, false, "mariadb"},
    {"mysql_native_password", HASH, ED_OR_NATIVE, 2, {WAY_ED25519, WAY_NATIVE}, 0x6b, false, HASH},
    {"mysql_native_password",
     HASH,
     NATIVE_OR_SOCKET,
     2,
     {WAY_NATIVE, WAY_SOCKET},
     0,
     false,
     "os:u,"},
};

static const char *columns[] = {"u",  "%",  NULL, NULL, "0",  NULL, NULL,
                                NULL, NULL, NULL, NULL, NULL, NULL};
enum { PLUGIN = 2, TEXT, ACCESS, LOCKED, ROLE, WAYS, TLS, CIPHER, ISSUER, SUBJECT, LIMIT };

/* The account of a row; the caller drops it with its catalog. */
static struct catalog *read_one(const char *const values[ARRAY_LEN(columns)], bool ok)
{
    struct catalog *c = calloc(1, sizeof *c);
    struct rows r;

    assert_non_null(c);
    rows_make(&r, ARRAY_LEN(columns), NULL, values);
    assert_int_equal(catalog_read_account(c, &r.row), ok);
    catalog_seal(c);
    return c;
}

static void test_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct one *o = &cases[i];
        const char *values[ARRAY_LEN(columns)];
        const struct account *a;
        struct catalog *c;

        memcpy(values, columns, sizeof values);
        values[PLUGIN] = o->plugin;
        values[TEXT] = o->text;
        values[WAYS] = o->ways;
        c = read_one(values, true);
        a = &c->accounts[0];
        assert_string_equal(a->user, "u");
        assert_string_equal(a->host, "%");
        assert_int_equal(a->way_count, o->count);
        for (size_t k = 0; k < o->count; k++)
            assert_int_equal(a->ways[k].kind, o->kinds[k]);
        assert_int_equal(a->ways[o->count - 1].stage2[0], o->first);
        assert_int_equal(a->ways[o->count - 1].empty, o->empty);
        assert_string_equal(a->ways[o->count - 1].text, o->last_text);
        catalog_unref(c);
    }
}

static void test_no_ways(void **state)
{
    static const char *const bad[] = {"6", "zz:", "65:6", "65:zz,", "6:5"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const char *values[ARRAY_LEN(columns)];

        memcpy(values, columns, sizeof values);
        values[WAYS] = bad[i];
        catalog_unref(read_one(values, false));
    }
}

static void test_the_rest(void **state)
{
    const char *values[ARRAY_LEN(columns)];
    struct catalog *c;

    (void)state;
    c = read_one(columns, true);
    assert_false(c->accounts[0].locked || c->accounts[0].is_role || c->accounts[0].limited);
    assert_int_equal(c->accounts[0].tls, ACCOUNT_TLS_NONE);
    catalog_unref(c);
    memcpy(values, columns, sizeof values);
    values[ACCESS] = "18446744073709551615";
    values[LOCKED] = "1";
    values[ROLE] = "true";
    values[TLS] = "3";
    values[CIPHER] = "AES";
    values[ISSUER] = "/CN=i";
    values[SUBJECT] = "/CN=s";
    values[LIMIT] = "7";
    c = read_one(values, true);
    assert_true(c->accounts[0].access == UINT64_MAX);
    assert_true(c->accounts[0].locked && c->accounts[0].is_role && c->accounts[0].limited);
    assert_int_equal(c->accounts[0].tls, ACCOUNT_TLS_SPECIFIED);
    assert_string_equal(c->accounts[0].tls_cipher, "AES");
    assert_string_equal(c->accounts[0].tls_issuer, "/CN=i");
    assert_string_equal(c->accounts[0].tls_subject, "/CN=s");
    catalog_unref(c);
    values[LOCKED] = "true";
    values[ROLE] = values[LIMIT] = "0";
    values[TLS] = "9";
    c = read_one(values, true);
    assert_true(c->accounts[0].locked && !c->accounts[0].is_role && !c->accounts[0].limited);
    assert_int_equal(c->accounts[0].tls, ACCOUNT_TLS_X509);
    catalog_unref(c);
}

static void test_many(void **state)
{
    struct catalog *c = calloc(1, sizeof *c);
    char name[16];
    const char *values[ARRAY_LEN(columns)];
    struct rows r;

    (void)state;
    assert_non_null(c);
    memcpy(values, columns, sizeof values);
    values[0] = name;
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
        cmocka_unit_test(test_ways),      cmocka_unit_test(test_no_ways),
        cmocka_unit_test(test_the_rest),  cmocka_unit_test(test_many),
        cmocka_unit_test(test_wrong_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
