/* Brings a server connection to the session's state, and takes the replies to the proxy's own
 * questions off it. */
#include "proxy/replay/session_replay.h"
#include "proxy/session/session_galera.h"
#include "proxy/session/session_steps.h"
#include "proxy/session/session_tracking.h"

#include "base/log.h"

#include <stdio.h>

enum { SET_MAX = 256 * 1024 };

static bool lay_on_schema(struct backend *b, const char *schema)
{
    if (schema[0] == 0 || strcmp(schema, b->schema) == 0)
        return true;
    (void)snprintf(b->schema, sizeof b->schema, "%s", schema);
    return backend_command(b, COM_INIT_DB, span_of(schema), EXPECT_STATE);
}

static bool lay_on_option(struct session *s, struct backend *b)
{
    const uint8_t option[2] = {s->multi_statements ? 0 : 1, 0};

    if (s->multi_statements == b->multi_statements)
        return true;
    b->multi_statements = s->multi_statements;
    return backend_command(b, COM_SET_OPTION, (struct span){option, sizeof option}, EXPECT_STATE);
}

static bool lay_on_variables(const struct session *s, struct backend *b, const struct vars *vars)
{
    struct buf sql;
    bool ok;

    if (vars_fingerprint(vars) == vars_fingerprint(b->vars))
        return true;
    sql = buf_with_max(SET_MAX);
    vars_difference(&sql, b->vars, vars, s->worker->catalog);
    ok = buf_ok(&sql);
    if (ok && sql.len) {
        ok = backend_command(b, COM_QUERY, buf_span(&sql), EXPECT_STATE);
        /* the access mode or the time limit may be among them */
        b->guarded = false;
        b->limit_ms = b->limit_ms ? UINT32_MAX : 0;
    }
    if (ok)
        vars_copy(b->vars, vars);
    buf_free(&sql);
    return ok;
}

/* Whether the statement is on its way to a replica. Where there is no primary just now, a session
 * bound to the last one goes on there, and writes. */
static bool reads_a_replica(const struct session *s, const struct backend *b)
{
    return s->run.read && b->server != s->worker->topology->primary &&
           s->run.route.reason != ROUTE_PINNED;
}

/* Nothing is ever written on a replica, whatever was known of the functions and views in the
 * statement and whoever the user is: read_only does not hold for all of them, this does. */
static bool lay_on_guard(struct session *s, struct backend *b)
{
    return b->guarded || !reads_a_replica(s, b) || backend_guard(b);
}

/* The time limit that a comment or a rule gives the statement, or back to the session's own. */
static bool lay_on_limit(struct session *s, struct backend *b)
{
    uint32_t want = s->run.log_in ? 0 : s->run.wish.timeout_ms;
    struct span own = vars_value(s->vars, "max_statement_time");
    char sql[96];

    if (want == b->limit_ms)
        return true;
    b->limit_ms = want;
    if (want)
        (void)snprintf(sql, sizeof sql, "SET SESSION max_statement_time=%u.%03u", want / 1000,
                       want % 1000);
    else
        (void)snprintf(sql, sizeof sql, "SET SESSION max_statement_time=%.*s",
                       own.p ? (int)(own.n < 32 ? own.n : 32) : 7,
                       own.p ? (const char *)own.p : "DEFAULT");
    return backend_command(b, COM_QUERY, span_of(sql), EXPECT_STATE);
}

static bool ask_to_wait(struct session *s, struct backend *b)
{
    char text[GTID_SET_TEXT_MAX];
    char sql[GTID_SET_TEXT_MAX + 64];
    struct gtid_set position;
    uint64_t wait_ns;

    if (!s->run.route.wait)
        return true;
    if (s->worker->topology->galera)
        return backend_command(b, COM_QUERY, span_of(session_galera_barrier), EXPECT_WAIT);
    wait_ns = session_wait_asks(s, &position);
    gtid_set_format(&position, text, sizeof text);
    (void)snprintf(sql, sizeof sql,
                   "SELECT IF(MASTER_GTID_WAIT('%s',%.6f)=0,@@global.gtid_slave_pos,NULL)", text,
                   (double)wait_ns / 1e9);
    return backend_command(b, COM_QUERY, span_of(sql), EXPECT_WAIT);
}

