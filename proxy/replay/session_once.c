#include "proxy/replay/session_once.h"

#include "proxy/replay/session_replay.h"
#include "proxy/session/session_galera.h"
#include "proxy/session/session_steps.h"
#include "proxy/session/session_tracking.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 1 << 16 };

/* So often, and so long, the end of a connection that may still be at work is looked for. */
#define LOOK_NS    (20 * CLOCK_NS_PER_MS)
#define AT_WORK_NS (5 * CLOCK_NS_PER_S)

static struct once *once_of(const struct session *s)
{
    return s->replay ? &s->replay->once : NULL;
}

static bool is_wanted(const struct session *s)
{
    const struct conf *c = s->worker->conf;

    return c->failover.enabled && (size_t)s->listener < c->listener_count &&
           c->listeners[s->listener].exactly_once;
}

void session_once_free(struct session *s)
{
    struct once *o = once_of(s);

    if (!o)
        return;
    if (o->has_slot)
        slots_give(&s->worker->slots, o->slot);
    buf_free(&o->text);
    buf_free(&o->change);
}

/* ---- before the command ---- */

static bool is_write(const struct session *s)
{
    const struct sql_class *c = &s->run.statement;

    return c->statements == 1 &&
           (c->kind == SQL_INSERT || c->kind == SQL_UPDATE || c->kind == SQL_DELETE ||
            c->kind == SQL_REPLACE || c->kind == SQL_CALL);
}

static bool is_statement(uint8_t byte)
{
    return byte == COM_QUERY || byte == COM_STMT_EXECUTE || byte == COM_STMT_BULK_EXECUTE;
}

/* BEGIN would let go of table locks, and has no place in an XA transaction. */
static bool may_wrap(const struct session *s)
{
    return is_write(s) && (s->status & STATUS_AUTOCOMMIT) &&
           !(s->pins & (PIN_LOCKS | PIN_XA | PIN_TRANSACTION));
}

static bool must_mark(const struct session *s)
{
    const struct sql_class *c = &s->run.statement;

    return (s->status & STATUS_IN_TRANS) && !(s->status & STATUS_IN_TRANS_READONLY) &&
           !(s->pins & PIN_XA) && c->statements == 1 &&
           (c->kind == SQL_CALL || (c->kind == SQL_COMMIT && s->replay && s->replay->wrote));
}

static bool put_row(struct session *s, struct backend *b)
{
    struct once *o = &s->replay->once;
    char sql[256];

    if (!o->has_slot) {
        o->slot = slots_take(&s->worker->slots);
        o->has_slot = true;
    }
    o->number = o->number + 1 > worker_now_ns() ? o->number + 1 : worker_now_ns();
    o->sent_ns = worker_now_ns();
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO tillway.outcome (proxy,session,number) VALUES (%llu,%llu,%llu) "
                   "ON DUPLICATE KEY UPDATE number=VALUES(number)",
                   (unsigned long long)s->worker->shared->proxy_id,
                   (unsigned long long)s->worker->index << 32 | o->slot,
                   (unsigned long long)o->number);
    return backend_command(b, COM_QUERY, span_of(sql), EXPECT_ONCE);
}

static bool must_know(const struct session *s)
{
    const struct command_run *run = &s->run;

    return is_wanted(s) && !run->read && run->whole && is_statement(run->byte) &&
           (may_wrap(s) || must_mark(s));
}

void session_once_arrange(struct session *s, const struct backend *b)
{
    if (must_know(s))
        session_left_disturbed(s, b, false);
}

bool session_once_begin(struct session *s, struct backend *b)
{
    bool wrap = may_wrap(s);

    if (!s->replay || !must_know(s))
        return true;
    s->replay->once.refused = s->replay->once.barred = false;
    s->replay->once.phase = wrap ? ONCE_WRAPPED : ONCE_MARKED;
    if (wrap && !backend_command(b, COM_QUERY, span_of("BEGIN"), EXPECT_DISCARD))
        return false;
    return put_row(s, b);
}

static void marked(struct session *s, const struct backend *b, bool failed)
{
    const struct server_error *e = &b->reply.error;
    struct once *o = &s->replay->once;
    char text[200];

    o->refused = failed;
    o->barred = failed && e->code == ER_OPTION_PREVENTS_STATEMENT;
    if (!failed || o->barred)
        return;
    (void)snprintf(text, sizeof text, "%.*s", (int)e->message.n, (const char *)e->message.p);
    log_event(LOG_WARN, "exactly_once.refused", LOG_NUM("id", s->id), LOG_NUM("code", e->code),
              LOG_STR("text", text),
              LOG_STR("hint", "docs/failover.md has the table and its GRANT"));
}

