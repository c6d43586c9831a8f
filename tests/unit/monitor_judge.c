#include "unit/monitor_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct fake f;

static void test_plain_cluster(void **state)
{
    const struct verdict *v;

    (void)state;
    fake_cluster(&f, 3);
    v = fake_judge(&f, -1);
    assert_int_equal(v->primary, 0);
    assert_int_equal(v->lost, -1);
    assert_string_equal(v->reason, "");
    assert_int_equal(v->role[0], ROLE_PRIMARY);
    assert_int_equal(v->role[1], ROLE_REPLICA);
    assert_int_equal(v->role[2], ROLE_REPLICA);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(v->health[i], HEALTH_UP);
        assert_string_equal(v->why[i], "");
    }
}

static void test_alone(void **state)
{
    (void)state;
    fake_servers(&f, 1);
    assert_int_equal(fake_judge(&f, -1)->primary, 0);
    f.facts[0].read_only = true;
    assert_int_equal(fake_judge(&f, -1)->primary, -1);
    assert_string_equal(f.verdict.reason, "no server that answers is writable");
    assert_int_equal(f.verdict.health[0], HEALTH_BROKEN);
}

static void test_nothing_known(void **state)
{
    (void)state;
    memset(&f, 0, sizeof f);
    fake_servers(&f, 2);
    f.facts[0].known = f.facts[1].known = false;
    f.health[0].now = f.health[1].now = HEALTH_UNKNOWN;
    assert_int_equal(fake_judge(&f, -1)->primary, -1);
    assert_int_equal(f.verdict.lost, -1);
    assert_int_equal(f.verdict.role[0], ROLE_UNKNOWN);
    assert_int_equal(f.verdict.health[0], HEALTH_UNKNOWN);
}

/* A replica that somebody made writable is a replica still. */
static void test_writable_replica(void **state)
{
    (void)state;
    fake_cluster(&f, 3);
    f.facts[1].read_only = false;
    assert_int_equal(fake_judge(&f, -1)->primary, 0);
    assert_int_equal(f.verdict.role[1], ROLE_REPLICA);
    fake_down(&f, 0, HEALTH_DOWN);
    assert_int_equal(fake_judge(&f, 0)->primary, -1);
    assert_string_equal(f.verdict.reason, "a, the primary, is lost: it broke");
    assert_int_equal(fake_judge(&f, -1)->primary, -1);
    assert_string_equal(f.verdict.reason, "b is writable but replicates from another server");
}

static void test_lost_primary(void **state)
{
    static const enum server_health ways[] = {HEALTH_DOWN, HEALTH_TIMEOUT};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        fake_cluster(&f, 3);
        fake_down(&f, 0, ways[i]);
        assert_int_equal(fake_judge(&f, 0)->primary, -1);
        assert_int_equal(f.verdict.lost, 0);
        assert_int_equal(f.verdict.role[0], ROLE_PRIMARY);
        assert_int_equal(f.verdict.health[0], ways[i]);
        assert_string_equal(f.verdict.why[0], "it broke");
        assert_int_equal(f.verdict.role[1], ROLE_REPLICA);
        assert_int_equal(f.verdict.health[1], HEALTH_UP);
    }
}

/* Refusing our account does not make it less of a primary. */
static void test_refused_primary_stays(void **state)
{
    (void)state;
    fake_cluster(&f, 3);
    fake_down(&f, 0, HEALTH_REFUSED);
    assert_int_equal(fake_judge(&f, 0)->primary, 0);
    assert_int_equal(f.verdict.health[0], HEALTH_REFUSED);
    f.facts[0].known = false;
    assert_int_equal(fake_judge(&f, -1)->primary, -1);
}

static void test_read_only_primary(void **state)
{
    (void)state;
    fake_cluster(&f, 3);
    f.facts[0].read_only = true;
    assert_int_equal(fake_judge(&f, 0)->primary, -1);
    assert_string_equal(f.verdict.reason, "a has replicas but is read-only");
    assert_int_equal(f.verdict.role[0], ROLE_UNKNOWN);
    assert_int_equal(f.verdict.health[0], HEALTH_UP);
    assert_int_equal(f.verdict.lost, -1);
}

static void test_two_writable_the_followed_one(void **state)
{
    (void)state;
    fake_cluster(&f, 4);
    f.facts[1].channel_count = 0;
    f.facts[1].read_only = false;
    assert_int_equal(fake_judge(&f, -1)->primary, 0);
    assert_int_equal(f.verdict.role[1], ROLE_UNKNOWN);
    assert_int_equal(fake_judge(&f, 1)->primary, 0); /* also where the other was it before */
    f.facts[2].channels[0].master_id = 2;
    f.facts[3].channels[0].master_id = 2;
    assert_int_equal(fake_judge(&f, 0)->primary, 1);
}

