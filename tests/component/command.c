/* Commands and their replies: each byte, several at once, for old clients and new ones. */
#include "component/rig.h"
#include "protocol/packet.h"

#include <poll.h>

static const char read_sql[] = "SELECT name FROM Product";

/* Which of the two is heard first; NULL: neither. */
static struct peer *first_heard(struct peer *a, struct peer *b)
{
    struct pollfd fds[2] = {{.fd = a->fd, .events = POLLIN}, {.fd = b->fd, .events = POLLIN}};

    if (poll(fds, 2, PEER_STEP_MS) <= 0)
        return NULL;
    return fds[0].revents ? a : b;
}

enum answer { ANSWERED, FORWARDED, SILENT };

static enum answer answer_to(unsigned byte)
{
    static const uint8_t forwarded[] = {
        COM_INIT_DB,        COM_QUERY,        COM_FIELD_LIST,   COM_CREATE_DB,
        COM_DROP_DB,        COM_REFRESH,      COM_SHUTDOWN,     COM_STATISTICS,
        COM_PROCESS_INFO,   COM_STMT_PREPARE, COM_SET_OPTION,   COM_DEBUG,
        COM_REGISTER_SLAVE, COM_BINLOG_DUMP,  COM_PROCESS_KILL, /* an id of a server's */
    };

    if (byte == COM_STMT_CLOSE || byte == COM_STMT_SEND_LONG_DATA)
        return SILENT;
    return memchr(forwarded, (int)byte, sizeof forwarded) ? FORWARDED : ANSWERED;
}

/* The server answers with an error, the proxy with an error or OK: whatever it is, the session goes
 * on. */
static void is_answered(struct scene *s, unsigned byte)
{
    enum answer expected = answer_to(byte);
    struct peer *heard;

    if (byte == COM_QUERY)
        client_asks(s->till, "SHOW TABLES");
    else
        client_sends(s->till, (uint8_t)byte, BYTES("\x63\x00\x00\x00\x00\x01\x00\x00\x00"));
    if (expected != SILENT) {
        heard = first_heard(s->till, s->primary);
        if (!heard || (heard == s->primary) != (expected == FORWARDED))
            peer_fail(s->till, "command %u is not answered by whom it must be", byte);
        if (heard == s->primary) {
            assert_int_equal(peer_hears_first(s->primary).p[0], byte);
            server_says_error(s->primary, 1064, "42000", "no");
            client_hears_error(s->till, 1064, "42000", "no");
        } else if (*peer_hears_packet(s->till).p != 0x00) {
            assert_int_equal(*s->till->packet.data, 0xFF);
        }
    }
    client_sends(s->till, COM_PING, BYTES(""));
    (void)client_hears_ok(s->till);
}

static void every_command_has_its_answer(void **state)
{
    struct rig *r = rig_start(.holding = true, .workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    for (unsigned byte = 0; byte < 256; byte++)
        if (byte != COM_QUIT && byte != COM_CHANGE_USER)
            is_answered(&s, byte);
    client_sends(s.till, COM_QUIT, BYTES(""));
    peer_hears_end(s.till);
}

/* The same with nothing behind the byte. */
static void every_bare_command_has_its_answer(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        struct peer *heard;

        if (byte == COM_QUIT || byte == COM_CHANGE_USER)
            continue;
        client_sends(s.till, (uint8_t)byte, BYTES(""));
        if (answer_to(byte) == SILENT)
            continue;
        heard = first_heard(s.till, s.primary);
        assert_non_null(heard);
        if (heard == s.primary) {
            (void)peer_hears_first(s.primary);
            server_says_error(s.primary, 1064, "42000", "no");
        }
        (void)peer_hears_packet(s.till);
    }
}

static void an_unknown_command_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_sends(s.till, 0x77, BYTES("what"));
    client_hears_error(s.till, 1047, "08S01", "Unknown command");
    peer_send(s.till, BYTES("\x00\x00\x00\x00")); /* not even a byte */
    s.till->seq = 0;
    client_hears_error(s.till, 1047, "08S01", "Unknown command");
}

static void a_wrong_sequence_number_ends_it(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    peer_send(s.till, BYTES("\x01\x00\x00\x03\x0E"));
    s.till->seq = 3;
    client_hears_error(s.till, 1156, "08S01", "out of order");
    peer_hears_end(s.till);
}

