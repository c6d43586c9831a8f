/* KILL by the ids that the proxy greeted with, also across workers. */
#include "component/rig.h"

#include <stdio.h>

static const char slow_sql[] = "UPDATE t SET a=SLEEP(100)";

static struct scene scene_of(struct rig *r, int worker, const char *user)
{
    struct scene s = {.till = client_connects(r, worker)};

    client_hears_greeting(s.till);
    client_logs_in(s.till, .user = user);
    s.primary = server_accepts(&r->servers[PRIMARY]);
    server_greets(s.primary);
    server_hears_login(s.primary, user, "secret");
    server_says_ok(s.primary);
    server_hears_setup(s.primary);
    (void)client_hears_ok(s.till);
    return s;
}

static void kills(struct peer *till, const char *what, uint32_t id)
{
    char sql[64];

    (void)snprintf(sql, sizeof sql, "KILL %s %u", what, id);
    client_asks(till, sql);
}

static void lives(struct peer *till)
{
    client_sends(till, COM_PING, BYTES(""));
    (void)client_hears_ok(till);
}

static void was_killed(struct peer *till)
{
    till->seq = 0;
    client_hears_error(till, 1927, "70100", "Connection was killed");
    peer_hears_end(till);
}

static void ids_are_unique_and_tell_the_worker(void **state)
{
    struct rig *r = rig_start(.holding = true, .workers = 2);
    struct scene a = scene_of(r, 0, "till");
    struct scene b = scene_of(r, 1, "till");
    struct scene c = scene_of(r, 1, "till");

    (void)state;
    assert_int_equal(a.till->thread_id % 2, 0);
    assert_int_equal(b.till->thread_id % 2, 1);
    assert_int_not_equal(b.till->thread_id, c.till->thread_id);
}

/* The statement is killed on its server, over a connection of its own. */
static struct peer *kill_arrives(struct rig *r, const struct scene *victim, const char *user)
{
    struct peer *side = server_accepts(&r->servers[PRIMARY]);
    char sql[64];

    server_greets(side);
    server_hears_login(side, user, "secret");
    server_says_ok(side);
    server_hears_setup(side);
    (void)snprintf(sql, sizeof sql, "KILL QUERY %u", victim->primary->thread_id);
    server_hears_query(side, sql);
    return side;
}

static void a_query_of_another_worker_is_killed(void **state)
{
    struct rig *r = rig_start(.workers = 2);
    struct scene victim = scene_of(r, 1, "till");
    struct scene killer = scene_of(r, 0, "till");

    (void)state;
    client_asks(victim.till, slow_sql);
    server_hears_query(victim.primary, slow_sql);
    kills(killer.till, "QUERY", victim.till->thread_id);
    (void)client_hears_ok(killer.till);
    server_says_ok(kill_arrives(r, &victim, "till"));
    server_says_error(victim.primary, 1317, "70100", "Query execution was interrupted");
    client_hears_error(victim.till, 1317, "70100", "interrupted");
    lives(victim.till);
}

static void a_connection_is_killed(void **state)
{
    struct rig *r = rig_start(.workers = 2);
    struct scene victim = scene_of(r, 1, "till");
    struct scene killer = scene_of(r, 0, "till");
    struct peer *side;

    (void)state;
    client_asks(victim.till, slow_sql);
    server_hears_query(victim.primary, slow_sql);
    kills(killer.till, "CONNECTION", victim.till->thread_id);
    (void)client_hears_ok(killer.till);
    client_hears_error(victim.till, 1927, "70100", "Connection was killed");
    peer_hears_end(victim.till);
    peer_hears_end(victim.primary);
    side = kill_arrives(r, &victim, "till");
    peer_hears_nothing(side, 20); /* it stays until the server has answered */
    server_says_ok(side);
    peer_hears_end(side);
}

/* A frozen server takes no KILL: the attempt ends by itself. */
static void a_kill_that_is_not_answered_is_given_up(void **state)
{
    struct rig *r = rig_start(.holding = true, .connect_timeout_ms = 100);
    struct scene victim = scene_of(r, 0, "till");
    struct scene killer = scene_of(r, 0, "till");
    struct peer *side;

    (void)state;
    client_asks(victim.till, slow_sql);
    server_hears_query(victim.primary, slow_sql);
    kills(killer.till, "QUERY", victim.till->thread_id);
    (void)client_hears_ok(killer.till);
    side = server_accepts(&r->servers[PRIMARY]);
    peer_hears_end(side);
    peer_hears_nothing(victim.till, 0);
}

/* The worker ends while one is under way. */
static void a_drain_does_not_wait_for_a_kill(void **state)
{
    struct rig *r = rig_start(.holding = true, .workers = 1);
    struct scene victim = scene_of(r, 0, "till");
    struct scene killer = scene_of(r, 0, "till");

    (void)state;
    client_asks(victim.till, slow_sql);
    server_hears_query(victim.primary, slow_sql);
    kills(killer.till, "", victim.till->thread_id);
    (void)client_hears_ok(killer.till);
    (void)server_accepts(&r->servers[PRIMARY]);
}

