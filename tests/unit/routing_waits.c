#include "routing/waits.h"

#include "tests/unit/check.h"

enum { MANY = 4 };

static struct waits q;
static struct waiter w[MANY];
static struct gtid_set need[MANY];

static int set_up(void **state)
{
    (void)state;
    q = (struct waits){0};
    for (int i = 0; i < MANY; i++)
        w[i] = (struct waiter){0};
    return 0;
}

static void needs(int i, const char *text)
{
    assert_true(gtid_set_parse(span_of(text), &need[i]));
}

static void joins(int i, const char *text)
{
    needs(i, text);
    assert_true(waits_may_join(&q, &need[i]));
    waits_join(&q, &w[i], &need[i]);
}

/* What it is to ask for; whether for others, too. */
static void check_asks(int i, const char *text, const char *position, bool for_all)
{
    char asked[GTID_SET_TEXT_MAX];
    struct gtid_set to_ask;

    needs(i, text);
    assert_int_equal(waits_ask(&q, &w[i], &need[i], &to_ask), for_all);
    gtid_set_format(&to_ask, asked, sizeof asked);
    assert_string_equal(asked, position);
    assert_int_equal(w[i].role, for_all ? WAIT_ASKS : WAIT_NONE);
}

static void nobody_joins_where_nothing_is_asked(void **state)
{
    (void)state;
    needs(0, "0-1-5");
    assert_false(waits_may_join(&q, &need[0]));
    check_asks(1, "0-1-1", "0-1-1", true);
    assert_true(waits_may_join(&q, &need[0]));
    waits_leave(&q, &w[1]);
    assert_false(waits_may_join(&q, &need[0]));
}

static void one_asks_for_the_furthest(void **state)
{
    (void)state;
    check_asks(0, "0-1-1", "0-1-1", true);
    joins(1, "0-1-5");
    joins(2, "0-2-9");
    joins(3, "0-1-7");
    waits_leave(&q, &w[0]);
    assert_ptr_equal(q.head, &w[1]);
    waits_leave(&q, &w[1]);
    check_asks(1, "0-1-5", "0-2-9", true);
    assert_int_equal(waits_count(&q), 2);
}

/* One that got its connection only when another one had asked. */
static void a_second_one_asks_for_itself(void **state)
{
    (void)state;
    check_asks(0, "0-1-1", "0-1-1", true);
    joins(1, "0-1-5");
    check_asks(2, "0-1-3", "0-1-3", false);
    waits_leave(&q, &w[2]);
    assert_ptr_equal(q.asker, &w[0]);
}

static void domains_are_asked_for_apart(void **state)
{
    (void)state;
    check_asks(0, "0-1-1,1-1-1", "0-1-1,1-1-1", true);
    joins(1, "1-1-7");
    joins(2, "0-1-8,1-1-2");
    needs(3, "1-1-1,2-1-1");
    assert_false(waits_may_join(&q, &need[3]));
    waits_leave(&q, &w[0]);
    waits_leave(&q, &w[1]);
    check_asks(1, "1-1-7", "1-1-7", true); /* not the second one's 0 */
    waits_leave(&q, &w[1]);
    waits_leave(&q, &w[2]);
    check_asks(2, "0-1-8,1-1-2", "0-1-8,1-1-2", true);
}

static void anybody_may_leave(void **state)
{
    (void)state;
    check_asks(0, "0-1-1", "0-1-1", true);
    joins(1, "0-1-2");
    joins(2, "0-1-3");
    joins(3, "0-1-4");
    waits_leave(&q, &w[2]);
    waits_leave(&q, &w[2]);
    assert_ptr_equal(w[1].next, &w[3]);
    assert_ptr_equal(w[3].prev, &w[1]);
    waits_leave(&q, &w[3]);
    waits_leave(&q, &w[1]);
    assert_null(q.head);
    assert_null(q.tail);
    assert_ptr_equal(q.asker, &w[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nobody_joins_where_nothing_is_asked, set_up),
        cmocka_unit_test_setup(one_asks_for_the_furthest, set_up),
        cmocka_unit_test_setup(a_second_one_asks_for_itself, set_up),
        cmocka_unit_test_setup(domains_are_asked_for_apart, set_up),
        cmocka_unit_test_setup(anybody_may_leave, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
