/* What no well-behaved client sends. Each gets an ERR packet that says why, or is only closed, and
 * leaves one line in the log; a till beside them does not notice. */
#include "component/secure.h"
#include "protocol/packet.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GARBAGE = 5000, LOG_MAX = 1 << 20 };

struct bad {
    const char *what;
    struct span sent;
    bool leaves;   /* afterwards: no more will come */
    uint16_t code; /* 0: closed without a word */
    const char *why;
};

#define SENDS(literal)                                  \
    {                                                   \
        (const uint8_t *)(literal), sizeof(literal) - 1 \
    }

/* The capabilities are PROTOCOL_41, SECURE_CONNECTION and PLUGIN_AUTH. */
#define LOGIN_HEAD \
    "\x00\x82\x08\x00\x00\x00\x00\x01\x2D\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static const struct bad before_login[] = {
    {"half a header", SENDS("\x40\x00"), true, 0, "middle of its log-in"},
    {"a header alone", SENDS("\x40\x00\x00\x01"), true, 0, "middle of its log-in"},
    {"half a log-in", SENDS("\x40\x00\x00\x01" LOGIN_HEAD), true, 0, "middle of its log-in"},
    {"a packet of 16 KiB and more", SENDS("\x01\x40\x00\x01"), false, 1153, "max_allowed_packet"},
    {"the largest packet", SENDS("\xFF\xFF\xFF\x01"), false, 1153, "max_allowed_packet"},
    {"another protocol", SENDS("GET / HTTP/1.1\r\n\r\n"), false, 1153, "max_allowed_packet"},
    {"TLS without asking", SENDS("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"), false, 1153,
     "max_allowed_packet"},
    {"an empty packet", SENDS("\x00\x00\x00\x01"), false, 1043, ""},
    {"packet 0", SENDS("\x05\x00\x00\x00hello"), false, 1156, "out of order"},
    {"packet 2", SENDS("\x05\x00\x00\x02hello"), false, 1156, "out of order"},
    {"packet 255", SENDS("\x05\x00\x00\xFFhello"), false, 1156, "out of order"},
    {"a log-in cut short", SENDS("\x05\x00\x00\x01\x00\x82\x08\x00\x00"), false, 1043, ""},
    {"a user without an end", SENDS("\x24\x00\x00\x01" LOGIN_HEAD "till"), false, 1043, ""},
    {"a reply longer than the packet", SENDS("\x26\x00\x00\x01" LOGIN_HEAD "till\0\xFA"), false,
     1043, ""},
    {"the old protocol", SENDS("\x0A\x00\x00\x01\x05\x00\x00\x00\x00till\0"), false, 1043, ""},
    {"TLS where there is none",
     SENDS(
         "\x20\x00\x00\x01\x00\x8A\x08\x00\x00\x00\x00\x01\x2D\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
         "\0\0\0\0\0"),
     false, 1043, ""},
};

static const struct bad after_login[] = {
    {"half a header", SENDS("\x05\x00"), true, 0, "middle of a command"},
    {"half a command", SENDS("\x40\x00\x00\x00\x03SELECT"), true, 0, "middle of a command"},
    {"packet 1", SENDS("\x01\x00\x00\x01\x0E"), false, 1156, "out of order"},
    {"packet 255", SENDS("\x01\x00\x00\xFF\x0E"), false, 1156, "out of order"},
    {"a change of user without an end", SENDS("\x05\x00\x00\x00\x11till"), false, 1043,
     "Bad handshake"},
};

struct stage {
    struct rig *rig;
    struct scene bystander;
    char log[64];
    long long faults; /* told so far */
};

/* A till at work, and a log that can be read. */
static struct stage set_stage(struct rig *r)
{
    struct stage stage = {.rig = r, .bystander = rig_scene(r)};
    struct err e;
    int fd;

    (void)snprintf(stage.log, sizeof stage.log, "/tmp/rig_log.XXXXXX");
    fd = mkstemp(stage.log);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_true(log_setup(LOG_WARN, LOG_TEXT, stage.log, &e));
    return stage;
}

static void strike(const struct stage *stage)
{
    struct err e;

    assert_true(log_setup(LOG_ERROR, LOG_TEXT, "stderr", &e));
    (void)unlink(stage->log);
}

/* What was logged since, and nothing more of it. */
static const char *read_log(const struct stage *stage)
{
    static char text[LOG_MAX];
    FILE *f = fopen(stage->log, "rb");
    size_t n;

    assert_non_null(f);
    n = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[n] = 0;
    assert_int_equal(truncate(stage->log, 0), 0);
    return text;
}

static void is_one_line(const struct bad *bad, const char *text)
{
    const char *end = strchr(text, '\n');

    if (!end || end[1] || !strstr(text, "session.protocol") || !strstr(text, bad->why)) {
        print_error("%s: not one line with \"%s\": %s\n", bad->what, bad->why, text);
        fail();
    }
}

/* All that still comes, up to the end: an ERR packet with this code, or nothing. */
static void hears_code(struct peer *p, const struct bad *bad)
{
    uint8_t room[512];
    size_t n = 0;
    ssize_t got = 1;
    struct pollfd fd = {.fd = p->fd, .events = POLLIN};

    while (got > 0 && n < sizeof room) {
        assert_int_equal(poll(&fd, 1, PEER_STEP_MS), 1);
        got = recv(p->fd, room + n, sizeof room - n, 0);
        n += got > 0 ? (size_t)got : 0;
    }
    if (bad->code ? n < 7 || room[4] != 0xFF || (room[5] | room[6] << 8) != bad->code : n > 0) {
        print_error("%s: %zu bytes, code %d\n", bad->what, n, n > 6 ? room[5] | room[6] << 8 : 0);
        fail();
    }
}

