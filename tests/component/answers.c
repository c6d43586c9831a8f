/* Questions about statements before, when these ran on several servers; and what a reply left
 * unsaid, which the session's own connection is asked for. */
#include "component/rig.h"
#include "proxy/backend/backend.h"

static const char read_sql[] = "SELECT CAST(name AS INT) FROM Product";
static const char diagnostics[] = "GET DIAGNOSTICS @n = NUMBER";

/* A read that raises `warnings` on a replica; the replica. */
static struct peer *reads_on_replica(struct rig *r, struct scene *s, uint16_t warnings)
{
    struct peer *replica;

    rig_publish(r);
    client_asks(s->till, read_sql);
    replica = server_serves(&r->servers[REPLICA]);
    server_hears_query(replica, read_sql);
    server_sends_rows(replica, &(struct says){.warnings = warnings}, (const char *[]){"1", NULL});
    (void)client_hears_rows(s->till, "1");
    return replica;
}

static void runs(struct peer *server, const char *sql, struct peer *till)
{
    client_asks(till, sql);
    server_hears_query(server, sql);
    server_says_ok(server);
    (void)client_hears_ok(till);
}

static void is_asked(struct peer *server, const char *sql, struct peer *till)
{
    client_asks(till, sql);
    server_hears_query(server, sql);
    server_says_rows(server, "answer");
    (void)client_hears_rows(till, "answer");
}

static void warnings_outlive_statements_without_tables(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica = reads_on_replica(r, &s, 2);

    (void)state;
    runs(s.primary, "SET @a=1", s.till);
    is_asked(replica, "SHOW WARNINGS", s.till);
    runs(s.primary, "UPDATE Product SET name='x'", s.till);
    is_asked(s.primary, "SHOW WARNINGS", s.till);
}

static void a_read_with_warnings_is_read_again_where_they_are_wanted(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    (void)reads_on_replica(r, &s, 2);
    client_asks(s.till, diagnostics);
    server_hears_query(s.primary, read_sql);
    server_sends_rows(s.primary, &(struct says){.warnings = 2}, (const char *[]){"1", NULL});
    s.primary->seq = 0;
    server_hears_query(s.primary, diagnostics);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
    runs(s.primary, diagnostics, s.till); /* now the primary knows */
}

/* An error behind the first rows is the client's; it is in no other server's list. */
static void a_failed_read_is_read_again_where_its_error_is_wanted(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    rig_publish(r);
    client_asks(s.till, read_sql);
    replica = server_serves(&r->servers[REPLICA]);
    server_hears_query(replica, read_sql);
    server_says_columns(replica, 1);
    client_hears_columns(s.till, 1);
    server_says_error(replica, 1242, "21000", "Subquery returns more than 1 row");
    client_hears_error(s.till, 1242, "21000", "Subquery returns more than 1 row");
    client_asks(s.till, diagnostics);
    server_hears_query(s.primary, read_sql);
    server_says_error(s.primary, 1242, "21000", "Subquery returns more than 1 row");
    s.primary->seq = 0;
    server_hears_query(s.primary, diagnostics);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
}

static void a_read_without_warnings_clears_those_of_the_primary(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, "UPDATE Product SET name='x'");
    server_hears_query(s.primary, "UPDATE Product SET name='x'");
    server_says(s.primary, .warnings = 1);
    (void)client_hears_ok(s.till);
    (void)reads_on_replica(r, &s, 0);
    client_asks(s.till, diagnostics);
    server_hears_query(s.primary, "SELECT 1 FROM (SELECT 1) x");
    server_says_rows(s.primary, "1");
    s.primary->seq = 0;
    server_hears_query(s.primary, diagnostics);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
}

static void nothing_is_asked_twice_where_there_are_no_warnings(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    (void)reads_on_replica(r, &s, 0);
    runs(s.primary, diagnostics, s.till);
}

static void a_row_count_is_that_of_the_read(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    (void)reads_on_replica(r, &s, 0);
    client_asks(s.till, "SET @a=ROW_COUNT()");
    server_hears_query(s.primary, "SET @a=IF(0,ROW_COUNT(),-1)");
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
}

