/* Servers that lie. A reply that cannot be one costs the server connection: the client hears an ERR
 * packet, or is closed where the reply had begun; its session, and all others, go on over a new
 * one. */
#include "component/rig.h"

enum { SELECT, PREPARE, PING_LIKE };

struct lie {
    const char *what;
    int asked;
    struct span said;
};

#define SAYS(literal)                                   \
    {                                                   \
        (const uint8_t *)(literal), sizeof(literal) - 1 \
    }

/* The reply had not begun. */
static const struct lie at_once[] = {
    {"an empty packet", SELECT, SAYS("\0\0\0\x01")},
    {"an OK cut short", SELECT, SAYS("\x02\0\0\x01\0\x01")},
    {"an OK whose length is beyond its end", SELECT,
     SAYS("\x07\0\0\x01\0\xFE\xFF\xFF\xFF\xFF\xFF")},
    {"an OK of a megabyte", SELECT, SAYS("\0\0\x10\x01\0")},
    {"an ERR cut short", SELECT, SAYS("\x01\0\0\x01\xFF")},
    {"an ERR of a megabyte", SELECT, SAYS("\0\0\x10\x01\xFF")},
    {"a count of columns that is none", SELECT, SAYS("\x01\0\0\x01\xFC")},
    {"a count of four thousand million columns", SELECT,
     SAYS("\x09\0\0\x01\xFE\xFF\xFF\xFF\xFF\0\0\0\0")},
    {"bytes behind the count", SELECT, SAYS("\x03\0\0\x01\x01\x01\x01")},
    {"a result set to PREPARE", PREPARE, SAYS("\x01\0\0\x01\x01")},
    {"an OK to PREPARE", PREPARE, SAYS("\x07\0\0\x01\0\0\0\x02\0\0\0")},
    {"a result set to COM_STATISTICS' likes", PING_LIKE, SAYS("\x01\0\0\x01\x01")},
};

/* Behind a column count that has gone to the client. */
static const struct lie later[] = {
    {"no definition", SELECT, SAYS("\x07\0\0\x02\xFE\0\0\x02\0\0\0")},
    {"an empty definition", SELECT, SAYS("\0\0\0\x02")},
    {"a definition out of sequence", SELECT,
     SAYS("\x04\0\0\x03\x03"
          "def")},
    {"an empty row", SELECT,
     SAYS("\x04\0\0\x02\x03"
          "def\0\0\0\x03")},
    {"a row out of sequence", SELECT,
     SAYS("\x04\0\0\x02\x03"
          "def\x02\0\0\x03\x01y\x02\0\0\x05\x01z")},
    {"an end out of sequence", SELECT,
     SAYS("\x04\0\0\x02\x03"
          "def\x07\0\0\x07\xFE\0\0\x02\0\0\0")},
    {"an end cut short", SELECT,
     SAYS("\x04\0\0\x02\x03"
          "def\x02\0\0\x03\xFE\0")},
};

static const struct {
    uint8_t command;
    const char *text;
} asked[] = {
    [SELECT] = {COM_QUERY, "SELECT name FROM Product FOR UPDATE"},
    [PREPARE] = {COM_STMT_PREPARE, "INSERT INTO t VALUES (?)"},
    [PING_LIKE] = {COM_INIT_DB, "shop"},
};

static void is_served(const struct scene *s)
{
    client_asks(s->till, "UPDATE t SET a=1");
    server_hears_query(s->primary, "UPDATE t SET a=1");
    server_says(s->primary, .affected = 5);
    assert_int_equal(client_hears_ok(s->till).affected_rows, 5);
}

static void is_told(struct peer *till, const struct lie *lie, const struct scene *s)
{
    client_sends(till, asked[lie->asked].command, span_of(asked[lie->asked].text));
    server_hears(s->primary, asked[lie->asked].command, asked[lie->asked].text);
    peer_send(s->primary, lie->said);
}

static void a_reply_that_is_none_costs_the_connection(void **state)
{
    struct rig *r = rig_start(.holding = true, .workers = 1);
    struct scene bystander = rig_scene(r);
    struct scene s = rig_scene(r);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(at_once); i++) {
        is_told(s.till, &at_once[i], &s);
        client_hears_error(s.till, 1158, "08S01", "Lost connection to server");
        peer_hears_end(s.primary);
        rig_counts(r, METRIC_BAD_REPLIES, (long long)i + 1);
        client_asks(s.till, "UPDATE t SET a=1");
        s.primary = server_serves(&r->servers[PRIMARY]);
        server_hears_query(s.primary, "UPDATE t SET a=1");
        server_says_ok(s.primary);
        (void)client_hears_ok(s.till);
        is_served(&bystander);
    }
}