static void is_told(struct stage *stage, const struct bad *bad)
{
    rig_counts(stage->rig, METRIC_BAD_CLIENTS, ++stage->faults);
    rig_counts(stage->rig, METRIC_SESSIONS, 1);
    is_one_line(bad, read_log(stage));
}

static void is_undisturbed(const struct stage *stage)
{
    client_asks(stage->bystander.till, "UPDATE t SET a=1");
    server_hears_query(stage->bystander.primary, "UPDATE t SET a=1");
    server_says(stage->bystander.primary, .affected = 3);
    assert_int_equal(client_hears_ok(stage->bystander.till).affected_rows, 3);
}

static void does(struct stage *stage, struct peer *p, const struct bad *bad)
{
    peer_send(p, bad->sent);
    if (bad->leaves)
        peer_hang_up(p);
    hears_code(p, bad);
    is_told(stage, bad);
    is_undisturbed(stage);
    peer_cut(p);
}

static void what_is_no_login_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct stage stage = set_stage(r);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(before_login); i++) {
        struct peer *p = client_connects(r, 0);

        client_hears_greeting(p);
        does(&stage, p, &before_login[i]);
    }
    strike(&stage);
}

static void what_is_no_command_ends_the_session(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct stage stage = set_stage(r);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(after_login); i++) {
        struct peer *p = client_connects(r, 0);

        client_hears_greeting(p);
        client_logs_in(p, .user = "counted"); /* its connections are not kept */
        (void)server_lets_in(&r->servers[PRIMARY], "counted", "secret");
        (void)client_hears_ok(p);
        does(&stage, p, &after_login[i]);
    }
    strike(&stage);
}

static void a_command_larger_than_it_can_be_ends_the_session(void **state)
{
    static const struct bad bad = {
        "a schema's name of a megabyte", {NULL, 0}, false, 1153, "bigger than"};
    struct rig *r = rig_start(.workers = 1, .buffer_kib = 8);
    struct scene s = rig_scene(r);
    struct buf packet = buf_with_max(1 << 21);
    size_t at = packet_begin(&packet);

    (void)state;
    buf_put_u8(&packet, COM_INIT_DB);
    buf_put_zeros(&packet, 1 << 20);
    packet_end(&packet, at, 0);
    (void)peer_pour(s.till, buf_span(&packet));
    buf_free(&packet);
    hears_code(s.till, &bad);
    rig_counts(r, METRIC_BAD_CLIENTS, 1);
    rig_counts(r, METRIC_SESSIONS, 0);
}

/* Random bytes, before and after the log-in, from a seed. */
static void garbage_harms_nobody(void **state)
{
    struct rig *r = rig_start(.workers = 1, .login_timeout_ms = 200, .read_timeout_ms = 200);
    struct stage stage = set_stage(r);
    uint32_t random = 1;
    uint8_t bytes[GARBAGE];

    (void)state;
    for (int round = 0; round < 40; round++) {
        struct peer *p = client_connects(r, 0);

        for (size_t i = 0; i < sizeof bytes; i++) {
            random = random * 1664525u + 1013904223u;
            bytes[i] = (uint8_t)(random >> 24);
        }
        client_hears_greeting(p);
        (void)peer_pour(p, (struct span){bytes, sizeof bytes});
        is_undisturbed(&stage);
        peer_cut(p);
    }
    rig_counts(r, METRIC_SESSIONS, 1);
    strike(&stage);
}

static void half_a_handshake_is_told(void **state)
{
    static const struct bad leaves = {
        "a client gone after asking for TLS", {NULL, 0}, true, 0, "middle of its log-in"};
    static const struct bad garbage = {"no hello", SENDS("GET / HTTP/1.1\r\n\r\n"), false, 0,
                                       "TLS"};
    struct rig *r = rig_start(.workers = 1);
    struct stage stage;
    struct peer *p;

    (void)state;
    secure_offer(r);
    stage = set_stage(r);
    p = client_connects(r, 0);
    client_hears_greeting(p);
    secure_asks(p);
    peer_cut(p);
    is_told(&stage, &leaves);
    p = client_connects(r, 0);
    client_hears_greeting(p);
    secure_asks(p);
    peer_send(p, garbage.sent);
    is_told(&stage, &garbage);
    is_undisturbed(&stage);
    strike(&stage);
}

/* Lines are limited, the counter is not; how many lines are missing is said. */
static void a_flood_of_them_does_not_fill_the_log(void **state)
{
    enum { FLOOD = 200 };
    static const struct timespec pause = {.tv_nsec = 10000000};
    struct rig *r = rig_start(.workers = 1);
    struct stage stage = set_stage(r);
    size_t lines = 0;

    (void)state;
    for (int i = 0; i < FLOOD; i++) {
        struct peer *p = client_connects(r, 0);

        client_hears_greeting(p);
        peer_send(p, BYTES("\xFF\xFF\xFF\x01"));
    }
    rig_counts(r, METRIC_BAD_CLIENTS, FLOOD);
    for (;;) {
        const char *text = read_log(&stage);
        bool told = strstr(text, "log.left_out event=session.protocol lines=") != NULL;

        for (const char *c = strchr(text, '\n'); c; c = strchr(c + 1, '\n'))
            lines++;
        if (told)
            break;
        (void)nanosleep(&pause, NULL);
    }
    assert_true(lines < FLOOD);
    strike(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(what_is_no_login_is_refused),
        RIG_TEST(what_is_no_command_ends_the_session),
        RIG_TEST(a_command_larger_than_it_can_be_ends_the_session),
        RIG_TEST(garbage_harms_nobody),
        RIG_TEST(half_a_handshake_is_told),
        RIG_TEST(a_flood_of_them_does_not_fill_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