/* A process that is killed closes its connections one after the other: once one of them broke under
 * a command, those that were opened before may be dead as well and not know it. What is lost on
 * such a one is a write of which nobody knows whether it took effect, so that it is asked first. */
static bool is_doubtful(const struct session *s, const struct backend *b)
{
    const struct server_load *load = &s->worker->shared->loads[b->server];

    return !s->run.read && !s->run.log_in && !(s->run.statement.effects & SQL_EFFECTS_ASKS) &&
           b->sound_ns <= atomic_load_explicit(&load->broke_ns, memory_order_relaxed);
}

static bool lay_on_doubt(const struct session *s, struct backend *b)
{
    if (!is_doubtful(s, b))
        return true;
    b->sound_ns = worker_now_ns();
    return backend_command(b, COM_PING, (struct span){NULL, 0}, EXPECT_STATE);
}

/* These mean nothing to a statement that is prepared, but would end the transaction or be refused
 * inside of it. */
static void keep_transaction(struct vars *then, const struct vars *now)
{
    vars_take(then, now, "autocommit");
    vars_take(then, now, "tx_isolation");
    vars_take(then, now, "tx_read_only");
}

/* What nobody can follow would be lost by going back and forth. */
static const struct vars *vars_to_prepare_under(const struct session *s)
{
    return session_home_knows_variables(s) ? s->run.stmt->vars : s->vars;
}

static bool changes_state(const struct session *s, struct backend *b)
{
    const struct stmt *stmt = session_stmt_missing(s, b) ? s->run.stmt : NULL;
    const struct vars *vars = stmt ? vars_to_prepare_under(s) : s->vars;
    const char *schema = stmt ? stmt->schema : s->schema;

    return is_doubtful(s, b) || session_uservars_are_due(s, b) ||
           session_left_gives_insert_id(s, b) ||
           vars_fingerprint(vars) != vars_fingerprint(b->vars) ||
           vars_fingerprint(s->vars) != vars_fingerprint(b->vars) ||
           (schema[0] && strcmp(schema, b->schema) != 0) ||
           (s->schema[0] && strcmp(s->schema, b->schema) != 0) ||
           s->run.wish.timeout_ms != b->limit_ms;
}

/* The primary's own may run on a connection that only reads if it is a read, for an error there is
 * not the last word, and begins no transaction of the session's. */
static bool bears_guard(const struct session *s, struct backend *b)
{
    const struct command_run *run = &s->run;

    return run->read && run->whole && !run->alone && run->route.reason != ROUTE_PINNED &&
           !changes_state(s, b);
}

static bool guard_is_in_the_way(const struct session *s, struct backend *b)
{
    return b->guarded && b->server == s->worker->topology->primary && !bears_guard(s, b);
}

static bool lay_off_guard(const struct session *s, struct backend *b)
{
    struct span own = vars_value(s->vars, "tx_read_only");

    return !guard_is_in_the_way(s, b) || backend_unguard(b, own.p ? own : span_of("DEFAULT"));
}

bool session_lays_on(const struct session *s, struct backend *b)
{
    return guard_is_in_the_way(s, b) || changes_state(s, b);
}

/* A statement is prepared under the schema and variables under which the client prepared it, not
 * those of now. */
bool session_lay_on_statement(struct session *s, struct backend *b)
{
    const struct stmt *stmt = s->run.stmt;
    const struct vars *then;

    if (!stmt || !session_stmt_missing(s, b))
        return true;
    then = vars_to_prepare_under(s);
    if (then != s->vars)
        keep_transaction(stmt->vars, s->vars);
    return lay_on_schema(b, stmt->schema) && lay_on_variables(s, b, then) &&
           session_stmt_ensure(s, b) && lay_on_schema(b, s->schema) &&
           lay_on_variables(s, b, s->vars);
}

