/* Whether anybody listens: sockets of this process, on loopback and in a folder. */
#include "monitor/reach.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LIMIT_NS (5 * CLOCK_NS_PER_S)

/* A TCP socket bound to a free port of loopback, that nobody else can have meanwhile. */
static int bound(struct conf_address *at)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof any;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&any, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &size), 0);
    *at = (struct conf_address){.host = "127.0.0.1", .port = ntohs(any.sin_port)};
    return fd;
}

static void test_port(void **state)
{
    struct conf_address at;
    int fd = bound(&at);

    (void)state;
    assert_true(reach_is_refused(&at, LIMIT_NS));
    at.host = "localhost"; /* perhaps ::1, too: refused there as well */
    assert_true(reach_is_refused(&at, LIMIT_NS));
    assert_int_equal(listen(fd, 5), 0); /* nobody accepts: a frozen server's is the same */
    assert_false(reach_is_refused(&at, LIMIT_NS));
    at.host = "127.0.0.1";
    assert_false(reach_is_refused(&at, LIMIT_NS));
    (void)close(fd);
    assert_true(reach_is_refused(&at, LIMIT_NS));
}

static void test_name_that_nobody_knows(void **state)
{
    struct conf_address at = {.host = "no-such-host.invalid", .port = 3306};

    (void)state;
    assert_false(reach_is_refused(&at, LIMIT_NS));
}

static void test_unix_socket(void **state)
{
    char folder[] = "/tmp/tillway_reach_XXXXXX";
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct conf_address at = {.host = name.sun_path};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s/s", folder);
    assert_true(reach_is_refused(&at, LIMIT_NS));
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_true(reach_is_refused(&at, LIMIT_NS)); /* its file outlived the server */
    assert_int_equal(listen(fd, 5), 0);
    assert_false(reach_is_refused(&at, LIMIT_NS));
    (void)close(fd);
    (void)unlink(name.sun_path);
    (void)rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_port),
        cmocka_unit_test(test_name_that_nobody_knows),
        cmocka_unit_test(test_unix_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