static void test_two_writable_and_nothing_tells(void **state)
{
    (void)state;
    fake_servers(&f, 3);
    (void)fake_replicate(&f, 2, 0);
    f.facts[2].channel_count = 0;
    assert_int_equal(fake_judge(&f, -1)->primary, -1);
    assert_string_equal(f.verdict.reason,
                        "2 servers are writable and replicate from nobody (b is one)");
    assert_int_equal(fake_judge(&f, 1)->primary, 1);
    assert_int_equal(fake_judge(&f, 0)->primary, 0);
    assert_int_equal(fake_judge(&f, 2)->primary, -1);
}

static void test_two_writable_with_a_follower_each(void **state)
{
    (void)state;
    fake_servers(&f, 4);
    (void)fake_replicate(&f, 2, 0);
    (void)fake_replicate(&f, 3, 1);
    assert_int_equal(fake_judge(&f, -1)->primary, -1);
    assert_int_equal(fake_judge(&f, 1)->primary, 1);
}

/* The followers' last facts count also while they are down. */
static void test_followers_that_are_down(void **state)
{
    (void)state;
    fake_servers(&f, 3);
    (void)fake_replicate(&f, 2, 1);
    fake_down(&f, 2, HEALTH_DOWN);
    assert_int_equal(fake_judge(&f, -1)->primary, 1);
}

static void test_promoted_by_hand(void **state)
{
    (void)state;
    fake_cluster(&f, 3);
    fake_down(&f, 0, HEALTH_DOWN);
    f.facts[1].channel_count = 0;
    f.facts[1].read_only = false;
    assert_int_equal(fake_judge(&f, 0)->primary, 1);
    assert_int_equal(f.verdict.lost, -1);
}

static void test_chain(void **state)
{
    (void)state;
    fake_servers(&f, 3);
    (void)fake_replicate(&f, 1, 0);
    (void)fake_replicate(&f, 2, 1);
    assert_int_equal(fake_judge(&f, -1)->primary, 0);
    assert_int_equal(f.verdict.role[1], ROLE_REPLICA);
    /* The middle made writable while the head is away is not the primary. */
    f.facts[1].read_only = false;
    fake_down(&f, 0, HEALTH_DOWN);
    assert_int_equal(fake_judge(&f, -1)->primary, -1);
}

static void test_ring(void **state)
{
    (void)state;
    fake_servers(&f, 3);
    (void)fake_replicate(&f, 1, 0);
    (void)fake_replicate(&f, 2, 0);
    (void)fake_replicate(&f, 0, 1);
    f.facts[0].read_only = false;
    assert_int_equal(fake_judge(&f, -1)->primary, 0);
    f.facts[1].read_only = false; /* both writable: nobody can tell */
    assert_int_equal(fake_judge(&f, -1)->primary, -1);
}

/* All configured servers replicate from one that is not configured. */
static void test_foreign_source(void **state)
{
    (void)state;
    fake_servers(&f, 2);
    fake_replicate(&f, 0, 0)->master_id = 99;
    fake_replicate(&f, 1, 0)->master_id = 99;
    f.facts[0].channels[0].port = f.facts[1].channels[0].port = 3306;
    assert_int_equal(fake_judge(&f, -1)->primary, -1);
    assert_int_equal(f.verdict.role[0], ROLE_REPLICA);
    f.facts[0].read_only = false; /* the head of the local ones */
    assert_int_equal(fake_judge(&f, -1)->primary, 0);
}

static void test_source_is_found(void **state)
{
    struct channel c = {.host = "10.0.0.1", .port = 1002, .master_id = 3, .io = CHANNEL_RUNNING};

    (void)state;
    fake_servers(&f, 3);
    assert_int_equal(judge_source_of(f.members, 3, &c), 2);
    c.io = CHANNEL_CONNECTING; /* told to go elsewhere: the id is the old one's */
    assert_int_equal(judge_source_of(f.members, 3, &c), 1);
    c.port = 7;
    assert_int_equal(judge_source_of(f.members, 3, &c), 2);
    c.io = CHANNEL_RUNNING;
    c.port = 1002;
    c.master_id = 0; /* never connected: by address */
    assert_int_equal(judge_source_of(f.members, 3, &c), 1);
    c.port = 7;
    assert_int_equal(judge_source_of(f.members, 3, &c), -1);
    c.master_id = 77;
    assert_int_equal(judge_source_of(f.members, 3, &c), -1);
}

