/* That a remembered verdict is the one the text would get is checked wherever tests classify
 * (sql_check.h) and by the fuzzer; here: what is remembered, and by what it is told apart. */
#include "sql/verdicts.h"

#include "sql/lookup.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static const struct sql_mode plain = {.utf8 = true};

static int asked; /* how often the names were looked up */
static bool answer;

static bool function_reads(const void *ctx, struct span schema, struct span name)
{
    (void)ctx;
    (void)schema;
    (void)name;
    asked++;
    return answer;
}

static struct sql_names names_of(uint64_t version, const char *schema)
{
    return (struct sql_names){
        .version = version, .schema = span_of(schema), .function_reads = function_reads};
}

static struct verdicts *new_verdicts(void)
{
    struct verdicts *v = calloc(1, sizeof *v);

    assert_non_null(v);
    return v;
}

/* Whether the text was classified anew. */
static bool is_new(struct verdicts *v, const char *text, const struct sql_names *names)
{
    struct sql_class c;
    int before = asked;

    (void)verdicts_classify(v, span_of(text), plain, names, &c);
    return asked != before;
}

static void values_do_not_count(void **state)
{
    struct verdicts *v = new_verdicts();
    struct sql_names names = names_of(1, "shop");

    (void)state;
    answer = true;
    assert_true(is_new(v, "SELECT f(1), 'a' FROM t", &names));
    assert_false(is_new(v, "SELECT f(234), 'it''s' FROM t", &names));
    assert_true(is_new(v, "SELECT f(1), 'a' FROM u", &names));
    assert_true(is_new(v, "SELECT f(1 ), 'a' FROM t", &names));
    free(v);
}

static void names_count(void **state)
{
    struct verdicts *v = new_verdicts();
    struct sql_names names = names_of(1, "shop");
    struct sql_names later = names_of(2, "shop");
    struct sql_names elsewhere = names_of(1, "shopS");
    struct sql_class c;

    (void)state;
    answer = true;
    assert_true(is_new(v, "SELECT f(1)", &names));
    assert_true(is_new(v, "SELECT f(1)", &elsewhere));
    answer = false;
    (void)verdicts_classify(v, span_of("SELECT f(2)"), plain, &later, &c);
    assert_false(sql_is_read(&c));
    (void)verdicts_classify(v, span_of("SELECT f(2)"), plain, &names, &c);
    assert_true(sql_is_read(&c));
    (void)verdicts_classify(v, span_of("SELECT f(2)"), plain, NULL, &c);
    assert_false(sql_is_read(&c));
    free(v);
}

/* A name that may be a stored function is told to the log by where it stands in the text. */
static void what_points_into_the_text_is_not_kept(void **state)
{
    struct verdicts *v = new_verdicts();
    struct sql_names names = names_of(1, "shop");

    (void)state;
    answer = false;
    assert_true(is_new(v, "SELECT f(1)", &names));
    assert_true(is_new(v, "SELECT f(1)", &names));
    free(v);
}

static void values_that_count(void **state)
{
    struct verdicts *v = new_verdicts();
    struct sql_class c;

    (void)state;
    for (uint64_t id = 1; id < 3; id++) {
        const char *text = id == 1 ? "KILL 1" : "KILL 2";

        (void)verdicts_classify(v, span_of(text), plain, NULL, &c);
        assert_true(c.kill.simple && c.kill.id == id);
    }
    (void)verdicts_classify(v, span_of("SET NAMES 'utf8' COLLATE 'utf8_bin'"), plain, NULL, &c);
    assert_string_equal(c.collation, "utf8_bin");
    (void)verdicts_classify(v, span_of("SET NAMES 'utf8' COLLATE 'utf8_german2_ci'"), plain, NULL,
                            &c);
    assert_string_equal(c.collation, "utf8_german2_ci");
    free(v);
}

static void the_lexis_counts(void **state)
{
    struct verdicts *v = new_verdicts();
    const struct sql_mode ansi = {.utf8 = true, .ansi_quotes = true};
    struct span text = span_of("SELECT \"max\"(1)");
    struct sql_class c;

    (void)state;
    (void)verdicts_classify(v, text, plain, NULL, &c);
    assert_true(sql_is_read(&c));
    (void)verdicts_classify(v, text, ansi, NULL, &c);
    assert_int_equal(c.reason, SQL_UNKNOWN_FUNCTION);
    free(v);
}

static void too_long(void **state)
{
    struct verdicts *v = new_verdicts();
    struct sql_names names = names_of(1, "shop");
    char text[VERDICT_TEXT_MAX + 2];

    (void)state;
    answer = true;
    memset(text, ' ', sizeof text);
    memcpy(text, "SELECT f(1)", 11);
    text[VERDICT_TEXT_MAX] = 0;
    assert_true(is_new(v, text, &names));
    assert_false(is_new(v, text, &names));
    text[VERDICT_TEXT_MAX] = ' ';
    text[VERDICT_TEXT_MAX + 1] = 0;
    assert_true(is_new(v, text, &names));
    assert_true(is_new(v, text, &names));
    free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_do_not_count),
        cmocka_unit_test(names_count),
        cmocka_unit_test(what_points_into_the_text_is_not_kept),
        cmocka_unit_test(values_that_count),
        cmocka_unit_test(the_lexis_counts),
        cmocka_unit_test(too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
