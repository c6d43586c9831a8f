#include "base/clock.h"
#include "base/log.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static char folder[] = "/tmp/tillway-log-XXXXXX";
static char path[64];
static char rotated[64];
static char content[200000];
static int inherited_before; /* descriptors that a child would get, before any log was opened */

static const char *read_file(const char *name)
{
    FILE *f = fopen(name, "rb");
    size_t n = 0;

    if (f) {
        n = fread(content, 1, sizeof content - 1, f);
        (void)fclose(f);
    }
    content[n] = 0;
    return content;
}

/* The text behind the time, of a file that is emptied. */
static const char *last_line(void)
{
    const char *text = read_file(path);

    assert_int_equal(truncate(path, 0), 0);
    return strchr(text, ' ') ? strchr(text, ' ') + 1 : text;
}

static void set_up(enum log_level level, enum log_format format)
{
    struct err e;

    assert_true(log_setup(level, format, path, &e));
}

static void text_lines(void **state)
{
    (void)state;
    set_up(LOG_INFO, LOG_TEXT);
    log_event(LOG_INFO, "session.open", LOG_NUM("id", -12), LOG_STR("user", "till"));
    assert_string_equal(last_line(), "info  session.open id=-12 user=till\n");
    log_event(LOG_WARN, "x", LOG_STR("a", "two words"), LOG_STR("b", ""), LOG_STR("c", NULL));
    assert_string_equal(last_line(), "warn  x a=\"two words\" b=\"\" c=\"\"\n");
    log_event(LOG_ERROR, "x", LOG_STR("a", "l1\nl2 id=9"), LOG_STR("b", "q\"\\"),
              LOG_STR("c", "a=b"));
    assert_string_equal(last_line(), "error x a=\"l1\\u000al2 id=9\" b=\"q\\\"\\\\\" c=\"a=b\"\n");
}

static void json_lines(void **state)
{
    const char *text;

    (void)state;
    set_up(LOG_DEBUG, LOG_JSON);
    log_event(LOG_DEBUG, "e", LOG_NUM("n", 5), LOG_STR("s", "a\tb\"\x7f"));
    text = read_file(path);
    assert_memory_equal(text, "{\"time\":\"20", 11);
    assert_string_equal(
        strstr(text, "\",\"level\""),
        "\",\"level\":\"debug\",\"event\":\"e\",\"n\":5,\"s\":\"a\\u0009b\\\"\\u007f\"}\n");
    (void)last_line();
}

static void bytes_that_are_not_utf8_are_escaped(void **state)
{
    static const struct {
        const char *in;
        const char *out;
    } rows[] = {
        {"\xc3\xa4", "\"\xc3\xa4\""},
        {"\xe2\x82\xac", "\"\xe2\x82\xac\""},
        {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""},
        {"\xe4", "\"\\u00e4\""},
        {"\xc3", "\"\\u00c3\""},
        {"\xe2\x82", "\"\\u00e2\\u0082\""},
        {"\xc0\xaf", "\"\\u00c0\\u00af\""},
        {"\xe0\x80\xaf", "\"\\u00e0\\u0080\\u00af\""},
        {"\xed\xa0\x80", "\"\\u00ed\\u00a0\\u0080\""},
        {"\xf5\x80\x80\x80", "\"\\u00f5\\u0080\\u0080\\u0080\""},
        {"\x9b"
         "2J",
         "\"\\u009b2J\""},
    };

    (void)state;
    set_up(LOG_INFO, LOG_TEXT);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char line[100];

        log_event(LOG_INFO, "e", LOG_STR("s", rows[i].in));
        (void)snprintf(line, sizeof line, "info  e s=%s\n", rows[i].out);
        assert_string_equal(last_line(), line);
    }
}

static void levels(void **state)
{
    (void)state;
    set_up(LOG_WARN, LOG_TEXT);
    assert_false(log_enabled(LOG_INFO));
    assert_true(log_enabled(LOG_WARN));
    log_event(LOG_INFO, "no", LOG_NUM("id", 1));
    assert_string_equal(last_line(), "");
    log_event(LOG_ERROR, "yes", LOG_NUM("id", 1));
    assert_string_equal(last_line(), "error yes id=1\n");
}

static void long_values_are_cut_not_lost(void **state)
{
    char *value = malloc(100000);
    struct log_field many[40];
    const char *text;

    (void)state;
    assert_non_null(value);
    memset(value, 1, 99999);
    value[99999] = 0;
    set_up(LOG_INFO, LOG_TEXT);
    log_event(LOG_INFO, "big", LOG_STR("sql", value), LOG_NUM("id", 3));
    text = last_line();
    assert_memory_equal(text, "info  big sql=\"\\u0001", 21);
    assert_string_equal(text + strlen(text) - 11, "1...\" id=3\n");
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = LOG_STR("f", value);
    log_event_fields(LOG_INFO, "huge", many, (int)ARRAY_LEN(many));
    assert_string_equal(last_line(), "info  huge\n");
    free(value);
}

