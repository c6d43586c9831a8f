/* Questions for the primary's position, shared by the sessions of a worker. */
#include "component/rig.h"

static const char read_sql[] = "SELECT name FROM Product";
static const char write_sql[] = "UPDATE Product SET price=1";
static const char position_sql[] = "SELECT @@global.gtid_binlog_pos";

enum { SESSIONS = 3 };

/* The first session's question is under way, the others' reads wait for the next one. Each session
 * has a connection of its own. */
static struct rig *set_up(struct scene all[SESSIONS])
{
    struct rig *r = rig_start(.workers = 1, .consistency = CONSISTENCY_GLOBAL, .holding = true);
    struct scene other;

    for (int i = 0; i < SESSIONS; i++)
        all[i] = rig_scene(r);
    other = rig_scene(r);
    client_asks(all[0].till, read_sql);
    server_hears_query(all[0].primary, position_sql);
    for (int i = 1; i < SESSIONS; i++)
        client_asks(all[i].till, read_sql);
    client_asks(other.till, write_sql); /* the worker has seen what was sent before that */
    server_hears_query(other.primary, write_sql);
    server_says_ok(other.primary);
    (void)client_hears_ok(other.till);
    for (int i = 1; i < SESSIONS; i++)
        peer_hears_nothing(all[i].primary, 0);
    return r;
}

static void answer_read(struct rig *r)
{
    struct peer *replica = server_serves(&r->servers[REPLICA]);

    server_hears_query(replica, read_sql);
    server_says_rows(replica, "tea");
}

/* … and one of the others asks for both. */
static void the_first_is_answered(struct rig *r, struct scene all[SESSIONS])
{
    server_says_rows(all[0].primary, "0-1-1");
    answer_read(r);
    (void)client_hears_rows(all[0].till, "tea");
    server_hears_query(all[2].primary, position_sql);
}

static void those_that_wait_share_the_next(void **state)
{
    struct scene all[SESSIONS];
    struct rig *r = set_up(all);

    (void)state;
    the_first_is_answered(r, all);
    peer_hears_nothing(all[1].primary, 0);
    server_says_rows(all[2].primary, "0-1-1");
    answer_read(r);
    answer_read(r);
    (void)client_hears_rows(all[1].till, "tea");
    (void)client_hears_rows(all[2].till, "tea");
    assert_int_equal(atomic_load(&r->shared.metrics.value[METRIC_POSITIONS]), 2);
}

/* Nobody knows then: the read goes to the primary. */
static void a_question_that_is_lost(void **state)
{
    struct scene all[SESSIONS];
    struct rig *r = set_up(all);

    (void)state;
    the_first_is_answered(r, all);
    peer_hang_up(all[2].primary);
    server_hears_query(all[1].primary, read_sql);
    server_says_rows(all[1].primary, "tea");
    (void)client_hears_rows(all[1].till, "tea");
}

/* Whoever asks may be gone by then: the others have their answer. */
static void a_client_that_leaves_meanwhile(void **state)
{
    struct scene all[SESSIONS];
    struct rig *r = set_up(all);

    (void)state;
    the_first_is_answered(r, all);
    peer_hang_up(all[2].till);
    server_says_rows(all[2].primary, "0-1-1");
    answer_read(r);
    answer_read(r);
    (void)client_hears_rows(all[1].till, "tea");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(those_that_wait_share_the_next),
        RIG_TEST(a_question_that_is_lost),
        RIG_TEST(a_client_that_leaves_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