static void expect_broken(const char *why)
{
    const struct verdict *v = fake_judge(&f, 0);

    assert_int_equal(v->health[1], HEALTH_BROKEN);
    assert_string_equal(v->why[1], why);
    assert_int_equal(v->role[1], ROLE_REPLICA);
}

static void test_broken_replication(void **state)
{
    struct channel *c = &f.facts[1].channels[0];

    (void)state;
    fake_cluster(&f, 3);
    c->sql_running = false;
    expect_broken("replication is stopped (SQL thread)");
    c->sql_errno = 1062;
    (void)snprintf(c->sql_error, sizeof c->sql_error, "Duplicate entry");
    expect_broken("replication failed: error 1062: Duplicate entry");
    c->sql_running = true;
    c->io = CHANNEL_STOPPED;
    expect_broken("replication is stopped (IO thread)");
    c->io_errno = 1236;
    (void)snprintf(c->io_error, sizeof c->io_error, "Got fatal error");
    expect_broken("replication failed: error 1236: Got fatal error");
    c->io = CHANNEL_CONNECTING;
    c->io_errno = 1045;
    (void)snprintf(c->io_error, sizeof c->io_error, "Access denied");
    expect_broken("replication cannot log in: error 1045: Access denied");
}

static void test_connecting(void **state)
{
    struct channel *c = &f.facts[1].channels[0];
    uint64_t since = 50 * CLOCK_NS_PER_S;

    (void)state;
    fake_cluster(&f, 3);
    c->io = CHANNEL_CONNECTING;
    c->io_errno = 2003;
    c->connecting_ns = since;
    assert_int_equal(fake_judge_at(&f, 0, since + JUDGE_CONNECTING_NS - 1)->health[1], HEALTH_UP);
    assert_int_equal(fake_judge_at(&f, 0, since + JUDGE_CONNECTING_NS)->health[1], HEALTH_BROKEN);
    assert_string_equal(f.verdict.why[1], "replication cannot reach a, which is up");
    /* A lost primary does not break its replicas: they are what is left. */
    fake_down(&f, 0, HEALTH_DOWN);
    assert_int_equal(fake_judge_at(&f, 0, since + JUDGE_CONNECTING_NS)->health[1], HEALTH_UP);
}

static void test_down_is_worse_than_broken(void **state)
{
    (void)state;
    fake_cluster(&f, 2);
    f.facts[1].channels[0].sql_running = false;
    fake_down(&f, 1, HEALTH_TIMEOUT);
    assert_int_equal(fake_judge(&f, 0)->health[1], HEALTH_TIMEOUT);
    assert_string_equal(f.verdict.why[1], "it broke");
}

static void test_read_only_without_source(void **state)
{
    (void)state;
    fake_cluster(&f, 3);
    f.facts[1].channel_count = 0;
    assert_int_equal(fake_judge(&f, 0)->health[1], HEALTH_BROKEN);
    assert_string_equal(f.verdict.why[1], "read-only, and replicates from nobody");
    assert_int_equal(f.verdict.role[1], ROLE_UNKNOWN);
}

static void test_long_texts_are_cut(void **state)
{
    struct channel *c = &f.facts[1].channels[0];

    (void)state;
    fake_cluster(&f, 2);
    c->sql_running = false;
    c->sql_errno = 4294967295;
    memset(c->sql_error, 'x', sizeof c->sql_error - 1);
    (void)fake_judge(&f, 0);
    assert_in_range(strlen(f.verdict.why[1]), 100, SERVER_WHY_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_cluster),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_nothing_known),
        cmocka_unit_test(test_writable_replica),
        cmocka_unit_test(test_lost_primary),
        cmocka_unit_test(test_refused_primary_stays),
        cmocka_unit_test(test_read_only_primary),
        cmocka_unit_test(test_two_writable_the_followed_one),
        cmocka_unit_test(test_two_writable_and_nothing_tells),
        cmocka_unit_test(test_two_writable_with_a_follower_each),
        cmocka_unit_test(test_followers_that_are_down),
        cmocka_unit_test(test_promoted_by_hand),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_ring),
        cmocka_unit_test(test_foreign_source),
        cmocka_unit_test(test_source_is_found),
        cmocka_unit_test(test_broken_replication),
        cmocka_unit_test(test_connecting),
        cmocka_unit_test(test_down_is_worse_than_broken),
        cmocka_unit_test(test_read_only_without_source),
        cmocka_unit_test(test_long_texts_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