/* GET DIAGNOSTICS has no place for a number: the primary runs what leaves that count. */
/* A read that fails behind its columns has found the rows that came. */
static void found_rows_are_those_before_the_error(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica = reads_on_replica(r, &s, 0);

    (void)state;
    client_asks(s.till, read_sql);
    server_hears_query(replica, read_sql);
    server_says_columns(replica, 1);
    client_hears_columns(s.till, 1);
    server_says_error(replica, 1242, "21000", "Subquery returns more than 1 row");
    client_hears_error(s.till, 1242, "21000", "Subquery returns more than 1 row");
    client_asks(s.till, "DO FOUND_ROWS()");
    server_hears_query(s.primary, "DO IF(0,FOUND_ROWS(),0)");
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
}

/* What may open tables begins a list where it is prepared. */
static void a_prepared_text_may_end_the_list(void **state)
{
    static const char sql[] = "SHOW TABLES";
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    (void)reads_on_replica(r, &s, 2);
    client_sends(s.till, COM_STMT_PREPARE, span_of(sql));
    server_hears_query(s.primary, read_sql);
    server_sends_rows(s.primary, &(struct says){.warnings = 2}, (const char *[]){"1", NULL});
    s.primary->seq = 0;
    server_hears(s.primary, COM_STMT_PREPARE, sql);
    server_says_prepared(s.primary, 70, 0, 0);
    (void)client_hears_prepared(s.till, 0, 0);
    is_asked(s.primary, "SHOW WARNINGS", s.till);
}

static void diagnostics_have_the_row_count_of_the_statement_before(void **state)
{
    static const char count[] = "GET DIAGNOSTICS @n = ROW_COUNT";
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    (void)reads_on_replica(r, &s, 0);
    client_asks(s.till, count);
    server_hears_query(s.primary, "SELECT 1");
    server_says_rows(s.primary, "1");
    s.primary->seq = 0;
    server_hears_query(s.primary, count);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
    client_sends(s.till, COM_PING, BYTES("")); /* the proxy answers */
    (void)client_hears_ok(s.till);
    client_asks(s.till, count);
    server_hears_query(s.primary, "DO 0");
    server_says_ok(s.primary);
    s.primary->seq = 0;
    server_hears_query(s.primary, count);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
}

/* A question that a replica could answer; its cursor lives where the session's state does. */
static void a_question_with_a_cursor_is_the_primarys(void **state)
{
    static const char sql[] = "SELECT @@warning_count";
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica = reads_on_replica(r, &s, 2);
    uint8_t execute[] = {0, 0, 0, 0, 1, 1, 0, 0, 0};

    (void)state;
    client_sends(s.till, COM_STMT_PREPARE, span_of(sql));
    server_hears(replica, COM_STMT_PREPARE, sql);
    server_says_prepared(replica, 5, 1, 0);
    execute[0] = (uint8_t)client_hears_prepared(s.till, 1, 0);
    client_sends(s.till, COM_STMT_EXECUTE, (struct span){execute, sizeof execute});
    server_hears(s.primary, COM_STMT_PREPARE, sql);
    server_says_prepared(s.primary, 70, 1, 0);
    server_hears_query(s.primary, read_sql);
    server_sends_rows(s.primary, &(struct says){.warnings = 2}, (const char *[]){"1", NULL});
    server_hears_command(s.primary, COM_STMT_EXECUTE, BYTES("\x46\0\0\0\x01\x01\0\0\0"));
    server_says_columns(s.primary, 1);
    server_says_end(s.primary, &(struct says){.status = STATUS_CURSOR_EXISTS});
    client_hears_columns(s.till, 1);
    (void)client_hears_end(s.till);
    client_sends(s.till, COM_STMT_RESET, (struct span){execute, 4});
    server_hears_command(s.primary, COM_STMT_RESET, BYTES("\x46\0\0\0"));
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
    runs(s.primary, "UPDATE Product SET name='x'", s.till);
}

/* An ERR packet does not say whether the transaction is still open. */
static void after_an_error_in_a_transaction_its_state_is_asked(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, "BEGIN");
    server_hears_query(s.primary, "BEGIN");
    server_says(s.primary, .status = STATUS_IN_TRANS | STATUS_AUTOCOMMIT);
    (void)client_hears_ok(s.till);
    client_asks(s.till, "CREATE TABLE Product (a INT)");
    server_hears_query(s.primary, "CREATE TABLE Product (a INT)");
    server_says_error(s.primary, 1050, "42S01", "Table 'Product' already exists");
    client_hears_error(s.till, 1050, "42S01", "Table 'Product' already exists");
    rig_publish(r);
    client_asks(s.till, read_sql);
    server_hears(s.primary, COM_PING, "");
    server_says(s.primary, .status = STATUS_AUTOCOMMIT);
    server_hears_query(server_serves(&r->servers[REPLICA]), read_sql);
}

