/* Session state: learnt from the servers, laid on elsewhere, pinned where it cannot be, forgotten
 * when the connection serves another session. */
#include "component/rig.h"
#include "protocol/auth/auth.h"
#include "proxy/session/session_steps.h"

static const char read_sql[] = "SELECT name FROM Product";

static struct peer *login_on(struct rig *r, const struct login_as *as)
{
    struct peer *till = client_greeted(r);

    client_sends_login(till, as);
    return till;
}

static void answers(struct peer *server, const char *sql, struct peer *till)
{
    server_hears_query(server, sql);
    server->seq = 0;
    server_says_rows(server, "tea");
    (void)client_hears_rows(till, "tea");
}

/* The proxy's own statement, answered at once. */
static void is_laid_on(struct peer *server, uint8_t command, const char *text)
{
    server_hears(server, command, text);
    server_says_ok(server);
}

static void reads_on_primary(const struct scene *s)
{
    client_asks(s->till, read_sql);
    answers(s->primary, read_sql, s->till);
}

static void a_variable_follows_to_the_replica(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    RUNS(s.till, s.primary, "SET sql_mode='ANSI_QUOTES', autocommit=1",
         .variable = {"sql_mode", "ANSI_QUOTES", "autocommit", "ON"});
    rig_publish(r);
    client_asks(s.till, read_sql);
    replica = server_serves(&r->servers[REPLICA]);
    is_laid_on(replica, COM_QUERY, "SET sql_mode='ANSI_QUOTES',autocommit='ON'");
    answers(replica, read_sql, s.till);
    client_asks(s.till, read_sql); /* and once is enough */
    answers(replica, read_sql, s.till);
}

static void a_variable_follows_in_the_same_write(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    client_asks(s.till, read_sql);
    replica = server_serves(&r->servers[REPLICA]);
    answers(replica, read_sql, s.till);
    rig_publish(r);
    RUNS(s.till, s.primary, "SET sql_select_limit=5", .variable = {"sql_select_limit", "5"});
    rig_publish(r);
    client_asks(s.till, read_sql);
    server_hears_query(replica, "SET sql_select_limit=5");
    server_hears_query(replica, read_sql); /* though the SET was not answered */
    replica->seq = 0;
    server_says_ok(replica);
    replica->seq = 0;
    server_says_rows(replica, "tea");
    (void)client_hears_rows(s.till, "tea");
}

static void a_replica_that_refuses_the_state_is_not_read(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    RUNS(s.till, s.primary, "SET new_variable=1", .variable = {"new_variable", "1"});
    rig_publish(r);
    client_asks(s.till, read_sql);
    replica = server_serves(&r->servers[REPLICA]);
    server_hears_query(replica, "SET new_variable=1");
    server_says_error(replica, 1193, "HY000", "Unknown system variable 'new_variable'");
    answers(s.primary, read_sql, s.till);
}

static void the_schema_follows(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    RUNS(s.till, s.primary, "USE shop", .schema = "shop");
    rig_publish(r);
    client_asks(s.till, read_sql);
    replica = server_serves(&r->servers[REPLICA]);
    is_laid_on(replica, COM_INIT_DB, "shop");
    answers(replica, read_sql, s.till);
}

static void the_clients_character_set_is_laid_on(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = login_on(r, &(struct login_as){.collation = 8});
    struct peer *primary = server_serves(&r->servers[PRIMARY]);

    (void)state;
    is_laid_on(primary, COM_QUERY, "SET NAMES 'latin1' COLLATE 'latin1_swedish_ci'");
    (void)client_hears_ok(till);
}

static void an_unknown_collation_is_the_servers_default(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = login_on(r, &(struct login_as){.collation = 255});

    (void)state;
    (void)server_serves(&r->servers[PRIMARY]);
    (void)client_hears_ok(till);
}

/* What of a primary's OK keeps the next read there. */
static void pins(const char *sql, const struct says *says)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    client_asks(s.till, sql);
    server_hears_query(s.primary, sql);
    server_sends_ok(s.primary, says);
    (void)client_hears_ok(s.till);
    rig_publish(r);
    reads_on_primary(&s);
    assert_int_equal(atomic_load(&r->shared.metrics.routed[PRIMARY][ROUTE_PINNED]), 1);
}

#define PINS(sql, ...) pins((sql), &(struct says){__VA_ARGS__})

static void a_transaction_pins(void **state)
{
    (void)state;
    PINS("BEGIN", .status = STATUS_IN_TRANS, .transaction = "T_______");
}

static void autocommit_off_pins(void **state)
{
    (void)state;
    PINS("SET autocommit=0", .autocommit_off = true, .variable = {"autocommit", "OFF"});
}

