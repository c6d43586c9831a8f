/* What is found out about a server that sessions doubt, with a probe that the test plays. */
#include "monitor/doubt.h"

#include "base/clock.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <string.h>

#define S CLOCK_NS_PER_S

enum { ASKED_MAX = 32 };

struct probe {
    struct probe_answer login;    /* the log-in's */
    const char *fails;            /* what a statement begins with that is answered by … */
    struct probe_answer failure;  /* … this */
    const char *asked[ASKED_MAX]; /* statements since the test began */
    int count, logins;
    bool open;
};

bool probe_is_open(const struct probe *p)
{
    return p->open;
}

enum probe_result probe_open(struct probe *p, struct probe_answer *a)
{
    assert_false(p->open); /* a new connection each time */
    p->logins++;
    *a = p->login;
    p->open = a->result == PROBE_OK;
    return a->result;
}

enum probe_result probe_ask(struct probe *p, const char *sql, probe_row_fn row, void *ctx,
                            struct probe_answer *a)
{
    static const struct probe_answer fine = {.result = PROBE_OK};

    (void)row;
    (void)ctx;
    assert_true(p->open && p->count < ASKED_MAX);
    p->asked[p->count++] = sql;
    *a = p->fails && strncmp(sql, p->fails, strlen(p->fails)) == 0 ? p->failure : fine;
    p->open = p->open && (a->result == PROBE_OK || a->result == PROBE_DENIED);
    return a->result;
}

void probe_close(struct probe *p)
{
    p->open = false;
}

static struct probe probe;
static struct probe monitors;
static struct doubt doubt;
static struct probe_answer answer;

static int begin(void **state)
{
    (void)state;
    probe = (struct probe){.login.result = PROBE_OK};
    monitors = (struct probe){.open = true};
    doubt = (struct doubt){.probe = &probe, .open = &monitors};
    return 0;
}

static enum probe_result ask_at(uint64_t ns)
{
    answer = (struct probe_answer){.result = PROBE_CLOSED, .refused = true};
    (void)doubt_ask(&doubt, ns, &answer);
    assert_false(probe.open);
    return answer.result;
}

static void answers(struct probe_answer *a, enum probe_result result, unsigned code,
                    const char *why)
{
    *a = (struct probe_answer){.result = result, .code = code};
    (void)snprintf(a->why, sizeof a->why, "%s", why);
}

static void without_doubts_nothing_is_asked(void **state)
{
    (void)state;
    doubt_note(&doubt, 1u << SUSPECT_LOST);
    assert_int_equal(ask_at(S), PROBE_OK);
    assert_int_equal(probe.logins, 0);
}

static void who_lets_nobody_in_does_not_answer(void **state)
{
    (void)state;
    answers(&probe.login, PROBE_CLOSED, 2002, "refused");
    probe.login.refused = true;
    doubt_note(&doubt, 1u << SUSPECT_NO_LOGIN);
    assert_int_equal(ask_at(S), PROBE_TIMEOUT);
    assert_string_equal(answer.why, "it lets nobody in any more: refused");
    assert_false(answer.refused); /* its process is there: it holds the monitor's connection */
    assert_int_equal(ask_at(S + 1), PROBE_TIMEOUT); /* until somebody gets in */
    probe.login.result = PROBE_OK;
    assert_int_equal(ask_at(S + 2), PROBE_OK);
    assert_int_equal(ask_at(S + 3), PROBE_OK);
    assert_int_equal(probe.logins, 3);
    assert_int_equal(probe.count, 0);
}

static void who_died_under_the_question_is_gone(void **state)
{
    (void)state;
    answers(&probe.login, PROBE_CLOSED, 2002, "refused");
    doubt_note(&doubt, 1u << SUSPECT_NO_LOGIN);
    monitors.fails = "DO";
    answers(&monitors.failure, PROBE_LOST, 2013, "Lost connection");
    assert_int_equal(ask_at(S), PROBE_LOST);
    assert_string_equal(answer.why, "Lost connection");
}

static void silence_needs_no_second_question(void **state)
{
    (void)state;
    answers(&probe.login, PROBE_TIMEOUT, 2013, "nothing came");
    doubt_note(&doubt, 1u << SUSPECT_NO_LOGIN);
    assert_int_equal(ask_at(S), PROBE_TIMEOUT);
    assert_int_equal(monitors.count, 0);
}

