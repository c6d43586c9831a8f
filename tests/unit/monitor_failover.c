/* The failover machine over many seeded schedules of crashes, partitions, freezes, delays and
 * restarts, with one to three Tillways (failover_world.h); and a machine, or a carrying out of its
 * orders, that is wrong in one way each must be caught. */
#include "tests/unit/check.h"
#include "tests/unit/failover_world.h"

#include <stdio.h>
#include <stdlib.h>

enum { SCHEDULES = 10000, PATIENCE = SCHEDULES, LOSSES = 500 };

static struct sim_world world;

static void test_no_schedule_breaks_a_promise(void **state)
{
    unsigned long promotions = 0;
    unsigned long acknowledged = 0;
    unsigned long tasks[4] = {0};

    (void)state;
    for (uint64_t seed = 1; seed <= SCHEDULES; seed++) {
        const char *violation;

        sim_init(&world, seed, SIM_SOUND);
        violation = sim_run(&world);
        if (violation)
            fail_msg("schedule %llu: %s", (unsigned long long)seed, violation);
        promotions += world.promotions;
        acknowledged += (unsigned long)world.acknowledged_count;
        for (int i = 0; i < 4; i++)
            tasks[i] += world.tasks[i];
    }
    print_message("%d schedules: %lu promotions (%lu adoptions, %lu failovers, %lu switchovers), "
                  "%lu rejoins, %lu acknowledged writes\n",
                  SCHEDULES, promotions, tasks[TASK_ADOPT], tasks[TASK_FAILOVER],
                  tasks[TASK_SWITCHOVER], tasks[TASK_REJOIN], acknowledged);
    assert_true(tasks[TASK_FAILOVER] > SCHEDULES && tasks[TASK_SWITCHOVER] > SCHEDULES / 10 &&
                tasks[TASK_REJOIN] > SCHEDULES && acknowledged > SCHEDULES);
}

static void test_one_loss_is_one_failover(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= LOSSES; seed++) {
        const char *violation;

        sim_init(&world, seed, SIM_SOUND);
        violation = sim_run_loss(&world);
        if (violation)
            fail_msg("schedule %llu: %s", (unsigned long long)seed, violation);
        assert_int_equal(world.tasks[TASK_FAILOVER], 1);
    }
}

/* By the number in enum sim_fault. */
static const char *const faults[SIM_FAULT_COUNT] = {"",
                                                    "no majority",
                                                    "lock shared",
                                                    "orders outlive sessions",
                                                    "elected by applied",
                                                    "no marks",
                                                    "no lease",
                                                    "not enrolled",
                                                    "left at once",
                                                    "asynchronous",
                                                    "acks at once",
                                                    "epoch forgotten",
                                                    "errant joins",
                                                    "never by force",
                                                    "no leap"};

static void test_each_planted_fault_is_caught(void **state)
{
    (void)state;
    for (int fault = SIM_SOUND + 1; fault < SIM_FAULT_COUNT; fault++) {
        const char *violation = NULL;
        uint64_t seed = 0;

        while (!violation && ++seed <= PATIENCE) {
            sim_init(&world, seed, (enum sim_fault)fault);
            violation = sim_run(&world);
        }
        if (!violation)
            fail_msg("%s: not caught in %d schedules", faults[fault], PATIENCE);
        print_message("%s: schedule %llu: %s\n", faults[fault], (unsigned long long)seed,
                      violation);
    }
}

/* monitor_failover SEED [FAULT]: one schedule, with all that happens. */
static int show(int argc, char **argv)
{
    const char *violation;

    (void)setenv("SIM_TRACE", "1", 1);
    sim_init(&world, strtoull(argv[1], NULL, 10),
             argc > 2 ? (enum sim_fault)strtol(argv[2], NULL, 10) : SIM_SOUND);
    violation = sim_run(&world);
    printf("%d servers, %d Tillways: %s\n", world.n, world.agent_count,
           violation ? violation : "all is well");
    return violation ? 1 : 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_schedule_breaks_a_promise),
        cmocka_unit_test(test_one_loss_is_one_failover),
        cmocka_unit_test(test_each_planted_fault_is_caught),
    };

    if (argc > 1)
        return show(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
