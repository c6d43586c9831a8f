/* What one server says of epochs, with a probe that the test plays. */
#include "monitor/epochs.h"

#include "tests/unit/check.h"

#include <stdio.h>
#include <string.h>

/* One server. Another Tillway has it promise the next epoch as soon as this one has enrolled. */
struct probe {
    int epoch; /* of its row; 0: there is none */
    bool enrolled;
    bool refuses; /* to enrol anybody */
    int asked;    /* for its row, so often */
};

static struct probe probe;

static enum probe_result answer(struct probe_answer *a, enum probe_result result, unsigned code)
{
    *a = (struct probe_answer){.result = result, .code = code};
    return result;
}

static void give(int value, probe_row_fn row, void *ctx)
{
    char text[16];
    char *values[] = {text};

    (void)snprintf(text, sizeof text, "%d", value);
    (void)row(ctx, &(struct probe_row){.columns = 1, .values = values});
}

enum probe_result probe_ask(struct probe *p, const char *sql, probe_row_fn row, void *ctx,
                            struct probe_answer *a)
{
    if (strstr(sql, "FROM tillway.member")) {
        p->asked++;
        if (!p->epoch)
            return answer(a, PROBE_DENIED, 1146);
        give(p->epoch, row, ctx);
    } else if (strstr(sql, "FROM tillway.proxy") && p->enrolled) {
        give(p->epoch, row, ctx);
    } else if (strstr(sql, "INSERT INTO tillway.proxy")) {
        if (p->refuses)
            return answer(a, PROBE_DENIED, 1205);
        p->enrolled = true;
        p->epoch++;
    }
    return answer(a, PROBE_OK, 0);
}

bool probe_is_open(const struct probe *p)
{
    (void)p;
    return true;
}

static uint64_t left(void *ctx)
{
    (void)ctx;
    return 0;
}

static struct facts asked(struct probe server)
{
    const struct epochs_terms t = {.id = 77, .left = left};
    struct facts f = {.known = true};
    struct probe_answer a;

    probe = server;
    assert_int_equal(epochs_ask(&probe, &t, &f, &a), PROBE_OK);
    return f;
}

/* By the server's word of after that: a probe later would be too late for what waits at the primary
 * of the epoch before. */
static void test_who_enrols_hears_of_the_next_epoch_at_once(void **state)
{
    struct facts f = asked((struct probe){.epoch = 5});

    (void)state;
    assert_true(f.enrolled);
    assert_int_equal(f.row.epoch, 6);
}

static void test_who_is_enrolled_asks_once(void **state)
{
    struct facts f = asked((struct probe){.epoch = 5, .enrolled = true});

    (void)state;
    assert_true(f.enrolled);
    assert_int_equal(f.row.epoch, 5);
    assert_int_equal(probe.asked, 1);
}

static void test_who_cannot_enrol_does_not_ask_for_ever(void **state)
{
    struct facts f = asked((struct probe){.epoch = 5, .refuses = true});

    (void)state;
    assert_false(f.enrolled);
    assert_int_equal(f.row.epoch, 5);
}

static void test_where_there_are_no_epochs_nobody_enrols(void **state)
{
    struct facts f = asked((struct probe){.epoch = 0});

    (void)state;
    assert_false(f.enrolled || probe.enrolled);
    assert_int_equal(f.row.epoch, 0);
    assert_int_equal(probe.asked, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_enrols_hears_of_the_next_epoch_at_once),
        cmocka_unit_test(test_who_is_enrolled_asks_once),
        cmocka_unit_test(test_who_cannot_enrol_does_not_ask_for_ever),
        cmocka_unit_test(test_where_there_are_no_epochs_nobody_enrols),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
