#include "base/state.h"
#include "tests/unit/check.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLOSED, OPENING, OPEN, COUNT };

static const struct state_row rows[] = {
    [CLOSED] = {"closed", STATE_BIT(OPENING)},
    [OPENING] = {"opening", STATE_BIT(OPEN) | STATE_BIT(CLOSED)},
    [OPEN] = {"open", STATE_BIT(CLOSED)},
};
static const struct state_table door = {"door", rows, COUNT};

static void allowed_steps(void **state)
{
    struct state s;

    (void)state;
    state_init(&s, &door, CLOSED);
    assert_string_equal(state_name(&s), "closed");
    state_enter(&s, OPENING);
    state_enter(&s, OPEN);
    assert_string_equal(state_name(&s), "open");
    state_enter(&s, CLOSED);
    assert_int_equal(s.now, CLOSED);
}

/* The signal that ends a process in which the step is made; 0 where it lives. */
static int signal_of_step(int from, int to)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        struct rlimit none = {0, 0};
        struct state s;

        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL);
        (void)close(STDERR_FILENO);
        state_init(&s, &door, from);
        state_enter(&s, to);
        _exit(0);
    }
    (void)waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void other_steps_abort(void **state)
{
    (void)state;
    assert_int_equal(signal_of_step(CLOSED, OPENING), 0);
    assert_int_equal(signal_of_step(CLOSED, OPEN), SIGABRT);
    assert_int_equal(signal_of_step(OPEN, OPEN), SIGABRT);
    assert_int_equal(signal_of_step(CLOSED, COUNT), SIGABRT);
    assert_int_equal(signal_of_step(CLOSED, -1), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allowed_steps),
        cmocka_unit_test(other_steps_abort),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
