/* Servers that die, refuse, lie or talk out of turn: who is told, and what is done again. */
#include "component/rig.h"
#include "protocol/auth/auth.h"

static const char read_sql[] = "SELECT name FROM Product";
static const char write_sql[] = "INSERT INTO t VALUES (1)";

static struct peer *asks_replica(struct rig *r, const struct scene *s)
{
    struct peer *replica;

    client_asks(s->till, read_sql);
    replica = server_serves(&r->servers[REPLICA]);
    server_hears_query(replica, read_sql);
    return replica;
}

static void answers(struct peer *server, const char *sql, struct peer *till)
{
    server_hears_query(server, sql);
    server_says_rows(server, "tea");
    (void)client_hears_rows(till, "tea");
}

static void writes(const struct scene *s)
{
    client_asks(s->till, write_sql);
    server_hears_query(s->primary, write_sql);
    server_says(s->primary, .affected = 1);
    (void)client_hears_ok(s->till);
}

static void a_replica_cut_before_its_reply_is_replaced(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    replica = asks_replica(r, &s);
    peer_cut(replica);
    answers(s.primary, read_sql, s.till);
    assert_int_equal(atomic_load(&r->suspicions[REPLICA]), 1);
    rig_counts(r, METRIC_RETRIED, 1);
}

static void a_reset_replica_is_replaced_by_another(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    replica = asks_replica(r, &s);
    r->view->count = 3;
    rig_publish(r);
    peer_reset(replica);
    answers(server_serves(&r->servers[SECOND]), read_sql, s.till);
}

static void all_replicas_may_die_under_one_read(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    replica = asks_replica(r, &s);
    r->view->count = 3;
    rig_publish(r);
    peer_cut(replica);
    replica = server_serves(&r->servers[SECOND]);
    server_hears_query(replica, read_sql);
    peer_cut(replica);
    answers(s.primary, read_sql, s.till);
}

static void the_primary_may_die_as_well(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    replica = asks_replica(r, &s);
    peer_cut(replica);
    server_hears_query(s.primary, read_sql);
    peer_cut(s.primary);
    client_hears_error(s.till, 1158, "08S01", "Lost connection");
}

static void half_a_header_is_no_reply_yet(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    replica = asks_replica(r, &s);
    peer_send(replica, BYTES("\x01\x00"));
    peer_cut(replica);
    answers(s.primary, read_sql, s.till);
}

static void a_reply_cut_in_the_middle_ends_the_client(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    replica = asks_replica(r, &s);
    server_says_columns(replica, 1);
    server_says_row(replica, "tea");
    client_hears_columns(s.till, 1);
    client_hears_row(s.till, "tea");
    peer_cut(replica);
    peer_hears_end(s.till);
    rig_counts(r, METRIC_SESSIONS, 0);
}

/* An EOF packet was put in for an old client: it is not to be sent a second time. */
static void a_cut_reply_ends_an_old_client_without_more_bytes(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_old_scene(r);
    char big[5000];

    (void)state;
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = 0;
    client_asks(s.till, "SHOW TABLES");
    server_hears_query(s.primary, "SHOW TABLES");
    server_says_columns(s.primary, 1);
    server_says_row(s.primary, big);
    client_hears_columns(s.till, 1);
    client_hears_row(s.till, big);
    peer_cut(s.primary);
    peer_hears_end(s.till);
}

static void an_error_of_a_replica_is_asked_again_on_the_primary(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    replica = asks_replica(r, &s);
    server_says_error(replica, 1146, "42S02", "Table 'shop.Product' doesn't exist");
    answers(s.primary, read_sql, s.till);
    peer_hears_nothing(replica, 0);
}

static void the_primarys_error_is_the_last_word(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    replica = asks_replica(r, &s);
    server_says_error(replica, 1146, "42S02", "not here");
    server_hears_query(s.primary, read_sql);
    server_says_error(s.primary, 1146, "42S02", "nor here");
    client_hears_error(s.till, 1146, "42S02", "nor here");
    writes(&s);
}

static void a_killed_read_is_not_asked_again(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    replica = asks_replica(r, &s);
    server_says_error(replica, 1317, "70100", "Query execution was interrupted");
    client_hears_error(s.till, 1317, "70100", "interrupted");
    peer_hears_nothing(s.primary, 0);
}

