/* A Tillway's row on a server, with a probe that the test plays. */
#include "monitor/enrol.h"

#include "tests/unit/check.h"

#include <stdio.h>
#include <string.h>

enum { ID = 77 };

/* One server: its table, and what it has been told. */
struct probe {
    bool open;
    bool has_table;
    bool refuses;    /* to write */
    const char *row; /* NULL: there is none */
    char written[300];
};

static struct probe probe;

bool probe_is_open(const struct probe *p)
{
    return p->open;
}

static enum probe_result answer(struct probe_answer *a, enum probe_result result, unsigned code)
{
    *a = (struct probe_answer){.result = result, .code = code};
    return result;
}

static enum probe_result look(const struct probe *p, probe_row_fn row, void *ctx,
                              struct probe_answer *a)
{
    char text[32];
    char *values[] = {text};

    if (!p->has_table)
        return answer(a, PROBE_DENIED, 1146);
    (void)snprintf(text, sizeof text, "%s", p->row ? p->row : "");
    if (p->row)
        (void)row(ctx, &(struct probe_row){.columns = 1, .values = values});
    return answer(a, PROBE_OK, 0);
}

enum probe_result probe_ask(struct probe *p, const char *sql, probe_row_fn row, void *ctx,
                            struct probe_answer *a)
{
    if (strncmp(sql, "SELECT", 6) == 0)
        return look(p, row, ctx, a);
    if (p->refuses)
        return answer(a, PROBE_DENIED, 1205);
    p->has_table = p->has_table || strstr(sql, "CREATE TABLE");
    if (strstr(sql, "INSERT") || strstr(sql, "DELETE"))
        (void)snprintf(p->written, sizeof p->written, "%s", sql);
    return answer(a, PROBE_OK, 0);
}

static int set_up(void **state)
{
    (void)state;
    probe = (struct probe){.open = true, .has_table = true};
    return 0;
}

/* Asked by a Tillway that has left the epochs before `left`, of a server that has promised 5. */
static bool is_enrolled(uint64_t left)
{
    const struct enrolment e = {.id = ID, .epoch = 5, .left = left};
    struct probe_answer a;
    bool there = true;

    assert_int_equal(enrol_ask(&probe, &e, &there, &a), PROBE_OK);
    return there;
}

static void test_who_is_not_there_enrols_and_does_not_count_yet(void **state)
{
    (void)state;
    assert_false(is_enrolled(0));
    assert_non_null(strstr(probe.written, "(77, 5)"));
}

static void test_a_server_without_the_table_gets_it(void **state)
{
    (void)state;
    probe.has_table = false;
    assert_false(is_enrolled(0));
    assert_true(probe.has_table);
    assert_non_null(strstr(probe.written, "(77, 5)"));
}

static void test_what_was_not_left_is_not_said_to_be(void **state)
{
    (void)state;
    probe.row = "4";
    assert_true(is_enrolled(4));
    assert_string_equal(probe.written, "");
    assert_true(is_enrolled(5));
    assert_non_null(strstr(probe.written, "(77, 5)"));
}

static void test_no_more_is_said_than_the_server_has_promised(void **state)
{
    (void)state;
    probe.row = "5";
    assert_true(is_enrolled(6));
    assert_string_equal(probe.written, "");
}

static void test_a_server_that_writes_nothing_is_asked_again(void **state)
{
    (void)state;
    probe.refuses = true;
    assert_false(is_enrolled(0));
    probe.refuses = false;
    assert_false(is_enrolled(0));
    assert_non_null(strstr(probe.written, "(77, 5)"));
}

static void test_the_end(void **state)
{
    (void)state;
    enrol_end(&probe, ID);
    assert_non_null(strstr(probe.written, "DELETE FROM tillway.proxy WHERE id=77"));
    probe = (struct probe){.open = false};
    enrol_end(&probe, ID);
    assert_string_equal(probe.written, "");
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_who_is_not_there_enrols_and_does_not_count_yet),
        TEST(test_a_server_without_the_table_gets_it),
        TEST(test_what_was_not_left_is_not_said_to_be),
        TEST(test_no_more_is_said_than_the_server_has_promised),
        TEST(test_a_server_that_writes_nothing_is_asked_again),
        TEST(test_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
