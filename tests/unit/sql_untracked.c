/* The variables of which a SET leaves the server's reports wrong. */
#include "sql/untracked.h"
#include "tests/unit/sql_check.h"

struct told {
    char names[256];
};

static void on_name(void *ctx, struct span name)
{
    struct told *t = ctx;
    size_t used = strlen(t->names);

    (void)snprintf(t->names + used, sizeof t->names - used, "%s%.*s", used ? "," : "", (int)name.n,
                   (const char *)name.p);
}

#define CHARSET "character_set_client,character_set_results,collation_connection"

static void names(void **state)
{
    static const struct {
        const char *text;
        const char *names; /* NULL: more than can be named */
    } rows[] = {
        {"SET a = 1, SESSION b = 2, @c = 3, @@session.d = 4", ""},
        {"SET @@a = 1", "a"},
        {"SET x = (SELECT 1, 2), @@Sql_Mode := '', @@global.g = 1, @@local.l = 1", "Sql_Mode"},
        {"SET CHARACTER SET latin1", CHARSET},
        {"SET a = 1, CHARSET 'latin1', @@b = 2", CHARSET ",b"},
        {"SET NAMES DEFAULT", CHARSET},
        {"SET NAMES utf8", ""},
        {"SET STATEMENT a = 1, b = (2 + 3) FOR SELECT c FROM t FOR UPDATE", "a,b"},
        {"/* x */ SET @@a = 1 -- y", "a"},
        {"SELECT @@a", ""},
        {"SET @@`a` = 1", NULL},
        {"SET @@cache.key_buffer_size = 1", NULL},
        {"SET @@a = 1; SET @@b = 2", NULL},
        {"SET @@a = 1, session_track_schema = 0", NULL},
        {"SET NAMES utf8mb4 COLLATE 'a''b'", NULL},
        {"SET @@a = 'unfinished", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct told told = {""};
        bool known =
            sql_untracked(span_of(rows[i].text), (struct sql_mode){.utf8 = true}, on_name, &told);

        if (known != (rows[i].names != NULL))
            print_error("%s\n", rows[i].text);
        assert_int_equal(known, rows[i].names != NULL);
        if (known)
            assert_string_equal(told.names, rows[i].names);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
