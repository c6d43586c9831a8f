/* Prepared statements. The client knows a statement by the proxy's id; each server connection knows
 * it, once prepared there, by its own (proxy/backend/prepared.h).
 *
 * A statement goes where its text would go as a query, execution by execution: it is prepared
 * again, in the same write, on a connection that does not know it. Long data and cursors live on
 * one connection: `bound`. */
#include "proxy/replay/session_replay.h"
#include "proxy/session/session_kill.h"
#include "proxy/session/session_steps.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { ER_UNSUPPORTED_PS = 1295, ER_NO_OPEN_CURSOR = 1421, ER_MAX_PREPARED = 1461 };

static const char unsupported[] =
    "This command is not supported in the prepared statement protocol yet";

static enum step go(struct session *s)
{
    session_enter(s, SESSION_ROUTE);
    return STEP_MORE;
}

static bool has_room(const struct session *s, struct span text)
{
    const struct conf_limits *l = &s->worker->conf->limits;

    return s->stmts.count < l->max_prepared && s->stmts.bytes + text.n <= l->session_memory;
}

static enum step too_many(struct session *s)
{
    char text[128];

    (void)snprintf(text, sizeof text,
                   "Can't create more than max_prepared_stmt_count statements (current value: %u)",
                   s->stmts.count);
    return session_answer_error(s, ER_MAX_PREPARED, "42000", text);
}

static enum step unknown_statement(struct session *s, uint32_t id, const char *command)
{
    char text[128];

    (void)snprintf(text, sizeof text, "Unknown prepared statement handler (%u) given to %s", id,
                   command);
    return session_answer_error(s, ER_UNKNOWN_STMT_HANDLER, "HY000", text);
}

static enum step malformed(struct session *s)
{
    return session_answer_error(s, ER_MALFORMED_PACKET, "HY000", "Malformed communication packet");
}

/* To the primary, although it is a read or a question that a replica could answer: cursors and long
 * data. */
static void keep_from_replicas(struct session *s)
{
    s->run.read = s->run.statement.only_asks = false;
    if (s->run.statement.reason == SQL_IS_READ)
        s->run.statement.reason = SQL_SESSION_FUNCTION;
}

enum step session_prepare(struct session *s, struct span payload)
{
    struct span text = {payload.p + 1, payload.n - 1};
    struct command_run *run = &s->run;

    if (!has_room(s, text))
        return too_many(s);
    if (s->worker->rules) {
        session_classify(s, text, run->whole);
        if (!session_rule(s, &text))
            return STEP_MORE;
    }
    run->stmt =
        stmts_add(&s->stmts, run->whole ? text : (struct span){NULL, 0}, s->schema, s->vars);
    if (!run->stmt)
        return session_answer_error(s, ER_UNKNOWN_ERROR, "HY000", "out of memory");
    session_classify_prepared(s, run->stmt, text);
    run->statement = run->stmt->statement;
    route_wish_add_hints(&run->wish, &run->statement.hints, s->worker->topology);
    run->stmt->wish = run->wish;
    run->read = run->whole && sql_is_read(&run->statement);
    run->own_text = run->stmt->own_text = run->whole && session_text_is_own(s, &run->statement);
    if (run->own_text && !stmts_set_apart(&s->stmts, run->stmt))
        return session_answer_error(s, ER_UNKNOWN_ERROR, "HY000", "out of memory");
    return go(s);
}

void session_stmt_drop_unprepared(struct session *s)
{
    if (s->run.byte == COM_STMT_PREPARE && s->run.stmt && !s->run.stmt->prepared)
        stmts_remove(&s->stmts, s->run.stmt);
    s->run.stmt = NULL;
}

/* Whether the head of an EXECUTE could be read; if its types could not, it stays on one connection
 * from now on. */
static bool read_head(struct session *s, struct stmt *stmt, struct span payload)
{
    struct stmt_execute *e = &s->run.execute;
    int decoded = stmt_execute_decode(payload, stmt->params, e);

    if (decoded < 0 || (decoded == 0 && s->run.whole))
        return false;
    if (decoded == 0) {
        *e = (struct stmt_execute){.has_types = true};
        stmt->home_only = true;
        return true;
    }
    if (e->has_types && !stmts_keep_types(&s->stmts, stmt, e->types))
        stmt->home_only = true;
    return true;
}