static void transaction_settings_pin(void **state)
{
    (void)state;
    PINS("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
         .characteristics = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;");
}

static void locked_tables_pin(void **state)
{
    (void)state;
    PINS("LOCK TABLES t READ", .transaction = "_______L");
}

static void temporary_tables_pin(void **state)
{
    (void)state;
    PINS("CREATE TEMPORARY TABLE x (a INT)", .state = true);
}

static void a_role_pins(void **state)
{
    (void)state;
    PINS("SET ROLE clerk", .state = true);
}

static void a_variable_of_one_connection_pins(void **state)
{
    (void)state;
    PINS("SET insert_id=5", .variable = {"insert_id", "5"});
}

static void a_system_schema_pins(void **state)
{
    (void)state;
    PINS("USE information_schema", .schema = "information_schema");
}

static void a_commit_unpins(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    RUNS(s.till, s.primary, "BEGIN", .status = STATUS_IN_TRANS, .transaction = "T_______");
    reads_on_primary(&s);
    RUNS(s.till, s.primary, "COMMIT", .transaction = "________");
    rig_publish(r);
    client_asks(s.till, read_sql);
    answers(server_serves(&r->servers[REPLICA]), read_sql, s.till);
}

/* CALL runs what nobody sees: the server is asked what it left behind. */
static void after_hidden_code(const char *counted, bool pinned)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    RUNS(s.till, s.primary, "CALL place_order(1)", .state = true);
    rig_publish(r);
    client_asks(s.till, "SHOW WARNINGS"); /* which the question would take the place of */
    answers(s.primary, "SHOW WARNINGS", s.till);
    client_asks(s.till, read_sql);
    server_hears_probe(s.primary, "0 -1 0");
    server_says_rows(s.primary, counted);
    answers(pinned ? s.primary : server_serves(&r->servers[REPLICA]), read_sql, s.till);
}

static void hidden_code_that_left_nothing_unpins(void **state)
{
    (void)state;
    after_hidden_code("0/", false);
}

static void hidden_code_that_left_a_table_pins(void **state)
{
    (void)state;
    after_hidden_code("1/", true);
}

/* Lost with the connection: told once, then gone. */
static void lost_user_variables_are_told(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    RUNS(s.till, s.primary, "SET @a=1", .state = true);
    peer_cut(s.primary);
    client_asks(s.till, "SELECT @a");
    client_hears_error(s.till, 1158, "08S01", "");
    client_asks(s.till, "SELECT @a");
    answers(server_serves(&r->servers[PRIMARY]), "SELECT @a", s.till);
}

/* A till that left cleanly leaves a connection behind; the next one finds it as a fresh one. */
static void a_connection_is_used_again(void **state)
{
    struct rig *r = rig_start(.holding = true, .workers = 1);
    struct scene s = rig_scene(r);
    struct peer *till;

    (void)state;
    RUNS(s.till, s.primary, "SET sql_select_limit=5", .variable = {"sql_select_limit", "5"});
    client_sends(s.till, COM_QUIT, BYTES(""));
    peer_hears_end(s.till);
    till = login_on(r, &(struct login_as){.schema = "shop"});
    server_hears(s.primary, COM_RESET_CONNECTION, "");
    server_hears_query(s.primary, backend_setup_sql);
    server_hears(s.primary, COM_INIT_DB, "shop");
    for (int i = 0; i < 3; i++) {
        s.primary->seq = 0;
        server_says_ok(s.primary);
    }
    (void)client_hears_ok(till);
    client_asks(till, "SHOW TABLES");
    answers(s.primary, "SHOW TABLES", till);
    server_is_left_alone(&r->servers[PRIMARY], 0);
}

static void another_user_gets_another_connection(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *till;
    struct peer *primary;

    (void)state;
    peer_cut(s.till);
    rig_counts(r, METRIC_SESSIONS, 0);
    till = login_on(r, &(struct login_as){.user = "other"});
    primary = server_accepts(&r->servers[PRIMARY]);
    server_greets(primary);
    server_hears_login(primary, "other", "secret");
    server_says_ok(primary);
    server_hears_setup(primary);
    (void)client_hears_ok(till);
}

/* A connection with a default schema cannot lose it again. */
static void a_session_without_schema_gets_a_connection_without(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *till;

    (void)state;
    RUNS(s.till, s.primary, "USE shop", .schema = "shop");
    peer_cut(s.till);
    rig_counts(r, METRIC_SESSIONS, 0);
    till = login_on(r, &(struct login_as){.user = NULL});
    (void)server_serves(&r->servers[PRIMARY]);
    (void)client_hears_ok(till);
}