static void without_autocommit_an_error_may_begin_a_transaction(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, "SET autocommit=0");
    server_hears_query(s.primary, "SET autocommit=0");
    server_says(s.primary, .autocommit_off = true);
    (void)client_hears_ok(s.till);
    client_asks(s.till, "INSERT INTO Product VALUES ('x')");
    server_hears_query(s.primary, "INSERT INTO Product VALUES ('x')");
    server_says_error(s.primary, 1366, "22007", "Incorrect integer value: 'x'");
    client_hears_error(s.till, 1366, "22007", "Incorrect integer value: 'x'");
    rig_publish(r);
    client_asks(s.till, read_sql);
    server_hears(s.primary, COM_PING, "");
    server_says(s.primary, .status = STATUS_IN_TRANS, .autocommit_off = true);
    server_hears_query(s.primary, read_sql);
}

static void variables_set_unreported_are_asked_for(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    runs(s.primary, "SET @@div_precision_increment=8", s.till);
    rig_publish(r);
    client_asks(s.till, read_sql);
    server_hears_query(s.primary,
                       "SET SESSION div_precision_increment=@@SESSION.div_precision_increment");
    server_says(s.primary, .variable = {"div_precision_increment", "8"});
    replica = server_serves(&r->servers[REPLICA]);
    server_hears_query(replica, "SET div_precision_increment=8");
    server_says_ok(replica);
    server_hears_query(replica, read_sql);
}

static void a_variable_that_cannot_be_asked_for_keeps_reads(void **state)
{
    static const char again[] = "SET SESSION max_connections=@@SESSION.max_connections";
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    runs(s.primary, "SET @@max_connections=8", s.till);
    rig_publish(r);
    client_asks(s.till, read_sql);
    server_hears_query(s.primary, again);
    server_says_error(s.primary, 1238, "HY000", "it is a GLOBAL variable");
    s.primary->seq = 0;
    server_hears_query(s.primary, read_sql);
}

static void what_a_statement_sets_for_itself_is_not_kept(void **state)
{
    static const char sql[] = "SET STATEMENT sql_select_limit=1 FOR UPDATE Product SET name='x'";
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, sql);
    server_hears_query(s.primary, sql);
    server_says(s.primary, .variable = {"sql_select_limit", "1"});
    (void)client_hears_ok(s.till);
    rig_publish(r);
    client_asks(s.till, read_sql);
    server_hears_query(server_serves(&r->servers[REPLICA]), read_sql);
}

/* SET STATEMENT sql_mode=…: the flags of its reply are those of the moment. */
static void flags_of_one_statement_are_not_kept(void **state)
{
    static const char sql[] = "SET STATEMENT sql_mode='ANSI' FOR SELECT 'a' || 'b'";
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_old_scene(r);

    (void)state;
    client_asks(s.till, sql);
    server_hears_query(s.primary, sql);
    server_sends_rows(s.primary, &(struct says){.status = STATUS_ANSI_QUOTES},
                      (const char *[]){"ab", NULL});
    (void)client_hears_rows(s.till, "ab");
    client_sends(s.till, COM_STMT_PREPARE, span_of("DO RELEASE_LOCK(?)"));
    server_hears(s.primary, COM_STMT_PREPARE, "DO RELEASE_LOCK(?)");
    server_says_prepared(s.primary, 70, 0, 1);
    (void)peer_hears_packet(s.till); /* the numbers; the parameter */
    (void)peer_hears_packet(s.till);
    assert_int_equal(client_hears_end(s.till).status, STATUS_AUTOCOMMIT);
}

/* What is asked in front of one that would take it for its own is learnt. */
static void what_is_asked_for_is_not_restored(void **state)
{
    static const char sql[] = "SET STATEMENT div_precision_increment=2 FOR DO 1";
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    runs(s.primary, "SET @@div_precision_increment=8", s.till);
    client_asks(s.till, sql);
    server_hears_query(s.primary,
                       "SET SESSION div_precision_increment=@@SESSION.div_precision_increment");
    server_says(s.primary, .variable = {"div_precision_increment", "8"});
    server_hears_query(s.primary, sql);
    server_says(s.primary, .variable = {"div_precision_increment", "2"});
    (void)client_hears_ok(s.till);
    rig_publish(r);
    client_asks(s.till, read_sql);
    replica = server_serves(&r->servers[REPLICA]);
    server_hears_query(replica, "SET div_precision_increment=8");
    server_says_ok(replica);
    server_hears_query(replica, read_sql);
}

