/* The primary answers when the lease on it is over: whether that counts depends on who the primary
 * is when that is known again. */
#include "base/clock.h"
#include "component/rig.h"

static const char write_sql[] = "INSERT INTO t VALUES (1)";
static const char too_late[] = "its answer came too late to be believed); whether it took effect";

static struct rig *leased_rig(bool exactly_once)
{
    return rig_start(.workers = 1, .failover_ms = 60000, .exactly_once = exactly_once);
}

/* So much is known by the clock alone; the monitor has not said a word of it. */
static void ends(struct rig *r)
{
    r->view->servers[PRIMARY].lease_ns = clock_mono_ns();
    r->view->left++; /* which the worker is woken for */
    rig_publish(r);
}

static void is_renewed(struct rig *r)
{
    r->view->servers[PRIMARY].lease_ns = UINT64_MAX;
    r->view->left++;
    rig_publish(r);
}

/* By the next epoch's primary, which follows no lease of ours that was ever heard of. */
static void is_replaced(struct rig *r)
{
    rig_make_primary(r, REPLICA);
    r->view->servers[REPLICA].since_ns = clock_mono_ns();
    rig_publish(r);
}

static void asks(const struct scene *s, const char *sql)
{
    client_asks(s->till, sql);
    server_hears_query(s->primary, sql);
}

static void begins_to_read(const struct scene *s, const char *sql)
{
    asks(s, sql);
    server_says_columns(s->primary, 1);
    server_says_row(s->primary, "1");
    client_hears_columns(s->till, 1);
    client_hears_row(s->till, "1");
}

static void hears_nothing_yet(const struct scene *s)
{
    peer_hears_nothing(s->till, 250); /* longer than until it is looked at again */
}

static void it_counts_when_the_lease_is_renewed(void **state)
{
    struct rig *r = leased_rig(false);
    struct scene s = rig_scene(r);

    (void)state;
    asks(&s, write_sql);
    ends(r);
    server_says(s.primary, .affected = 1);
    hears_nothing_yet(&s);
    is_renewed(r);
    (void)client_hears_ok(s.till);
    RUNS(s.till, s.primary, write_sql, .affected = 1);
}

static void it_does_not_when_there_is_another_primary(void **state)
{
    struct rig *r = leased_rig(false);
    struct scene s = rig_scene(r);
    struct peer *next;

    (void)state;
    asks(&s, write_sql);
    ends(r);
    server_says(s.primary, .affected = 1);
    hears_nothing_yet(&s);
    is_replaced(r);
    client_hears_error(s.till, 1158, "08S01", too_late);
    client_asks(s.till, write_sql);
    next = server_serves(&r->servers[REPLICA]);
    server_hears_query(next, write_sql);
    server_says(next, .affected = 1);
    (void)client_hears_ok(s.till);
}

/* The server before is well again, and follows, when its answer comes. */
static void nor_when_it_comes_behind_that(void **state)
{
    struct rig *r = leased_rig(false);
    struct scene s = rig_scene(r);

    (void)state;
    asks(&s, write_sql);
    is_replaced(r);
    server_says(s.primary, .affected = 1);
    client_hears_error(s.till, 1158, "08S01", too_late);
}

static void what_nobody_can_tell_is_told_at_last(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 300);
    struct scene s = rig_scene(r);

    (void)state;
    asks(&s, write_sql);
    ends(r);
    server_says(s.primary, .affected = 1);
    client_hears_error(s.till, 1158, "08S01", too_late);
}

/* As a server that is shut down does. */
static void an_answer_before_the_end_of_the_connection_is_none(void **state)
{
    struct rig *r = leased_rig(false);
    struct scene s = rig_scene(r);

    (void)state;
    asks(&s, write_sql);
    ends(r);
    server_says(s.primary, .affected = 1);
    peer_cut(s.primary);
    client_hears_error(s.till, 1158, "08S01", "whether it took effect is not known");
}

static void an_error_counts_at_once(void **state)
{
    struct rig *r = leased_rig(false);
    struct scene s = rig_scene(r);

    (void)state;
    asks(&s, write_sql);
    ends(r);
    server_says_error(s.primary, 1062, "23000", "Duplicate entry '1' for key 'PRIMARY'");
    client_hears_error(s.till, 1062, "23000", "Duplicate entry '1' for key 'PRIMARY'");
}