static void a_connection_in_a_transaction_is_closed(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    RUNS(s.till, s.primary, "BEGIN", .status = STATUS_IN_TRANS, .transaction = "T_______");
    peer_cut(s.till);
    peer_hears_end(s.primary);
}

static void a_connection_with_a_statement_under_way_is_closed(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, "UPDATE t SET a=1");
    server_hears_query(s.primary, "UPDATE t SET a=1");
    peer_reset(s.till);
    peer_hears_end(s.primary);
}

static void a_pooled_connection_that_dies_is_forgotten(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *till;

    (void)state;
    peer_cut(s.till);
    rig_counts(r, METRIC_SESSIONS, 0);
    peer_send(s.primary, BYTES("\x01\x00\x00\x00\x00")); /* out of turn */
    peer_hears_end(s.primary);
    till = login_on(r, &(struct login_as){.user = NULL});
    (void)server_serves(&r->servers[PRIMARY]);
    (void)client_hears_ok(till);
}

/* The reset fails: the log-in must not end with it. */
static void a_pooled_connection_may_die_when_reset(void **state)
{
    struct rig *r = rig_start(.holding = true, .workers = 1);
    struct scene s = rig_scene(r);
    struct peer *till;

    (void)state;
    peer_cut(s.till);
    rig_counts(r, METRIC_SESSIONS, 0);
    till = login_on(r, &(struct login_as){.user = NULL});
    server_hears(s.primary, COM_RESET_CONNECTION, "");
    peer_cut(s.primary);
    (void)server_serves(&r->servers[REPLICA]);
    (void)client_hears_ok(till);
}

static void reset_connection_forgets_all(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    RUNS(s.till, s.primary, "SET sql_mode='ANSI'", .variable = {"sql_mode", "ANSI"});
    RUNS(s.till, s.primary, "CREATE TEMPORARY TABLE x (a INT)", .state = true);
    client_sends(s.till, COM_RESET_CONNECTION, BYTES(""));
    server_hears(s.primary, COM_RESET_CONNECTION, "");
    peer_hears_nothing(s.till, 20); /* not before its temporary table is gone */
    server_says_ok(s.primary);
    server_hears_setup(s.primary);
    (void)client_hears_ok(s.till);
    rig_publish(r);
    client_asks(s.till, read_sql);
    answers(server_serves(&r->servers[REPLICA]), read_sql, s.till);
}

static void what_a_lost_server_held_is_gone_as_well(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    RUNS(s.till, s.primary, "CREATE TEMPORARY TABLE x (a INT)", .state = true);
    client_sends(s.till, COM_RESET_CONNECTION, BYTES(""));
    server_hears(s.primary, COM_RESET_CONNECTION, "");
    peer_cut(s.primary);
    (void)client_hears_ok(s.till);
}

static void what_a_frozen_server_holds_is_left_behind(void **state)
{
    struct rig *r = rig_start(.workers = 1, .connect_timeout_ms = 100);
    struct scene s = rig_scene(r);

    (void)state;
    RUNS(s.till, s.primary, "CREATE TEMPORARY TABLE x (a INT)", .state = true);
    client_sends(s.till, COM_RESET_CONNECTION, BYTES(""));
    server_hears(s.primary, COM_RESET_CONNECTION, "");
    (void)client_hears_ok(s.till);
}

/* Sessions that begin anew would have to let go of it again and again. */
static void nobody_begins_in_a_transaction(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    for (int i = 0; i < 2; i++) {
        RUNS(s.till, s.primary, "CREATE TEMPORARY TABLE x (a INT)", .state = true);
        client_sends(s.till, COM_RESET_CONNECTION, BYTES(""));
        server_hears(s.primary, COM_RESET_CONNECTION, "");
        server_says(s.primary, .status = STATUS_IN_TRANS);
        server_hears_query(s.primary, backend_setup_sql);
        server_says(s.primary, .status = STATUS_IN_TRANS);
        assert_int_equal(client_hears_ok(s.till).status & STATUS_IN_TRANS, 0);
    }
}

static void sends_change_user(struct peer *till, const char *user, const char *password,
                              const char *schema)
{
    struct buf b = buf_with_max(4096);
    uint8_t reply[AUTH_HASH];

    client_native_reply(till, password, reply);
    buf_put_cstr(&b, user);
    buf_put_u8(&b, sizeof reply);
    buf_put(&b, reply, sizeof reply);
    buf_put_cstr(&b, schema);
    buf_put_u16(&b, 45);
    buf_put_cstr(&b, AUTH_NATIVE);
    client_sends(till, COM_CHANGE_USER, buf_span(&b));
    buf_free(&b);
}

