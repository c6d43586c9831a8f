/* exactly_once where the connection breaks under the COMMIT, and the server goes on as the primary:
 * the row tells the truth once nothing of that connection is at work any more. */
#include "component/rig.h"

static const char write_sql[] = "INSERT INTO t VALUES (1)";

/* A till whose write's COMMIT is not answered. Answers the number. */
static uint64_t breaks_under_a_commit(struct rig *r, struct scene *s)
{
    uint64_t number;

    *s = rig_scene(r);
    client_asks(s->till, write_sql);
    number = server_hears_once(s->primary, write_sql);
    peer_cut(s->primary);
    return number;
}

/* … and that asks on another connection. */
static uint64_t loses_a_commit(struct rig *r, struct scene *s)
{
    uint64_t number = breaks_under_a_commit(r, s);

    s->primary = server_serves(&r->servers[PRIMARY]);
    return number;
}

static struct rig *once_rig(void)
{
    return rig_start(.workers = 1, .failover_ms = 60000, .exactly_once = true);
}

static void a_commit_that_was_through_is_told(void **state)
{
    struct rig *r = once_rig();
    struct scene s;
    uint64_t number = loses_a_commit(r, &s);

    (void)state;
    server_tells_outcome(s.primary, "0 1000", number);
    assert_int_equal(client_hears_ok(s.till).last_insert_id, 7);
}

static void one_that_was_not_is_written_again(void **state)
{
    struct rig *r = once_rig();
    struct scene s;
    uint64_t number = loses_a_commit(r, &s);

    (void)state;
    server_tells_outcome(s.primary, "0 1000", number - 1);
    assert_true(server_hears_once(s.primary, write_sql) > number);
    server_says_ok(s.primary);
    assert_int_equal(client_hears_ok(s.till).last_insert_id, 7);
}

static void a_connection_at_work_is_awaited(void **state)
{
    struct rig *r = once_rig();
    struct scene s;
    uint64_t number = loses_a_commit(r, &s);

    (void)state;
    server_tells_outcome(s.primary, "1 1000", number - 1);
    server_tells_outcome(s.primary, "1 1000", number - 1);
    server_tells_outcome(s.primary, "0 1000", number);
    assert_int_equal(client_hears_ok(s.till).last_insert_id, 7);
}

/* Its id is another connection's, which it would not be if the server had that one still. */
static void a_server_that_was_started_anew_is_believed(void **state)
{
    struct rig *r = once_rig();
    struct scene s;
    uint64_t number = breaks_under_a_commit(r, &s);

    (void)state;
    r->servers[PRIMARY].connections--;
    s.primary = server_serves(&r->servers[PRIMARY]);
    server_tells_outcome(s.primary, "1 1000", number);
    assert_int_equal(client_hears_ok(s.till).last_insert_id, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_commit_that_was_through_is_told),
        RIG_TEST(one_that_was_not_is_written_again),
        RIG_TEST(a_connection_at_work_is_awaited),
        RIG_TEST(a_server_that_was_started_anew_is_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
