#include "proxy/replay/replay_log.h"

#include "tests/unit/check.h"

enum { BUDGET = 1000 };

static struct replay_log replay_log;
static struct prepared_uses uses;
static struct stmts stmts;
static struct vars *vars;

static int setup(void **state)
{
    (void)state;
    replay_log_init(&replay_log, BUDGET);
    stmts = (struct stmts){.uses = &uses};
    vars = vars_new();
    return vars ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    replay_log_free(&replay_log);
    stmts_clear(&stmts);
    vars_free(vars);
    return 0;
}

static void add(const char *packet, struct stmt *stmt)
{
    replay_log_add(&replay_log, &(struct replay_entry){.stmt = stmt, .digest = 7}, span_of(packet));
}

static void test_keeps_order_and_bytes(void **state)
{
    (void)state;
    add("one", NULL);
    add("", NULL);
    add("three", NULL);
    assert_int_equal(replay_log.count, 3);
    assert_int_equal(replay_log.entries[1].n, 0);
    assert_memory_equal(replay_log_packet(&replay_log, &replay_log.entries[0]), "one", 3);
    assert_memory_equal(replay_log_packet(&replay_log, &replay_log.entries[2]), "three", 5);
    assert_int_equal(replay_log.entries[2].digest, 7);
    replay_log_clear(&replay_log);
    assert_int_equal(replay_log.count, 0);
    add("next", NULL);
    assert_memory_equal(replay_log_packet(&replay_log, &replay_log.entries[0]), "next", 4);
}

static void test_over_budget_is_closed_until_cleared(void **state)
{
    char long_packet[BUDGET];

    (void)state;
    memset(long_packet, 'x', sizeof long_packet);
    long_packet[sizeof long_packet - 1] = 0;
    add("one", NULL);
    add(long_packet, NULL);
    assert_non_null(replay_log.closed);
    assert_int_equal(replay_log.count, 0);
    add("two", NULL);
    assert_int_equal(replay_log.count, 0);
    replay_log_close(&replay_log, "another reason"); /* the first one stays */
    assert_non_null(strstr(replay_log.closed, "replay_budget"));
    replay_log_clear(&replay_log);
    assert_null(replay_log.closed);
    add("two", NULL);
    assert_int_equal(replay_log.count, 1);
}

/* Statements cost something although they are short. */
static void test_many_small_ones_fill_the_budget(void **state)
{
    (void)state;
    for (int i = 0; i < BUDGET; i++)
        add("", NULL);
    assert_non_null(replay_log.closed);
}

static void test_a_closed_statement_lives_on(void **state)
{
    struct stmt *stmt = stmts_add(&stmts, span_of("SELECT ?"), "shop", vars);

    (void)state;
    add("execute", stmt);
    add("execute", stmt);
    stmts_remove(&stmts, stmt);
    assert_null(stmts_find(&stmts, 1));
    assert_string_equal(replay_log.entries[1].stmt->text, "SELECT ?");
    replay_log_clear(&replay_log); /* a sanitizer sees whether it is freed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keeps_order_and_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_over_budget_is_closed_until_cleared, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_small_ones_fill_the_budget, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_closed_statement_lives_on, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