static void an_error_behind_rows_goes_to_the_client(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    replica = asks_replica(r, &s);
    server_says_columns(replica, 1);
    server_says_row(replica, "tea");
    client_hears_columns(s.till, 1);
    client_hears_row(s.till, "tea");
    server_says_error(replica, 1969, "70100", "max_statement_time exceeded");
    client_hears_error(s.till, 1969, "70100", "max_statement_time");
    writes(&s);
}

static void a_replica_that_refuses_connections_is_replaced(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    server_close(&r->servers[REPLICA]);
    client_asks(s.till, read_sql);
    answers(s.primary, read_sql, s.till);
}

static void a_replica_that_never_greets_is_replaced(void **state)
{
    struct rig *r = rig_start(.connect_timeout_ms = 100);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, read_sql);
    answers(s.primary, read_sql, s.till);
    assert_int_equal(atomic_load(&r->suspicions[REPLICA]), 1);
}

static void a_replica_that_refuses_the_login_is_replaced(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    client_asks(s.till, read_sql);
    replica = server_accepts(&r->servers[REPLICA]);
    server_greets(replica);
    server_hears_login(replica, "till", "secret");
    server_says_error(replica, 1045, "28000", "Access denied");
    answers(s.primary, read_sql, s.till);
}

/* What a server may say instead of a greeting. */
static void a_greeting_that_is_none_is_survived(void **state)
{
    static const struct span bad[] = {
        {(const uint8_t *)"\x10\x00\x00\x00\xFF\x10\x04Too many conne", 20},
        {(const uint8_t *)"\x00\x00\x00\x00", 4},
        {(const uint8_t *)"\x01\x00\x00\x00\x09", 5},
        {(const uint8_t *)"\xFF\xFF\xFF\x00", 4},
        {(const uint8_t *)"HTTP/1.1 400 Bad Request\r\n\r\n", 28},
    };
    struct rig *r = rig_start(.connect_timeout_ms = 100);
    struct scene s = rig_scene(r);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct peer *replica;

        client_asks(s.till, read_sql);
        replica = server_accepts(&r->servers[REPLICA]);
        peer_send(replica, bad[i]);
        answers(s.primary, read_sql, s.till);
        peer_hears_end(replica);
        rig_publish(r);
    }
}

static void a_server_may_switch_the_plugin(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_connects(r, 0);
    struct peer *primary;
    uint8_t stage1[AUTH_HASH];
    uint8_t expected[AUTH_HASH];
    struct span reply;

    (void)state;
    client_hears_greeting(till);
    client_logs_in(till, .user = "till");
    primary = server_accepts(&r->servers[PRIMARY]);
    server_greets(primary);
    server_hears_login(primary, "till", "secret");
    peer_send_packet(primary, BYTES("\xFEmysql_native_password\0abcdefghijklmnopqrst\0"));
    auth_stage1(span_of("secret"), stage1);
    auth_native_reply((const uint8_t *)"abcdefghijklmnopqrst", stage1, expected);
    reply = peer_hears_packet(primary);
    assert_int_equal(reply.n, sizeof expected);
    assert_memory_equal(reply.p, expected, sizeof expected);
    server_says_ok(primary);
    server_hears_setup(primary);
    (void)client_hears_ok(till);
}

static void a_plugin_that_is_not_spoken_is_said(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_connects(r, 0);
    struct peer *primary;

    (void)state;
    client_hears_greeting(till);
    client_logs_in(till, .user = "till");
    primary = server_accepts(&r->servers[PRIMARY]);
    server_greets(primary);
    server_hears_login(primary, "till", "secret");
    peer_send_packet(primary, BYTES("\xFE"
                                    "auth_gssapi_client\0abcdefghijklmnopqrstuvwxyz012345"));
    client_hears_error(till, 1251, "08004", "mysql_native_password");
    peer_hears_end(till);
}

static void the_servers_refusal_of_a_login_is_relayed(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_connects(r, 0);
    struct peer *primary;

    (void)state;
    client_hears_greeting(till);
    client_logs_in(till, .user = "till");
    primary = server_accepts(&r->servers[PRIMARY]);
    server_greets(primary);
    server_hears_login(primary, "till", "secret");
    server_says_error(primary, 1226, "42000", "has exceeded the 'max_user_connections' resource");
    client_hears_error(till, 1226, "42000", "max_user_connections");
    peer_hears_end(till);
}

