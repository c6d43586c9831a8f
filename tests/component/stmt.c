/* Prepared statements: one id for the client, one for each server connection. */
#include "component/rig.h"

#include <stdlib.h>

static const char read_sql[] = "SELECT name FROM Product WHERE id=?";
static const char write_sql[] = "INSERT INTO t VALUES (?)";

enum { INT_TYPE = 3 };

struct execution {
    uint32_t id;
    uint8_t flags;
    bool types;
    bool no_params;
    uint8_t value; /* of the one parameter */
};

static void put_execute(struct buf *b, const struct execution *e)
{
    buf_put_u32(b, e->id);
    buf_put_u8(b, e->flags);
    buf_put_u32(b, 1);
    if (e->no_params)
        return;
    buf_put_u8(b, 0); /* no NULLs */
    buf_put_u8(b, e->types ? 1 : 0);
    if (e->types)
        buf_put_u16(b, INT_TYPE);
    buf_put_u32(b, e->value);
}

static void executes_as(struct peer *till, const struct execution *e)
{
    struct buf b = buf_with_max(256);

    put_execute(&b, e);
    client_sends(till, COM_STMT_EXECUTE, buf_span(&b));
    buf_free(&b);
}

static void hears_execute(struct peer *server, const struct execution *e)
{
    struct buf b = buf_with_max(256);

    put_execute(&b, e);
    server_hears_command(server, COM_STMT_EXECUTE, buf_span(&b));
    buf_free(&b);
}

#define EXECUTES(till, ...)        executes_as((till), &(struct execution){__VA_ARGS__})
#define HEARS_EXECUTE(server, ...) hears_execute((server), &(struct execution){__VA_ARGS__})

/* The till prepares `sql`, `server` gives it the number `remote`. Answers the till's number. */
static uint32_t prepares(struct peer *till, struct peer *server, const char *sql, uint32_t remote,
                         unsigned columns, unsigned params)
{
    client_sends(till, COM_STMT_PREPARE, span_of(sql));
    server_hears(server, COM_STMT_PREPARE, sql);
    server_says_prepared(server, remote, columns, params);
    return client_hears_prepared(till, columns, params);
}

static uint32_t prepares_read(struct rig *r, struct peer *till, struct peer **replica,
                              uint32_t remote)
{
    client_sends(till, COM_STMT_PREPARE, span_of(read_sql));
    *replica = server_serves(&r->servers[REPLICA]);
    server_hears(*replica, COM_STMT_PREPARE, read_sql);
    server_says_prepared(*replica, remote, 1, 1);
    return client_hears_prepared(till, 1, 1);
}

/* A reply to each of several commands that came at once starts anew. */
static struct peer *anew(struct peer *server)
{
    server->seq = 0;
    return server;
}

static void ids_are_translated(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    uint32_t first = prepares(s.till, s.primary, write_sql, 70, 0, 1);
    uint32_t second = prepares(s.till, s.primary, "DELETE FROM t", 71, 0, 0);

    (void)state;
    assert_int_not_equal(first, second);
    EXECUTES(s.till, .id = second, .no_params = true);
    HEARS_EXECUTE(s.primary, .id = 71, .no_params = true);
    server_says(s.primary, .affected = 4);
    assert_int_equal(client_hears_ok(s.till).affected_rows, 4);
    EXECUTES(s.till, .id = first, .types = true, .value = 9);
    HEARS_EXECUTE(s.primary, .id = 70, .types = true, .value = 9);
    server_says(s.primary, .affected = 1);
    assert_int_equal(client_hears_ok(s.till).affected_rows, 1);
    EXECUTES(s.till, .id = first, .value = 8); /* types stay as they were bound */
    HEARS_EXECUTE(s.primary, .id = 70, .value = 8);
    server_says(s.primary, .affected = 1);
    (void)client_hears_ok(s.till);
}

static void the_last_statement_has_a_name(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    (void)prepares(s.till, s.primary, write_sql, 70, 0, 1);
    EXECUTES(s.till, .id = UINT32_MAX, .types = true, .value = 9);
    HEARS_EXECUTE(s.primary, .id = 70, .types = true, .value = 9);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
}

/* Prepared on the replica, executed on the primary (the session wrote meanwhile): prepared again
 * there, with the types that only the first execution told. */
