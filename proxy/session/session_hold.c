/* Multiplexing: when a session keeps its server connections, and what it finds on them again.
 *
 * Behind each reply a connection goes back to the worker's pool, unless something of the session's
 * is on it that cannot be carried to another one: a transaction, temporary tables, locks, user
 * variables, a cursor, … It stays the session's first choice there (`recent`), and while no other
 * session wants it, everything is as on a connection of its own. When another one takes it:
 *
 * LAST_INSERT_ID(), ROW_COUNT() and FOUND_ROWS(), where no reply told them (`unread`), are asked
 * for in front of that session's statement and kept for the one that left them. It gets the first
 * back by SET last_insert_id, the others by having them written into the text (session_rewrite.c).
 *
 * Warnings and errors are kept for their session as long as other connections can be had, and a
 * while beyond that (pool.diagnostics); they are never shown to another one. What a statement that
 * failed may have changed unseen is reset. */
#include "proxy/replay/session_replay.h"
#include "proxy/session/session_galera.h"
#include "proxy/session/session_ride.h"
#include "proxy/session/session_steps.h"

#include "base/clock.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Of a connection whose LAST_INSERT_ID() nobody has asked for. */
#define INSERT_ID_UNKNOWN UINT64_MAX

const char session_rescue_sql[] =
    "SELECT CONCAT(LAST_INSERT_ID(),' ',ROW_COUNT(),' ',FOUND_ROWS())";
const char session_clear_sql[] = "SELECT 1 FROM (SELECT 1) x";

/* What cannot be carried to another connection. */
#define PINS_HOLD                                                                              \
    (PIN_TRANSACTION | PIN_TX_SETTINGS | PIN_TEMPORARY | PIN_LOCKS | PIN_ROLE | PIN_VARIABLE | \
     PIN_OPAQUE | PIN_XA | PIN_TRACKING | PIN_STATUS)

bool session_has_state(const struct session *s)
{
    return (s->pins & PINS_HOLD) != 0 || s->fragile != 0 || (s->status & STATUS_IN_TRANS) != 0;
}

/* Without multiplexing it keeps what it has, but on a server in maintenance. */
static bool is_kept(const struct worker *w, const struct backend *b)
{
    return !w->conf->pool.multiplexing && !w->topology->servers[b->server].resting;
}

static bool must_hold(struct session *s, const struct backend *b)
{
    bool home = s->home < 0 || s->home == b->server;
    bool bound = home && (session_has_state(s) || s->may_hold_locks || s->unsaid.status);

    return b == s->target || is_kept(s->worker, b) || b->expect_count > 0 || b->load != NULL ||
           (b->killed && b->unread) || b->stream.writing || b->identity->limited || bound ||
           session_stmt_bound(s, b);
}

void session_let_go_of(struct session *s, struct backend *b)
{
    if (must_hold(s, b))
        return;
    b->dirty = b->dirty || !s->worker->conf->pool.multiplexing; /* what is on it was not followed */
    session_release(s, b->server, true);
}

/* Replies to what was given up may be in the buffer already: no event will tell of them. */
static void take_leftovers(struct session *s, struct backend *b)
{
    if (b != s->target && b->expect_count > 0 && stream_left(&b->stream) > 0)
        session_backend_event(b, s);
}

void session_let_go(struct session *s)
{
    for (uint32_t left = s->held_bits; left; left &= left - 1) {
        int i = __builtin_ctz(left);

        if (s->held[i])
            take_leftovers(s, s->held[i]);
        if (s->held[i])
            session_let_go_of(s, s->held[i]);
    }
}

/* The session that waits for what a connection was asked for need not wait any more. */
static void end_rescue(struct backend *b)
{
    struct session *owner = b->rescue_for;

    b->rescue_for = NULL;
    if (!owner)
        return;
    owner->left_at.rescue = NULL;
    session_step_later(owner);
}

/* Ask for what `s` has left there; before they part. */
static void begin_rescue(struct session *s, struct backend *b)
{
    b->rescue_for = s;
    s->left_at.rescue = b;
    s->left_at.rescues_row_count = s->left_at.row_count == b->serial;
    s->left_at.rescues_found_rows = s->left_at.found_rows == b->serial;
}

static void part(struct backend *b)
{
    struct session *s = b->last_of;

    b->last_of = NULL;
    if (!s)
        return;
    s->recent[b->server] = NULL;
    if (s->left_at.row_count == b->serial)
        s->left_at.row_count = 0;
    if (s->left_at.found_rows == b->serial)
        s->left_at.found_rows = 0;
}

