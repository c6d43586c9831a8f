/* Clients and servers that do anything at any moment, from a seed: replies bent at random, cut,
 * sent in pieces; once more while memory runs out now and then. Nobody is promised anything but
 * this: the worker lives, and in the end nothing is left of them: no session, no statement counted
 * as under way, and a well-behaved till is served.
 */
#include "component/rig.h"
#include "protocol/packet.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TILLS = 6, CONNECTIONS = 24, STEPS = 2500, SEEDS = 8, SCARCE = 40 };

/* The linker puts these in the place of malloc and its kin in the product's code and the test's. */
void *__real_malloc(size_t n);              /* NOLINT(readability-identifier-naming) */
void *__real_calloc(size_t n, size_t size); /* NOLINT(readability-identifier-naming) */
void *__real_realloc(void *p, size_t n);    /* NOLINT(readability-identifier-naming) */
void *__wrap_malloc(size_t n);              /* NOLINT(readability-identifier-naming) */
void *__wrap_calloc(size_t n, size_t size); /* NOLINT(readability-identifier-naming) */
void *__wrap_realloc(void *p, size_t n);    /* NOLINT(readability-identifier-naming) */

static pthread_t stage;    /* the test's own thread has memory enough */
static atomic_uint scarce; /* of so many askings one is refused; 0: none */
static atomic_uint askings;
static atomic_uint refusals;

static bool refuses(void)
{
    unsigned every = atomic_load(&scarce);

    if (every == 0 || pthread_equal(pthread_self(), stage) ||
        atomic_fetch_add(&askings, 1) % every != every - 1)
        return false;
    atomic_fetch_add(&refusals, 1);
    return true;
}

/* NOLINTNEXTLINE(readability-identifier-naming) */
void *__wrap_malloc(size_t n)
{
    return refuses() ? NULL : __real_malloc(n);
}

/* NOLINTNEXTLINE(readability-identifier-naming) */
void *__wrap_calloc(size_t n, size_t size)
{
    return refuses() ? NULL : __real_calloc(n, size);
}

/* NOLINTNEXTLINE(readability-identifier-naming) */
void *__wrap_realloc(void *p, size_t n)
{
    return refuses() ? NULL : __real_realloc(p, n);
}

struct chaos {
    struct rig *rig;
    uint32_t random;
    struct peer *tills[TILLS];
    bool greeted[TILLS];
    struct peer *servers[CONNECTIONS];
    bool logged_in[CONNECTIONS];
};

/* Below n. */
static uint32_t dice(struct chaos *c, uint32_t n)
{
    c->random = c->random * 1664525u + 1013904223u;
    return (c->random >> 8) % n;
}

static bool readable(const struct peer *p)
{
    struct pollfd fd = {.fd = p->fd, .events = POLLIN};

    return poll(&fd, 1, 0) == 1;
}

/* What came, thrown away; false where the other side is gone. */
static bool drink(struct peer *p)
{
    uint8_t bytes[65536];

    return !readable(p) || recv(p->fd, bytes, sizeof bytes, 0) > 0;
}