static void change_user_is_a_new_login(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *primary;

    (void)state;
    RUNS(s.till, s.primary, "SET sql_mode='ANSI'", .variable = {"sql_mode", "ANSI"});
    sends_change_user(s.till, "other", "secret", "shop");
    primary = server_accepts(&r->servers[PRIMARY]);
    server_greets(primary);
    server_hears_login(primary, "other", "secret");
    server_says_ok(primary);
    server_hears_setup(primary);
    is_laid_on(primary, COM_INIT_DB, "shop");
    (void)client_hears_ok(s.till);
    client_asks(s.till, "SHOW TABLES");
    answers(primary, "SHOW TABLES", s.till);
}

static void change_user_lets_go_of_locks_first(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, "SELECT GET_LOCK('x',0)");
    answers(s.primary, "SELECT GET_LOCK('x',0)", s.till);
    sends_change_user(s.till, "other", "secret", "shop");
    server_hears(s.primary, COM_RESET_CONNECTION, "");
    server_is_left_alone(&r->servers[PRIMARY], 20);
    server_says_ok(s.primary);
    server_hears_setup(s.primary);
    (void)server_accepts(&r->servers[PRIMARY]);
}

/* As on a server: who could not become somebody else stays who he is, with nothing of his state. */
static void goes_on(const struct scene *s)
{
    client_asks(s->till, "SHOW TABLES");
    is_laid_on(s->primary, COM_RESET_CONNECTION, "");
    server_hears_setup(s->primary);
    answers(s->primary, "SHOW TABLES", s->till);
}

static void change_user_with_a_wrong_password_is_refused(void **state)
{
    struct rig *r = rig_start(.holding = true, .workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    sends_change_user(s.till, "other", "guess", "");
    client_hears_error(s.till, 1045, "28000", "Access denied for user 'other'");
    goes_on(&s);
}

static void a_malformed_change_user_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_sends(s.till, COM_CHANGE_USER, BYTES("no end"));
    client_hears_error(s.till, 1043, "08S01", "Bad handshake");
}

static void multi_statements_follow(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    client_sends(s.till, COM_SET_OPTION, BYTES("\x01\x00"));
    server_hears_command(s.primary, COM_SET_OPTION, BYTES("\x01\x00"));
    peer_send_packet(s.primary, BYTES("\xFE\x00\x00\x02\x00"));
    assert_int_equal(peer_hears_packet(s.till).n, 5);
    rig_publish(r);
    client_asks(s.till, read_sql);
    replica = server_serves(&r->servers[REPLICA]);
    server_hears_command(replica, COM_SET_OPTION, BYTES("\x01\x00"));
    peer_send_packet(replica, BYTES("\xFE\x00\x00\x02\x00"));
    answers(replica, read_sql, s.till);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_variable_follows_to_the_replica),
        RIG_TEST(a_variable_follows_in_the_same_write),
        RIG_TEST(a_replica_that_refuses_the_state_is_not_read),
        RIG_TEST(the_schema_follows),
        RIG_TEST(the_clients_character_set_is_laid_on),
        RIG_TEST(an_unknown_collation_is_the_servers_default),
        RIG_TEST(a_transaction_pins),
        RIG_TEST(autocommit_off_pins),
        RIG_TEST(transaction_settings_pin),
        RIG_TEST(locked_tables_pin),
        RIG_TEST(temporary_tables_pin),
        RIG_TEST(a_role_pins),
        RIG_TEST(a_variable_of_one_connection_pins),
        RIG_TEST(a_system_schema_pins),
        RIG_TEST(a_commit_unpins),
        RIG_TEST(hidden_code_that_left_nothing_unpins),
        RIG_TEST(hidden_code_that_left_a_table_pins),
        RIG_TEST(lost_user_variables_are_told),
        RIG_TEST(a_connection_is_used_again),
        RIG_TEST(another_user_gets_another_connection),
        RIG_TEST(a_session_without_schema_gets_a_connection_without),
        RIG_TEST(a_connection_in_a_transaction_is_closed),
        RIG_TEST(a_connection_with_a_statement_under_way_is_closed),
        RIG_TEST(a_pooled_connection_that_dies_is_forgotten),
        RIG_TEST(a_pooled_connection_may_die_when_reset),
        RIG_TEST(reset_connection_forgets_all),
        RIG_TEST(what_a_lost_server_held_is_gone_as_well),
        RIG_TEST(what_a_frozen_server_holds_is_left_behind),
        RIG_TEST(nobody_begins_in_a_transaction),
        RIG_TEST(change_user_lets_go_of_locks_first),
        RIG_TEST(change_user_is_a_new_login),
        RIG_TEST(change_user_with_a_wrong_password_is_refused),
        RIG_TEST(a_malformed_change_user_is_refused),
        RIG_TEST(multi_statements_follow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