/* Whether the connection that has its long data, its cursor or (home_only) the statement itself is
 * still there. */
static bool bound_is_held(const struct session *s, const struct stmt *stmt)
{
    const struct backend *b = stmt->bound >= 0 ? s->held[stmt->bound] : NULL;

    return b && stmt->bound_serial == b->serial;
}

/* The connection went with what it held. A statement that can be carried is fit for use again; the
 * one execution that counted on the data sent before is not. */
static enum step bound_was_lost(struct session *s, struct stmt *stmt)
{
    if (!stmt->home_only) {
        stmt->bound = -1;
        stmt->long_data = stmt->cursor = false;
    }
    return session_answer_error(s, ER_NET_READ_ERROR, "08S01",
                                "Lost connection to server: the statement's data went with it");
}

enum step session_execute(struct session *s, struct span payload)
{
    struct command_run *run = &s->run;
    struct stmt *stmt = NULL;
    uint32_t id = 0;

    if (payload.n < STMT_EXECUTE_HEAD)
        return malformed(s);
    if (stmt_id_of(payload, &id))
        stmt = stmts_find(&s->stmts, id);
    if (!stmt)
        return unknown_statement(s, id, "mysqld_stmt_execute");
    if (!read_head(s, stmt, payload))
        return malformed(s);
    run->stmt = stmt;
    session_classify_again(s, stmt);
    run->statement = stmt->statement;
    run->wish = stmt->wish;
    if (run->statement.kill.by_user && stmt->text)
        return session_kill_user(s, &run->statement.kill);
    run->read = run->whole && sql_is_read(&run->statement);
    if ((run->execute.flags & STMT_FLAG_CURSOR) || stmt->long_data || stmt->home_only ||
        !run->whole)
        keep_from_replicas(s);
    if (stmt->cursor && !stmt->long_data && !stmt->home_only)
        stmt->bound = -1; /* executing anew closes its cursor */
    if (stmt->bound >= 0 && !bound_is_held(s, stmt))
        return bound_was_lost(s, stmt);
    return stmt->own_text && session_busy_wanted(s, session_text(s)) ? session_busy_ask(s) : go(s);
}

/* Many rows of parameters in one command; it only ever writes. */
enum step session_bulk_execute(struct session *s, struct span payload)
{
    struct stmt *stmt = NULL;
    struct span types;
    uint32_t id = 0;

    if (payload.n < STMT_BULK_HEAD)
        return malformed(s);
    if (!(s->caps & CAP_MARIADB_BULK))
        return session_answer_error(s, ER_UNSUPPORTED_PS, "HY000", unsupported);
    if (stmt_id_of(payload, &id))
        stmt = stmts_find(&s->stmts, id);
    if (!stmt)
        return unknown_statement(s, id, "mysqld_stmt_bulk_execute");
    if (!stmt_bulk_decode(payload, stmt->params, &types))
        return malformed(s);
    if (types.n && !stmts_keep_types(&s->stmts, stmt, types))
        stmt->home_only = true;
    s->run.stmt = stmt;
    s->run.statement = stmt->statement;
    s->run.wish = stmt->wish;
    keep_from_replicas(s);
    if (stmt->bound >= 0 && !bound_is_held(s, stmt))
        return bound_was_lost(s, stmt);
    return go(s);
}

enum step session_long_data(struct session *s, struct span payload)
{
    struct stmt *stmt = NULL;
    uint32_t id;

    if (stmt_id_of(payload, &id))
        stmt = stmts_find(&s->stmts, id);
    if (!stmt)
        return session_answer_nothing(s);
    if (!stmt->long_data && stmt->cursor && !stmt->home_only)
        stmt->bound = -1;
    s->run.stmt = stmt;
    if (stmt->bound >= 0 && !bound_is_held(s, stmt))
        return session_answer_nothing(s); /* executing it will tell */
    s->run.statement = stmt->statement;
    keep_from_replicas(s);
    return go(s);
}

void session_stmt_data_lost(struct session *s)
{
    struct stmt *stmt = s->run.stmt;

    if (!stmt)
        return;
    stmt->long_data = true;
    stmt->bound = s->run.route.server >= 0 ? s->run.route.server : 0;
    stmt->bound_serial = 0;
}

