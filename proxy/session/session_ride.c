#include "proxy/session/session_ride.h"

#include "proxy/replay/session_replay.h"
#include "proxy/session/session_steps.h"
#include "proxy/session/session_tracking.h"

#include "base/clock.h"
#include "sql/fingerprint.h"

enum { COMMAND_MAX = 4096 };

/* No connection's. */
#define SERIAL_NONE UINT64_MAX

/* Nothing but the servers' state decided where it goes: not the session's, nor anybody's wish. */
static bool goes_anywhere(const struct session *s)
{
    switch (s->run.route.reason) {
    case ROUTE_BALANCED:
    case ROUTE_REPLICA_STAYED:
    case ROUTE_PRIMARY_SHARE:
    case ROUTE_NO_REPLICA:
    case ROUTE_NOT_FRESH:
    case ROUTE_POLICY:
        return true;
    default:
        return false;
    }
}

/* The primary is to say the last word: what a replica answered, or did not, does not count. */
static bool is_last_word(const struct session *s)
{
    return s->run.route.server == s->worker->topology->primary && s->run.exclude != 0;
}

/* A read that wants nothing but its rows. */
static bool is_plain(const struct session *s)
{
    const struct command_run *run = &s->run;
    const struct stmt *stmt = run->stmt;
    bool asks = run->statement.only_asks || (run->statement.effects & SQL_EFFECTS_ASKS);
    bool text = run->byte == COM_QUERY && !run->own_text;
    bool execute = run->byte == COM_STMT_EXECUTE && stmt && stmt->bound < 0 && !stmt->home_only &&
                   !stmt->own_text;

    return run->read && run->whole && !run->rewritten && !run->alone && (text || execute) &&
           run->size <= COMMAND_MAX && run->wish.timeout_ms == 0 && goes_anywhere(s) &&
           !run->route.wait && !asks && !is_last_word(s);
}

/* Whether the client has to be told of its variables first. */
static bool knows_tracking(const struct session *s)
{
    return !(s->caps & CAP_SESSION_TRACK) || s->telling.wanted.known;
}

/* Its connection there has what nobody has asked for yet, and so stays its own. */
static bool has_left_something(const struct session *s, int server)
{
    return s->recent[server] && s->recent[server]->unread;
}

static bool may_ride(const struct session *s)
{
    const struct conf_pool *conf = &s->worker->conf->pool;
    int server = s->run.route.server;

    return conf->pipelining && conf->multiplexing && is_plain(s) && !s->held[server] &&
           !has_left_something(s, server) && knows_tracking(s) &&
           !(s->run.statement.effects & SQL_EFFECT_TRACKING) && !s->identity->limited &&
           session_queue_lets_board(s, server);
}

/* What its history is kept by; never 0. */
static uint64_t shape_of(const struct session *s)
{
    uint64_t shape = s->run.byte == COM_QUERY ? s->run.fingerprint : s->run.stmt->key.low;

    if (!shape)
        shape = sql_fingerprint(session_text(s), s->mode);
    return shape ? shape : 1;
}

bool session_ride_is_short(const struct session *s)
{
    const struct command_run *run = &s->run;
    bool kept = run->byte == COM_QUERY || (run->byte == COM_STMT_EXECUTE && run->stmt);

    return run->read && run->whole && kept &&
           history_is_short(&s->worker->lines.history, shape_of(s));
}

static bool is_worn_out(const struct session *s, const struct backend *b)
{
    uint64_t max_age_ns = s->worker->conf->pool.max_age_ns;

    return b->leaving || b->killed ||
           (max_age_ns && uv_now(&s->worker->loop) * CLOCK_NS_PER_MS > b->since_ns + max_age_ns);
}

static bool knows_statement(const struct session *s, const struct backend *b)
{
    const struct stmt *stmt = s->run.stmt;

    return !stmt || prepared_peek(&b->prepared, stmt->key) != NULL;
}

bool session_fits_line(struct session *s, const struct backend *b)
{
    return !b->stream.writing && !b->stream.eof && !b->reset_due && !b->rescue_due &&
           !b->tells_client && b->limit_ms == 0 && b->global_sets == s->global_sets &&
           s->multi_statements == b->multi_statements &&
           vars_fingerprint(s->vars) == vars_fingerprint(b->vars) &&
           strcmp(s->schema, b->schema) == 0 && identity_equal(s->identity, b->identity) &&
           knows_statement(s, b) && !is_worn_out(s, b);
}

/* Behind what others have there. */
static bool put_command(struct session *s, struct backend *b)
{
    struct command_run *run = &s->run;
    bool ok = session_stmt_sweep(s, b) &&
              backend_expect(b, REPLY_RESULT, EXPECT_CLIENT, run->stmt ? run->stmt->id : 0);

    if (ok)
        buf_put_span(&b->out, session_stmt_fit(s, b, stream_data(&s->client), run->size));
    return ok && buf_ok(&b->out);
}

bool session_ride(struct session *s)
{
    struct lines *all = &s->worker->lines;
    struct line *l;

    s->run.shape = 0;
    if (!may_ride(s))
        return false;
    s->run.shape = shape_of(s);
    if (!history_is_short(&all->history, s->run.shape))
        return false;
    l = line_find(s, s->run.route.server);
    if (!l)
        return false;
    if (!put_command(s, l->backend)) {
        backend_close(l->backend);
        return false;
    }
    session_replay_begin(s);
    s->run.sent = s->run.request.done = s->run.guarded = true;
    session_begin_timing(s);
    metric_add(&s->worker->shared->metrics, METRIC_SHARED, 1);
    session_queue_leave(s);
    session_enter(s, SESSION_SHARE);
    line_board(l, s);
    return true;
}

enum step session_share(struct session *s)
{
    (void)s;
    return STEP_WAIT;
}

void session_ride_begin(struct session *s, struct backend *b)
{
    s->held[b->server] = s->target = b;
    s->held_bits |= 1u << b->server;
    session_enter(s, SESSION_RELAY);
}

/* The connection is the next one's: what it would tell of this session's statement it will not tell
 * for long. */
void session_ride_end(struct session *s, struct backend *b, uint64_t took_ns)
{
    s->held[b->server] = s->target = NULL;
    s->held_bits &= ~(1u << b->server);
    session_left_disturbed(s, b, true);
    if (s->answers.serial == b->serial)
        s->answers.serial = SERIAL_NONE;
    if (s->run.finished)
        history_note(&s->worker->lines.history, s->run.shape, took_ns, s->run.replied);
}

void session_ride_elsewhere(struct session *s)
{
    s->run.alone = true;
    s->run.sent = s->run.guarded = false;
    metric_add(&s->worker->shared->metrics, METRIC_RETRIED, 1);
    session_enter(s, SESSION_ROUTE);
    session_step(s);
}

void session_ride_is_slow(struct session *s)
{
    history_forget(&s->worker->lines.history, s->run.shape);
}

void session_ride_lost(struct session *s)
{
    line_leave(s);
    s->run.exclude |= 1u << s->run.route.server;
    session_ride_elsewhere(s);
}

void session_ride_sent(struct session *s)
{
    s->run.sent_ns = s->run.shape ? worker_now_ns() : 0;
}

void session_ride_note(struct session *s)
{
    if (s->run.sent_ns && !s->run.failed)
        history_note(&s->worker->lines.history, s->run.shape, worker_now_ns() - s->run.sent_ns,
                     s->run.replied);
    s->run.sent_ns = 0;
}