/* What was on it is lost, but for what the replay of transactions knows. */
static void on_gone(struct backend *b)
{
    if (b->last_of && b->unread)
        session_replay_note_loss(b->last_of);
    if (b->rescue_for)
        session_replay_note_loss(b->rescue_for);
    part(b);
    end_rescue(b);
}

/* The connection is this session's now; what another one has left there is to be saved first. */
static void adopt(struct session *s, struct backend *b)
{
    struct session *before = b->last_of;

    if (before == s)
        return;
    if (b->unread && before && !before->left_at.rescue) {
        b->rescue_due = true;
        begin_rescue(before, b);
    }
    part(b);
    if (s->recent[b->server])
        part(s->recent[b->server]);
    b->insert_id = b->unread ? INSERT_ID_UNKNOWN : b->insert_id;
    b->unread = b->diagnostics = false;
    b->foreign_warnings = b->warned;
    b->reset_due = b->reset_due || b->dirty;
    b->last_of = s;
    b->gone = on_gone;
    s->recent[b->server] = b;
}

bool session_left_save(struct session *s, struct backend *b)
{
    if (b->unread)
        b->insert_id = INSERT_ID_UNKNOWN;
    b->unread = false;
    begin_rescue(s, b);
    session_left_disturbed(s, b, true);
    return backend_command(b, COM_QUERY, span_of(session_rescue_sql), EXPECT_RESCUE);
}

/* Its session holds it till the answer is there, then lets go of it; unless it holds another one
 * there, on which its read rides. */
void session_give_up(struct backend *b)
{
    struct session *s = b->last_of;

    if (!b->unread || !s || s->left_at.rescue || s->held[b->server]) {
        backend_close(b);
        return;
    }
    session_hold(s, b);
    b->leaving = true;
    if (!session_left_save(s, b) || backend_write(b, NULL, 0) == STREAM_FAILED)
        session_release(s, b->server, false);
}

/* A connection that the session may use where it is in the pool. */
static bool suits(const struct session *s, const struct backend *b)
{
    return b && pool_has(&s->worker->pool, b) && (s->schema[0] || !b->schema[0]) &&
           b->global_sets >= s->global_sets && identity_equal(b->identity, s->identity);
}

uint64_t session_awaited_before_ns(const struct worker *w)
{
    return clock_mono_ns() - w->conf->pool.diagnostics_ns;
}

/* Another session has left it in a state that is not known. */
static bool needs_reset(const struct session *s, const struct backend *b)
{
    return b->dirty && b->last_of != s;
}

static struct pool_want want_of(const struct session *s, int server)
{
    return (struct pool_want){.server = server,
                              .identity = s->identity,
                              .schema = s->schema,
                              .vars = vars_fingerprint(s->vars),
                              .stmt = session_stmt_key(s),
                              .global_sets = s->global_sets,
                              .guarded = server != s->worker->topology->primary};
}

/* Whether nothing of the session's is on the connection that it had last, nor the statement. */
static bool may_part_with(const struct backend *b, const struct prepared_key *stmt)
{
    return stmt && !b->unread && !b->diagnostics && !prepared_peek(&b->prepared, *stmt);
}

/* The connection that it had last, unless another one has all that the command needs and this one
 * would have to prepare the statement; or whichever costs the least. */
static struct backend *take_best(struct session *s, int server, bool no_other)
{
    struct pool *pool = &s->worker->pool;
    struct pool_want want = want_of(s, server);
    struct backend *recent = suits(s, s->recent[server]) ? s->recent[server] : NULL;
    struct backend *b = NULL;

    want.as_is = recent != NULL;
    if (!recent) {
        want.no_other = no_other;
        want.awaited_before_ns = session_awaited_before_ns(s->worker);
    }
    if (!recent || may_part_with(recent, want.stmt))
        b = pool_take(pool, &want);
    if (b || !recent)
        return b;
    pool_remove(pool, recent);
    return recent;
}

struct backend *session_take_idle(struct session *s, int server, bool no_other)
{
    struct backend *b = take_best(s, server, no_other);

    if (!b)
        return NULL;
    session_doubt(s->worker, b);
    if (needs_reset(s, b)) {
        if (!session_galera_may_reset(s)) {
            session_give_up(b);
            return NULL;
        }
        b->reset_due = true;
    }
    session_hold(s, b);
    return b;
}

/* One that has all; else one that lacks the guard alone. */
static struct backend *take_as_is(struct session *s, int server)
{
    struct pool_want want = want_of(s, server);
    struct backend *b;

    want.as_is = want.guarded = true;
    b = pool_take(&s->worker->pool, &want);
    if (b)
        return b;
    want.guarded = false;
    return pool_take(&s->worker->pool, &want);
}