static void an_idle_connection_is_killed(void **state)
{
    struct rig *r = rig_start(.holding = true, .workers = 1);
    struct scene victim = scene_of(r, 0, "till");
    struct scene killer = scene_of(r, 0, "till");
    uint8_t id[4];

    (void)state;
    for (unsigned i = 0; i < sizeof id; i++)
        id[i] = (uint8_t)(victim.till->thread_id >> (8 * i));
    client_sends(killer.till, COM_PROCESS_KILL, (struct span){id, sizeof id});
    (void)client_hears_ok(killer.till);
    was_killed(victim.till);
    server_is_left_alone(&r->servers[PRIMARY], 0);
}

static void killing_the_query_of_an_idle_session_does_nothing(void **state)
{
    struct rig *r = rig_start(.holding = true, .workers = 1);
    struct scene victim = scene_of(r, 0, "till");
    struct scene killer = scene_of(r, 0, "till");

    (void)state;
    kills(killer.till, "QUERY", victim.till->thread_id);
    (void)client_hears_ok(killer.till);
    lives(victim.till);
}

static void oneself_may_be_killed(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = scene_of(r, 0, "till");

    (void)state;
    kills(s.till, "QUERY", s.till->thread_id);
    client_hears_error(s.till, 1317, "70100", "Query execution was interrupted");
    kills(s.till, "", s.till->thread_id);
    client_hears_error(s.till, 1927, "70100", "Connection was killed");
    peer_hears_end(s.till);
}

static void unknown_ids_are_refused(void **state)
{
    struct rig *r = rig_start(.workers = 2);
    struct scene s = scene_of(r, 0, "till");

    (void)state;
    for (uint32_t id = 1073751824; id < 1073751828; id++) {
        kills(s.till, "", id);
        client_hears_error(s.till, 1094, "HY000", "Unknown thread id: 107375182");
    }
}

/* Ids of another range are the servers' own. */
static void ids_of_servers_are_the_primarys_matter(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = scene_of(r, 0, "till");

    (void)state;
    kills(s.till, "", 17);
    server_hears_query(s.primary, "KILL  17");
    server_says_error(s.primary, 1094, "HY000", "Unknown thread id: 17");
    client_hears_error(s.till, 1094, "HY000", "Unknown thread id: 17");
    client_asks(s.till, "KILL 18446744073709551615");
    server_hears_query(s.primary, "KILL 18446744073709551615");
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
    client_sends(s.till, COM_PROCESS_KILL, BYTES("\x11\0\0\0"));
    server_hears_command(s.primary, COM_PROCESS_KILL, BYTES("\x11\0\0\0"));
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
}

/* The primary evaluates the expression and tells the id with its error. */
static void evaluates(const struct scene *killer, const char *sql, uint32_t id)
{
    char text[64];

    (void)snprintf(text, sizeof text, "Unknown thread id: %u", id);
    client_asks(killer->till, sql);
    server_hears_query(killer->primary, sql);
    server_says_error(killer->primary, 1094, "HY000", text);
}

static void a_query_is_killed_by_an_expression(void **state)
{
    struct rig *r = rig_start(.workers = 2);
    struct scene victim = scene_of(r, 1, "till");
    struct scene killer = scene_of(r, 0, "till");

    (void)state;
    client_asks(victim.till, slow_sql);
    server_hears_query(victim.primary, slow_sql);
    evaluates(&killer, "KILL QUERY @id + 1", victim.till->thread_id);
    assert_int_equal(client_hears_ok(killer.till).warnings, 0);
    server_says_ok(kill_arrives(r, &victim, "till"));
    server_says_error(victim.primary, 1317, "70100", "Query execution was interrupted");
    client_hears_error(victim.till, 1317, "70100", "interrupted");
    lives(victim.till);
    lives(killer.till);
}

static void an_expression_may_mean_oneself_or_nobody(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = scene_of(r, 0, "till");

    (void)state;
    evaluates(&s, "KILL @id", 17);
    client_hears_error(s.till, 1094, "HY000", "Unknown thread id: 17");
    evaluates(&s, "KILL @id", 1073751824);
    client_hears_error(s.till, 1094, "HY000", "Unknown thread id: 1073751824");
    evaluates(&s, "KILL QUERY @id", s.till->thread_id);
    client_hears_error(s.till, 1317, "70100", "Query execution was interrupted");
    evaluates(&s, "KILL @id", s.till->thread_id);
    client_hears_error(s.till, 1927, "70100", "Connection was killed");
    peer_hears_end(s.till);
}

static void others_are_not_to_be_killed(void **state)
{
    struct rig *r = rig_start(.workers = 2);
    struct scene victim = scene_of(r, 1, "other");
    struct scene killer = scene_of(r, 0, "till");

    (void)state;
    kills(killer.till, "", victim.till->thread_id);
    client_hears_error(killer.till, 1095, "HY000", "You are not owner of thread");
    lives(victim.till);
}