static void reopen_after_rotation(void **state)
{
    (void)state;
    set_up(LOG_INFO, LOG_TEXT);
    log_event(LOG_INFO, "one", LOG_NUM("id", 1));
    assert_int_equal(rename(path, rotated), 0);
    log_event(LOG_INFO, "two", LOG_NUM("id", 1));
    log_reopen();
    log_event(LOG_INFO, "three", LOG_NUM("id", 1));
    assert_non_null(strstr(read_file(rotated), "one id=1\n"));
    assert_non_null(strstr(read_file(rotated), "two id=1\n"));
    assert_null(strstr(read_file(rotated), "three"));
    assert_string_equal(last_line(), "info  three id=1\n");
}

static int open_files(bool must_close_on_exec)
{
    int n = 0;

    for (int fd = 3; fd < 64; fd++) {
        int flags = fcntl(fd, F_GETFD);

        if (flags >= 0 && (!must_close_on_exec || !(flags & FD_CLOEXEC)))
            n++;
    }
    return n;
}

static void no_descriptor_is_leaked_or_inherited(void **state)
{
    int before;

    (void)state;
    set_up(LOG_INFO, LOG_TEXT);
    before = open_files(false);
    for (int i = 0; i < 5; i++) {
        set_up(LOG_INFO, LOG_TEXT);
        log_reopen();
    }
    assert_int_equal(open_files(false), before);
    assert_int_equal(open_files(true), inherited_before);
}

static void a_path_that_cannot_be_opened(void **state)
{
    struct err e;

    (void)state;
    set_up(LOG_INFO, LOG_TEXT);
    assert_false(log_setup(LOG_INFO, LOG_TEXT, "/nonexistent/x.log", &e));
    assert_int_equal(e.kind, ERR_IO);
    assert_non_null(strstr(e.text, "/nonexistent/x.log"));
    log_event(LOG_INFO, "still", LOG_NUM("id", 1));
    assert_string_equal(last_line(), "info  still id=1\n");
}

/* A file that takes no more than so many bytes, as on a disk that is full. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void lines_that_a_full_disk_swallows_are_counted(void **state)
{
    struct rlimit before;
    const char *text;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    set_up(LOG_INFO, LOG_TEXT);
    limit_files(40);
    log_event(LOG_INFO, "torn.apart", LOG_NUM("id", 1));
    log_event(LOG_INFO, "never.seen", LOG_NUM("id", 2));
    assert_int_equal(strlen(read_file(path)), 40);
    limit_files(before.rlim_cur);
    log_event(LOG_INFO, "seen.again", LOG_NUM("id", 3));
    text = strchr(read_file(path), '\n');
    assert_non_null(text);
    assert_non_null(strstr(text, " error log.lost lines=2\n"));
    assert_non_null(strstr(text, " info  seen.again id=3\n"));
    assert_null(strstr(text, "never"));
    (void)last_line();
    log_event(LOG_INFO, "whole", LOG_NUM("id", 4));
    assert_string_equal(last_line(), "info  whole id=4\n");
}

static void a_flood_is_limited_and_told(void **state)
{
    struct log_limit limit = {0};
    uint64_t now = 5 * CLOCK_NS_PER_S;
    int passed = 0;

    (void)state;
    set_up(LOG_INFO, LOG_TEXT);
    for (int i = 0; i < 1000; i++)
        passed += log_limit_passes(&limit, now + (uint64_t)i);
    assert_int_equal(passed, LOG_LIMIT_LINES);
    log_limit_tell(&limit, "x.y", now + 1000);
    assert_string_equal(read_file(path), "");
    log_limit_tell(&limit, "x.y", now + CLOCK_NS_PER_S);
    assert_string_equal(last_line(), "warn  log.left_out event=x.y lines=980\n");
    log_limit_tell(&limit, "x.y", now + 2 * CLOCK_NS_PER_S);
    assert_string_equal(read_file(path), "");
    assert_true(log_limit_passes(&limit, now + CLOCK_NS_PER_S));
}

static int group_setup(void **state)
{
    (void)state;
    inherited_before = open_files(true);
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/log", folder);
    (void)snprintf(rotated, sizeof rotated, "%s/log.1", folder);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)unlink(rotated);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_lines),
        cmocka_unit_test(json_lines),
        cmocka_unit_test(bytes_that_are_not_utf8_are_escaped),
        cmocka_unit_test(levels),
        cmocka_unit_test(long_values_are_cut_not_lost),
        cmocka_unit_test(reopen_after_rotation),
        cmocka_unit_test(no_descriptor_is_leaked_or_inherited),
        cmocka_unit_test(a_path_that_cannot_be_opened),
        cmocka_unit_test(lines_that_a_full_disk_swallows_are_counted),
        cmocka_unit_test(a_flood_is_limited_and_told),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