static void a_statement_moves_to_the_primary(void **state)
{
    struct rig *r = rig_start(.no_waiting = true);
    struct scene s = rig_scene(r);
    struct peer *replica;
    uint32_t id = prepares_read(r, s.till, &replica, 5);

    (void)state;
    EXECUTES(s.till, .id = id, .types = true, .value = 1);
    HEARS_EXECUTE(replica, .id = 5, .types = true, .value = 1);
    server_says_rows(replica, "tea");
    (void)client_hears_rows(s.till, "tea");
    client_asks(s.till, "UPDATE t SET a=1");
    server_hears_query(s.primary, "UPDATE t SET a=1");
    server_says(s.primary, .gtid = "0-1-5");
    (void)client_hears_ok(s.till);
    EXECUTES(s.till, .id = id, .value = 2);
    server_hears(s.primary, COM_STMT_PREPARE, read_sql);
    server_says_prepared(s.primary, 88, 1, 1);
    HEARS_EXECUTE(s.primary, .id = 88, .types = true, .value = 2);
    server_says_rows(s.primary, "coffee");
    (void)client_hears_rows(s.till, "coffee");
    EXECUTES(s.till, .id = id, .value = 3);
    HEARS_EXECUTE(s.primary, .id = 88, .value = 3);
    server_says_rows(s.primary, "milk");
    (void)client_hears_rows(s.till, "milk");
}

/* A read on a replica that does not know it: all in one write, by the number -1. */
static void a_statement_moves_to_a_replica_in_one_write(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s;
    struct peer *replica;
    uint32_t id;

    (void)state;
    r->view->servers[REPLICA].health = HEALTH_DOWN;
    rig_publish(r);
    s = rig_scene(r);
    id = prepares(s.till, s.primary, read_sql, 5, 1, 1);
    EXECUTES(s.till, .id = id, .types = true, .value = 1);
    HEARS_EXECUTE(s.primary, .id = 5, .types = true, .value = 1);
    server_says_rows(s.primary, "tea");
    (void)client_hears_rows(s.till, "tea");
    r->view->servers[REPLICA].health = HEALTH_UP;
    rig_publish(r);
    EXECUTES(s.till, .id = id, .value = 2);
    replica = server_serves(&r->servers[REPLICA]);
    server_hears(replica, COM_STMT_PREPARE, read_sql);
    HEARS_EXECUTE(replica, .id = UINT32_MAX, .types = true, .value = 2);
    server_says_prepared(anew(replica), 6, 1, 1);
    server_says_rows(anew(replica), "coffee");
    (void)client_hears_rows(s.till, "coffee");
    EXECUTES(s.till, .id = id, .value = 3);
    HEARS_EXECUTE(replica, .id = 6, .value = 3);
    server_says_rows(replica, "milk");
    (void)client_hears_rows(s.till, "milk");
}

static void a_replica_that_cannot_prepare_is_left(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s;
    struct peer *replica;
    uint32_t id;

    (void)state;
    r->view->servers[REPLICA].health = HEALTH_DOWN;
    rig_publish(r);
    s = rig_scene(r);
    id = prepares(s.till, s.primary, read_sql, 5, 1, 1);
    r->view->servers[REPLICA].health = HEALTH_UP;
    rig_publish(r);
    EXECUTES(s.till, .id = id, .types = true, .value = 2);
    replica = server_serves(&r->servers[REPLICA]);
    server_hears(replica, COM_STMT_PREPARE, read_sql);
    HEARS_EXECUTE(replica, .id = UINT32_MAX, .types = true, .value = 2);
    server_says_error(anew(replica), 1146, "42S02", "no such table");
    server_says_error(anew(replica), 1243, "HY000", "unknown handler");
    HEARS_EXECUTE(s.primary, .id = 5, .types = true, .value = 2);
    server_says_rows(s.primary, "tea");
    (void)client_hears_rows(s.till, "tea");
}