bool session_lay_on_state(struct session *s, struct backend *b)
{
    if (!session_take_over(b) || !session_stmt_sweep(s, b) || !session_stmt_make_own(s, b))
        return false;
    session_replay_lay_on(s, b);
    return lay_off_guard(s, b) && lay_on_doubt(s, b) && session_tracking_lay_on(s, b) &&
           lay_on_schema(b, s->schema) && lay_on_option(s, b) && lay_on_variables(s, b, s->vars) &&
           session_uservars_lay_on(s, b) && lay_on_guard(s, b) && lay_on_limit(s, b) &&
           ask_to_wait(s, b) && session_lay_on_statement(s, b) && lay_on_guard(s, b) &&
           lay_on_limit(s, b) && session_stmt_make_room(s, b) && session_lay_on_left(s, b) &&
           session_answers_lay_on(s, b) && session_left_give_row_count(s, b);
}

static void discard_rest(struct backend *b)
{
    for (unsigned i = 0; i < b->expect_count; i++)
        b->expect[(b->expect_head + i) % EXPECT_MAX].role = EXPECT_DISCARD;
}

static enum swallow on_refused(struct backend *b, const struct server_error *e, bool preparing)
{
    b->error.preparing = preparing;
    b->error.code = e->code;
    memcpy(b->error.sqlstate, e->sqlstate, sizeof b->error.sqlstate);
    (void)snprintf(b->error.text, sizeof b->error.text, "%.*s", (int)e->message.n,
                   (const char *)e->message.p);
    return SWALLOW_ERROR;
}

/* A position too long for the cell is cut in the middle of a GTID: then the read stays where it is.
 */
static void note_position(struct session *s, const struct reply *r)
{
    struct gtid_set position;
    struct span text = {(const uint8_t *)r->cell, r->cell_len};

    if (!r->cell_null && r->cell_len < REPLY_CELL - 1 && gtid_set_parse(text, &position)) {
        causal_bound(&s->causal, &position);
        s->run.position_known = true;
        positions_answer(s, &position);
    }
}

/* NULL: not in time, or it does not replicate. */
static enum swallow waited(struct session *s, const struct reply *r)
{
    if (!r->cell_null) {
        session_wait_reached(s, (struct span){(const uint8_t *)r->cell, r->cell_len});
        return SWALLOW_DONE;
    }
    metric_add(&s->worker->shared->metrics, METRIC_STALE_WAITS, 1);
    return SWALLOW_STALE;
}

/* One complete reply of the proxy's own. */
static enum swallow on_reply(struct session *s, struct backend *b, struct expect e, bool failed)
{
    const struct reply *r = &b->reply;

    if (e.kind == REPLY_PREPARE)
        session_stmt_known(b, e.prepared, failed);
    if (e.role == EXPECT_ONCE)
        return session_once_reply(s, b, failed) ? SWALLOW_DONE : SWALLOW_LOST;
    if (e.role == EXPECT_RESCUE)
        session_rescued(b, failed);
    if (e.role == EXPECT_POSITION && !failed)
        note_position(s, r);
    if (e.role == EXPECT_DISCARD || e.role == EXPECT_POSITION || e.role == EXPECT_RESCUE ||
        e.role == EXPECT_CARRIED || session_home_answer(s, b, (enum expect_role)e.role, failed))
        return SWALLOW_DONE;
    if (failed)
        return on_refused(b, &r->error, e.role == EXPECT_PREPARE);
    if (e.role == EXPECT_TRACKING)
        session_tracking_told(s, b, r);
    if (e.role == EXPECT_REPORT)
        session_tracking_restored(s);
    if (e.role == EXPECT_SETUP) /* nobody begins in a transaction, whatever a server says */
        s->worker->default_status = r->ok.status & STATUS_LASTING & ~(unsigned)STATUS_IN_TRANS;
    if (s->run.log_in)
        s->status = r->ok.status & STATUS_LASTING;
    return e.role == EXPECT_WAIT ? waited(s, r) : SWALLOW_DONE;
}

/* Feed the tracker with what is there. An error's text is still needed: its bytes, `kept`, are left
 * for the caller to consume. */
