#include "sql/prepared.h"

#include "tests/unit/check.h"

static bool is_told(struct span s, const char *text)
{
    return s.p && text ? span_eq(s, text) : !s.p && !text;
}

static void texts_and_names_are_told(void **state)
{
    static const struct {
        const char *sql;
        enum sql_prepared_kind kind;
        const char *name, *text; /* NULL: none */
    } rows[] = {
        {"PREPARE k FROM 'KILL 5'", SQL_PREPARES, "k", "KILL 5"},
        {"/* x */ prepare `K` from \"KILL ?\" ; ;", SQL_PREPARES, "K", "KILL ?"},
        {"PREPARE query FROM ''", SQL_PREPARES, "query", ""},
        {"PREPARE k FROM @text", SQL_PREPARES, "k", NULL},
        {"PREPARE k FROM CONCAT('KILL 5')", SQL_PREPARES, "k", NULL},
        {"PREPARE k FROM 'KILL ' '5'", SQL_PREPARES, "k", NULL},
        {"PREPARE k FROM 'KILL '+5", SQL_PREPARES, "k", NULL},
        {"PREPARE k FROM _utf8'KILL 5'", SQL_PREPARES, "k", NULL},
        {"PREPARE k FROM 'SELECT ''a'''", SQL_PREPARES, "k", NULL},
        {"PREPARE k FROM 'KILL\\t5'", SQL_PREPARES, "k", NULL},
        {"EXECUTE k", SQL_EXECUTES, "k", NULL},
        {"EXECUTE k USING @a", SQL_EXECUTES, "k", NULL},
        {"EXECUTE IMMEDIATE 'KILL 5'", SQL_EXECUTES, NULL, "KILL 5"},
        {"execute immediate 'KILL ?' using 5;", SQL_EXECUTES, NULL, "KILL ?"},
        {"EXECUTE IMMEDIATE @text", SQL_EXECUTES, NULL, NULL},
        {"EXECUTE `immediate`", SQL_EXECUTES, "immediate", NULL},
        {"DEALLOCATE PREPARE k", SQL_PREPARED_OTHER, NULL, NULL},
        {"PREPARE k FROM 'KILL 5'; EXECUTE k", SQL_PREPARED_OTHER, NULL, NULL},
        {"SELECT 1; EXECUTE k", SQL_PREPARED_OTHER, NULL, NULL},
        {"EXECUTE IMMEDIATE 'KILL", SQL_PREPARED_OTHER, NULL, NULL},
        {"EXECUTE", SQL_PREPARED_OTHER, NULL, NULL},
        {"", SQL_PREPARED_OTHER, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sql_prepared p = sql_prepared_read(span_of(rows[i].sql), (struct sql_mode){0});

        assert_int_equal(p.kind, rows[i].kind);
        assert_true(is_told(p.name, rows[i].name));
        assert_true(is_told(p.text, rows[i].text));
    }
}

/* In ANSI_QUOTES "x" is a name. */
static void quotes_are_read_by_the_mode(void **state)
{
    struct sql_mode ansi = {.ansi_quotes = true};
    struct sql_prepared p = sql_prepared_read(span_of("PREPARE \"k\" FROM \"KILL 5\""), ansi);

    (void)state;
    assert_int_equal(p.kind, SQL_PREPARES);
    assert_true(span_eq(p.name, "k"));
    assert_null(p.text.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_names_are_told),
        cmocka_unit_test(quotes_are_read_by_the_mode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
