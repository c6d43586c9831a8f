/* Galera: what a node's answers mean, and who takes writes. */
#include "monitor/galera_judge.h"
#include "unit/monitor_fake.h"
#include "unit/monitor_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct fake f;

/* Three synced nodes of one cluster, heard at second 99. */
static void nodes(void)
{
    fake_servers(&f, 3);
    for (int i = 0; i < f.n; i++)
        f.facts[i].sampled_ns = 99 * CLOCK_NS_PER_S;
    for (int i = 0; i < f.n; i++)
        f.facts[i].galera = (struct galera_state){.on = true,
                                                  .ready = true,
                                                  .component = true,
                                                  .current = true,
                                                  .local_state = GALERA_SYNCED,
                                                  .word = "Synced",
                                                  .cluster = "one"};
}

/* The others have agreed that node i is gone. */
static void lose(int i, enum server_health how)
{
    fake_down(&f, i, how);
    for (int k = 0; k < f.n; k++)
        f.facts[k].galera.view += k != i;
}

static void check_writer(int before, int writer)
{
    assert_int_equal(fake_judge(&f, before)->primary, writer);
}

static void status(struct galera_state *g, const char *name, const char *value)
{
    static const char *const names[] = {"Variable_name", "Value"};
    struct rows r;

    rows_make(&r, 2, names, (const char *const[]){name, value});
    galera_take_status(g, &r.row);
}

static void test_what_a_node_says(void **state)
{
    struct galera_state g = {.on = true};

    (void)state;
    status(&g, "wsrep_ready", "ON");
    assert_false(galera_is_well(&g));
    status(&g, "wsrep_cluster_status", "Primary");
    assert_true(galera_is_well(&g));
    status(&g, "wsrep_local_state", "2");
    status(&g, "wsrep_local_state_comment", "Donor/Desynced");
    status(&g, "wsrep_cluster_state_uuid", "5d30468a-834e-11ee-b962-0242ac120002");
    assert_int_equal(g.local_state, 2);
    assert_string_equal(g.word, "Donor/Desynced");
    assert_string_equal(g.cluster, "5d30468a-834e-11ee-b962-0242ac120002");
    status(&g, "wsrep_cluster_status", "non-Primary");
    assert_false(galera_is_well(&g));
    status(&g, "wsrep_cluster_status", "Primary");
    status(&g, "wsrep_ready", "OFF");
    assert_false(galera_is_well(&g));
    status(&g, "wsrep_of_another_version", NULL);
}

static void test_one_takes_writes(void **state)
{
    const struct verdict *v;

    (void)state;
    nodes();
    v = fake_judge(&f, -1);
    assert_true(v->galera);
    assert_int_equal(v->primary, 0);
    assert_int_equal(v->role[0], ROLE_PRIMARY);
    assert_int_equal(v->role[1], ROLE_REPLICA);
    assert_int_equal(v->health[2], HEALTH_UP);
    assert_false(v->behind[2]);
    f.members[2].candidate = CANDIDATE_PREFER;
    check_writer(-1, 2);
    f.members[0].candidate = CANDIDATE_NEVER;
    lose(2, HEALTH_DOWN);
    check_writer(2, 1);
    f.facts[1].read_only = true;
    check_writer(1, -1);
}

static void test_the_writer_is_lost(void **state)
{
    (void)state;
    nodes();
    lose(0, HEALTH_TIMEOUT);
    check_writer(0, 1);
    assert_int_equal(f.verdict.health[0], HEALTH_TIMEOUT);
    assert_int_equal(f.verdict.role[0], ROLE_REPLICA);
    lose(1, HEALTH_DOWN);
    lose(2, HEALTH_DOWN);
    check_writer(0, -1);
    assert_int_equal(f.verdict.lost, 0);
    assert_string_equal(f.verdict.reason, "a, which took writes, is lost: it broke");
}

/* What it sent last may still be on its way. */
static void test_it_has_to_be_given_up(void **state)
{
    const uint64_t heard = 99 * CLOCK_NS_PER_S;

    (void)state;
    nodes();
    fake_down(&f, 0, HEALTH_DOWN);
    assert_int_equal(fake_judge_at(&f, 0, heard + GALERA_GIVE_UP_NS - 1)->primary, -1);
    assert_int_equal(f.verdict.lost, 0);
    assert_int_equal(fake_judge_at(&f, 0, heard + GALERA_GIVE_UP_NS)->primary, 1);
    f.facts[1].galera.view++;
    assert_int_equal(fake_judge_at(&f, 0, heard + 1)->primary, 1);
}

/* It comes back: not at once, but everybody returns to the same one. */
static void test_it_settles_first(void **state)
{
    const uint64_t came = 50 * CLOCK_NS_PER_S;

    (void)state;
    nodes();
    f.facts[0].galera.came_ns = came;
    assert_int_equal(fake_judge_at(&f, 1, came + GALERA_SETTLE_NS - 1)->primary, 1);
    assert_int_equal(fake_judge_at(&f, 1, came + GALERA_SETTLE_NS)->primary, 0);
    assert_int_equal(fake_judge_at(&f, -1, came)->primary, 0);
    lose(1, HEALTH_DOWN);
    assert_int_equal(fake_judge_at(&f, 1, came)->primary, 0);
}

