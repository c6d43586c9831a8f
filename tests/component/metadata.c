/* Column definitions that a server leaves out, for a till that takes those it was sent last. */
#include "component/rig.h"

static const char read_sql[] = "SELECT name FROM Product";

/* A definition is whatever stands where one must stand. */
static const char old_definition[] = "old";
static const char new_definition[] = "new";

static struct scene caching_scene(struct rig *r)
{
    struct scene s;

    for (int i = PRIMARY; i <= REPLICA; i++)
        r->view->servers[i].capabilities = CAP_MARIADB_CACHE_META;
    rig_publish(r);
    s.till = client_greeted(r);
    client_logs_in(s.till, .with = CAP_MARIADB_CACHE_META, .without = CAP_CLIENT_MYSQL);
    s.primary = server_serves(&r->servers[PRIMARY]);
    assert_true(s.primary->caps & CAP_MARIADB_CACHE_META);
    (void)client_hears_ok(s.till);
    return s;
}

static void says_prepared(struct peer *server, uint8_t id, const char *definition)
{
    const uint8_t head[12] = {0, id, 0, 0, 0, 1};

    peer_send_packet(server, (struct span){head, sizeof head});
    peer_send_packet(server, span_of(definition));
}

/* The head of a result: with this definition, or NULL: left out. */
static void says_head(struct peer *server, const char *definition)
{
    peer_send_packet(server, definition ? BYTES("\1\1") : BYTES("\1\0"));
    if (definition)
        peer_send_packet(server, span_of(definition));
}

static void hears_packet(struct peer *till, struct span expected)
{
    struct span heard = peer_hears_packet(till);

    assert_int_equal(heard.n, expected.n);
    assert_memory_equal(heard.p, expected.p, expected.n);
}

static void hears_head(struct peer *till, const char *definition)
{
    hears_packet(till, definition ? BYTES("\1\1") : BYTES("\1\0"));
    if (definition)
        hears_packet(till, span_of(definition));
}

static void says_row(struct peer *server)
{
    server_says_row(server, "tea");
    server_says_end(server, &(struct says){0});
}

static void hears_row(struct peer *till)
{
    client_hears_row(till, "tea");
    (void)client_hears_end(till);
}

static uint32_t hears_prepared(struct peer *till, const char *definition)
{
    struct span head = peer_hears_packet(till);
    uint32_t id = head.p[1];

    assert_int_equal(head.n, 12);
    hears_packet(till, span_of(definition));
    return id;
}

/* The server executes its statement, and the till hears its reply as it is. */
static void passes(struct peer *server, uint32_t id, struct peer *till, const char *definition)
{
    server_hears_execute(server, id);
    says_head(server, definition);
    says_row(server);
    hears_head(till, definition);
    hears_row(till);
}

/* The primary prepares the statement, executes it and leaves its definition out, which the till
 * hears all the same. */
static void comes_from_the_primary(const struct scene *s)
{
    server_hears(s->primary, COM_STMT_PREPARE, read_sql);
    says_prepared(s->primary, 88, new_definition);
    server_hears_execute(s->primary, 88);
    says_head(s->primary, NULL);
    says_row(s->primary);
    hears_head(s->till, new_definition);
    hears_row(s->till);
}

/* The till prepares on the replica, of which it hears the old definition. */
static uint32_t prepares(struct rig *r, struct peer *till, struct peer **replica)
{
    client_sends(till, COM_STMT_PREPARE, span_of(read_sql));
    *replica = server_serves(&r->servers[REPLICA]);
    server_hears(*replica, COM_STMT_PREPARE, read_sql);
    says_prepared(*replica, 5, old_definition);
    return hears_prepared(till, old_definition);
}

/* Executed where it was prepared, the reply passes as it is: left out, changed, left out. */
static void what_is_left_out_stays_out(void **state)
{
    static const char *const heads[] = {NULL, new_definition, NULL};
    struct rig *r = rig_start(.workers = 1);
    struct scene s = caching_scene(r);
    struct peer *replica;
    uint32_t id = prepares(r, s.till, &replica);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        client_executes(s.till, id);
        passes(replica, 5, s.till, heads[i]);
    }
}

/* A statement that is prepared again on the primary: that tells the proxy, not the till. */
static void another_connection_knows_another_definition(void **state)
{
    struct rig *r = rig_start(.no_waiting = true);
    struct scene s = caching_scene(r);
    struct peer *replica;
    uint32_t id = prepares(r, s.till, &replica);

    (void)state;
    RUNS(s.till, s.primary, "UPDATE t SET a=1", .gtid = "0-1-5");
    client_executes(s.till, id);
    comes_from_the_primary(&s);
    client_executes(s.till, id);
    passes(s.primary, 88, s.till, NULL);
}

/* The till is sent nothing of a reply that turns out to be none, so it does not know what stood in
 * it when the read comes again from the primary. */
static void what_was_never_sent_on_is_not_known(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = caching_scene(r);
    struct peer *replica;
    uint32_t id = prepares(r, s.till, &replica);

    (void)state;
    client_executes(s.till, id);
    server_hears_execute(replica, 5);
    peer_send(replica, BYTES("\2\0\0\1\1\1"
                             "\3\0\0\2new"
                             "\1\0\0\7x"));
    comes_from_the_primary(&s);
}

/* No guess is made of definitions that nobody sent: the connection ends, the read comes again. */
static void a_server_that_leaves_out_what_it_never_sent(void **state)
{
    const uint8_t none[12] = {0, 5};
    struct rig *r = rig_start(.workers = 1);
    struct scene s = caching_scene(r);
    struct peer *replica;
    uint32_t id;

    (void)state;
    client_sends(s.till, COM_STMT_PREPARE, span_of(read_sql));
    replica = server_serves(&r->servers[REPLICA]);
    server_hears(replica, COM_STMT_PREPARE, read_sql);
    peer_send_packet(replica, (struct span){none, sizeof none});
    id = peer_hears_packet(s.till).p[1];
    client_executes(s.till, id);
    server_hears_execute(replica, 5);
    says_head(replica, NULL);
    peer_hears_end(replica);
    comes_from_the_primary(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(what_is_left_out_stays_out),
        RIG_TEST(another_connection_knows_another_definition),
        RIG_TEST(what_was_never_sent_on_is_not_known),
        RIG_TEST(a_server_that_leaves_out_what_it_never_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
