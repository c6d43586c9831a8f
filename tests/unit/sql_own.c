#include "sql/own.h"

#include "tests/unit/check.h"

static void only_these_words(void **state)
{
    static const char *const yes[] = {"SHOW TILLWAY SESSION", "show tillway session;",
                                      "/* x */ Show\tTillway -- y\n Session ; ;"};
    static const char *const no[] = {
        "",
        "SHOW",
        "SHOW TILLWAY",
        "SHOW TILLWAY SESSIONS",
        "SHOW TILLWAY SESSION LIKE 'a'",
        "SHOW TILLWAY SESSION; SELECT 1",
        "SHOW `TILLWAY` SESSION",
        "SHOW SESSION STATUS",
        "SELECT TILLWAY SESSION",
        "SHOW TILLWAY SESSION 'x",
        "SHOW TILLWAY /*!999999 x */ SESSION",
        "SHOW TILLWAY /*! SESSION",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        assert_true(sql_shows_session(span_of(yes[i]), (struct sql_mode){0}));
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        assert_false(sql_shows_session(span_of(no[i]), (struct sql_mode){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(only_these_words)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