/* ---- its reply ---- */

static void put(struct buf *b, struct span s)
{
    buf_free(b);
    *b = buf_with_max(TEXT_MAX);
    buf_put_span(b, s);
}

bool session_once_keep(struct session *s, const struct backend *b, const uint8_t *at,
                       const struct reply_out *step)
{
    struct once *o = once_of(s);
    const struct ok *ok = &b->reply.ok;

    if (!o || o->phase != ONCE_WRAPPED)
        return false;
    o->failed = step->event == REPLY_ERROR;
    if (!o->failed && !(ok->status & STATUS_IN_TRANS)) { /* a procedure has ended it by itself */
        o->phase = ONCE_NONE;
        return false;
    }
    o->phase = ONCE_KEPT;
    o->packet = !o->failed && b->reply.retold ? b->reply.seq : at[step->last + 3];
    o->ok = *ok;
    o->rows = b->reply.rows;
    put(&o->change, o->failed ? (struct span){NULL, 0} : ok->changes);
    put(&o->text, o->failed ? (struct span){at + step->last + PACKET_HEADER,
                                            step->pass - step->last - PACKET_HEADER}
                            : ok->info);
    if (!o->failed && ok->last_insert_id)
        s->replay->insert_id = ok->last_insert_id;
    return true;
}

/* Whether a procedure left anything behind is asked on the way, so that a primary that is lost next
 * does not leave that open. */
static bool probe(struct session *s, struct backend *b)
{
    struct once *o = &s->replay->once;

    o->probed = o->clean = false;
    o->probing = !o->failed && session_home_may_probe_behind(s);
    if (!o->probing)
        return true;
    session_note_left(s, b);
    return session_left_save(s, b) &&
           backend_command(b, COM_QUERY, span_of(session_probe_sql), EXPECT_ONCE);
}

/* What a procedure did before it failed stays, as it does without a transaction around it. */
bool session_once_commit(struct session *s, struct backend *b)
{
    struct once *o = &s->replay->once;
    bool keep = !o->failed || (s->run.statement.effects & SQL_EFFECT_OPAQUE);

    if (b->stream.writing || !probe(s, b) ||
        !backend_command(b, COM_QUERY, span_of(keep ? "COMMIT" : "ROLLBACK"), EXPECT_ONCE))
        return false;
    o->phase = ONCE_COMMITTING;
    return backend_write(b, NULL, 0) != STREAM_FAILED;
}

static bool committed(struct session *s, struct backend *b, bool failed)
{
    struct once *o = &s->replay->once;
    const struct server_error *e = &b->reply.error;

    if (!failed) {
        session_track(s, b, &b->reply.ok);
        buf_put_span(&o->change, b->reply.ok.changes);
    } else if (e->code == ER_OPTION_PREVENTS_STATEMENT || session_galera_unready(s, e->code)) {
        o->phase = ONCE_KEPT; /* rolled back, as if it had not been sent */
        return false;
    } else if (session_galera_cut_off(s, e)) {
        return false;
    } else {
        struct buf packet = buf_with_max(TEXT_MAX);
        char text[400];

        (void)snprintf(text, sizeof text, "%.*s", (int)e->message.n, (const char *)e->message.p);
        error_encode(&packet, e->code, e->sqlstate, text);
        put(&o->text, buf_span(&packet));
        buf_free(&packet);
        o->failed = s->run.failed = true;
    }
    o->phase = ONCE_SETTLED;
    return true;
}

static void tell_error(struct session *s)
{
    const struct once *o = &s->replay->once;
    size_t at = packet_begin(&s->out);

    buf_put_span(&s->out, buf_span(&o->text));
    packet_end(&s->out, at, o->packet);
}

void session_once_tell_kept(struct session *s)
{
    const struct once *o = &s->replay->once;
    struct ok ok = o->ok;

    if (o->failed) {
        tell_error(s);
        return;
    }
    ok.status = (uint16_t)((ok.status & ~(unsigned)STATUS_IN_TRANS) |
                           (o->change.len ? STATUS_SESSION_STATE_CHANGED : 0));
    ok.info = buf_span(&o->text);
    ok.changes = buf_span(&o->change);
    session_tell(s, ok, o->packet);
}