static void a_replica_cut_in_an_execute_is_replaced(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;
    uint32_t id = prepares_read(r, s.till, &replica, 5);

    (void)state;
    EXECUTES(s.till, .id = id, .types = true, .value = 1);
    HEARS_EXECUTE(replica, .id = 5, .types = true, .value = 1);
    peer_cut(replica);
    server_hears(s.primary, COM_STMT_PREPARE, read_sql);
    server_says_prepared(s.primary, 6, 1, 1);
    HEARS_EXECUTE(s.primary, .id = 6, .types = true, .value = 1);
    server_says_rows(s.primary, "tea");
    (void)client_hears_rows(s.till, "tea");
}

static void a_statement_survives_its_connection(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    uint32_t id = prepares(s.till, s.primary, write_sql, 70, 0, 1);

    (void)state;
    EXECUTES(s.till, .id = id, .types = true, .value = 1);
    HEARS_EXECUTE(s.primary, .id = 70, .types = true, .value = 1);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
    peer_cut(s.primary);
    EXECUTES(s.till, .id = id, .value = 2);
    s.primary = server_serves(&r->servers[PRIMARY]);
    server_hears(s.primary, COM_STMT_PREPARE, write_sql);
    server_says_prepared(s.primary, 3, 0, 1);
    HEARS_EXECUTE(s.primary, .id = 3, .types = true, .value = 2);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
}

static void a_failed_prepare_leaves_nothing(void **state)
{
    struct rig *r = rig_start(.max_prepared = 1);
    struct scene s = rig_scene(r);

    (void)state;
    for (int i = 0; i < 3; i++) {
        client_sends(s.till, COM_STMT_PREPARE, span_of("INSRT"));
        server_hears(s.primary, COM_STMT_PREPARE, "INSRT");
        server_says_error(s.primary, 1064, "42000", "syntax");
        client_hears_error(s.till, 1064, "42000", "syntax");
    }
    EXECUTES(s.till, .id = UINT32_MAX, .no_params = true);
    client_hears_error(s.till, 1243, "HY000", "mysqld_stmt_execute");
}

static void the_limit_of_statements_is_kept(void **state)
{
    struct rig *r = rig_start(.max_prepared = 2);
    struct scene s = rig_scene(r);
    uint32_t id = prepares(s.till, s.primary, write_sql, 70, 0, 1);
    const uint8_t close[4] = {(uint8_t)id, 0, 0, 0};

    (void)state;
    (void)prepares(s.till, s.primary, "DELETE FROM t WHERE a = ?", 71, 0, 1);
    client_sends(s.till, COM_STMT_PREPARE, span_of(write_sql));
    client_hears_error(s.till, 1461, "42000", "max_prepared_stmt_count");
    client_sends(s.till, COM_STMT_CLOSE, (struct span){close, sizeof close});
    server_hears_command(s.primary, COM_STMT_CLOSE, BYTES("\x46\x00\x00\x00"));
    (void)prepares(s.till, s.primary, write_sql, 72, 0, 1);
}

static void a_close_goes_to_every_server(void **state)
{
    struct rig *r = rig_start(.no_waiting = true);
    struct scene s = rig_scene(r);
    struct peer *replica;
    uint32_t id = prepares_read(r, s.till, &replica, 5);
    const uint8_t argument[4] = {(uint8_t)id, 0, 0, 0};
    struct span close = {argument, sizeof argument};

    (void)state;
    client_asks(s.till, "UPDATE t SET a=1");
    server_hears_query(s.primary, "UPDATE t SET a=1");
    server_says(s.primary, .gtid = "0-1-5");
    (void)client_hears_ok(s.till);
    EXECUTES(s.till, .id = id, .types = true);
    server_hears(s.primary, COM_STMT_PREPARE, read_sql);
    server_says_prepared(s.primary, 6, 1, 1);
    HEARS_EXECUTE(s.primary, .id = 6, .types = true);
    server_says_rows(s.primary, "tea");
    (void)client_hears_rows(s.till, "tea");
    client_sends(s.till, COM_STMT_CLOSE, close);
    server_hears_command(s.primary, COM_STMT_CLOSE, BYTES("\x06\x00\x00\x00"));
    server_hears_command(replica, COM_STMT_CLOSE, BYTES("\x05\x00\x00\x00"));
    EXECUTES(s.till, .id = id);
    client_hears_error(s.till, 1243, "HY000", "Unknown prepared statement handler");
}

