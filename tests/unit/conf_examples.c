/* Every example in conf/ is a configuration; the complete one shows the defaults. Runs in the root
 * of the tree. */
#include "conf/conf.h"
#include "conf/schema.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct conf *load(const char *path)
{
    struct err e = {ERR_NONE, 0, ""};
    struct conf *c = conf_load(path, &e);

    if (!c)
        print_error("%s\n", e.text);
    assert_non_null(c);
    return c;
}

static void test_all_load(void **state)
{
    DIR *dir = opendir("conf");
    char path[512];
    int found = 0;

    (void)state;
    assert_non_null(dir);
    for (struct dirent *d; (d = readdir(dir));) { /* NOLINT(concurrency-mt-unsafe): one thread */
        size_t n = strlen(d->d_name);

        if (n < 5 || strcmp(d->d_name + n - 5, ".yaml") != 0)
            continue;
        (void)snprintf(path, sizeof path, "conf/%s", d->d_name);
        conf_unref(load(path));
        found++;
    }
    (void)closedir(dir);
    assert_true(found >= 3);
}

/* Whether the file shows a key, as a line or in a comment. */
static bool shown(FILE *f, const char *key)
{
    char line[512];

    rewind(f);
    while (fgets(line, sizeof line, f)) {
        size_t at = strspn(line, " #-");

        if (strncmp(line + at, key, strlen(key)) == 0 && line[at + strlen(key)] == ':')
            return true;
        if (strstr(line, key))
            return true;
    }
    return false;
}

static void test_the_complete_one_shows_every_key(void **state)
{
    FILE *f = fopen("conf/tillway.example.yaml", "r");

    (void)state;
    assert_non_null(f);
    for (size_t i = 0; i < conf_schema_count; i++) {
        const char *dot = strrchr(conf_schema[i].path, '.');
        const char *key = dot ? dot + 1 : conf_schema[i].path;

        if (!shown(f, key))
            print_error("%s is not in the example\n", conf_schema[i].path);
        assert_true(shown(f, key));
    }
    (void)fclose(f);
}

static void test_the_complete_one_shows_the_defaults(void **state)
{
    struct conf *shown_values = load("conf/tillway.example.yaml");
    struct conf *defaults = load("conf/minimal.example.yaml");

    (void)state;
    assert_int_equal(shown_values->workers, defaults->workers);
    assert_int_equal(shown_values->monitor.interval_ns, defaults->monitor.interval_ns);
    assert_int_equal(shown_values->monitor.timeout_ns, defaults->monitor.timeout_ns);
    assert_int_equal(shown_values->monitor.failures, defaults->monitor.failures);
    assert_int_equal(shown_values->monitor.accounts_interval_ns,
                     defaults->monitor.accounts_interval_ns);
    assert_memory_equal(&shown_values->limits, &defaults->limits, sizeof defaults->limits);
    assert_int_equal(shown_values->routing.max_lag_ns, defaults->routing.max_lag_ns);
    assert_int_equal(shown_values->routing.wait_timeout_ns, defaults->routing.wait_timeout_ns);
    assert_int_equal(shown_values->routing.primary_reads, defaults->routing.primary_reads);
    assert_int_equal(shown_values->routing.multi_writer, defaults->routing.multi_writer);
    assert_int_equal(shown_values->routing.wait_for_replica, defaults->routing.wait_for_replica);
    assert_int_equal(shown_values->log_level, defaults->log_level);
    assert_string_equal(shown_values->log_file, defaults->log_file);
    conf_unref(shown_values);
    conf_unref(defaults);
}

static void test_the_minimal_one_is_ten_lines(void **state)
{
    FILE *f = fopen("conf/minimal.example.yaml", "r");
    int lines = 0;

    (void)state;
    assert_non_null(f);
    for (int ch; (ch = fgetc(f)) != EOF;)
        lines += ch == '\n';
    (void)fclose(f);
    assert_in_range(lines, 1, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_load),
        cmocka_unit_test(test_the_complete_one_shows_every_key),
        cmocka_unit_test(test_the_complete_one_shows_the_defaults),
        cmocka_unit_test(test_the_minimal_one_is_ten_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