struct backend *session_take_equal(struct session *s, int server)
{
    struct backend *b = take_as_is(s, server);

    if (!b)
        return NULL;
    session_doubt(s->worker, b);
    if (b->unproven || !session_fits_line(s, b)) {
        session_put_back(s->worker, b);
        return NULL;
    }
    if (!b->guarded && !backend_guard(b)) {
        backend_close(b);
        return NULL;
    }
    backend_list(b, 0, "");
    part(b);
    b->diagnostics = false;
    return b;
}

void session_hold(struct session *s, struct backend *b)
{
    assert(!s->held[b->server] || s->held[b->server] == b);
    adopt(s, b);
    s->held[b->server] = b;
    s->held_bits |= 1u << b->server;
    b->notify = session_backend_event;
    b->owner = s;
}

void session_part_all(struct session *s)
{
    for (int i = 0; i < SERVERS_MAX; i++)
        if (s->recent[i]) {
            backend_list(s->recent[i], 0, "");
            part(s->recent[i]);
        }
    if (s->left_at.rescue)
        s->left_at.rescue->rescue_for = NULL;
    s->left_at.rescue = NULL;
    s->left = (struct left_values){0};
    s->left_at = (struct left_serials){0};
}

/* Whether LAST_INSERT_ID() or FOUND_ROWS() may be another one now than the replies tell. */
static bool leaves_unread(const struct session *s, const struct backend *b)
{
    const struct sql_class *c = &s->run.statement;
    bool inserts = c->kind == SQL_INSERT || c->kind == SQL_REPLACE;

    if (b->server != s->worker->topology->primary) /* a replica has no LAST_INSERT_ID() of ours */
        return false;
    switch (c->reason) {
    case SQL_IS_READ:
        return false;
    case SQL_SESSION_FUNCTION:
    case SQL_FOUND_ROWS:
    case SQL_SEVERAL:
    case SQL_UNREADABLE:
    case SQL_TOO_LONG:
        return true;
    default:
        return (c->effects & SQL_EFFECT_OPAQUE) || s->run.failed ||
               (c->counts && b->reply.ok.header == 0) || b->reply.ok.last_insert_id != 0 ||
               (inserts && b->reply.ok.header != 0);
    }
}

/* GET DIAGNOSTICS */
static bool gets_diagnostics(const struct sql_class *c)
{
    return c->kind == SQL_OTHER && (c->effects & SQL_EFFECT_ASKS_WARNINGS);
}

/* GET DIAGNOSTICS leaves it as it is, but for one that asks for a condition that is not there. */
static void note_row_count(struct session *s, const struct backend *b)
{
    const struct ok *ok = &b->reply.ok;
    bool diagnostics = gets_diagnostics(&s->run.statement) && !s->run.failed;

    if (diagnostics && ok->warnings == 0)
        return;
    s->left_at.row_count = b->serial;
    s->left_at.rescues_row_count = false;
    s->left.row_count =
        s->run.failed || diagnostics || ok->header != 0 ? -1 : (int64_t)ok->affected_rows;
}

/* Whether a statement that failed had begun to run: these errors are of rows, not of its text. */
static bool failed_running(uint16_t code)
{
    static const uint16_t of_rows[] = {
        ER_BAD_NULL,          ER_DUP_ENTRY,      ER_SUBQUERY_ROWS,   ER_TOO_MANY_ROWS,
        ER_WARN_OUT_OF_RANGE, ER_DATA_TRUNCATED, ER_TRUNCATED_VALUE, ER_BAD_VALUE_FOR_FIELD,
        ER_DIVISION_BY_ZERO,  ER_DATA_TOO_LONG,
    };

    for (size_t i = 0; i < ARRAY_LEN(of_rows); i++)
        if (of_rows[i] == code)
            return true;
    return false;
}

/* A statement that fails before it runs leaves them; one that fails later has found some. */
static void note_found_rows(struct session *s, const struct backend *b)
{
    const struct ok *ok = &b->reply.ok;

    if (!s->run.statement.counts)
        return;
    if (s->run.failed && !b->reply.has_set && !failed_running(b->reply.error.code))
        return;
    s->left_at.found_rows = b->serial;
    s->left_at.rescues_found_rows = false;
    if (s->run.failed || ok->header != 0)
        s->left.found_rows = b->reply.rows;
}