/* The statement's id. */
static uint8_t prepares_on_the_replica(struct rig *r, const struct scene *s)
{
    struct peer *replica;

    client_sends(s->till, COM_STMT_PREPARE, span_of(read_sql));
    replica = server_serves(&r->servers[REPLICA]);
    server_hears(replica, COM_STMT_PREPARE, read_sql);
    server_says_prepared(replica, 5, 1, 0);
    return (uint8_t)client_hears_prepared(s->till, 1, 0);
}

/* A variable that stays on its connection is no reason to prepare under others than the client did.
 */
static void a_pinned_session_prepares_as_the_client_did(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    uint8_t execute[] = {0, 0, 0, 0, 0, 1, 0, 0, 0};

    (void)state;
    execute[0] = prepares_on_the_replica(r, &s);
    RUNS(s.till, s.primary, "SET sql_mode='ANSI'", .variable = {"sql_mode", "ANSI"});
    runs(s.primary, "SET @@last_insert_id=52", s.till);
    client_sends(s.till, COM_STMT_EXECUTE, (struct span){execute, sizeof execute});
    server_hears_query(s.primary, "SET sql_mode=DEFAULT");
    server_says_ok(s.primary);
    server_hears(s.primary, COM_STMT_PREPARE, read_sql);
    server_says_prepared(s.primary, 70, 1, 0);
    server_hears_query(s.primary, "SET sql_mode='ANSI'");
    server_says_ok(s.primary);
    server_hears_command(s.primary, COM_STMT_EXECUTE, BYTES("\x46\0\0\0\0\x01\0\0\0"));
    server_says_rows(s.primary, "1");
    (void)client_hears_rows(s.till, "1");
}

/* A statement that a replica knows does not prepare again on the primary: that is its reply, and
 * the connection, with the transaction on it, is as good as before. */
static void a_refused_prepare_leaves_the_transaction(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    uint8_t execute[] = {0, 0, 0, 0, 0, 1, 0, 0, 0};

    (void)state;
    execute[0] = prepares_on_the_replica(r, &s);
    RUNS(s.till, s.primary, "BEGIN", .status = STATUS_IN_TRANS);
    client_sends(s.till, COM_STMT_EXECUTE, (struct span){execute, sizeof execute});
    server_hears(s.primary, COM_STMT_PREPARE, read_sql);
    server_says_error(s.primary, 1146, "42S02", "no such table");
    client_hears_error(s.till, 1146, "42S02", "no such table");
    client_asks(s.till, "COMMIT");
    server_hears(s.primary, COM_PING, ""); /* is there still a transaction? */
    server_says(s.primary, .status = STATUS_IN_TRANS);
    server_hears_query(s.primary, "COMMIT");
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(warnings_outlive_statements_without_tables),
        RIG_TEST(a_read_with_warnings_is_read_again_where_they_are_wanted),
        RIG_TEST(a_failed_read_is_read_again_where_its_error_is_wanted),
        RIG_TEST(a_read_without_warnings_clears_those_of_the_primary),
        RIG_TEST(nothing_is_asked_twice_where_there_are_no_warnings),
        RIG_TEST(a_row_count_is_that_of_the_read),
        RIG_TEST(found_rows_are_those_before_the_error),
        RIG_TEST(a_prepared_text_may_end_the_list),
        RIG_TEST(diagnostics_have_the_row_count_of_the_statement_before),
        RIG_TEST(a_question_with_a_cursor_is_the_primarys),
        RIG_TEST(after_an_error_in_a_transaction_its_state_is_asked),
        RIG_TEST(without_autocommit_an_error_may_begin_a_transaction),
        RIG_TEST(variables_set_unreported_are_asked_for),
        RIG_TEST(a_variable_that_cannot_be_asked_for_keeps_reads),
        RIG_TEST(what_a_statement_sets_for_itself_is_not_kept),
        RIG_TEST(flags_of_one_statement_are_not_kept),
        RIG_TEST(what_is_asked_for_is_not_restored),
        RIG_TEST(a_pinned_session_prepares_as_the_client_did),
        RIG_TEST(a_refused_prepare_leaves_the_transaction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
