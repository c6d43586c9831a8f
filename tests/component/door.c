/* A listener handed to a worker: who comes in, to which worker, and when nobody does any more. */
#include "component/rig.h"
#include "proxy/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LISTENS = 1 }; /* the worker */

static struct door {
    char folder[32];
    char path[64];
    struct conf_listener conf;
    struct listener listener;
} at;

static struct rig *opens_door(unsigned max_sessions)
{
    struct rig *r = rig_start(.workers = 2);
    struct err e;

    memset(&at, 0, sizeof at);
    (void)snprintf(at.folder, sizeof at.folder, "/tmp/door.XXXXXX");
    assert_non_null(mkdtemp(at.folder));
    (void)snprintf(at.path, sizeof at.path, "%s/socket", at.folder);
    at.conf.address = (struct conf_address){.host = at.path, .text = at.path};
    r->workers[LISTENS].conf->limits.max_sessions = max_sessions;
    if (!listener_open(&at.listener, &at.conf, &e))
        fail_msg("%s", e.text);
    return r;
}

static void hands_over(struct rig *r)
{
    assert_true(listener_hand_to(&at.listener, &r->workers[LISTENS]));
}

/* The descriptor, or -1. */
static int comes(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", at.path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static struct peer *enters(void)
{
    int fd = comes();

    assert_true(fd >= 0);
    return peer_new(fd, "client");
}

/* Which worker greets it. */
static int worker_of(struct peer *p)
{
    client_hears_greeting(p);
    return (int)((p->thread_id - SESSION_ID_FIRST) % 2);
}

static void its_worker_keeps_who_comes_unless_another_has_fewer(void **state)
{
    struct rig *r = opens_door(100);

    (void)state;
    hands_over(r);
    assert_int_equal(worker_of(enters()), LISTENS);
    assert_int_equal(worker_of(enters()), 1 - LISTENS);
    assert_int_equal(worker_of(enters()), LISTENS);
}

static void who_came_before_it_was_handed_over_is_greeted_then(void **state)
{
    struct rig *r = opens_door(100);
    struct peer *early = enters();

    (void)state;
    hands_over(r);
    assert_int_equal(worker_of(early), LISTENS);
}

static void one_too_many_is_told_so(void **state)
{
    struct rig *r = opens_door(1);
    struct peer *second;

    (void)state;
    hands_over(r);
    (void)worker_of(enters());
    second = enters();
    (void)peer_hears_first(second);
    rig_counts(r, METRIC_TURNED_AWAY, 1);
}

static void nobody_comes_in_when_its_worker_drains(void **state)
{
    struct rig *r = opens_door(100);
    int fd;

    (void)state;
    hands_over(r);
    (void)worker_of(enters());
    rig_drain(r, 5000);
    while ((fd = comes()) >= 0) { /* till the worker has come to it */
        (void)close(fd);
        (void)usleep(1000);
    }
    assert_int_equal(access(at.path, F_OK), -1);
}

static int shuts_door(void **state)
{
    int rc = rig_stop(state);

    (void)rmdir(at.folder);
    return rc;
}

#define DOOR_TEST(f) cmocka_unit_test_teardown(f, shuts_door)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOOR_TEST(its_worker_keeps_who_comes_unless_another_has_fewer),
        DOOR_TEST(who_came_before_it_was_handed_over_is_greeted_then),
        DOOR_TEST(one_too_many_is_told_so),
        DOOR_TEST(nobody_comes_in_when_its_worker_drains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