static void unknown_ids_are_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    EXECUTES(s.till, .id = 77);
    client_hears_error(s.till, 1243, "HY000", "(77) given to mysqld_stmt_execute");
    client_sends(s.till, COM_STMT_RESET, BYTES("\x4D\x00\x00\x00"));
    client_hears_error(s.till, 1243, "HY000", "(77) given to mysqld_stmt_reset");
    client_sends(s.till, COM_STMT_FETCH, BYTES("\x4D\x00\x00\x00\x01\x00\x00\x00"));
    client_hears_error(s.till, 1243, "HY000", "(77) given to mysqld_stmt_fetch");
    client_sends(s.till, COM_STMT_EXECUTE, BYTES("\x01"));
    client_hears_error(s.till, 1835, "HY000", "Malformed");
    peer_hears_nothing(s.primary, 0);
}

static void a_short_execute_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    uint32_t id = prepares(s.till, s.primary, write_sql, 70, 0, 1);
    const uint8_t argument[] = {(uint8_t)id, 0, 0, 0, 0, 1, 0, 0, 0};

    (void)state;
    client_sends(s.till, COM_STMT_EXECUTE, (struct span){argument, sizeof argument});
    client_hears_error(s.till, 1835, "HY000", "Malformed");
}

static void sends_long_data(struct peer *till, uint32_t id, const char *data)
{
    struct buf b = buf_with_max(4096);

    buf_put_u32(&b, id);
    buf_put_u16(&b, 0);
    buf_put_str(&b, data);
    client_sends(till, COM_STMT_SEND_LONG_DATA, buf_span(&b));
    buf_free(&b);
}

/* Long data lives on one connection: a read with it goes to the primary, where it is. */
static void long_data_stays_on_one_connection(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;
    uint32_t id = prepares_read(r, s.till, &replica, 5);

    (void)state;
    sends_long_data(s.till, id, "first");
    server_hears(s.primary, COM_STMT_PREPARE, read_sql);
    server_says_prepared(s.primary, 6, 1, 1);
    server_hears_command(s.primary, COM_STMT_SEND_LONG_DATA, BYTES("\x06\0\0\0\0\0first"));
    sends_long_data(s.till, id, "second");
    server_hears_command(s.primary, COM_STMT_SEND_LONG_DATA, BYTES("\x06\0\0\0\0\0second"));
    EXECUTES(s.till, .id = id, .types = true, .value = 1);
    HEARS_EXECUTE(s.primary, .id = 6, .types = true, .value = 1);
    server_says_rows(s.primary, "tea");
    (void)client_hears_rows(s.till, "tea");
    rig_publish(r);
    EXECUTES(s.till, .id = id, .value = 2);                             /* no long data this time */
    server_hears_command(replica, COM_STMT_CLOSE, BYTES("\x05\0\0\0")); /* it was anybody's */
    server_hears(replica, COM_STMT_PREPARE, read_sql);
    server_says_prepared(replica, 7, 1, 1);
    HEARS_EXECUTE(replica, .id = UINT32_MAX, .types = true, .value = 2);
    server_says_rows(replica, "milk");
    (void)client_hears_rows(s.till, "milk");
}

/* The new connection learns the statement with the long data, and the types with the execution. */
static void long_data_comes_before_the_types(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    uint32_t id = prepares(s.till, s.primary, write_sql, 70, 0, 1);

    (void)state;
    EXECUTES(s.till, .id = id, .types = true, .value = 1);
    HEARS_EXECUTE(s.primary, .id = 70, .types = true, .value = 1);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
    peer_cut(s.primary);
    sends_long_data(s.till, id, "long");
    s.primary = server_serves(&r->servers[PRIMARY]);
    server_hears(s.primary, COM_STMT_PREPARE, write_sql);
    server_says_prepared(s.primary, 6, 0, 1);
    server_hears_command(s.primary, COM_STMT_SEND_LONG_DATA, BYTES("\x06\0\0\0\0\0long"));
    EXECUTES(s.till, .id = id, .value = 2);
    HEARS_EXECUTE(s.primary, .id = 6, .types = true, .value = 2);
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
}

