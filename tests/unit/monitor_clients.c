/* In which order a server's clients are ended, with a probe that the test plays. */
#include "monitor/clients.h"

#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENTS = 4 };

/* A server: which of its clients, 1 to CLIENTS, are there, and which of them waits for a replica;
 * once that one is ended the next one does. */
struct probe {
    bool open;
    bool there[CLIENTS + 1];
    int waits; /* 0: nobody */
    char ended[64];
};

static struct probe probe;

bool probe_is_open(const struct probe *p)
{
    return p->open;
}

static int first_but(const struct probe *p, int but)
{
    for (int i = 1; i <= CLIENTS; i++)
        if (p->there[i] && i != but)
            return i;
    return 0;
}

static void give(const struct probe *p, probe_row_fn row, void *ctx)
{
    int one[] = {first_but(p, p->waits), p->waits};
    char text[2][16];
    char *values[2];

    for (int i = 0; i < 2; i++) {
        (void)snprintf(text[i], sizeof text[i], "%d", one[i]);
        values[i] = one[i] ? text[i] : NULL;
    }
    (void)row(ctx, &(struct probe_row){.columns = 2, .values = values});
}

static void end(struct probe *p, int client)
{
    size_t at = strlen(p->ended);

    (void)snprintf(p->ended + at, sizeof p->ended - at, " %d", client);
    p->there[client] = false;
    if (client == p->waits)
        p->waits = first_but(p, 0);
}

enum probe_result probe_ask(struct probe *p, const char *sql, probe_row_fn row, void *ctx,
                            struct probe_answer *a)
{
    static const char kill[] = "KILL ";

    *a = (struct probe_answer){.result = p->open ? PROBE_OK : PROBE_LOST};
    if (strncmp(sql, kill, sizeof kill - 1) == 0)
        end(p, (int)strtol(sql + sizeof kill - 1, NULL, 10));
    else if (p->open)
        give(p, row, ctx);
    return a->result;
}

static void have(int waits)
{
    probe = (struct probe){.open = true, .waits = waits};
    for (int i = 1; i <= CLIENTS; i++)
        probe.there[i] = true;
}

/* Those behind it would be told that they are through. */
static void test_who_waits_for_its_group_goes_last(void **state)
{
    struct probe_answer a;

    (void)state;
    have(1);
    assert_true(clients_end(&probe, &a));
    assert_string_equal(probe.ended, " 2 3 4 1");
}

static void test_without_one_that_waits_all_go(void **state)
{
    struct probe_answer a;

    (void)state;
    have(0);
    assert_true(clients_end(&probe, &a));
    assert_string_equal(probe.ended, " 1 2 3 4");
}

static void test_nobody_is_there(void **state)
{
    struct probe_answer a;

    (void)state;
    probe = (struct probe){.open = true};
    assert_true(clients_end(&probe, &a));
    assert_string_equal(probe.ended, "");
}

static void test_a_lost_server(void **state)
{
    struct probe_answer a;

    (void)state;
    have(1);
    probe.open = false;
    assert_false(clients_end(&probe, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_waits_for_its_group_goes_last),
        cmocka_unit_test(test_without_one_that_waits_all_go),
        cmocka_unit_test(test_nobody_is_there),
        cmocka_unit_test(test_a_lost_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