static void test_who_does_not_serve(void **state)
{
    (void)state;
    nodes();
    f.facts[0].galera.component = false;
    check_writer(0, 1);
    assert_int_equal(f.verdict.health[0], HEALTH_BROKEN);
    assert_string_equal(f.verdict.why[0], "cut off from the majority of its Galera cluster");
    nodes();
    f.facts[0].galera.ready = false;
    check_writer(0, 1);
    assert_int_equal(f.verdict.health[0], HEALTH_BROKEN);
    nodes();
    f.facts[0].galera.current = false; /* thawed, and has not heard yet that it is out */
    check_writer(0, 1);
    assert_int_equal(f.verdict.health[0], HEALTH_BROKEN);
    nodes();
    f.facts[2].galera.on = false; /* a server that stands alone */
    check_writer(-1, 0);
    assert_int_equal(f.verdict.health[2], HEALTH_BROKEN);
    for (int i = 0; i < f.n; i++)
        f.facts[i].galera.component = false;
    check_writer(0, -1);
}

/* Thawed, it answers out of the view it remembers. */
static void test_an_outdated_view(void **state)
{
    (void)state;
    nodes();
    lose(2, HEALTH_TIMEOUT);
    f.health[2].now = HEALTH_UP;
    f.facts[2].galera.came_ns = 99 * CLOCK_NS_PER_S;
    check_writer(0, 0);
    assert_int_equal(f.verdict.health[2], HEALTH_BROKEN);
    f.facts[2].galera.view++;
    check_writer(0, 0);
    assert_int_equal(f.verdict.health[2], HEALTH_UP);
}

/* A donor and a desynced node fall behind: no reads, and writes only where nobody else is left. */
static void test_donors(void **state)
{
    (void)state;
    nodes();
    f.facts[0].galera.local_state = 2;
    check_writer(0, 1);
    assert_int_equal(f.verdict.health[0], HEALTH_UP);
    assert_true(f.verdict.behind[0]);
    lose(1, HEALTH_DOWN);
    lose(2, HEALTH_DOWN);
    check_writer(1, 0);
}

static void test_several_writers(void **state)
{
    const struct verdict *v;

    (void)state;
    nodes();
    f.facts[2].read_only = true;
    v = fake_judge(&f, 0);
    assert_int_equal(v->writers, 3);
    assert_int_equal(v->undecided, 0);
    fake_down(&f, 1, HEALTH_DOWN);
    v = fake_judge(&f, 0);
    assert_int_equal(v->writers, 1);
    assert_int_equal(v->undecided, 2);
    lose(1, HEALTH_DOWN); /* the others have another view */
    assert_int_equal(fake_judge(&f, 0)->undecided, 0);
    nodes();
    f.facts[1].galera.came_ns = 50 * CLOCK_NS_PER_S;
    assert_int_equal(fake_judge_at(&f, 0, 51 * CLOCK_NS_PER_S)->writers, 5);
    nodes();
    f.facts[1].galera.local_state = 2; /* a donor gets them only where nobody else is left */
    f.members[2].resting = true;
    assert_int_equal(fake_judge(&f, 0)->writers, 1);
}

static void test_maintenance(void **state)
{
    (void)state;
    nodes();
    f.members[0].resting = true;
    check_writer(0, 1);
    check_writer(-1, 1);
    f.facts[1].galera.local_state = 2; /* a donor */
    f.members[2].resting = true;
    check_writer(0, 0);
    f.facts[1].galera.local_state = GALERA_SYNCED;
    f.facts[1].galera.came_ns = 50 * CLOCK_NS_PER_S; /* it need not settle first */
    assert_int_equal(fake_judge_at(&f, 0, 50 * CLOCK_NS_PER_S)->primary, 1);
    lose(1, HEALTH_DOWN);
    check_writer(1, 0);
}

static void test_two_clusters(void **state)
{
    (void)state;
    nodes();
    (void)snprintf(f.facts[0].galera.cluster, GALERA_UUID_MAX, "two");
    check_writer(-1, 1);
    assert_int_equal(f.verdict.health[0], HEALTH_BROKEN);
    assert_string_equal(f.verdict.why[0], "in another Galera cluster, two");
    lose(2, HEALTH_DOWN);
    check_writer(1, 1);
    check_writer(0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_node_says),
        cmocka_unit_test(test_one_takes_writes),
        cmocka_unit_test(test_the_writer_is_lost),
        cmocka_unit_test(test_it_has_to_be_given_up),
        cmocka_unit_test(test_it_settles_first),
        cmocka_unit_test(test_who_does_not_serve),
        cmocka_unit_test(test_donors),
        cmocka_unit_test(test_an_outdated_view),
        cmocka_unit_test(test_several_writers),
        cmocka_unit_test(test_maintenance),
        cmocka_unit_test(test_two_clusters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