void session_note_left(struct session *s, struct backend *b)
{
    bool runs = s->run.byte == COM_QUERY || s->run.byte == COM_STMT_EXECUTE ||
                s->run.byte == COM_STMT_BULK_EXECUTE;

    b->diagnostics = s->answers.serial == b->serial && s->answers.some;
    if (s->run.failed || b->reply.ok.warnings > 0) {
        b->warned = true;
        b->foreign_warnings = false;
    }
    if (runs || s->run.failed || reply_kind_of(s->run.byte) == REPLY_SINGLE)
        note_row_count(s, b);
    if (!runs)
        return;
    note_found_rows(s, b);
    b->unread = b->unread || leaves_unread(s, b);
    b->dirty = b->dirty || (s->run.failed && !s->run.read);
}

/* Whether the statement, or code that it runs, may look at LAST_INSERT_ID(). */
static bool may_ask_insert_id(const struct session *s, const struct backend *b)
{
    switch (s->run.statement.kind) {
    case SQL_USE:
    case SQL_SHOW:
    case SQL_BEGIN:
    case SQL_COMMIT:
    case SQL_ROLLBACK:
        return false;
    default:
        return !s->run.read && !s->run.log_in && b->server == s->worker->topology->primary;
    }
}

bool session_left_gives_insert_id(const struct session *s, const struct backend *b)
{
    return !b->unread && b->insert_id != s->left.insert_id && may_ask_insert_id(s, b);
}

static bool give_insert_id(struct session *s, struct backend *b)
{
    char sql[64];

    if (!session_left_gives_insert_id(s, b))
        return true;
    b->insert_id = s->left.insert_id;
    (void)snprintf(sql, sizeof sql, "SET last_insert_id=%" PRIu64, b->insert_id);
    return backend_command(b, COM_QUERY, span_of(sql), EXPECT_CARRIED);
}

bool session_take_over(struct backend *b)
{
    bool ok = true;

    if (b->rescue_due)
        ok = backend_command(b, COM_QUERY, span_of(session_rescue_sql), EXPECT_RESCUE);
    b->rescue_due = false;
    return ok && (!b->reset_due || backend_reset(b));
}

bool session_left_give_row_count(struct session *s, struct backend *b)
{
    bool query = s->left.row_count < 0;
    bool asks = gets_diagnostics(&s->run.statement) && span_holds(session_text(s), "row_count");

    if (!asks || !session_row_count_elsewhere(s, b) || s->left.row_count > 0)
        return true;
    if (query && !session_found_rows_elsewhere(s, b))
        return session_left_save(s, b); /* a query, too */
    return backend_command(b, COM_QUERY, span_of(query ? "SELECT 1" : "DO 0"), EXPECT_CARRIED);
}

bool session_lay_on_left(struct session *s, struct backend *b)
{
    if (b->foreign_warnings && (s->run.statement.effects & SQL_EFFECT_ASKS_WARNINGS)) {
        b->foreign_warnings = b->warned = false;
        if (!backend_command(b, COM_QUERY, span_of(session_clear_sql), EXPECT_CARRIED))
            return false;
    }
    return give_insert_id(s, b);
}

/* The three numbers of session_rescue_sql. */
static bool read_values(const char *text, struct left_values *v)
{
    char *at = NULL;

    v->insert_id = strtoull(text, &at, 10);
    if (*at != ' ')
        return false;
    v->row_count = strtoll(at, &at, 10);
    if (*at != ' ')
        return false;
    v->found_rows = strtoull(at, &at, 10);
    return *at == 0;
}

void session_rescued(struct backend *b, bool failed)
{
    struct session *owner = b->rescue_for;
    struct left_values v;

    if (!owner)
        return;
    if (!failed && !b->reply.cell_null && read_values(b->reply.cell, &v)) {
        if (!owner->left_at.rescues_row_count)
            v.row_count = owner->left.row_count;
        if (!owner->left_at.rescues_found_rows)
            v.found_rows = owner->left.found_rows;
        owner->left = v;
        if (b->insert_id == INSERT_ID_UNKNOWN) /* the session behind has not set its own */
            b->insert_id = v.insert_id;
    }
    end_rescue(b);
}

void session_left_disturbed(struct session *s, const struct backend *b, bool found)
{
    if (s->left_at.row_count == b->serial)
        s->left_at.row_count = 0;
    if (found && s->left_at.found_rows == b->serial)
        s->left_at.found_rows = 0;
}

void session_left_by_proxy(struct session *s, bool error)
{
    s->left.row_count = error ? -1 : 0;
    s->left_at.row_count = 0;
    s->left_at.rescues_row_count = false;
}

bool session_row_count_elsewhere(const struct session *s, const struct backend *b)
{
    return s->left_at.row_count != b->serial;
}

bool session_found_rows_elsewhere(const struct session *s, const struct backend *b)
{
    return s->left_at.found_rows != b->serial;
}
