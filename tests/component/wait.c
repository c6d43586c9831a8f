/* Reads behind own writes that wait for a replica together: one question for all. */
#include "component/ride.h"
#include "proxy/backend/history.h"

#include <stdio.h>

static const char read_sql[] = "SELECT name FROM Product";
static const char write_sql[] = "UPDATE Product SET price=1";

/* A session with connections of its own. */
struct actor {
    struct peer *till;
    struct peer *primary;
    struct peer *replica;
};

/* The first has asked the replica for what it wrote, 0-1-5, its read behind that; the second waits
 * with it. */
struct pair {
    struct rig *rig;
    struct actor asks;
    struct actor waits;
};

static struct actor actor_of(struct rig *r)
{
    struct scene s = rig_scene(r);
    struct actor a = {.till = s.till, .primary = s.primary};

    client_asks(a.till, read_sql);
    a.replica = server_serves(&r->servers[REPLICA]);
    ride_answers(a.replica, read_sql, "tea", a.till);
    return a;
}

static void writes(const struct actor *a, const char *gtid)
{
    client_asks(a->till, write_sql);
    server_hears_query(a->primary, write_sql);
    server_says(a->primary, .affected = 1, .gtid = gtid);
    (void)client_hears_ok(a->till);
}

static void says(struct peer *server, const char *value)
{
    server->seq = 0;
    server_says_rows(server, value);
}

/* The replica is asked for that position, and the read is behind it. */
static void is_asked(struct peer *replica, const char *gtids)
{
    server_hears_wait(replica, gtids);
    server_hears_query(replica, read_sql);
}

/* … and both are answered. */
static void answers(const struct actor *a, const char *position)
{
    says(a->replica, position);
    says(a->replica, "tea");
    (void)client_hears_rows(a->till, "tea");
}

/* It has written that, reads at the replica and asks. */
static void asks(const struct actor *a, const char *gtid)
{
    writes(a, gtid);
    client_asks(a->till, read_sql);
    is_asked(a->replica, gtid);
}

/* … waits, the n-th to do so. */
static void joins(struct rig *r, const struct actor *a, const char *gtid, int n)
{
    writes(a, gtid);
    client_asks(a->till, read_sql);
    rig_counts(r, METRIC_WAITS_SHARED, n);
}

static struct pair pair_with(const char *gtid)
{
    struct pair p = {.rig = rig_start(.workers = 1, .holding = true)};

    p.asks = actor_of(p.rig);
    p.waits = actor_of(p.rig);
    asks(&p.asks, "0-1-5");
    joins(p.rig, &p.waits, gtid, 1);
    return p;
}

/* The read goes there without a question. */
static void reads_at(struct peer *server, const struct actor *a)
{
    server_hears_query(server, read_sql);
    says(server, "coffee");
    (void)client_hears_rows(a->till, "coffee");
}

static void kills(struct rig *r, const char *what, const struct actor *a)
{
    struct peer *till = rig_scene(r).till;
    char sql[64];

    (void)snprintf(sql, sizeof sql, "KILL %s %u", what, a->till->thread_id);
    client_asks(till, sql);
    (void)client_hears_ok(till);
}

static void one_question_serves_both(void **state)
{
    struct pair p = pair_with("0-1-4");

    (void)state;
    answers(&p.asks, "0-1-5");
    reads_at(p.waits.replica, &p.waits);
    rig_counts(p.rig, METRIC_STALE_WAITS, 0);
}

/* The replica may be further than it was asked for. */
static void the_answer_tells_how_far_it_is(void **state)
{
    struct pair p = pair_with("0-1-9");

    (void)state;
    answers(&p.asks, "0-1-9");
    reads_at(p.waits.replica, &p.waits);
}

/* A position too long to be seen whole says nothing beyond that the answer is yes. */
static void an_answer_that_is_not_read_is_one(void **state)
{
    struct pair p = pair_with("0-1-4");

    (void)state;
    answers(&p.asks, "0-1-9,1-");
    reads_at(p.waits.replica, &p.waits);
}

/* Whoever needs more than that asks, for all that still wait. */
static void the_next_question_is_for_the_rest(void **state)
{
    struct pair p = pair_with("0-1-6");
    struct actor third = actor_of(p.rig);

    (void)state;
    joins(p.rig, &third, "0-1-7", 2);
    answers(&p.asks, "0-1-5");
    is_asked(p.waits.replica, "0-1-7");
    peer_hears_nothing(third.replica, 0);
    answers(&p.waits, "0-1-7");
    reads_at(third.replica, &third);
}

/* A domain may lag where another does not. */
static void another_domain_is_asked_for_by_itself(void **state)
{
    struct rig *r = rig_start(.workers = 1, .holding = true);
    struct actor first = actor_of(r);
    struct actor second = actor_of(r);

    (void)state;
    asks(&first, "0-1-5");
    asks(&second, "1-1-3");
    answers(&second, "0-1-1,1-1-3");
    answers(&first, "0-1-5,1-1-3");
    rig_counts(r, METRIC_WAITS_SHARED, 0);
}

