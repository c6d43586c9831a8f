#include "routing/balance.h"

#include "tests/unit/check.h"

#include <stdio.h>

#define MS 1000000ULL
#define S  1000000000ULL

enum { A, B, C, SERVERS };

static struct topology topology = {.count = SERVERS};
static struct server_load loads[SERVERS];
static struct latency latency;
static struct balance balance;

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < SERVERS; i++) {
        topology.servers[i].weight = 1;
        topology.servers[i].since_ns = 0;
        atomic_store(&loads[i].busy, 0);
    }
    latency = (struct latency){{0}};
    balance = (struct balance){.topology = &topology, .loads = loads};
    return 0;
}

static void busy(int a, int b, int c)
{
    atomic_store(&loads[A].busy, a);
    atomic_store(&loads[B].busy, b);
    atomic_store(&loads[C].busy, c);
}

/* How often each is picked in n turns. */
static void count(int n, int seen[SERVERS])
{
    for (int i = 0; i < SERVERS; i++)
        seen[i] = 0;
    for (int i = 0; i < n; i++, balance.turn++)
        seen[balance_pick(&balance, 7)]++;
}

static void the_least_busy_for_its_weight(void **state)
{
    static const struct {
        int busy[SERVERS];
        uint32_t weight[SERVERS];
        int server;
    } rows[] = {
        {{1, 2, 3}, {1, 1, 1}, A},
        {{3, 2, 1}, {1, 1, 1}, C},
        {{4, 3, 9}, {2, 1, 3}, A},
        {{4, 1, 9}, {2, 1, 3}, B},
        {{5, 5, 5}, {1, 9, 8}, B},
        {{-5, 1, 1}, {1, 1, 1}, A},
        {{2, 2, 1}, {1, 1, 1000}, C},
        {{1000000, 1, 1}, {1000, 1, 1}, -1},
        {{2147483647, 1, 9}, {1000, 1, 1}, B},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        busy(rows[i].busy[A], rows[i].busy[B], rows[i].busy[C]);
        for (int j = 0; j < SERVERS; j++)
            topology.servers[j].weight = rows[i].weight[j];
        for (balance.turn = 0; balance.turn < 40; balance.turn++) {
            int server = balance_pick(&balance, 7);

            assert_true(rows[i].server < 0 ? server != A : server == rows[i].server);
        }
    }
    busy(0, 5, 6);
    assert_int_equal(balance_pick(&balance, 1u << B | 1u << C), B);
}

static void ties(void **state)
{
    int seen[SERVERS];

    (void)state;
    count(300, seen);
    for (int i = 0; i < SERVERS; i++)
        assert_int_equal(seen[i], 100);
    balance.held = 1u << B;
    count(40, seen);
    assert_int_equal(seen[B], 40);
    busy(0, 1, 0); /* held wins ties only */
    count(40, seen);
    assert_int_equal(seen[B], 0);
}

static void ties_by_weight(void **state)
{
    int seen[SERVERS];

    (void)state;
    topology.servers[B].weight = 2;
    topology.servers[C].weight = 5;
    count(8000, seen);
    assert_in_range(seen[A], 950, 1050);
    assert_in_range(seen[B], 1900, 2100);
    for (int i = 0; i < SERVERS; i++)
        topology.servers[i].weight = 0; /* asked for by name */
    count(30, seen);
    assert_int_equal(seen[C], 10);
    topology.servers[A].weight = 1;
    count(30, seen);
    assert_int_equal(seen[A], 30);
}

static void all_took(int server, uint64_t ns, int n)
{
    for (int i = 0; i < n; i++)
        latency_note(&latency, server, ns);
}

static void medians(void **state)
{
    (void)state;
    latency_note(&latency, A, 5 * MS);
    assert_true(latency.median_ns[A] == 5 * MS);
    latency_note(&latency, A, 5000 * MS); /* one alone says little */
    assert_true(latency.median_ns[A] < 6 * MS);
    all_took(A, 50 * MS, 60);
    assert_true(latency.median_ns[A] > 45 * MS && latency.median_ns[A] < 60 * MS);
    all_took(A, 1 * MS, 200);
    assert_true(latency.median_ns[A] < 2 * MS);
    all_took(A, 0, 1000);
    assert_true(latency.median_ns[A] >= 1 && latency.median_ns[A] < 100);
    latency_note(&latency, B, 0);
    assert_true(latency.median_ns[B] == 1);
    for (int i = 0; i < 1000; i++) /* one in ten is slow */
        latency_note(&latency, C, i % 10 ? 2 * MS : 900 * MS);
    assert_true(latency.median_ns[C] > MS && latency.median_ns[C] < 4 * MS);
}