static void spit(struct chaos *c, struct peer *p, struct span bytes)
{
    uint8_t copy[512];
    size_t n = bytes.n < sizeof copy ? bytes.n : sizeof copy;

    memcpy(copy, bytes.p, n);
    if (n && dice(c, 8) == 0)
        copy[dice(c, (uint32_t)n)] = (uint8_t)dice(c, 256);
    if (n && dice(c, 12) == 0)
        n = dice(c, (uint32_t)n);
    (void)!send(p->fd, copy, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static const struct span replies[] = {
    {(const uint8_t *)"\x07\0\0\x01\0\x01\0\x02\0\0\0", 11},
    {(const uint8_t *)"\x07\0\0\x01\0\x01\0\x03\0\0\0", 11},
    {(const uint8_t *)"\x0A\0\0\x01\0\0\0\x02\x40\0\0\0\x02\x02\x01", 14},
    {(const uint8_t *)"\x0F\0\0\x01\xFF\x7A\x04#42S02no table", 19},
    {(const uint8_t *)"\x01\0\0\x01\x01\x04\0\0\x02\x03"
                      "def\x02\0\0\x03\x01y\x07\0\0\x04\xFE\0\0\x02\0\0\0",
     30},
    {(const uint8_t *)"\x01\0\0\x01\x01\x04\0\0\x02\x03"
                      "def\x07\0\0\x03\xFE\0\0\x42\0\0\0",
     24},
    {(const uint8_t *)"\x0C\0\0\x01\0\x05\0\0\0\0\0\x01\0\0\0\0\x04\0\0\x02\x03"
                      "def",
     24},
    {(const uint8_t *)"\x0C\0\0\x01\0\x06\0\0\0\0\0\0\0\0\0\0", 16},
    {(const uint8_t *)"\x02\0\0\x01\xFBx", 6},
    {(const uint8_t *)"\xFF\xFF\xFF\x01", 4},
    {(const uint8_t *)"", 0},
};

static const struct {
    uint8_t byte;
    struct span argument;
} commands[] = {
    {COM_QUERY, {(const uint8_t *)"SELECT name FROM Product", 24}},
    {COM_QUERY, {(const uint8_t *)"INSERT INTO t VALUES (1)", 24}},
    {COM_QUERY, {(const uint8_t *)"BEGIN", 5}},
    {COM_QUERY, {(const uint8_t *)"SET @a=1", 8}},
    {COM_QUERY, {(const uint8_t *)"CALL p()", 8}},
    {COM_QUERY, {(const uint8_t *)"KILL 3", 6}},
    {COM_STMT_PREPARE, {(const uint8_t *)"SELECT name FROM Product WHERE id=?", 35}},
    {COM_STMT_EXECUTE, {(const uint8_t *)"\x01\0\0\0\0\x01\0\0\0\0\x01\x03\0\x05\0\0\0", 17}},
    {COM_STMT_EXECUTE, {(const uint8_t *)"\xFF\xFF\xFF\xFF\x01\x01\0\0\0\0\0\x05\0\0\0", 15}},
    {COM_STMT_SEND_LONG_DATA, {(const uint8_t *)"\x01\0\0\0\0\0long", 10}},
    {COM_STMT_FETCH, {(const uint8_t *)"\x01\0\0\0\x05\0\0\0", 8}},
    {COM_STMT_RESET, {(const uint8_t *)"\x01\0\0\0", 4}},
    {COM_STMT_CLOSE, {(const uint8_t *)"\x01\0\0\0", 4}},
    {COM_RESET_CONNECTION, {(const uint8_t *)"", 0}},
    {COM_CHANGE_USER, {(const uint8_t *)"guest\0\0\0\x2D\0mysql_native_password\0", 32}},
    {COM_INIT_DB, {(const uint8_t *)"shop", 4}},
    {COM_STATISTICS, {(const uint8_t *)"", 0}},
    {COM_FIELD_LIST, {(const uint8_t *)"t\0%", 3}},
    {COM_PING, {(const uint8_t *)"", 0}},
    {COM_QUIT, {(const uint8_t *)"", 0}},
    {0x00, {(const uint8_t *)"", 0}},
};

static void till_commands(struct chaos *c, struct peer *till)
{
    struct buf b = buf_with_max(4096);

    for (uint32_t n = 1 + dice(c, 3); n > 0; n--) {
        uint32_t which = dice(c, ARRAY_LEN(commands));
        size_t at = packet_begin(&b);

        buf_put_u8(&b, commands[which].byte);
        buf_put_span(&b, commands[which].argument);
        packet_end(&b, at, 0);
    }
    spit(c, till, buf_span(&b));
    buf_free(&b);
}

/* Whether a greeting came, and not the end, nor an error for want of memory. */
static bool is_greeted(const struct peer *p)
{
    uint8_t head[PACKET_HEADER + 1];

    return recv(p->fd, head, sizeof head, MSG_PEEK) == sizeof head && head[PACKET_HEADER] != 0xFF;
}

/* A till goes one step of its life; what it is answered does not matter to it. */
static void till_steps(struct chaos *c, int i)
{
    struct peer *till = c->tills[i];

    if (!till) {
        c->tills[i] = client_connects(c->rig, (int)dice(c, 2));
        c->greeted[i] = false;
    } else if (!c->greeted[i]) {
        if (!readable(till))
            return;
        if (!is_greeted(till)) {
            peer_cut(till);
            c->tills[i] = NULL;
            return;
        }
        client_hears_greeting(till);
        if (dice(c, 4) == 0)
            client_logs_in(till, .without = CAP_DEPRECATE_EOF, .schema = "shop");
        else
            client_logs_in(till, .user = "till");
        c->greeted[i] = true;
    } else if (!drink(till) || dice(c, 60) == 0) {
        if (dice(c, 2))
            peer_cut(till);
        else
            peer_reset(till);
        c->tills[i] = NULL;
    } else if (dice(c, 2)) {
        till_commands(c, till);
    }
}

static void server_accepts_somebody(struct chaos *c, int i)
{
    struct server *s = &c->rig->servers[dice(c, RIG_SERVERS)];
    struct pollfd fd = {.fd = s->fd, .events = POLLIN};

    if (poll(&fd, 1, 0) != 1)
        return;
    c->servers[i] = server_accepts(s);
    c->logged_in[i] = false;
    if (dice(c, 20) == 0)
        spit(c, c->servers[i], replies[dice(c, ARRAY_LEN(replies))]);
    else
        server_greets(c->servers[i]);
}

static void server_steps(struct chaos *c, int i)
{
    struct peer *p = c->servers[i];

    if (!p) {
        server_accepts_somebody(c, i);
        return;
    }
    if (!readable(p) && dice(c, 50))
        return;
    if (!drink(p) || dice(c, 40) == 0) {
        peer_cut(p);
        c->servers[i] = NULL;
        return;
    }
    if (!c->logged_in[i]) { /* the log-in, and the set-up behind it */
        spit(c, p, BYTES("\x07\0\0\x02\0\0\0\x02\0\0\0"));
        c->logged_in[i] = true;
        return;
    }
    for (uint32_t n = dice(c, 3); n > 0; n--)
        spit(c, p, replies[dice(c, ARRAY_LEN(replies))]);
    spit(c, p, replies[0]);
}

static void monitor_steps(struct chaos *c)
{
    struct topology *t = c->rig->view;

    t->servers[dice(c, RIG_SERVERS)].health = dice(c, 3) ? HEALTH_UP : HEALTH_DOWN;
    t->primary = dice(c, 4) ? PRIMARY : (int)dice(c, 3) - 1;
    rig_publish(c->rig);
}

static void leave_nothing(struct chaos *c)
{
    struct rig *r = c->rig;

    for (int i = 0; i < TILLS; i++)
        if (c->tills[i])
            peer_cut(c->tills[i]);
    for (int i = 0; i < CONNECTIONS; i++)
        if (c->servers[i])
            peer_cut(c->servers[i]);
    for (int i = 0; i < RIG_SERVERS; i++)
        server_close(&r->servers[i]);
    rig_counts(r, METRIC_SESSIONS, 0);
    for (int i = 0; i < RIG_SERVERS; i++)
        assert_int_equal(atomic_load(&r->shared.loads[i].busy), 0);
    for (int i = 0; i < RIG_WORKERS; i++)
        assert_int_equal(atomic_load(&r->workers[i].session_count), 0);
}

/* On servers of its own: connections to the old ones may be in the pools yet. */
static void serve_as_ever(struct chaos *c)
{
    struct rig *r = c->rig;
    struct scene s;

    server_open(&r->servers[PRIMARY], "afterwards");
    r->view->servers[PRIMARY].port = r->servers[PRIMARY].port;
    for (int i = 0; i < RIG_SERVERS; i++)
        r->view->servers[i].health = HEALTH_DOWN; /* empties the pools */
    rig_publish(r);
    r->view->servers[PRIMARY].health = HEALTH_UP;
    r->view->primary = PRIMARY;
    rig_publish(r);
    s = rig_scene(r);
    client_asks(s.till, "SELECT name FROM Product");
    server_hears_query(s.primary, "SELECT name FROM Product");
    server_says_rows(s.primary, "tea");
    (void)client_hears_rows(s.till, "tea");
}

static void play(uint32_t seed, unsigned of_askings)
{
    struct chaos c = {.random = seed,
                      .rig = rig_start(.workers = 2, .connect_timeout_ms = 50,
                                       .login_timeout_ms = 100, .buffer_kib = 8)};

    c.rig->view->count = RIG_SERVERS;
    rig_publish(c.rig);
    atomic_store(&scarce, of_askings);
    for (int step = 0; step < STEPS; step++) {
        uint32_t turn = dice(&c, 100);

        if (turn < 40)
            till_steps(&c, (int)dice(&c, TILLS));
        else if (turn < 98)
            server_steps(&c, (int)dice(&c, CONNECTIONS));
        else if (dice(&c, 5) == 0)
            monitor_steps(&c);
        if (step % 8 == 0)
            rig_barrier(c.rig);
    }
    atomic_store(&scarce, 0);
    leave_nothing(&c);
    serve_as_ever(&c);
}

static void whatever_peers_do_the_worker_goes_on(void **state)
{
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        play(seed, 0);
        (void)rig_stop(state);
    }
}

/* From one refusal in four hundred askings to one in eleven. */
static void without_memory_the_worker_goes_on(void **state)
{
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        play(seed, SCARCE * SCARCE / (4 * seed * seed) + 5);
        (void)rig_stop(state);
    }
    assert_true(atomic_load(&refusals) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(whatever_peers_do_the_worker_goes_on),
        RIG_TEST(without_memory_the_worker_goes_on),
    };

    stage = pthread_self();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