static void but_by_an_administrator(void **state)
{
    struct rig *r = rig_start(.workers = 2);
    struct scene victim = scene_of(r, 1, "other");
    struct scene killer = scene_of(r, 0, "super");

    (void)state;
    kills(killer.till, "", victim.till->thread_id);
    (void)client_hears_ok(killer.till);
    was_killed(victim.till);
}

static void somebody_who_has_not_logged_in_is_unknown(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene killer = scene_of(r, 0, "till");
    struct peer *victim = client_connects(r, 0);

    (void)state;
    client_hears_greeting(victim);
    kills(killer.till, "", victim->thread_id);
    client_hears_error(killer.till, 1094, "HY000", "Unknown thread id");
}

static void the_killer_may_leave_meanwhile(void **state)
{
    struct rig *r = rig_start(.workers = 2);

    (void)state;
    for (int i = 0; i < 20; i++) {
        struct peer *killer = client_connects(r, 0);
        struct peer *primary;

        client_hears_greeting(killer);
        client_logs_in(killer, .user = "till");
        primary = server_serves(&r->servers[PRIMARY]);
        (void)client_hears_ok(killer);
        kills(killer, "", 1073742001);
        peer_cut(killer);
        rig_counts(r, METRIC_SESSIONS, 0);
        peer_cut(primary);
        peer_free_all();
        rig_barrier(r);
    }
}

static void kills_user(struct peer *till, const char *rest, uint64_t rows)
{
    char sql[64];

    (void)snprintf(sql, sizeof sql, "KILL %s", rest);
    client_asks(till, sql);
    assert_int_equal(client_hears_ok(till).affected_rows, rows);
}

static void the_sessions_of_a_user_are_killed_on_all_workers(void **state)
{
    struct rig *r = rig_start(.workers = 2);
    struct scene near = scene_of(r, 0, "other");
    struct scene far = scene_of(r, 1, "other");
    struct scene spared = scene_of(r, 1, "till");
    struct scene killer = scene_of(r, 0, "super");

    (void)state;
    kills_user(killer.till, "USER nobody", 0);
    kills_user(killer.till, "USER other@'10.9.8.7'", 0);
    kills_user(killer.till, "HARD CONNECTION USER 'other'@'%'", 2);
    was_killed(near.till);
    was_killed(far.till);
    lives(spared.till);
    lives(killer.till);
}

static void the_statements_of_a_user_are_killed(void **state)
{
    struct rig *r = rig_start(.workers = 2);
    struct scene victim = scene_of(r, 1, "till");
    struct scene killer = scene_of(r, 0, "till");

    (void)state;
    client_asks(victim.till, slow_sql);
    server_hears_query(victim.primary, slow_sql);
    kills_user(killer.till, "QUERY USER CURRENT_USER()", 2); /* the killer's own is done */
    server_says_ok(kill_arrives(r, &victim, "till"));
    server_says_error(victim.primary, 1317, "70100", "Query execution was interrupted");
    client_hears_error(victim.till, 1317, "70100", "interrupted");
    lives(victim.till);
    lives(killer.till);
}

/* MariaDB answers the killer before it ends him. */
static void one_s_own_user_is_killed_oneself_included(void **state)
{
    struct rig *r = rig_start(.workers = 2);
    struct scene other = scene_of(r, 1, "till");
    struct scene killer = scene_of(r, 0, "till");

    (void)state;
    kills_user(killer.till, "USER till", 2);
    was_killed(killer.till);
    was_killed(other.till);
}

static void users_that_are_not_one_s_own_are_passed_over(void **state)
{
    struct rig *r = rig_start(.workers = 2);
    struct scene victim = scene_of(r, 1, "other");
    struct scene killer = scene_of(r, 0, "till");

    (void)state;
    kills_user(killer.till, "USER other", 0);
    lives(victim.till);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(ids_are_unique_and_tell_the_worker),
        RIG_TEST(a_query_of_another_worker_is_killed),
        RIG_TEST(a_connection_is_killed),
        RIG_TEST(a_kill_that_is_not_answered_is_given_up),
        RIG_TEST(a_drain_does_not_wait_for_a_kill),
        RIG_TEST(an_idle_connection_is_killed),
        RIG_TEST(killing_the_query_of_an_idle_session_does_nothing),
        RIG_TEST(oneself_may_be_killed),
        RIG_TEST(unknown_ids_are_refused),
        RIG_TEST(ids_of_servers_are_the_primarys_matter),
        RIG_TEST(a_query_is_killed_by_an_expression),
        RIG_TEST(an_expression_may_mean_oneself_or_nobody),
        RIG_TEST(others_are_not_to_be_killed),
        RIG_TEST(but_by_an_administrator),
        RIG_TEST(somebody_who_has_not_logged_in_is_unknown),
        RIG_TEST(the_killer_may_leave_meanwhile),
        RIG_TEST(the_sessions_of_a_user_are_killed_on_all_workers),
        RIG_TEST(the_statements_of_a_user_are_killed),
        RIG_TEST(one_s_own_user_is_killed_oneself_included),
        RIG_TEST(users_that_are_not_one_s_own_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