static void a_refusal_is_an_answer(void **state)
{
    (void)state;
    answers(&probe.login, PROBE_DENIED, 1040, "Too many connections");
    doubt_note(&doubt, 1u << SUSPECT_NO_LOGIN | 1u << SUSPECT_NO_ROOM);
    assert_int_equal(ask_at(S), PROBE_OK);
    assert_int_equal(probe.count, 0);
}

static void a_disk_is_full_if_it_is_so_twice(void **state)
{
    (void)state;
    probe.fails = "CREATE";
    answers(&probe.failure, PROBE_DENIED, 3,
            "Error writing file './a.frm' (Errcode: 28 \"No space\")");
    doubt_note(&doubt, 1u << SUSPECT_NO_ROOM);
    assert_int_equal(ask_at(10 * S), PROBE_OK);
    assert_int_equal(probe.count, 2);
    assert_string_equal(probe.asked[0], "SET SESSION sql_log_bin=0");
    assert_int_equal(ask_at(11 * S - 1), PROBE_OK); /* not asked all the time */
    assert_int_equal(probe.count, 2);
    assert_int_equal(ask_at(11 * S), PROBE_TIMEOUT);
    assert_int_equal(ask_at(11 * S + 1), PROBE_TIMEOUT);
    assert_int_equal(probe.count, 4);
    assert_string_equal(answer.why, "its disk is full: writes find no room");
    assert_true(doubt.room_ns == 0);
    probe.fails = NULL;
    assert_int_equal(ask_at(12 * S), PROBE_OK);
    assert_true(strncmp(probe.asked[probe.count - 1], "DROP", 4) == 0);
    assert_int_equal(ask_at(20 * S), PROBE_OK);
    assert_int_equal(probe.logins, 3);
}

static void room_that_is_there_is_not_looked_for_again(void **state)
{
    (void)state;
    doubt_note(&doubt, 1u << SUSPECT_NO_ROOM);
    assert_int_equal(ask_at(S), PROBE_OK);
    assert_true(doubt.room_ns == S);
    assert_int_equal(ask_at(9 * S), PROBE_OK);
    assert_int_equal(probe.logins, 1);
    assert_true(doubt.room_ns == S);
}

static void another_error_is_no_proof(void **state)
{
    (void)state;
    probe.fails = "CREATE";
    answers(&probe.failure, PROBE_DENIED, 1049, "Unknown database 'tillway'");
    for (uint64_t i = 1; i < 4; i++) {
        doubt_note(&doubt, 1u << SUSPECT_NO_ROOM);
        assert_int_equal(ask_at(i * S), PROBE_OK);
        assert_true(doubt.room_ns == i * S); /* nobody need wait for more */
    }
    answers(&probe.failure, PROBE_TIMEOUT, 0, "no answer in time");
    doubt_note(&doubt, 1u << SUSPECT_NO_ROOM);
    assert_int_equal(ask_at(5 * S), PROBE_OK);
}

/* As MariaDB 10.11 says it. */
static void words_for_no_room(void **state)
{
    struct probe_answer a;

    (void)state;
    answers(&a, PROBE_DENIED, 1114, "The table 'room' is full");
    assert_true(doubt_is_full(&a));
    answers(&a, PROBE_DENIED, 1005,
            "Can't create table `tillway`.`room` (errno: 135 \"No more room in record file\")");
    assert_true(doubt_is_full(&a));
    answers(&a, PROBE_DENIED, 1005,
            "Can't create table `tillway`.`room` (errno: 121 \"Duplicate\")");
    assert_false(doubt_is_full(&a));
    answers(&a, PROBE_LOST, 1114, "");
    assert_false(doubt_is_full(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_doubts_nothing_is_asked, begin),
        cmocka_unit_test_setup(who_died_under_the_question_is_gone, begin),
        cmocka_unit_test_setup(silence_needs_no_second_question, begin),
        cmocka_unit_test_setup(who_lets_nobody_in_does_not_answer, begin),
        cmocka_unit_test_setup(a_refusal_is_an_answer, begin),
        cmocka_unit_test_setup(a_disk_is_full_if_it_is_so_twice, begin),
        cmocka_unit_test_setup(room_that_is_there_is_not_looked_for_again, begin),
        cmocka_unit_test_setup(another_error_is_no_proof, begin),
        cmocka_unit_test(words_for_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