static enum reply_event feed(struct session *s, struct backend *b, enum expect_role role,
                             bool *done, size_t *kept)
{
    struct stream *in = &b->stream;
    struct reply_out out;

    *done = false;
    *kept = 0;
    for (;;) {
        backend_feed(b, stream_data(in), stream_left(in), worker_whole_max(s->worker), &out);
        if (out.event == REPLY_BAD || out.event == REPLY_INFILE)
            return REPLY_BAD;
        *done = out.done;
        *kept = out.pass + out.drop;
        if (out.event == REPLY_ERROR)
            return REPLY_ERROR;
        if (out.event == REPLY_OK && (role == EXPECT_REPORT || role == EXPECT_VARIABLES))
            session_track(s, b, &b->reply.ok);
        stream_consume(in, *kept);
        *kept = 0;
        if (out.done || out.event == REPLY_MORE)
            return out.event;
    }
}

static enum swallow bad_reply(struct backend *b)
{
    log_event(LOG_WARN, "backend.bad_reply", LOG_NUM("server", b->server),
              LOG_STR("why", b->reply.why));
    return SWALLOW_LOST;
}

enum swallow session_swallow(struct session *s, struct backend *b)
{
    enum swallow result = SWALLOW_DONE;
    struct expect *e;

    while ((e = backend_due(b, s->caps, s->status)) && e->role != EXPECT_CLIENT) {
        struct expect what = *e;
        bool done = false;
        size_t kept = 0;
        enum reply_event event = REPLY_MORE;

        if (stream_left(&b->stream))
            event = feed(s, b, (enum expect_role)what.role, &done, &kept);
        if (event == REPLY_BAD)
            return bad_reply(b);
        if (!done) {
            stream_read(&b->stream, true);
            return b->stream.eof ? SWALLOW_LOST : SWALLOW_WAIT;
        }
        result = on_reply(s, b, what, event == REPLY_ERROR);
        stream_consume(&b->stream, kept);
        backend_done(b);
        if (result != SWALLOW_DONE) {
            discard_rest(b);
            return result;
        }
    }
    return SWALLOW_DONE;
}

/* A statement could not be prepared again: this is its reply. Nothing else is wrong with the
 * connection, and something of the session's may be on it. */
static enum step not_prepared(struct session *s, struct backend *b)
{
    const struct backend_error *e = &b->error;

    s->run.failed = true;
    s->target = NULL;
    session_answers_note(s, b);
    session_track_end(s, b);
    session_note_left(s, b);
    return session_answer_error(s, e->code, e->sqlstate, e->text);
}

static enum step refused(struct session *s, struct backend *b)
{
    struct backend_error e = b->error;
    bool elsewhere = (s->run.read && s->run.route.server != s->worker->topology->primary) ||
                     session_galera_unready(s, e.code);

    if (e.preparing && !elsewhere)
        return not_prepared(s, b);
    session_release(s, b->server, false);
    if (elsewhere)
        return session_reroute(s);
    return session_fail(s, e.code, e.sqlstate, e.text);
}

/* The session's own questions are answered. */
static enum step asked(struct session *s)
{
    s->target = NULL;
    s->run.asking = false;
    if (!s->run.position_asked)
        return session_command_again(s);
    session_enter(s, SESSION_ROUTE);
    return STEP_MORE;
}

enum step session_sync(struct session *s)
{
    struct backend *b = s->target;

    if (b->stream.writing)
        return STEP_WAIT;
    if (b->out.len && backend_write(b, NULL, 0) == STREAM_FAILED)
        return session_target_lost(s);
    switch (session_swallow(s, b)) {
    case SWALLOW_WAIT:
        return STEP_WAIT;
    case SWALLOW_LOST:
        return session_target_lost(s);
    case SWALLOW_ERROR:
        return refused(s, b);
    case SWALLOW_STALE:
        return session_reroute(s);
    case SWALLOW_DONE:
        break;
    }
    if (s->run.log_in)
        return session_welcome(s);
    if (s->run.asking)
        return asked(s);
    session_enter(s, session_replay_due(s) ? SESSION_REPLAY : SESSION_RELAY);
    return STEP_MORE;
}