static void lost_long_data_is_told(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    uint32_t id = prepares(s.till, s.primary, write_sql, 70, 0, 1);

    (void)state;
    sends_long_data(s.till, id, "gone");
    server_hears_command(s.primary, COM_STMT_SEND_LONG_DATA, BYTES("\x46\0\0\0\0\0gone"));
    peer_cut(s.primary);
    rig_barrier(r);
    EXECUTES(s.till, .id = id, .types = true, .value = 1);
    if (*peer_hears_packet(s.till).p != 0xFF)
        peer_fail(s.till, "lost long data goes unnoticed");
}

/* A cursor: rows are fetched where it was opened, whatever the read could do elsewhere. */
static struct peer *opens_cursor(struct scene *s, uint32_t *id, uint64_t without)
{
    struct rig *r = rig_start(.workers = 1);

    s->till = client_connects(r, 0);
    client_hears_greeting(s->till);
    client_logs_in(s->till, .without = without);
    s->primary = server_serves(&r->servers[PRIMARY]);
    (void)client_hears_ok(s->till);
    client_sends(s->till, COM_STMT_PREPARE, span_of("SHOW TABLES"));
    server_hears(s->primary, COM_STMT_PREPARE, "SHOW TABLES");
    server_says_prepared(s->primary, 70, 1, 0);
    *id = client_hears_prepared(s->till, 1, 0);
    EXECUTES(s->till, .id = *id, .flags = 1, .no_params = true);
    HEARS_EXECUTE(s->primary, .id = 70, .flags = 1, .no_params = true);
    server_says_columns(s->primary, 1);
    server_says_end(s->primary, &(struct says){.status = STATUS_CURSOR_EXISTS});
    return s->till;
}

/* … by a client that knows no EOF packets. */
static void has_cursor(struct scene *s, uint32_t *id)
{
    (void)opens_cursor(s, id, 0);
    client_hears_columns(s->till, 1);
    assert_true(client_hears_end(s->till).status & STATUS_CURSOR_EXISTS);
}

static void fetches(struct scene *s, uint32_t id, uint16_t status)
{
    const uint8_t argument[8] = {(uint8_t)id, 0, 0, 0, 2, 0, 0, 0};

    client_sends(s->till, COM_STMT_FETCH, (struct span){argument, sizeof argument});
    server_hears_command(s->primary, COM_STMT_FETCH, BYTES("\x46\0\0\0\x02\0\0\0"));
    peer_send_packet(s->primary, BYTES("\x00\x00\x03tea"));
    peer_send_packet(s->primary, BYTES("\x00\x00\x04milk"));
    server_says_end(s->primary, &(struct says){.status = status});
    assert_int_equal(peer_hears_packet(s->till).n, 6);
    assert_int_equal(peer_hears_packet(s->till).n, 7);
    assert_true(client_hears_end(s->till).status & status);
}

static void a_cursor_is_fetched(void **state)
{
    struct scene s;
    uint32_t id;
    const uint8_t reset[4] = {1, 0, 0, 0};

    (void)state;
    has_cursor(&s, &id);
    fetches(&s, id, STATUS_CURSOR_EXISTS);
    assert_int_equal(id, 1);
    client_sends(s.till, COM_STMT_RESET, (struct span){reset, sizeof reset});
    server_hears_command(s.primary, COM_STMT_RESET, BYTES("\x46\0\0\0"));
    server_says_ok(s.primary);
    (void)client_hears_ok(s.till);
}

/* Its error names the client's statement, not the server's. */
static void a_cursor_closes_behind_its_last_row(void **state)
{
    struct scene s;
    uint32_t id;

    (void)state;
    has_cursor(&s, &id);
    fetches(&s, id, STATUS_LAST_ROW_SENT);
    client_sends(s.till, COM_STMT_FETCH, BYTES("\x01\0\0\0\x02\0\0\0"));
    client_hears_error(s.till, 1421, "HY000", "The statement (1) has no open cursor");
}

static void an_old_client_fetches_from_a_cursor(void **state)
{
    struct scene s;
    uint32_t id;

    (void)state;
    (void)opens_cursor(&s, &id, CAP_DEPRECATE_EOF);
    /* one EOF packet only: it says that the cursor is open */
    assert_int_equal(peer_hears_packet(s.till).n, 1);
    assert_true(peer_hears_packet(s.till).n > 20);
    assert_true(client_hears_end(s.till).status & STATUS_CURSOR_EXISTS);
    fetches(&s, id, STATUS_CURSOR_EXISTS);
    fetches(&s, id, STATUS_LAST_ROW_SENT);
}