/* Five bytes that are no text cannot be said on. */
static void an_error_with_nuls_for_a_state_is_relayed(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_connects(r, 0);
    struct peer *primary;

    (void)state;
    client_hears_greeting(till);
    client_logs_in(till, .user = "till");
    primary = server_accepts(&r->servers[PRIMARY]);
    server_greets(primary);
    server_hears_login(primary, "till", "secret");
    peer_send_packet(primary, BYTES("\xFF\xCA\x04#42\0\0\0 max_user_connections"));
    client_hears_error(till, 1226, "HY000", "max_user_connections");
}

static void without_the_primary_a_login_goes_to_a_replica(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_connects(r, 0);

    (void)state;
    server_close(&r->servers[PRIMARY]);
    client_hears_greeting(till);
    client_logs_in(till, .user = "till");
    (void)server_serves(&r->servers[REPLICA]);
    (void)client_hears_ok(till);
    client_asks(till, write_sql);
    client_hears_error(till, 1158, "08S01", "Lost connection");
}

static void without_any_server_a_login_fails(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_connects(r, 0);

    (void)state;
    server_close(&r->servers[PRIMARY]);
    server_close(&r->servers[REPLICA]);
    client_hears_greeting(till);
    client_logs_in(till, .user = "till");
    client_hears_error(till, 1158, "08S01", "no server is available");
    peer_hears_end(till);
}

static void without_a_primary_a_write_fails_and_reads_go_on(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    r->view->primary = -1;
    r->view->servers[PRIMARY].health = HEALTH_DOWN;
    rig_publish(r);
    client_asks(s.till, write_sql);
    client_hears_error(s.till, 1158, "08S01", "no primary server is available");
    client_asks(s.till, read_sql);
    answers(server_serves(&r->servers[REPLICA]), read_sql, s.till);
}

static void a_primary_cut_in_a_write_is_told(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, write_sql);
    server_hears_query(s.primary, write_sql);
    peer_cut(s.primary);
    client_hears_error(s.till, 1158, "08S01", "Lost connection to server during query (primary");
    client_asks(s.till, write_sql);
    s.primary = server_serves(&r->servers[PRIMARY]);
    server_hears_query(s.primary, write_sql);
    server_says(s.primary, .affected = 1);
    (void)client_hears_ok(s.till);
}

/* Nothing was lost, and nothing was sent: nobody is told. */
static void an_idle_connection_may_die_unseen(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    peer_cut(s.primary);
    client_asks(s.till, write_sql);
    s.primary = server_serves(&r->servers[PRIMARY]);
    server_hears_query(s.primary, write_sql);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
}

static void begins(const struct scene *s)
{
    client_asks(s->till, "BEGIN");
    server_hears_query(s->primary, "BEGIN");
    server_says(s->primary, .status = STATUS_IN_TRANS, .transaction = "T_______");
    assert_true(client_hears_ok(s->till).status & STATUS_IN_TRANS);
}

static void a_lost_transaction_is_told_once(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    begins(&s);
    peer_cut(s.primary);
    rig_counts(r, METRIC_BACKEND_CONNECTS, 1);
    client_asks(s.till, write_sql);
    client_hears_error(s.till, 1158, "08S01", "");
    client_asks(s.till, write_sql);
    s.primary = server_serves(&r->servers[PRIMARY]);
    server_hears_query(s.primary, write_sql);
    server_says_ok(s.primary);
    assert_false(client_hears_ok(s.till).status & STATUS_IN_TRANS);
}

/* A read in the transaction must not be answered as if there were none. */
static void a_transaction_lost_under_a_read_is_told(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    begins(&s);
    rig_publish(r);
    client_asks(s.till, read_sql);
    server_hears_query(s.primary, read_sql);
    peer_cut(s.primary);
    client_hears_error(s.till, 1158, "08S01", "Lost connection");
    server_is_left_alone(&r->servers[REPLICA], 20);
    client_asks(s.till, read_sql);
    answers(server_serves(&r->servers[REPLICA]), read_sql, s.till);
}

static void garbage_while_idle_costs_the_connection(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    peer_send(s.primary, BYTES("\x03\x00\x00\x09"
                               "abc"));
    peer_hears_end(s.primary);
    client_asks(s.till, write_sql);
    s.primary = server_serves(&r->servers[PRIMARY]);
    server_hears_query(s.primary, write_sql);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
}