/* The session keeps the connection as long as it needs what is there. */
static void bind_stmt(struct session *s, struct stmt *stmt, const struct backend *b)
{
    stmt->bound = b->server;
    stmt->bound_serial = b->serial;
    s->bound_bits |= 1u << b->server;
}

bool session_stmt_bound(struct session *s, const struct backend *b)
{
    uint32_t bit = 1u << b->server;

    if (!(s->bound_bits & bit))
        return false;
    for (const struct stmt *stmt = s->stmts.by_id; stmt; stmt = stmt->hh.next)
        if (stmt->bound == b->server && stmt->bound_serial == b->serial)
            return true;
    s->bound_bits &= ~bit;
    return false;
}

/* Write COM_STMT_CLOSE into b->out; `p` is gone. */
static bool close_on(struct backend *b, struct prepared *p)
{
    uint32_t id = p->id;
    const uint8_t argument[4] = {(uint8_t)id, (uint8_t)(id >> 8), (uint8_t)(id >> 16),
                                 (uint8_t)(id >> 24)};

    prepared_remove(&b->prepared, p);
    return backend_command(b, COM_STMT_CLOSE, (struct span){argument, sizeof argument},
                           EXPECT_DISCARD);
}

bool session_stmt_sweep(struct session *s, struct backend *b)
{
    const struct prepared_uses *uses = &s->worker->prepared;
    struct prepared *next;
    bool ok = true;

    if (b->prepared.swept == uses->closings)
        return true;
    b->prepared.swept = uses->closings;
    for (struct prepared *p = b->prepared.by_key; p && ok; p = next) {
        next = prepared_next(p);
        if (p->id != STMT_ID_LAST && !prepared_is_used(uses, p->key))
            ok = close_on(b, p);
    }
    return ok;
}

/* Close what has not been used for the longest time, but never the newest. With a cursor or long
 * data on the connection nothing is closed: they may belong to any of them. */
static bool close_oldest(struct session *s, struct backend *b)
{
    struct prepared *p = b->prepared.by_key;
    bool ok = true;

    while (ok && p && b->prepared.bytes > s->worker->conf->pool.prepared && prepared_next(p) &&
           p->id != STMT_ID_LAST && !(s->bound_bits & 1u << b->server)) {
        ok = close_on(b, p);
        p = b->prepared.by_key;
    }
    return ok;
}

/* Where the session used it last; other idle connections that know it close it before their next
 * command. */
static void close_at_once(struct session *s)
{
    for (int i = 0; i < SERVERS_MAX; i++) {
        struct backend *b = s->recent[i];

        if (b && backend_is_ready(b) && !b->stream.writing && session_stmt_sweep(s, b))
            (void)!backend_write(b, NULL, 0); /* a connection that died says so by itself */
    }
}

enum step session_stmt_close(struct session *s, struct span payload)
{
    struct stmt *stmt = NULL;
    uint32_t id;

    if (stmt_id_of(payload, &id))
        stmt = stmts_find(&s->stmts, id);
    if (stmt) {
        stmts_remove(&s->stmts, stmt);
        close_at_once(s);
    }
    return session_answer_nothing(s);
}

enum step session_stmt_reset(struct session *s, struct span payload)
{
    struct stmt *stmt = NULL;
    uint32_t id = 0;

    if (stmt_id_of(payload, &id))
        stmt = stmts_find(&s->stmts, id);
    if (!stmt)
        return unknown_statement(s, id, "mysqld_stmt_reset");
    if (!bound_is_held(s, stmt) && !s->unsaid.status) {
        if (!stmt->home_only)
            stmt->bound = -1;
        stmt->long_data = stmt->cursor = false;
        return session_answer_ok(s);
    }
    s->run.stmt = stmt;
    keep_from_replicas(s);
    return go(s);
}

enum step session_fetch(struct session *s, struct span payload)
{
    struct stmt *stmt = NULL;
    uint32_t id = 0;
    char text[96];

    if (stmt_id_of(payload, &id))
        stmt = stmts_find(&s->stmts, id);
    if (!stmt)
        return unknown_statement(s, id, "mysqld_stmt_fetch");
    if (!stmt->cursor || !bound_is_held(s, stmt)) {
        (void)snprintf(text, sizeof text, "The statement (%u) has no open cursor", id);
        return session_answer_error(s, ER_NO_OPEN_CURSOR, "HY000", text);
    }
    s->run.stmt = stmt;
    keep_from_replicas(s);
    return go(s);
}

