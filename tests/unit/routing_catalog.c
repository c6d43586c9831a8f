/* Accounts as the server chooses them; the table is what CURRENT_USER() answered on MariaDB
 * 10.11. tests/integration/accounts.py asks a real server again. */
#include "routing/catalog.h"

#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>

static struct catalog *catalog_of(const char *const (*accounts)[2], size_t count)
{
    struct catalog *c = calloc(1, sizeof(*c));

    assert_non_null(c);
    c->accounts = calloc(count + 1, sizeof(*c->accounts));
    assert_non_null(c->accounts);
    c->account_count = count;
    for (size_t i = 0; i < count; i++) {
        c->accounts[i].user = strdup(accounts[i][0]);
        c->accounts[i].host = strdup(accounts[i][1]);
    }
    catalog_seal(c);
    return c;
}

static void check_account(const struct catalog *c, const char *user, const char *address,
                          const char *expected)
{
    const struct account *a = catalog_account(c, span_of(user), address);
    char got[128] = "none";

    if (a)
        (void)snprintf(got, sizeof(got), "%s@%s", a->user, a->host);
    if (strcmp(got, expected) != 0)
        print_error("%s from %s\n", user, address);
    assert_string_equal(got, expected);
}

static const char *const many[][2] = {
    {"a", "%"},          {"a", "10.0.0.1"},    {"a", "10.0.0.%"},
    {"a", "10.%"},       {"a", "10.0.0._"},    {"a", "10.0.0.0/255.255.255.0"},
    {"a", "localhost"},  {"b", "%"},           {"", "10.0.0.1"},
    {"", "localhost"},   {"c", "127.0.0.1"},   {"c", "local%"},
    {"d", ""},           {"e", "192.168.1.%"}, {"e", "192.168.1.0/255.255.255.0"},
    {"f", "10.0.0.%"},   {"f", "10.0.%.1"},    {"f", "1_.0.0.1"},
    {"g", "::1"},        {"g", "fe80::%"},     {"h", "10.0.0.1/255.255.255.255"},
    {"k", "10\\_0.0.1"}, {"k", "LOCALHOST"},   {"l", "10.0.0.0/255.0.0.255"},
    {"m", "%.0.0.1"},    {"m", "10.0.0.1%"},   {"m", "%10%"},
};

static void the_most_specific_host_wins(void **state)
{
    struct catalog *c = catalog_of(many, ARRAY_LEN(many));
    static const char *const rows[][3] = {
        {"a", "10.0.0.1", "a@10.0.0.1"},
        {"a", "10.0.0.2", "a@10.0.0.0/255.255.255.0"},
        {"a", "10.0.1.2", "a@10.%"},
        {"a", "11.0.1.2", "a@%"},
        {"a", "localhost", "a@localhost"},
        {"a", "127.0.0.1", "a@localhost"},
        {"a", "::1", "a@localhost"},
        {"a", "::ffff:10.0.0.1", "a@10.0.0.1"},
        {"b", "10.0.0.1", "@10.0.0.1"}, /* the anonymous one's host is more specific */
        {"b", "localhost", "@localhost"},
        {"b", "10.0.0.2", "b@%"},
        {"c", "127.0.0.1", "c@127.0.0.1"},
        {"c", "localhost", "@localhost"},
        {"nobody", "10.0.0.1", "@10.0.0.1"},
        {"nobody", "10.0.0.2", "none"},
        {"", "10.0.0.1", "@10.0.0.1"},
        {"d", "10.0.0.2", "d@"},
        {"e", "192.168.1.7", "e@192.168.1.0/255.255.255.0"},
        {"e", "192.168.2.7", "none"},
        {"f", "10.0.0.2", "f@10.0.0.%"},
        {"f", "10.0.7.1", "f@10.0.%.1"},
        {"f", "10.0.0.3", "f@10.0.0.%"},
        {"g", "fe80::1", "g@fe80::%"},
        {"h", "10.0.0.1", "h@10.0.0.1/255.255.255.255"},
        {"h", "10.0.0.2", "none"},
        {"k", "10.0.0.5", "none"},
        {"l", "10.7.7.0", "l@10.0.0.0/255.0.0.255"},
        {"l", "10.7.7.1", "none"},
        {"A", "10.0.0.2", "none"}, /* user names tell capital letters */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_account(c, rows[i][0], rows[i][1], rows[i][2]);
    catalog_unref(c);
}

static void roles_and_empty_catalogs(void **state)
{
    static const char *const roles[][2] = {{"r", ""}, {"u", "%"}};
    struct catalog *c = catalog_of(roles, 2);
    struct catalog *empty = catalog_of(roles, 0);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        if (strcmp(c->accounts[i].user, "r") == 0)
            c->accounts[i].is_role = true;
    }
    check_account(c, "r", "10.0.0.1", "none");
    check_account(c, "u", "10.0.0.1", "u@%");
    check_account(empty, "u", "10.0.0.1", "none");
    assert_null(catalog_variable(empty, span_of("a")));
    assert_null(catalog_collation(empty, 1));
    catalog_unref(empty);
    catalog_ref(c);
    catalog_unref(c);
    check_account(c, "u", "10.0.0.1", "u@%");
    catalog_unref(c);
    catalog_unref(NULL);
}