static void a_lost_cursor_is_told(void **state)
{
    struct scene s;
    uint32_t id;

    (void)state;
    has_cursor(&s, &id);
    peer_cut(s.primary);
    client_sends(s.till, COM_STMT_FETCH, BYTES("\x01\0\0\0\x02\0\0\0"));
    if (*peer_hears_packet(s.till).p != 0xFF)
        peer_fail(s.till, "a lost cursor goes unnoticed");
    client_sends(s.till, COM_PING, BYTES(""));
    (void)client_hears_ok(s.till);
}

static void a_fetch_without_cursor_is_refused(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    uint32_t id = prepares(s.till, s.primary, write_sql, 70, 0, 1);
    const uint8_t fetch[8] = {(uint8_t)id, 0, 0, 0, 1, 0, 0, 0};
    const uint8_t reset[4] = {(uint8_t)id, 0, 0, 0};

    (void)state;
    client_sends(s.till, COM_STMT_FETCH, (struct span){fetch, sizeof fetch});
    client_hears_error(s.till, 1421, "HY000", "no open cursor");
    client_sends(s.till, COM_STMT_RESET, (struct span){reset, sizeof reset});
    (void)client_hears_ok(s.till);
}

/* Text longer than the proxy's buffer: not kept, so it stays where it was prepared. */
static void a_long_statement_stays_on_one_connection(void **state)
{
    enum { LONG = 40000 };
    struct rig *r = rig_start(.buffer_kib = 8);
    struct scene s = rig_scene(r);
    char *sql = malloc(LONG + 1);
    uint32_t id;

    (void)state;
    assert_non_null(sql);
    (void)memset(sql, ' ', LONG);
    sql[LONG] = 0;
    memcpy(sql, "SELECT 1", 8);
    id = prepares(s.till, s.primary, sql, 70, 1, 0);
    rig_publish(r);
    EXECUTES(s.till, .id = id, .no_params = true);
    HEARS_EXECUTE(s.primary, .id = 70, .no_params = true);
    server_says_rows(s.primary, "1");
    (void)client_hears_rows(s.till, "1");
    peer_cut(s.primary);
    rig_barrier(r);
    EXECUTES(s.till, .id = id, .no_params = true);
    if (*peer_hears_packet(s.till).p != 0xFF)
        peer_fail(s.till, "a statement nobody knows is executed");
    free(sql);
}

static void an_old_client_prepares(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_old_scene(r);

    (void)state;
    (void)prepares(s.till, s.primary, "SHOW TABLES LIKE ?", 70, 2, 3);
    (void)prepares(s.till, s.primary, "SHOW TABLES", 71, 2, 0);
    (void)prepares(s.till, s.primary, write_sql, 72, 0, 1);
    (void)prepares(s.till, s.primary, "DELETE FROM t", 73, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(ids_are_translated),
        RIG_TEST(the_last_statement_has_a_name),
        RIG_TEST(a_statement_moves_to_the_primary),
        RIG_TEST(a_statement_moves_to_a_replica_in_one_write),
        RIG_TEST(a_replica_that_cannot_prepare_is_left),
        RIG_TEST(a_replica_cut_in_an_execute_is_replaced),
        RIG_TEST(a_statement_survives_its_connection),
        RIG_TEST(a_failed_prepare_leaves_nothing),
        RIG_TEST(the_limit_of_statements_is_kept),
        RIG_TEST(a_close_goes_to_every_server),
        RIG_TEST(unknown_ids_are_refused),
        RIG_TEST(a_short_execute_is_refused),
        RIG_TEST(long_data_stays_on_one_connection),
        RIG_TEST(long_data_comes_before_the_types),
        RIG_TEST(lost_long_data_is_told),
        RIG_TEST(a_cursor_is_fetched),
        RIG_TEST(a_cursor_closes_behind_its_last_row),
        RIG_TEST(an_old_client_fetches_from_a_cursor),
        RIG_TEST(a_lost_cursor_is_told),
        RIG_TEST(a_fetch_without_cursor_is_refused),
        RIG_TEST(a_long_statement_stays_on_one_connection),
        RIG_TEST(an_old_client_prepares),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