static void the_proxy_answers_a_ping(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_sends(s.till, COM_PING, BYTES(""));
    assert_int_equal(client_hears_ok(s.till).status, STATUS_AUTOCOMMIT);
    peer_hears_nothing(s.primary, 0);
}

static void statistics_are_text(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct span text;

    (void)state;
    client_sends(s.till, COM_STATISTICS, BYTES(""));
    server_hears(s.primary, COM_STATISTICS, "");
    peer_send_packet(s.primary, BYTES("Uptime: 5"));
    text = peer_hears_packet(s.till);
    assert_true(span_eq(text, "Uptime: 5"));
}

static void a_field_list_is_definitions(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_sends(s.till, COM_FIELD_LIST, BYTES("Product\0%"));
    server_hears_command(s.primary, COM_FIELD_LIST, BYTES("Product\0%"));
    peer_send_packet(s.primary, BYTES("\x03"
                                      "def\x04shop and so on"));
    server_says_end(s.primary, &(struct says){0});
    assert_true(peer_hears_packet(s.till).n > 8);
    (void)client_hears_end(s.till);
}

static void init_db_changes_the_schema(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_sends(s.till, COM_INIT_DB, BYTES("shap"));
    server_hears(s.primary, COM_INIT_DB, "shap");
    server_says_error(s.primary, 1049, "42000", "Unknown database 'shap'");
    client_hears_error(s.till, 1049, "42000", "Unknown database");
    client_sends(s.till, COM_INIT_DB, BYTES("shop"));
    server_hears(s.primary, COM_INIT_DB, "shop");
    server_says(s.primary, .schema = "shop");
    (void)client_hears_ok(s.till);
}

static void put_command(struct buf *b, uint8_t command, const char *text)
{
    size_t at = packet_begin(b);

    buf_put_u8(b, command);
    buf_put_str(b, text);
    packet_end(b, at, 0);
}

/* Several commands in one write, some of them answered by the proxy itself. */
static void pipelined_commands_are_answered_in_order(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct buf b = buf_with_max(4096);

    (void)state;
    put_command(&b, COM_QUERY, "INSERT INTO t VALUES (1)");
    put_command(&b, COM_PING, "");
    put_command(&b, COM_QUERY, "SHOW TABLES");
    put_command(&b, COM_STMT_CLOSE, "\x09\x09\x09\x09");
    put_command(&b, 0x77, "");
    put_command(&b, COM_QUERY, "INSERT INTO t VALUES (2)");
    put_command(&b, COM_QUIT, "");
    peer_send(s.till, buf_span(&b));
    server_hears_query(s.primary, "INSERT INTO t VALUES (1)");
    peer_hears_nothing(s.primary, 10); /* one at a time */
    server_says(s.primary, .affected = 1);
    server_hears_query(s.primary, "SHOW TABLES");
    server_says_rows(s.primary, "t");
    server_hears_query(s.primary, "INSERT INTO t VALUES (2)");
    server_says(s.primary, .affected = 2);
    s.till->seq = 0;
    assert_int_equal(client_hears_ok(s.till).affected_rows, 1);
    s.till->seq = 0;
    (void)client_hears_ok(s.till);
    s.till->seq = 0;
    (void)client_hears_rows(s.till, "t");
    s.till->seq = 0;
    client_hears_error(s.till, 1047, "08S01", "");
    s.till->seq = 0;
    assert_int_equal(client_hears_ok(s.till).affected_rows, 2);
    peer_hears_end(s.till);
    buf_free(&b);
}

/* Many at once: more than the buffer holds. */
static void a_thousand_pipelined_commands(void **state)
{
    enum { COUNT = 1000 };
    struct rig *r = rig_start(.buffer_kib = 8);
    struct scene s = rig_scene(r);
    struct buf b = buf_with_max(1 << 20);

    (void)state;
    for (int i = 0; i < COUNT; i++)
        put_command(&b, COM_QUERY, "INSERT INTO t VALUES (1), (2), (3)");
    peer_send(s.till, buf_span(&b));
    for (int i = 0; i < COUNT; i++) {
        server_hears_query(s.primary, "INSERT INTO t VALUES (1), (2), (3)");
        server_says(s.primary, .affected = (uint64_t)i);
        s.till->seq = 0;
        assert_int_equal(client_hears_ok(s.till).affected_rows, i);
    }
    buf_free(&b);
}