/* A second OK in the same breath is not the reply to the next statement. */
static void a_reply_too_many_costs_the_connection(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, write_sql);
    server_hears_query(s.primary, write_sql);
    peer_send(s.primary, BYTES("\x07\x00\x00\x01\x00\x01\x00\x02\x00\x00\x00"
                               "\x07\x00\x00\x01\x00\x09\x00\x02\x00\x00\x00"));
    assert_int_equal(client_hears_ok(s.till).affected_rows, 1);
    client_asks(s.till, write_sql);
    s.primary = server_serves(&r->servers[PRIMARY]);
    server_hears_query(s.primary, write_sql);
    server_says(s.primary, .affected = 2);
    assert_int_equal(client_hears_ok(s.till).affected_rows, 2);
}

static void a_malformed_reply_is_a_lost_connection(void **state)
{
    static const struct span bad[] = {
        {(const uint8_t *)"\x00\x00\x00\x01", 4},         /* an empty packet */
        {(const uint8_t *)"\x02\x00\x00\x01\x00\x01", 6}, /* an OK cut short */
        {(const uint8_t *)"\x01\x00\x00\x01\xFF", 5},     /* an ERR cut short */
        {(const uint8_t *)"\xFF\xFF\x0F\x01\x00", 5},     /* an OK of a megabyte */
        {(const uint8_t *)"\x09\x00\x00\x01\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 13},
    };
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        client_asks(s.till, write_sql);
        if (i > 0)
            s.primary = server_serves(&r->servers[PRIMARY]);
        server_hears_query(s.primary, write_sql);
        peer_send(s.primary, bad[i]);
        client_hears_error(s.till, 1158, "08S01", "Lost connection");
        peer_hears_end(s.primary);
    }
}

/* A session of a frozen replica is freed by what the monitor finds out. */
static void a_frozen_replica_is_left_when_the_monitor_says_so(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    replica = asks_replica(r, &s);
    r->view->servers[REPLICA].health = HEALTH_TIMEOUT;
    rig_publish(r);
    answers(s.primary, read_sql, s.till);
    peer_hears_end(replica);
}

static void a_server_that_says_goodbye_is_heard(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, write_sql);
    server_hears_query(s.primary, write_sql);
    server_says_error(s.primary, 1053, "08S01", "Server shutdown in progress");
    peer_cut(s.primary);
    client_hears_error(s.till, 1053, "08S01", "Server shutdown in progress");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_replica_cut_before_its_reply_is_replaced),
        RIG_TEST(a_reset_replica_is_replaced_by_another),
        RIG_TEST(all_replicas_may_die_under_one_read),
        RIG_TEST(the_primary_may_die_as_well),
        RIG_TEST(half_a_header_is_no_reply_yet),
        RIG_TEST(a_reply_cut_in_the_middle_ends_the_client),
        RIG_TEST(a_cut_reply_ends_an_old_client_without_more_bytes),
        RIG_TEST(an_error_of_a_replica_is_asked_again_on_the_primary),
        RIG_TEST(the_primarys_error_is_the_last_word),
        RIG_TEST(a_killed_read_is_not_asked_again),
        RIG_TEST(an_error_behind_rows_goes_to_the_client),
        RIG_TEST(a_replica_that_refuses_connections_is_replaced),
        RIG_TEST(a_replica_that_never_greets_is_replaced),
        RIG_TEST(a_replica_that_refuses_the_login_is_replaced),
        RIG_TEST(a_greeting_that_is_none_is_survived),
        RIG_TEST(a_server_may_switch_the_plugin),
        RIG_TEST(a_plugin_that_is_not_spoken_is_said),
        RIG_TEST(the_servers_refusal_of_a_login_is_relayed),
        RIG_TEST(an_error_with_nuls_for_a_state_is_relayed),
        RIG_TEST(without_the_primary_a_login_goes_to_a_replica),
        RIG_TEST(without_any_server_a_login_fails),
        RIG_TEST(without_a_primary_a_write_fails_and_reads_go_on),
        RIG_TEST(a_primary_cut_in_a_write_is_told),
        RIG_TEST(an_idle_connection_may_die_unseen),
        RIG_TEST(a_lost_transaction_is_told_once),
        RIG_TEST(a_transaction_lost_under_a_read_is_told),
        RIG_TEST(garbage_while_idle_costs_the_connection),
        RIG_TEST(a_reply_too_many_costs_the_connection),
        RIG_TEST(a_malformed_reply_is_a_lost_connection),
        RIG_TEST(a_frozen_replica_is_left_when_the_monitor_says_so),
        RIG_TEST(a_server_that_says_goodbye_is_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
