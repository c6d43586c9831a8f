/* What whoever drains a server is told, and when it ends. */
#include "base/log.h"
#include "monitor/shared.h"

#include "tests/unit/check.h"

#include <string.h>

#define SECONDS CLOCK_NS_PER_S

static struct conf_server servers[2] = {{.name = "a"}, {.name = "b"}};
static struct conf conf = {.server_count = 2, .servers = servers};

static struct monitor monitor;
static struct {
    bool known;
    int count;
} sessions;
static struct {
    char last[400];
    int lines;
    enum answer_line line; /* of the last */
} heard;

static bool on_connections(void *ctx, int server, int *count)
{
    (void)ctx;
    assert_int_equal(server, 1);
    *count = sessions.count;
    return sessions.known;
}

static void on_line(void *ctx, const char *text, enum answer_line line)
{
    (void)ctx;
    assert_int_equal(heard.line, ANSWER_MORE);
    heard.line = line;
    heard.lines++;
    (void)snprintf(heard.last, sizeof heard.last, "%s", text);
}

/* Of server b, for ten seconds; three connections are there. */
static int begin(void **state)
{
    (void)state;
    memset(&heard, 0, sizeof heard);
    sessions.known = true;
    sessions.count = 3;
    monitor = (struct monitor){.conf = &conf, .sink.connections = on_connections};
    shared_init_cond(&monitor.publisher.wake);
    monitor.board = board_new(&conf);
    assert_non_null(monitor.board);
    monitor.publisher.now = board_first(monitor.board);
    assert_non_null(monitor.publisher.now);
    monitor.publisher.now->primary = 0;
    drain_begin(&monitor, 1, 10 * SECONDS, on_line, NULL);
    assert_int_equal(monitor.board->resting, 2);
    assert_true(monitor.publisher.dirty);
    return 0;
}

static int end(void **state)
{
    (void)state;
    board_free(monitor.board);
    topology_unref(monitor.publisher.now);
    (void)pthread_cond_destroy(&monitor.publisher.wake);
    return 0;
}

static void look_after(uint64_t ns)
{
    drain_look(&monitor, monitor.drain.begun_ns + ns);
}

static void hears(const char *part, enum answer_line line)
{
    if (!strstr(heard.last, part))
        fail_msg("'%s', not '%s'", heard.last, part);
    assert_int_equal(heard.line, line);
    assert_int_equal(drain_is_on(&monitor.drain), line == ANSWER_MORE);
}

static void its_progress_is_told(void **state)
{
    (void)state;
    hears("drain of b, 0 ms: no more statements go there", ANSWER_MORE);
    look_after(0);
    hears("3 connections", ANSWER_MORE);
    sessions.count = 2;
    look_after(SECONDS / 2); /* not every change at once */
    hears("3 connections", ANSWER_MORE);
    look_after(SECONDS);
    hears("drain of b, 1000 ms: 2 connections", ANSWER_MORE);
    look_after(3 * SECONDS); /* nor the same again */
    assert_int_equal(heard.lines, 3);
    sessions.count = 0;
    look_after(4 * SECONDS);
    hears("done", ANSWER_DONE);
    assert_int_equal(monitor.board->resting, 2);
    look_after(5 * SECONDS);
    assert_int_equal(heard.lines, 5);
}

static void who_may_begin_something_is_waited_for(void **state)
{
    (void)state;
    sessions.known = false;
    sessions.count = 0;
    look_after(SECONDS);
    hears("no more statements", ANSWER_MORE);
    sessions.known = true;
    look_after(2 * SECONDS);
    hears("done", ANSWER_DONE);
}

static void it_waits_no_longer_than_it_was_told(void **state)
{
    (void)state;
    look_after(10 * SECONDS - 1);
    hears("3 connections", ANSWER_MORE);
    look_after(10 * SECONDS);
    hears("3 connections of sessions are left, which end as they would", ANSWER_FAILED);
    assert_int_equal(monitor.board->resting, 2); /* it stays out of use */
}

static void a_primary_is_not_drained(void **state)
{
    (void)state;
    monitor.publisher.now->primary = 1;
    sessions.count = 0;
    look_after(SECONDS);
    hears("it has become the primary", ANSWER_FAILED);
}

static void the_end_of_maintenance_ends_it(void **state)
{
    (void)state;
    monitor.board->resting = 0;
    look_after(SECONDS);
    hears("its maintenance was ended", ANSWER_FAILED);
}

static void it_ends_with_the_monitor(void **state)
{
    (void)state;
    drain_stop(&monitor);
    hears("the monitor stops", ANSWER_FAILED);
    drain_stop(&monitor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(its_progress_is_told, begin, end),
        cmocka_unit_test_setup_teardown(who_may_begin_something_is_waited_for, begin, end),
        cmocka_unit_test_setup_teardown(it_waits_no_longer_than_it_was_told, begin, end),
        cmocka_unit_test_setup_teardown(a_primary_is_not_drained, begin, end),
        cmocka_unit_test_setup_teardown(the_end_of_maintenance_ends_it, begin, end),
        cmocka_unit_test_setup_teardown(it_ends_with_the_monitor, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