void session_once_recall(const struct session *s, struct backend *b)
{
    const struct once *o = &s->replay->once;

    if (o->failed)
        return;
    b->reply.ok = o->ok;
    b->reply.ok.info = b->reply.ok.changes = (struct span){NULL, 0};
    b->reply.rows = o->rows;
}

bool session_once_is(const struct session *s, enum once_phase phase)
{
    const struct once *o = once_of(s);

    return o && o->phase == phase;
}

void session_once_end(struct session *s)
{
    struct once *o = once_of(s);

    if (o)
        o->phase = ONCE_NONE;
}

void session_once_kept_end(struct session *s, const struct backend *b)
{
    const struct once *o = &s->replay->once;

    session_left_disturbed(s, b, o->probed);
    if (o->clean)
        session_home_note_clean(s);
}

/* ---- the loss ---- */

bool session_once_is_barred(const struct session *s)
{
    const struct once *o = once_of(s);

    return o && o->phase != ONCE_NONE && o->barred;
}

bool session_once_will_tell(const struct session *s)
{
    const struct once *o = once_of(s);

    return o && (o->in_doubt || (o->phase != ONCE_NONE && !o->refused && !s->run.answered));
}

bool session_once_is_undone(const struct session *s)
{
    const struct once *o = once_of(s);

    return o && !o->in_doubt &&
           (o->phase == ONCE_KEPT ||
            (o->phase == ONCE_WRAPPED &&
             (o->barred || !(s->run.statement.effects & SQL_EFFECT_OPAQUE))));
}

void session_once_lost(struct session *s, int server, uint32_t thread, bool in_doubt)
{
    struct once *o = once_of(s);

    if (!o)
        return;
    if (o->phase == ONCE_WRAPPED || o->phase == ONCE_KEPT || o->phase == ONCE_COMMITTING) {
        s->pins &= ~(uint32_t)PIN_TRANSACTION;
        s->status &= (uint16_t) ~(unsigned)STATUS_IN_TRANS;
    }
    if (!o->in_doubt) {
        o->server = server;
        o->thread = thread;
        o->until_ns = 0;
        o->was_kept = o->phase == ONCE_COMMITTING;
    }
    o->in_doubt = in_doubt;
    o->asked_ns = 0;
    o->probing = false;
    o->phase = ONCE_NONE;
    s->run.failed = false;
}

/* ---- the next primary ---- */

/* Whoever may look at the row may look at his own connections. UPTIME goes by the client's SET
 * timestamp, from which SYSDATE() tells how far off that is; by UTC, where no hour comes twice. */
static bool ask_for_trace(struct session *s, struct backend *b)
{
    char sql[384];

    (void)snprintf(sql, sizeof sql,
                   "SET STATEMENT time_zone='+00:00' FOR SELECT CONCAT((SELECT COUNT(*) FROM "
                   "information_schema.PROCESSLIST WHERE ID=%" PRIu32 "),' ',"
                   "(SELECT CAST(VARIABLE_VALUE AS SIGNED)+TIMESTAMPDIFF(SECOND,NOW(),SYSDATE()) "
                   "FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME='UPTIME'))",
                   s->replay->once.thread);
    return backend_command(b, COM_QUERY, span_of(sql), EXPECT_ONCE);
}

/* A node may have left its cluster in between and be back: what that has committed is applied
 * first. */
static bool ask_for_row(struct session *s, struct backend *b)
{
    char sql[256];

    (void)snprintf(sql, sizeof sql,
                   "%sSELECT IFNULL((SELECT number FROM tillway.outcome WHERE proxy=%llu AND "
                   "session=%llu),0)",
                   s->worker->topology->galera ? GALERA_CAUSAL : "",
                   (unsigned long long)s->worker->shared->proxy_id,
                   (unsigned long long)s->worker->index << 32 | s->replay->once.slot);
    return backend_command(b, COM_QUERY, span_of(sql), EXPECT_ONCE);
}

/* In this order: what the connection did before it was gone is in the row. A server gives nobody
 * the id of a connection that it still has: where another one of the proxy's has it, it is gone. */
static bool ask(struct session *s, struct backend *b)
{
    struct once *o = &s->replay->once;

    session_list_thread(s, b);
    o->gone = threads_has(&s->worker->shared->threads, o->server, o->thread);
    o->asked_ns = worker_now_ns();
    o->trace[0] = o->told[0] = 0;
    if (!o->until_ns)
        o->until_ns = o->asked_ns + AT_WORK_NS;
    return ask_for_trace(s, b) && ask_for_row(s, b) && backend_write(b, NULL, 0) != STREAM_FAILED;
}