static void wild_patterns(void **state)
{
    static const struct {
        const char *pattern;
        const char *address;
        bool match;
    } rows[] = {
        {"%", "1.2.3.4", true},
        {"1.2.3.4", "1.2.3.4", true},
        {"1.2.3.4", "1.2.3.45", false},
        {"1.2.3.4_", "1.2.3.45", true},
        {"1.2.3.4_", "1.2.3.4", false},
        {"%.4", "1.2.3.4", true},
        {"%.4", "1.2.4.3", false},
        {"1%3%", "1.2.3.4", true},
        {"1%3%5", "1.2.3.4", false},
        {"%%%4", "1.2.3.4", true},
        {"1\\.2.3.4", "1.2.3.4", true},
        {"\\%", "1.2.3.4", false},
        {"_._._._", "1.2.3.4", true},
        {"_._._._", "1.2.3.40", false},
        {"%4%4%4%4%4%4%4%4%5", "4.4.4.4", false},
        {"1.2.3.0/255.255.255.0", "1.2.3.4", true},
        {"1.2.3.4/255.255.255.0", "1.2.3.4", false}, /* the host bits must be zero */
        {"1.2.3.0/0.0.0.0", "1.2.3.4", false},
        {"1.2.3.0/255.255.255", "1.2.3.4", false},
        {"1.2.3.0/24", "1.2.3.4", false},
        {"1.2.3.0/255.255.255.0", "fe80::1", false},
        {"256.0.0.0/255.0.0.0", "0.0.0.1", false},
        {"FE80::%", "fe80::1", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *const one[][2] = {{"u", rows[i].pattern}};
        struct catalog *c = catalog_of(one, 1);
        bool match = catalog_account(c, span_of("u"), rows[i].address) != NULL;

        if (match != rows[i].match)
            print_error("%s %s\n", rows[i].pattern, rows[i].address);
        assert_int_equal(match, rows[i].match);
        catalog_unref(c);
    }
}

static void variables_and_collations(void **state)
{
    static const char *const names[] = {"wait_timeout", "autocommit", "sql_mode"};
    static const uint16_t ids[] = {45, 8, 33};
    struct catalog *c = calloc(1, sizeof(*c));

    (void)state;
    assert_non_null(c);
    c->variables = calloc(3, sizeof(*c->variables));
    c->collations = calloc(3, sizeof(*c->collations));
    assert_non_null(c->variables);
    assert_non_null(c->collations);
    c->variable_count = c->collation_count = 3;
    for (size_t i = 0; i < 3; i++) {
        c->variables[i].name = strdup(names[i]);
        c->variables[i].type = VARIABLE_NUMBER;
        c->collations[i].id = ids[i];
        c->collations[i].name = strdup("x_general_ci");
        c->collations[i].charset = strdup("x");
    }
    catalog_seal(c);
    for (size_t i = 0; i < 3; i++) {
        const struct variable *v = catalog_variable(c, span_of(names[i]));
        const struct collation *k = catalog_collation(c, ids[i]);

        assert_non_null(v);
        assert_string_equal(v->name, names[i]);
        assert_non_null(k);
        assert_int_equal(k->id, ids[i]);
    }
    assert_non_null(catalog_variable(c, span_of("SQL_Mode")));
    assert_null(catalog_variable(c, span_of("sql_mod")));
    assert_null(catalog_variable(c, span_of("sql_modes")));
    assert_null(catalog_variable(c, span_of("")));
    assert_null(catalog_collation(c, 46));
    catalog_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_specific_host_wins),
        cmocka_unit_test(roles_and_empty_catalogs),
        cmocka_unit_test(wild_patterns),
        cmocka_unit_test(variables_and_collations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