static void a_command_may_come_byte_by_byte(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct buf b = buf_with_max(4096);

    (void)state;
    put_command(&b, COM_QUERY, "SHOW TABLES");
    for (size_t i = 0; i < b.len; i++) {
        peer_send(s.till, (struct span){b.data + i, 1});
        rig_barrier(r);
    }
    server_hears_query(s.primary, "SHOW TABLES");
    server_says_rows(s.primary, "t");
    s.till->seq = 0;
    (void)client_hears_rows(s.till, "t");
    buf_free(&b);
}

static void a_reply_may_come_byte_by_byte(void **state)
{
    static const char reply[] = "\x01\x00\x00\x01\x01"
                                "\x17\x00\x00\x02\x03"
                                "def\0\0\0\x01x\0\x0C\x2D\0\0\0\0\0\xFD\0\0\0\0\0"
                                "\x02\x00\x00\x03\x01y"
                                "\x07\x00\x00\x04\xFE\0\0\x02\0\0\0";
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, "SHOW TABLES");
    server_hears_query(s.primary, "SHOW TABLES");
    for (size_t i = 0; i < sizeof reply - 1; i++) {
        peer_send(s.primary, (struct span){(const uint8_t *)reply + i, 1});
        rig_barrier(r);
    }
    (void)client_hears_rows(s.till, "y");
}

static void several_results_end_with_the_last(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, "CALL many()");
    server_hears_query(s.primary, "CALL many()");
    server_sends_rows(s.primary, &(struct says){.status = STATUS_MORE_RESULTS},
                      (const char *const[]){"a", "b", NULL});
    server_sends_rows(s.primary, &(struct says){.status = STATUS_MORE_RESULTS},
                      (const char *const[]){NULL});
    assert_true(client_hears_rows(s.till, "a", "b").status & STATUS_MORE_RESULTS);
    assert_true(client_hears_rows(s.till, NULL).status & STATUS_MORE_RESULTS);
    peer_hears_nothing(s.till, 5);
    server_says(s.primary, .affected = 3);
    assert_int_equal(client_hears_ok(s.till).affected_rows, 3);
}

static void an_old_client_gets_eof_packets(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_old_scene(r);

    (void)state;
    client_asks(s.till, "SHOW TABLES");
    server_hears_query(s.primary, "SHOW TABLES");
    server_sends_rows(s.primary,
                      &(struct says){.warnings = 3, .status = STATUS_MORE_RESULTS, .state = true},
                      (const char *const[]){"a", "\\N", "c", NULL});
    server_says_rows(s.primary, NULL);
    assert_int_equal(client_hears_rows(s.till, "a", "\\N", "c").warnings, 3);
    assert_int_equal(client_hears_rows(s.till, NULL).status, STATUS_AUTOCOMMIT);
}

static void session_tracking_is_not_seen_by_the_client(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct ok ok;

    (void)state;
    client_asks(s.till, "SET sql_mode='ANSI'");
    server_hears_query(s.primary, "SET sql_mode='ANSI'");
    server_says(s.primary, .variable = {"sql_mode", "ANSI"}, .info = "well done", .affected = 300,
                .insert_id = 70000, .warnings = 2);
    ok = client_hears_ok(s.till);
    assert_int_equal(ok.affected_rows, 300);
    assert_int_equal(ok.last_insert_id, 70000);
    assert_int_equal(ok.warnings, 2);
    assert_true(span_eq(ok.info, "well done"));
    assert_int_equal(ok.status, STATUS_AUTOCOMMIT);
    assert_int_equal(ok.changes.n, 0);
}

static void a_client_may_leave_in_the_middle_of_a_command(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    peer_send(s.till, BYTES("\x20\x00\x00\x00\x03SELECT"));
    peer_cut(s.till);
    rig_counts(r, METRIC_SESSIONS, 0);
}

static void a_client_may_leave_in_the_middle_of_a_reply(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, "SHOW TABLES");
    server_hears_query(s.primary, "SHOW TABLES");
    server_says_columns(s.primary, 1);
    server_says_row(s.primary, "t");
    client_hears_columns(s.till, 1);
    peer_reset(s.till);
    peer_hears_end(s.primary);
    rig_counts(r, METRIC_SESSIONS, 0);
}

/* Said out of turn, it is numbered as the reply to a command that was just sent. */
static void hears_shutdown(struct peer *till)
{
    till->seq = 0;
    client_hears_error(till, 1053, "08S01", "Server shutdown in progress");
    peer_hears_end(till);
}

/* Shutdown: what is idle ends at once, a transaction may end first. */
static void a_drain_ends_idle_sessions(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    rig_drain(r, 10000);
    hears_shutdown(s.till);
}