static bool uses_statement(const struct command_run *run)
{
    return run->stmt && run->byte != COM_STMT_PREPARE;
}

const struct prepared_key *session_stmt_key(const struct session *s)
{
    return uses_statement(&s->run) ? &s->run.stmt->key : NULL;
}

/* What was written into its text is old by now. */
static bool is_outdated(const struct command_run *run)
{
    return run->stmt->own_text && run->byte == COM_STMT_EXECUTE && !run->stmt->long_data;
}

static bool prepare_again(struct session *s, struct backend *b, struct span text)
{
    struct buf packet = buf_with_max(BACKEND_OUT_MAX);
    bool ok;

    if (s->run.stmt->own_text && session_rewrite(s, b, COM_STMT_PREPARE, text, &packet))
        text = packet_argument(buf_span(&packet));
    ok = backend_command(b, COM_STMT_PREPARE, text, EXPECT_PREPARE);
    buf_free(&packet);
    return ok;
}

bool session_stmt_missing(const struct session *s, struct backend *b)
{
    const struct command_run *run = &s->run;

    return uses_statement(run) &&
           (!prepared_find(&b->prepared, run->stmt->key) || is_outdated(run));
}

/* What the connection knows by this key gives way to a statement that is about to be prepared. */
static bool give_way(struct backend *b, struct prepared_key key)
{
    struct prepared *old = prepared_find(&b->prepared, key);

    return !old || close_on(b, old);
}

bool session_stmt_ensure(struct session *s, struct backend *b)
{
    const struct stmt *stmt = s->run.stmt;
    struct prepared *p;

    if (!stmt->text || !give_way(b, stmt->key))
        return false;
    p = prepared_add(&b->prepared, stmt->key, stmt->text_len);
    if (!p)
        return false;
    p->id = STMT_ID_LAST;
    if (!prepare_again(s, b, (struct span){(const uint8_t *)stmt->text, stmt->text_len}))
        return false;
    backend_expect_of(b, p);
    return close_oldest(s, b);
}

/* What has a cursor or long data is no other session's to execute: the server's statement becomes
 * this one's own. */
static bool needs_own(const struct command_run *run)
{
    return run->byte == COM_STMT_SEND_LONG_DATA ||
           (run->byte == COM_STMT_EXECUTE && (run->execute.flags & STMT_FLAG_CURSOR));
}

bool session_stmt_make_own(struct session *s, struct backend *b)
{
    struct stmt *stmt = s->run.stmt;
    struct prepared *p;

    if (!stmt || stmt->apart || !needs_own(&s->run))
        return true;
    p = prepared_find(&b->prepared, stmt->key);
    if (!stmts_set_apart(&s->stmts, stmt))
        return false;
    if (p)
        prepared_rekey(&b->prepared, p, stmt->key);
    return true;
}

bool session_stmt_make_room(struct session *s, struct backend *b)
{
    return s->run.byte != COM_STMT_PREPARE || !s->run.stmt || give_way(b, s->run.stmt->key);
}

void session_stmt_known(struct backend *b, struct prepared *p, bool failed)
{
    if (!p)
        return;
    p->id = b->reply.stmt_id;
    if (failed && !p->left)
        prepared_remove(&b->prepared, p);
}

/* The packet's head, with the types put in, goes behind what `out` holds; the rest of the packet
 * is left. */
static struct span put_types_in(const struct session *s, struct buf *out, struct span bytes)
{
    const struct stmt *stmt = s->run.stmt;
    uint32_t length = packet_header_at(bytes.p).length + 2u * stmt->params;
    size_t head = PACKET_HEADER + s->run.execute.bound_at;
    uint8_t header[PACKET_HEADER];

    packet_header_write(header, length, 0);
    buf_put(out, header, sizeof header);
    buf_put(out, bytes.p + PACKET_HEADER, head - PACKET_HEADER);
    buf_put_u8(out, 1);
    buf_put(out, stmt->types, (size_t)2 * stmt->params);
    return (struct span){bytes.p + head + 1, bytes.n - head - 1};
}

