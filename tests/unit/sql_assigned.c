/* Which variables a SET assigns. */
#include "sql/assigned.h"

#include "base/buf.h"
#include "check.h"

static void note(void *ctx, struct span name)
{
    buf_put_span(ctx, name);
    buf_put_u8(ctx, ' ');
}

static void check(const char *text, bool ok, const char *names)
{
    struct buf found = buf_with_max(4096);
    bool got = sql_assigned(span_of(text), (struct sql_mode){0}, note, &found);

    if (got != ok || (ok && strcmp(buf_text(&found), names) != 0))
        fail_msg("%s: %s, '%s'", text, got ? "understood" : "not understood", buf_text(&found));
    buf_free(&found);
}

static void names(void **state)
{
    (void)state;
    check("SET a=1", true, "a ");
    check("set a = 1, Session b := 'x,y', LOCAL c=DEFAULT;", true, "a b c ");
    check("SET @@session.a=1, @@LOCAL.b=2, @@c=3", true, "a b c ");
    check("SET a=CONCAT(@@b,',c=1'), d=(SELECT MAX(e) FROM t)", true, "a d ");
    check("SET a=1, NAMES utf8mb4 COLLATE utf8mb4_bin, b=2", true,
          "a character_set_client character_set_results character_set_connection "
          "collation_connection b ");
    check("/* x */ SET GLOBAL a=1, @@global.b=2, c=3, @d=4, @`e f`=5", true, "c ");
}

static void what_is_none(void **state)
{
    static const char *const texts[] = {
        "",
        "SET",
        "SELECT 1",
        "SET a",
        "SET a 1",
        "SET CHARACTER SET utf8mb4",
        "SET TRANSACTION READ ONLY",
        "SET a=1; SET b=2",
        "SET a='not finished",
        "SET a=1,",
        "SET `a`=1",
        "SET a.b=1",
        "SET @@`a`=1",
        "SET ROLE x",
        "SET STATEMENT a=1 FOR SELECT 1",
        "SET a=1 /*!110400 , b=2 */",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        check(texts[i], false, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(what_is_none)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