static void a_reply_that_turns_into_none_ends_the_client(void **state)
{
    struct rig *r = rig_start(.holding = true, .workers = 1);
    struct scene bystander = rig_scene(r);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(later); i++) {
        struct scene s = rig_scene(r);

        client_asks(s.till, asked[SELECT].text);
        server_hears_query(s.primary, asked[SELECT].text);
        peer_send(s.primary, BYTES("\x01\0\0\x01\x01"));
        (void)peer_hears_bytes(s.till, 5);
        peer_send(s.primary, later[i].said);
        rig_counts(r, METRIC_BAD_REPLIES, (long long)i + 1);
        rig_counts(r, METRIC_SESSIONS, 1);
        peer_hears_end(s.primary);
        is_served(&bystander);
    }
}

/* A client that leaves ends it; nothing is kept of it meanwhile. */
static void a_result_that_never_ends_streams(void **state)
{
    enum { MIBS = 24 };
    struct rig *r = rig_start(.holding = true, .workers = 1);
    struct scene bystander = rig_scene(r);
    struct scene s = rig_scene(r);
    static uint8_t rows[1 << 20];
    uint8_t drain[65536];

    (void)state;
    for (size_t i = 0; i + 32 <= sizeof rows; i += 32) {
        rows[i] = 28;
        rows[i + 3] = (uint8_t)(3 + i / 32);
        rows[i + 4] = 27;
    }
    client_asks(s.till, asked[SELECT].text);
    server_hears_query(s.primary, asked[SELECT].text);
    server_says_columns(s.primary, 1);
    for (int i = 0; i < MIBS; i++) {
        struct span left = {rows, sizeof rows};

        while (left.n) {
            size_t sent =
                peer_pour(s.primary, (struct span){left.p, left.n < 65536 ? left.n : 65536});

            left = (struct span){left.p + sent, left.n - sent};
            (void)!recv(s.till->fd, drain, sizeof drain, MSG_DONTWAIT);
        }
    }
    assert_int_equal(atomic_load(&r->shared.metrics.value[METRIC_BAD_REPLIES]), 0);
    is_served(&bystander);
    peer_reset(s.till);
    rig_counts(r, METRIC_SESSIONS, 1);
    is_served(&bystander);
}

/* Instead of the log-in's OK. */
static void a_login_that_a_server_cannot_answer_fails(void **state)
{
    static const struct lie lies[] = {
        {"nothing", 0, SAYS("\0\0\0\x02")},
        {"a packet of 16 MiB", 0, SAYS("\xFF\xFF\xFF\x02\0")},
        {"a result set", 0, SAYS("\x01\0\0\x02\x05")},
        {"a switch without a plugin", 0, SAYS("\x01\0\0\x02\xFE")},
        {"a switch whose plugin has no end", 0, SAYS("\x05\0\0\x02\xFEmysq")},
        {"more data, of which there is none", 0, SAYS("\x01\0\0\x02\x01")},
        {"an ERR cut short", 0, SAYS("\x02\0\0\x02\xFF\x01")},
    };
    struct rig *r = rig_start(.workers = 1, .connect_timeout_ms = 100);
    struct scene bystander = rig_scene(r);

    (void)state;
    server_close(&r->servers[REPLICA]);
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        struct peer *till = client_connects(r, 0);
        struct peer *primary;

        client_hears_greeting(till);
        client_logs_in(till, .user = "other");
        primary = server_accepts(&r->servers[PRIMARY]);
        server_greets(primary);
        server_hears_login(primary, "other", "secret");
        peer_send(primary, lies[i].said);
        rig_counts(r, METRIC_SESSIONS, 1);
        peer_hears_end(primary);
        is_served(&bystander);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_reply_that_is_none_costs_the_connection),
        RIG_TEST(a_reply_that_turns_into_none_ends_the_client),
        RIG_TEST(a_result_that_never_ends_streams),
        RIG_TEST(a_login_that_a_server_cannot_answer_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