/* What was passed on cannot be called back. */
static void the_end_of_a_reply_is_what_counts(void **state)
{
    struct rig *r = leased_rig(false);
    struct scene s = rig_scene(r);

    (void)state;
    begins_to_read(&s, "CALL sell(1)");
    ends(r);
    server_says_end(s.primary, &(struct says){.status = STATUS_MORE_RESULTS});
    server_says_ok(s.primary);
    rig_barrier(r);
    is_replaced(r);
    peer_hears_end(s.till);
}

/* At a switchover the server before is heard, and goes on with what it has begun to tell. */
static void what_is_being_read_goes_on(void **state)
{
    struct rig *r = leased_rig(false);
    struct scene s = rig_scene(r);

    (void)state;
    begins_to_read(&s, "CALL report()");
    is_replaced(r);
    server_says_row(s.primary, "2");
    client_hears_row(s.till, "2");
    server_says_end(s.primary, &(struct says){.status = STATUS_MORE_RESULTS});
    server_says_ok(s.primary);
    (void)client_hears_end(s.till);
    (void)client_hears_ok(s.till);
}

static void exactly_once_asks_whether_it_was_committed(void **state)
{
    struct rig *r = leased_rig(true);
    struct scene s = rig_scene(r);
    struct peer *next;
    uint64_t number;

    (void)state;
    client_asks(s.till, write_sql);
    number = server_hears_once(s.primary, write_sql);
    ends(r);
    server_says_ok(s.primary);
    hears_nothing_yet(&s);
    is_replaced(r);
    next = server_serves(&r->servers[REPLICA]);
    server_tells_outcome(next, "0 1000", number - 1);
    assert_true(server_hears_once(next, write_sql) > number);
    server_says_ok(next);
    assert_int_equal(client_hears_ok(s.till).last_insert_id, 7);
}

/* The write was answered in time, and its COMMIT would not be. */
static void no_commit_is_sent_behind_the_lease(void **state)
{
    struct rig *r = leased_rig(true);
    struct scene s = rig_scene(r);
    struct peer *next;

    (void)state;
    client_asks(s.till, write_sql);
    server_hears_query(s.primary, "BEGIN");
    server_says(s.primary, .status = STATUS_IN_TRANS);
    (void)server_hears_row(s.primary);
    server_says(s.primary, .affected = 1, .status = STATUS_IN_TRANS);
    server_hears_query(s.primary, write_sql);
    ends(r);
    server_says(s.primary, .affected = 1, .status = STATUS_IN_TRANS);
    peer_hears_nothing(s.primary, 250);
    is_replaced(r);
    next = server_serves(&r->servers[REPLICA]);
    (void)server_hears_once(next, write_sql);
    server_says_ok(next);
    (void)client_hears_ok(s.till);
}

static void a_read_is_not_concerned(void **state)
{
    struct rig *r =
        rig_start(.workers = 1, .failover_ms = 60000, .consistency = CONSISTENCY_PRIMARY);
    struct scene s = rig_scene(r);

    (void)state;
    RUNS(s.till, s.primary, "BEGIN", .status = STATUS_IN_TRANS, .transaction = "T_______");
    asks(&s, "SELECT a FROM t");
    ends(r);
    server_says_rows(s.primary, "1");
    (void)client_hears_result(s.till, (const char *const[]){"1", NULL});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(it_counts_when_the_lease_is_renewed),
        RIG_TEST(it_does_not_when_there_is_another_primary),
        RIG_TEST(nor_when_it_comes_behind_that),
        RIG_TEST(what_nobody_can_tell_is_told_at_last),
        RIG_TEST(an_answer_before_the_end_of_the_connection_is_none),
        RIG_TEST(an_error_counts_at_once),
        RIG_TEST(the_end_of_a_reply_is_what_counts),
        RIG_TEST(what_is_being_read_goes_on),
        RIG_TEST(exactly_once_asks_whether_it_was_committed),
        RIG_TEST(no_commit_is_sent_behind_the_lease),
        RIG_TEST(a_read_is_not_concerned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