static bool types_missing(const struct session *s, const struct prepared *p)
{
    const struct command_run *run = &s->run;

    return run->byte == COM_STMT_EXECUTE && run->stmt->params > 0 && !run->execute.has_types &&
           run->execute.bound_at > 0 && run->stmt->types && p->types != run->stmt->types_mark;
}

/* An EXECUTE that ran before goes out as the command under way would. */
bool session_stmt_run_again(struct session *s, struct backend *b, struct stmt *stmt,
                            struct buf *packet)
{
    struct command_run now = s->run;
    struct command_run *run = &s->run;
    struct span payload = {packet->data + PACKET_HEADER, packet->len - PACKET_HEADER};
    bool ok = true;

    *run = (struct command_run){.byte = COM_STMT_EXECUTE, .whole = true, .stmt = stmt};
    if (stmt_execute_decode(payload, stmt->params, &run->execute) > 0) {
        ok = session_lay_on_statement(s, b) && backend_expect(b, REPLY_RESULT, EXPECT_DISCARD, 0);
        if (ok)
            buf_put_span(&b->out, session_stmt_fit(s, b, packet->data, packet->len));
        ok = ok && buf_ok(&b->out);
    }
    s->run = now;
    return ok;
}

struct span session_stmt_fit(struct session *s, struct backend *b, uint8_t *data, size_t n)
{
    struct span bytes = {data, n};
    struct prepared *p;

    if (!uses_statement(&s->run))
        return bytes;
    p = prepared_find(&b->prepared, s->run.stmt->key);
    assert(p); /* it was prepared again, or there is no command */
    stmt_id_patch(data + PACKET_HEADER, p->id);
    if (types_missing(s, p) &&
        packet_header_at(bytes.p).length < PACKET_MAX_PAYLOAD - 2u * s->run.stmt->params)
        bytes = put_types_in(s, &b->out, bytes);
    if (s->run.byte == COM_STMT_EXECUTE || s->run.byte == COM_STMT_BULK_EXECUTE) {
        p->types = s->run.stmt->types_mark;
        backend_expect_of(b, p);
    }
    return bytes;
}

bool session_stmt_with_types(const struct session *s, struct span packet, struct buf *out)
{
    const struct command_run *run = &s->run;

    if (run->stmt->params > 0 && !run->execute.has_types) {
        if (!run->execute.bound_at || !run->stmt->types)
            return false;
        packet = put_types_in(s, out, packet);
    }
    buf_put_span(out, packet);
    return buf_ok(out);
}

/* Without memory the server's statement is forgotten: it goes with the connection. */
static void end_prepare(struct session *s, struct backend *b)
{
    struct stmt *stmt = s->run.stmt;
    struct prepared *p;

    if (s->run.failed)
        return;
    stmt->prepared = true;
    stmt->params = b->reply.stmt_params;
    stmt->seen = b->heard.mark;
    p = prepared_add(&b->prepared, stmt->key, stmt->text_len);
    if (p) {
        p->id = b->reply.stmt_id;
        prepared_keep_metadata(&b->prepared, p, &b->heard);
    }
    if (stmt->home_only)
        bind_stmt(s, stmt, b);
}

void session_stmt_end(struct session *s, struct backend *b)
{
    struct stmt *stmt = s->run.stmt;

    if (!stmt)
        return;
    switch (s->run.byte) {
    case COM_STMT_PREPARE:
        end_prepare(s, b);
        return;
    case COM_STMT_SEND_LONG_DATA:
        stmt->long_data = true;
        bind_stmt(s, stmt, b);
        return;
    case COM_STMT_EXECUTE:
        stmt->cursor = !s->run.failed && (s->status & STATUS_CURSOR_EXISTS) != 0;
        break;
    case COM_STMT_FETCH: /* the server closes it behind its last row */
        if (s->run.failed || !(s->status & STATUS_LAST_ROW_SENT))
            return;
        stmt->cursor = false;
        break;
    case COM_STMT_RESET:
    case COM_STMT_BULK_EXECUTE:
        stmt->cursor = false;
        break;
    default:
        return;
    }
    stmt->long_data = false;
    if (stmt->cursor || stmt->home_only)
        bind_stmt(s, stmt, b);
    else
        stmt->bound = -1;
}