static void a_drain_waits_for_a_statement(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, "UPDATE t SET a=1");
    server_hears_query(s.primary, "UPDATE t SET a=1");
    rig_drain(r, 10000);
    peer_hears_nothing(s.till, 20);
    server_says(s.primary, .affected = 7);
    assert_int_equal(client_hears_ok(s.till).affected_rows, 7);
    hears_shutdown(s.till);
}

static void a_drain_waits_for_a_transaction(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, "BEGIN");
    server_hears_query(s.primary, "BEGIN");
    server_says(s.primary, .status = STATUS_IN_TRANS);
    (void)client_hears_ok(s.till);
    rig_drain(r, 10000);
    peer_hears_nothing(s.till, 20);
    client_asks(s.till, "COMMIT");
    server_hears_query(s.primary, "COMMIT");
    server_says(s.primary, .gtid = "0-1-9");
    (void)client_hears_ok(s.till);
    hears_shutdown(s.till);
}

static void a_drain_ends_all_by_its_deadline(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, "BEGIN");
    server_hears_query(s.primary, "BEGIN");
    server_says(s.primary, .status = STATUS_IN_TRANS);
    (void)client_hears_ok(s.till);
    rig_drain(r, 50);
    hears_shutdown(s.till);
    peer_hears_end(s.primary);
}

static void a_draining_worker_takes_no_client(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *late;

    (void)state;
    client_asks(s.till, read_sql);
    rig_drain(r, 10000);
    late = client_connects(r, 0);
    peer_hears_end(late);
}

/* MariaDB's: an error packet of code 65535 in the midst of a reply. */
static void progress_reports_pass(void **state)
{
    static const char report[] = "\xff\xff\xff\x01\x01\x02\x10\x27\x00\x05"
                                 "stage";
    struct rig *r = rig_start(.workers = 1);
    struct peer *till;
    struct peer *primary;

    (void)state;
    r->view->servers[PRIMARY].capabilities = CAP_MARIADB_PROGRESS;
    rig_publish(r);
    till = client_greeted(r);
    client_logs_in(till, .with = CAP_MARIADB_PROGRESS, .without = CAP_CLIENT_MYSQL);
    primary = server_serves(&r->servers[PRIMARY]);
    (void)client_hears_ok(till);
    assert_true(primary->caps & CAP_MARIADB_PROGRESS);
    client_asks(till, "ALTER TABLE t ENGINE=InnoDB");
    server_hears_query(primary, "ALTER TABLE t ENGINE=InnoDB");
    for (int i = 0; i < 2; i++) {
        struct span heard;

        peer_send_packet(primary, (struct span){(const uint8_t *)report, sizeof report - 1});
        heard = peer_hears_packet(till);
        assert_int_equal(heard.n, sizeof report - 1);
        assert_memory_equal(heard.p, report, heard.n);
    }
    server_says(primary, .affected = 3);
    assert_int_equal(client_hears_ok(till).affected_rows, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(every_command_has_its_answer),
        RIG_TEST(every_bare_command_has_its_answer),
        RIG_TEST(an_unknown_command_is_refused),
        RIG_TEST(a_wrong_sequence_number_ends_it),
        RIG_TEST(the_proxy_answers_a_ping),
        RIG_TEST(statistics_are_text),
        RIG_TEST(a_field_list_is_definitions),
        RIG_TEST(init_db_changes_the_schema),
        RIG_TEST(pipelined_commands_are_answered_in_order),
        RIG_TEST(a_thousand_pipelined_commands),
        RIG_TEST(a_command_may_come_byte_by_byte),
        RIG_TEST(a_reply_may_come_byte_by_byte),
        RIG_TEST(several_results_end_with_the_last),
        RIG_TEST(an_old_client_gets_eof_packets),
        RIG_TEST(session_tracking_is_not_seen_by_the_client),
        RIG_TEST(a_client_may_leave_in_the_middle_of_a_command),
        RIG_TEST(a_client_may_leave_in_the_middle_of_a_reply),
        RIG_TEST(a_drain_ends_idle_sessions),
        RIG_TEST(a_drain_waits_for_a_statement),
        RIG_TEST(a_drain_waits_for_a_transaction),
        RIG_TEST(a_drain_ends_all_by_its_deadline),
        RIG_TEST(a_draining_worker_takes_no_client),
        RIG_TEST(progress_reports_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