/* False: a node that knows nothing; another one is asked. */
static bool told(struct session *s, const struct backend *b, bool failed)
{
    struct once *o = &s->replay->once;
    char *to = o->trace[0] ? o->told : o->trace;

    if (failed && session_galera_unready(s, b->reply.error.code))
        return false;
    (void)snprintf(to, sizeof o->told, "%s", failed ? "?" : b->reply.cell);
    return true;
}

bool session_once_reply(struct session *s, struct backend *b, bool failed)
{
    struct once *o = &s->replay->once;

    if (o->in_doubt)
        return told(s, b, failed);
    if (o->probing) {
        o->probing = false;
        o->probed = true;
        o->clean = !failed && session_home_is_clean(&b->reply);
    } else if (o->phase == ONCE_COMMITTING) {
        return committed(s, b, failed);
    } else {
        marked(s, b, failed);
    }
    return true;
}

enum outcome { OUTCOME_UNKNOWN, OUTCOME_COMMITTED, OUTCOME_NOT };

/* On the server where it was sent: a server that was started after the row was sent has nothing of
 * the old connection left, and another one may have its id. */
static bool may_be_at_work(const struct session *s, const struct backend *b)
{
    const struct once *o = &s->replay->once;
    char *rest;
    uint64_t connections = strtoull(o->trace, &rest, 10);
    uint64_t uptime_s = strtoull(rest, NULL, 10);

    return b->server == o->server && !o->gone &&
           (*rest != ' ' ||
            (connections && uptime_s + 1 >= (o->asked_ns - o->sent_ns) / CLOCK_NS_PER_S));
}

static enum outcome outcome_of(const struct session *s, const struct backend *b)
{
    const struct once *o = &s->replay->once;
    char *rest;
    uint64_t number = strtoull(o->told, &rest, 10);

    /* "?": the question was refused */
    if (rest == o->told || may_be_at_work(s, b))
        return OUTCOME_UNKNOWN;
    if (number != o->number)
        return OUTCOME_NOT;
    /* a procedure has committed something, and nobody knows whether that was all */
    return s->run.statement.kind == SQL_COMMIT || o->was_kept ? OUTCOME_COMMITTED : OUTCOME_UNKNOWN;
}

/* What the write, or the transaction, left in the session is not told by the row. */
static bool left_something(const struct session *s)
{
    bool write =
        s->replay->once.was_kept && (s->run.statement.effects & SQL_EFFECT_USER_VARIABLE) != 0;

    return write || ((s->fragile & FRAGILE_USER_VARIABLES) && !s->uservars.fresh);
}

static enum step say_committed(struct session *s)
{
    struct once *o = &s->replay->once;

    if (!o->was_kept)
        return session_answer_ok(s);
    buf_clear(&s->out);
    session_once_tell_kept(s);
    session_enter(s, SESSION_REPLY);
    return STEP_MORE;
}

static enum step conclude(struct session *s, struct backend *b, enum outcome outcome)
{
    static const char *const words[] = {"unknown", "committed", "not committed"};

    log_event(LOG_INFO, "commit.outcome", LOG_NUM("id", s->id), LOG_STR("outcome", words[outcome]));
    s->replay->once.in_doubt = false;
    if (outcome == OUTCOME_NOT)
        return session_replay_undone(s);
    s->target = NULL;
    s->home = b->server;
    session_replay_drop(s);
    causal_saw(&s->causal, b->server, worker_now_ns());
    if (outcome == OUTCOME_COMMITTED && !left_something(s))
        return say_committed(s);
    return session_answer_error(
        s, ER_NET_READ_ERROR, "08S01",
        outcome == OUTCOME_COMMITTED
            ? "Lost connection to server during query; the statement took effect, but the user "
              "variables it set are lost"
            : "Lost connection to server during query; whether it took effect is not known");
}

enum step session_once_resolve(struct session *s)
{
    struct backend *b = s->target;
    struct once *o = &s->replay->once;

    if (!o->asked_ns)
        return ask(s, b) ? STEP_MORE : session_target_lost(s);
    switch (session_swallow(s, b)) {
    case SWALLOW_WAIT:
        return STEP_WAIT;
    case SWALLOW_DONE:
        break;
    default:
        return session_target_lost(s);
    }
    if (may_be_at_work(s, b) && worker_now_ns() < o->until_ns) {
        o->asked_ns = 0;
        s->deadline_ns = worker_now_ns() + LOOK_NS;
        return STEP_WAIT;
    }
    return conclude(s, b, outcome_of(s, b));
}