static void who_asks_may_leave(void **state)
{
    struct pair p = pair_with("0-1-4");

    (void)state;
    kills(p.rig, "CONNECTION", &p.asks);
    is_asked(p.waits.replica, "0-1-4");
    answers(&p.waits, "0-1-4");
}

static void who_waits_may_leave(void **state)
{
    struct pair p = pair_with("0-1-4");

    (void)state;
    kills(p.rig, "CONNECTION", &p.waits);
    client_hears_error(p.waits.till, 1927, "70100", "Connection was killed");
    answers(&p.asks, "0-1-5");
    asks(&p.asks, "0-1-6");
}

static void a_read_that_waits_is_killed(void **state)
{
    struct pair p = pair_with("0-1-4");

    (void)state;
    kills(p.rig, "QUERY", &p.waits);
    client_hears_error(p.waits.till, 1317, "70100", "interrupted");
    answers(&p.asks, "0-1-5");
    client_asks(p.waits.till, read_sql);
    reads_at(p.waits.replica, &p.waits);
}

static void a_question_that_is_lost_is_asked_again(void **state)
{
    struct pair p = pair_with("0-1-4");

    (void)state;
    peer_cut(p.asks.replica);
    reads_at(p.asks.primary, &p.asks);
    is_asked(p.waits.replica, "0-1-4");
    answers(&p.waits, "0-1-4");
}

static void a_server_that_goes_down_is_waited_for_no_more(void **state)
{
    struct pair p = pair_with("0-1-4");

    (void)state;
    p.rig->view->servers[REPLICA].health = HEALTH_DOWN;
    rig_publish(p.rig);
    reads_at(p.asks.primary, &p.asks);
    reads_at(p.waits.primary, &p.waits);
}

/* It has no more time than a question of its own would have had. */
static void nobody_waits_for_longer_than_alone(void **state)
{
    struct pair p = pair_with("0-1-4");

    (void)state;
    reads_at(p.waits.primary, &p.waits); /* and no answer yet */
    rig_counts(p.rig, METRIC_STALE_WAITS, 1);
    answers(&p.asks, "0-1-5");
}

/* A replica that says no is asked again by those that have time left. */
static void a_no_is_the_askers_own(void **state)
{
    struct pair p = pair_with("0-1-4");

    (void)state;
    says(p.asks.replica, "\\N");
    reads_at(p.asks.primary, &p.asks);
    is_asked(p.waits.replica, "0-1-4");
    says(p.waits.replica, "\\N");
    reads_at(p.waits.primary, &p.waits);
    rig_counts(p.rig, METRIC_STALE_WAITS, 2);
}

/* Once the replica is known to be there short reads ride together, as ever. */
static void those_that_waited_ride(void **state)
{
    struct rig *r = rig_start(.workers = 1, .pipelining = true);
    struct scene s = rig_scene(r);
    struct actor all[3] = {{.till = s.till}, {.till = rig_till(r, 0)}, {.till = rig_till(r, 0)}};
    struct peer *line;

    (void)state;
    for (int i = 1; i < 3; i++)
        (void)client_hears_ok(all[i].till);
    for (int i = 0; i < 2; i++) {
        client_asks(all[i].till, read_sql);
        all[i].replica = server_serves(&r->servers[REPLICA]);
        server_hears_query(all[i].replica, read_sql);
    }
    for (int i = 0; i < 2; i++) {
        server_says_rows(all[i].replica, "1");
        (void)client_hears_rows(all[i].till, "1");
    }
    line = all[1].replica;
    ride_gets_known(all[1].till, line, read_sql, HISTORY_ENOUGH);
    for (int i = 0; i < 3; i++) {
        all[i].primary = s.primary;
        writes(&all[i], i ? "0-1-4" : "0-1-5");
    }
    client_asks(all[0].till, read_sql);
    is_asked(all[0].replica, "0-1-5");
    for (int i = 1; i < 3; i++) {
        client_asks(all[i].till, read_sql);
        rig_counts(r, METRIC_WAITS_SHARED, i);
    }
    says(all[0].replica, "0-1-5"); /* its read is still under way: the other connection is idle */
    server_hears_query(line, read_sql);
    server_hears_query(line, read_sql);
    says(line, "2");
    says(line, "3");
    (void)client_hears_rows(all[1].till, "2");
    (void)client_hears_rows(all[2].till, "3");
    says(all[0].replica, "1");
    (void)client_hears_rows(all[0].till, "1");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RIG_TEST(one_question_serves_both),
        RIG_TEST(the_answer_tells_how_far_it_is),
        RIG_TEST(an_answer_that_is_not_read_is_one),
        RIG_TEST(the_next_question_is_for_the_rest),
        RIG_TEST(another_domain_is_asked_for_by_itself),
        RIG_TEST(who_asks_may_leave),
        RIG_TEST(who_waits_may_leave),
        RIG_TEST(a_question_that_is_lost_is_asked_again),
        RIG_TEST(a_server_that_goes_down_is_waited_for_no_more),
        RIG_TEST(nobody_waits_for_longer_than_alone),
        RIG_TEST(a_no_is_the_askers_own),
        RIG_TEST(a_read_that_waits_is_killed),
        RIG_TEST(those_that_waited_ride),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
