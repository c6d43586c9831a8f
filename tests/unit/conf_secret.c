/* Secrets in files of their own. */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char yaml_path[128];
static char secret_path[128];

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/conf_secret.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(yaml_path, sizeof yaml_path, "%s/t.yaml", folder);
    (void)snprintf(secret_path, sizeof secret_path, "%s/pw", folder);
    write_file(yaml_path,
               "servers: [{name: a, address: 'h:1'}]\n"
               "monitor: {user: m, password_file: pw}\n",
               0644);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(secret_path);
    (void)unlink(yaml_path);
    return rmdir(folder);
}

static void expect_password(const char *want)
{
    struct err e = {ERR_NONE, 0, ""};
    struct conf *c = conf_load(yaml_path, &e);

    assert_string_equal(e.text, "");
    assert_non_null(c);
    assert_string_equal(c->monitor.password, want);
    conf_unref(c);
}

static void expect_error(const char *what)
{
    char want[512];
    struct err e;

    assert_null(conf_load(yaml_path, &e));
    (void)snprintf(want, sizeof want, "%s:2:35: monitor.password_file: %s", yaml_path, what);
    assert_string_equal(e.text, want);
}

static void test_first_line(void **state)
{
    (void)state;
    write_file(secret_path, "s3 cret\nsecond\n", 0600);
    expect_password("s3 cret");
    write_file(secret_path, "windows\r\n", 0400);
    expect_password("windows");
    write_file(secret_path, "no newline", 0600);
    expect_password("no newline");
}

static void test_refused(void **state)
{
    static const mode_t modes[] = {0644, 0640, 0660, 0604, 0601};
    char want[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        write_file(secret_path, "s\n", modes[i]);
        (void)snprintf(want, sizeof want,
                       "%s has mode %04o, others could read the secret; chmod 0600 it", secret_path,
                       (unsigned)modes[i]);
        expect_error(want);
    }
    write_file(secret_path, "\nsecond\n", 0600);
    (void)snprintf(want, sizeof want, "%s is empty; its first line is to be the secret",
                   secret_path);
    expect_error(want);
    assert_int_equal(unlink(secret_path), 0);
    (void)snprintf(want, sizeof want, "cannot read %s: No such file or directory", secret_path);
    expect_error(want);
    assert_int_equal(mkfifo(secret_path, 0600), 0);
    (void)snprintf(want, sizeof want, "cannot read %s: it is not a file", secret_path);
    expect_error(want);
    assert_int_equal(unlink(secret_path), 0);
}

static void test_too_long(void **state)
{
    char text[5000];
    char want[256];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    write_file(secret_path, text, 0600);
    (void)snprintf(want, sizeof want, "%s is larger than 4096 bytes", secret_path);
    expect_error(want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_line),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