static void the_slow_one_counts_as_busier(void **state)
{
    int seen[SERVERS];

    (void)state;
    balance.latency = &latency;
    all_took(A, 2 * MS, 1);
    all_took(B, 3 * MS, 1); /* less than twice as slow: the same */
    all_took(C, 20 * MS, 1);
    count(BALANCE_EXPLORE * 30, seen);
    assert_in_range(seen[C], 1, 30);
    assert_true(seen[A] > BALANCE_EXPLORE * 10 && seen[B] > BALANCE_EXPLORE * 10);
    busy(8, 8, 0); /* seven times as slow: six statements more */
    balance.turn = 0;
    assert_int_equal(balance_pick(&balance, 7), C);
    busy(5, 5, 0);
    assert_int_not_equal(balance_pick(&balance, 7), C);
    all_took(C, 2 * MS, 200); /* it has recovered */
    busy(0, 0, 0);
    count(300, seen);
    assert_in_range(seen[C], 95, 105);
}

static void small_differences_are_none(void **state)
{
    int seen[SERVERS];

    (void)state;
    balance.latency = &latency;
    all_took(A, MS / 10, 1);
    all_took(B, MS, 1);
    count(300, seen); /* C is not measured */
    for (int i = 0; i < SERVERS; i++)
        assert_in_range(seen[i], 95, 105);
}

/* The share of one that came back grows, at leisure and under load. */
static void slow_start(void **state)
{
    int seen[SERVERS];
    int before = 0;

    (void)state;
    balance.slow_start_ns = 10 * S;
    topology.servers[C].since_ns = 100 * S;
    for (uint64_t up = 0; up <= 10; up += 2) {
        balance.now_ns = (100 + up) * S;
        count(6000, seen);
        assert_true(seen[C] > before);
        before = seen[C];
    }
    assert_int_equal(seen[C], 2000);
    balance.now_ns = 100 * S; /* a 64th: busy with one is busy with 64 */
    busy(10, 10, 1);
    count(40, seen);
    assert_int_equal(seen[C], 0);
    balance.now_ns = 50 * S; /* clocks read in another order */
    count(40, seen);
    assert_int_equal(seen[C], 0);
    balance.slow_start_ns = 0;
    count(40, seen);
    assert_int_equal(seen[C], 40);
}

/* A little world: servers that take their time for each read, as many clients as keep them busy;
 * what comes out is how the reads were shared. */
static void simulate(const uint64_t cost_ns[SERVERS], int clients, int seen[SERVERS])
{
    uint64_t ends[64] = {0};
    int at[64];
    uint64_t now = 0;

    for (int c = 0; c < clients; c++)
        at[c] = -1;
    for (int i = 0; i < SERVERS; i++)
        seen[i] = 0;
    for (int n = 0; n < 20000; n++) {
        int next = 0;

        for (int c = 1; c < clients; c++)
            if (ends[c] < ends[next])
                next = c;
        now = ends[next];
        if (at[next] >= 0) {
            atomic_fetch_sub(&loads[at[next]].busy, 1);
            latency_note(&latency, at[next], cost_ns[at[next]]);
        }
        at[next] = balance_pick(&balance, 7);
        balance.turn++;
        atomic_fetch_add(&loads[at[next]].busy, 1);
        ends[next] = now + cost_ns[at[next]];
        seen[at[next]]++;
    }
}

static void one_far_away(void **state)
{
    static const uint64_t cost[SERVERS] = {2 * MS, 2 * MS, 40 * MS};
    int plain[SERVERS];
    int aware[SERVERS];

    simulate(cost, 2, plain); /* few clients: nobody is ever busy enough to show it */
    assert_true(plain[C] > 20000 / 30);
    (void)set_up(state);
    balance.latency = &latency;
    simulate(cost, 2, aware);
    assert_true(aware[C] < plain[C] / 2);
    (void)set_up(state);
    balance.latency = &latency;
    simulate(cost, 40, aware); /* under load it still helps out, at its pace */
    assert_true(aware[C] > 100 && aware[C] < 20000 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_least_busy_for_its_weight, set_up),
        cmocka_unit_test_setup(ties, set_up),
        cmocka_unit_test_setup(ties_by_weight, set_up),
        cmocka_unit_test_setup(medians, set_up),
        cmocka_unit_test_setup(the_slow_one_counts_as_busier, set_up),
        cmocka_unit_test_setup(small_differences_are_none, set_up),
        cmocka_unit_test_setup(slow_start, set_up),
        cmocka_unit_test_setup(one_far_away, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
