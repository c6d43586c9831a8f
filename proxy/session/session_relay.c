/* The command goes out, the reply comes back: both directions at once, nothing queued.
 *
 * The command's bytes stay in the client's buffer while it may have to be sent again (`run.whole`);
 * a longer one is forwarded as it comes and consumed at once. Bytes that a short write has pinned
 * are consumed when the write is through; their source is not read meanwhile. */
#include "proxy/replay/session_replay.h"
#include "proxy/session/session_galera.h"
#include "proxy/session/session_kill.h"
#include "proxy/session/session_lease.h"
#include "proxy/session/session_metadata.h"
#include "proxy/session/session_ride.h"
#include "proxy/session/session_room.h"
#include "proxy/session/session_steps.h"
#include "proxy/session/session_tracking.h"

#include "base/log.h"

#include <stdio.h>

/* Room in a write for the parts of one more tracker step. */
enum { PARTS_USED = STREAM_PARTS - 3 };

static void count_busy(struct session *s, struct backend *b, bool busy)
{
    struct server_load *load = &s->worker->shared->loads[b->server];

    if (busy == (b->load != NULL))
        return;
    s->worker->coalesce.events++;
    atomic_fetch_add_explicit(&load->busy, busy ? 1 : -1, memory_order_relaxed);
    b->load = busy ? load : NULL;
}

static enum reply_kind kind_of_run(const struct session *s)
{
    const struct command_run *run = &s->run;

    if (run->byte == COM_STMT_EXECUTE && (run->execute.flags & STMT_FLAG_CURSOR) &&
        run->statement.kind == SQL_SELECT)
        return REPLY_CURSOR;
    return reply_kind_of(run->byte);
}

/* The first write of the command: what lays on the session's state, then the command's bytes. */
static bool send_first(struct session *s, struct backend *b)
{
    struct command_run *run = &s->run;
    struct span rest;
    uint8_t *data;
    size_t n;
    enum stream_sent sent;

    session_replay_begin(s);
    if (!session_replay_give_seeds(s, b) || !session_once_begin(s, b) ||
        !backend_expect(b, kind_of_run(s), EXPECT_CLIENT, run->stmt ? run->stmt->id : 0))
        return false;
    data = stream_data(&s->client);
    n = run->whole ? run->size : request_take(&run->request, data, stream_left(&s->client));
    if (run->fitted)
        rest = buf_span(&s->fitted);
    else if (run->rewritten)
        rest = buf_span(&s->text);
    else
        rest = session_stmt_fit(s, b, data, n);
    sent = backend_write(b, &rest, 1);
    if (!run->whole && sent != STREAM_SENT)
        run->request_pinned = n;
    if (sent == STREAM_FAILED)
        return false;
    run->sent = true;
    run->guarded = b->guarded;
    session_lease_begin(s, b);
    session_begin_timing(s);
    session_ride_sent(s);
    run->request.done = run->request.done || run->whole;
    count_busy(s, b, true);
    if (sent == STREAM_BLOCKED)
        stream_read(&s->client, false);
    if (!run->whole && sent == STREAM_SENT)
        stream_consume(&s->client, n);
    return true;
}

static void unpin_request(struct session *s)
{
    if (s->run.request_pinned)
        stream_consume(&s->client, s->run.request_pinned);
    s->run.request_pinned = 0;
    stream_read(&s->client, true);
}

enum pumped {
    PUMP_WAIT,
    PUMP_DONE,
    PUMP_LOST,
    PUMP_ENDED,
    PUMP_REROUTE,
    PUMP_AGAIN,
    PUMP_STALE,
    PUMP_REFUSED,
    PUMP_KILL
};

/* Forward what the client has sent of the command. */
static enum pumped pump_request(struct session *s, struct backend *b)
{
    struct request *r = &s->run.request;

    if (b->stream.writing)
        return PUMP_WAIT;
    unpin_request(s);
    while (!r->done) {
        uint8_t *data = stream_data(&s->client);
        struct span bytes = {data, data ? request_take(r, data, stream_left(&s->client)) : 0};
        enum stream_sent sent;

        if (bytes.n == 0) {
            stream_read(&s->client, true);
            return s->client.eof && !r->done ? PUMP_ENDED : PUMP_WAIT;
        }
        sent = backend_write(b, &bytes, 1);
        if (sent != STREAM_SENT)
            s->run.request_pinned = bytes.n;
        if (sent == STREAM_FAILED)
            return PUMP_LOST;
        if (sent == STREAM_BLOCKED) {
            stream_read(&s->client, false);
            return PUMP_WAIT;
        }
        stream_consume(&s->client, bytes.n);
    }
    return PUMP_DONE;
}

/* One write's worth of reply on its way to the client. Parts of the proxy's own stand in s->out,
 * which moves as it grows: until the write they are known by where they begin there. */
struct batch {
    struct span parts[STREAM_PARTS];
    uint32_t own; /* bit i: parts[i] is the proxy's, at own_at[i] */
    size_t own_at[STREAM_PARTS];
    int count;
    size_t used;               /* bytes of the server's buffer */
    struct metadata_mark seen; /* stmt.seen once it has gone out */
    bool done;
    bool kept; /* the end of the reply waits for a COMMIT */
    bool more; /* the tracker wants more bytes than are there */
};

_Static_assert(STREAM_PARTS <= 32, "a bit for each part");

/* What was appended to s->out from `at` on. */
static void batch_say(const struct session *s, struct batch *batch, size_t at)
{
    batch->own |= UINT32_C(1) << batch->count;
    batch->own_at[batch->count] = at;
    batch->parts[batch->count++].n = s->out.len - at;
}

static void batch_place(const struct session *s, struct batch *batch)
{
    for (uint32_t left = batch->own; left; left &= left - 1) {
        int i = __builtin_ctz(left);

        batch->parts[i].p = s->out.data + batch->own_at[i];
    }
}

static void batch_add(struct session *s, struct batch *batch, const uint8_t *at,
                      const struct reply_out *step)
{
    if (step->pass)
        batch->parts[batch->count++] = (struct span){at, step->pass};
    if (step->insert.n) {
        buf_put_span(&s->out, step->insert);
        batch_say(s, batch, s->out.len - step->insert.n);
    }
    batch->used += step->pass + step->drop;
    batch->done = step->done;
    batch->more = step->event == REPLY_MORE || step->event == REPLY_INFILE;
}

/* An error from a replica is never the last word: the primary is asked, for what the client sees is
 * what it would see there; nor is one over a guarded connection. Unless somebody wanted the end. */
static bool ask_primary_instead(const struct session *s, const struct backend *b,
                                const struct batch *batch)
{
    const struct command_run *run = &s->run;
    uint16_t code = b->reply.error.code;
    int primary = s->worker->topology->primary;

    return run->read && run->whole && !run->answered && batch->count == 0 && primary >= 0 &&
           (b->server != primary || run->guarded) && !(run->exclude & 1u << primary) &&
           code != ER_QUERY_INTERRUPTED && code != ER_CONNECTION_KILLED &&
           code != ER_STATEMENT_TIMEOUT;
}

/* A write reached a server that is not the primary any more, or a node that left its cluster: it
 * has had no effect, or the next primary will tell. */
static bool is_demoted(const struct session *s, const struct backend *b, const struct batch *batch)
{
    static const char option[] = "--read-only";
    const struct server_error *e = &b->reply.error;
    bool refused = session_galera_unready(s, e->code) ||
                   (e->code == ER_OPTION_PREVENTS_STATEMENT &&
                    memmem(e->message.p, e->message.n, option, sizeof option - 1));

    return s->worker->conf->failover.enabled && refused &&
           (!session_may_have_begun(s) || session_once_will_tell(s)) && s->run.whole &&
           !s->run.answered && batch->count == 0;
}

/* Elsewhere, once the monitor knows where; a session that has state there has lost it, and what the
 * proxy has begun for the command ends with the connection. */
static enum pumped leave_demoted(struct session *s, const struct backend *b)
{
    const struct shared *shared = s->worker->shared;
    bool begun = session_once_will_tell(s) || session_once_is_barred(s);

    shared->suspect(shared->monitor, b->server, SUSPECT_LOST);
    if (!session_may_have_begun(s))
        s->run.sent = false; /* it might as well not have been */
    return begun || session_has_state(s) ? PUMP_LOST : PUMP_REROUTE;
}

/* A commit reached a node that left its cluster meanwhile: as if the connection had been lost. */
static bool is_cut_off(const struct session *s, const struct backend *b, const struct batch *batch)
{
    return s->worker->conf->failover.enabled && !s->run.answered && batch->count == 0 &&
           session_galera_cut_off(s, &b->reply.error);
}

/* The same statement once more, to the same server. */
static enum pumped repeat(struct session *s)
{
    s->run.conflicts++;
    s->run.sent = false;
    return PUMP_AGAIN;
}

/* An error that is not the client's to see; PUMP_DONE: it is. */
static enum pumped answer_otherwise(struct session *s, const struct backend *b,
                                    const struct batch *batch)
{
    if (ask_primary_instead(s, b, batch))
        return PUMP_REROUTE;
    if (is_demoted(s, b, batch))
        return leave_demoted(s, b);
    if (is_cut_off(s, b, batch))
        return PUMP_LOST;
    if (batch->count == 0 && session_galera_conflict(s, b->reply.error.code))
        return repeat(s);
    return session_kill_missed(s, &b->reply.error) ? PUMP_KILL : PUMP_DONE;
}

static void begin_infile(struct session *s, uint8_t shift)
{
    if (s->run.whole)
        stream_consume(&s->client, s->run.size);
    s->run.whole = false;
    request_begin_infile(&s->run.request, shift);
    stream_read(&s->client, true);
}

static void note_error(struct session *s, const struct backend *b)
{
    const struct server_error *e = &b->reply.error;
    char text[200];

    s->run.failed = true;
    if (!log_enabled(LOG_DEBUG))
        return;
    (void)snprintf(text, sizeof text, "%.*s", (int)e->message.n, (const char *)e->message.p);
    log_event(LOG_DEBUG, "statement.error", LOG_NUM("id", s->id), LOG_NUM("code", e->code),
              LOG_STR("text", text));
}

/* An OK packet; what the client is told of it in other words than the server's goes into the
 * batch, or waits for the COMMIT. */
static void learn_ok(struct session *s, struct backend *b, struct batch *batch)
{
    size_t at = s->out.len;

    session_track(s, b, &b->reply.ok);
    s->run.warned = s->run.warned || b->reply.ok.warnings > 0;
    if (batch->kept)
        return;
    if (!b->reply.retold) {
        session_keep_untold(s, b);
        return;
    }
    session_retell(s, b);
    batch_say(s, batch, at);
}

/* What a tracker's step tells the session. */
static void learn(struct session *s, struct backend *b, enum reply_event event, struct batch *batch)
{
    if (event == REPLY_OK)
        learn_ok(s, b, batch);
    else if (event == REPLY_ERROR)
        note_error(s, b);
    else if (event == REPLY_INFILE)
        begin_infile(s, b->reply.shift);
}

static enum pumped bad_reply(struct session *s, const struct backend *b)
{
    metric_add(&s->worker->shared->metrics, METRIC_BAD_REPLIES, 1);
    log_event(LOG_WARN, "backend.bad_reply", LOG_NUM("id", s->id), LOG_NUM("server", b->server),
              LOG_STR("why", b->reply.why));
    return PUMP_LOST;
}

/* Run the tracker over what is there, into `batch`. */
static enum pumped collect(struct session *s, struct backend *b, struct batch *batch)
{
    struct reply_out step;

    while (!batch->done && !batch->more && batch->count <= PARTS_USED) {
        uint8_t *at = stream_data(&b->stream) + batch->used;

        session_feed(s, b, at, stream_left(&b->stream) - batch->used, &batch->seen, &step);
        if (step.event == REPLY_BAD || (step.event == REPLY_INFILE && b->stream.writing))
            return bad_reply(s, b); /* nobody asks for a file before he has read the statement */
        if (step.event == REPLY_ERROR) {
            enum pumped otherwise = answer_otherwise(s, b, batch);

            if (otherwise != PUMP_DONE) {
                stream_consume(&b->stream, step.pass + step.drop);
                return otherwise;
            }
        }
        session_replay_step(s, b, at, &step);
        batch->kept = step.done && session_once_keep(s, b, at, &step);
        if (batch->kept) {
            step.drop += step.pass - step.last;
            step.pass = step.last;
        }
        batch_add(s, batch, at, &step);
        learn(s, b, step.event, batch);
    }
    return PUMP_DONE;
}

static void finish_command(struct session *s, struct backend *b)
{
    session_answers_note(s, b);
    session_track_end(s, b);
    session_note_left(s, b);
    session_replay_end(s, b);
    session_stmt_end(s, b);
    session_once_end(s);
    session_ride_note(s);
    count_busy(s, b, false);
}

static void finish_reply(struct session *s, struct backend *b)
{
    finish_command(s, b);
    backend_done(b);
}

/* What was kept back of the reply, now that it is committed. */
static enum pumped give_kept(struct session *s, struct backend *b)
{
    struct span part;
    enum stream_sent sent;

    buf_clear(&s->out);
    session_once_tell_kept(s);
    part = buf_span(&s->out);
    s->run.answered = true;
    sent = buf_ok(&s->out) ? stream_write(&s->client, &part, 1) : STREAM_FAILED;
    session_once_recall(s, b);
    finish_command(s, b);
    session_once_kept_end(s, b);
    s->run.finished = true;
    if (sent == STREAM_FAILED)
        return PUMP_ENDED;
    return sent == STREAM_BLOCKED ? PUMP_WAIT : PUMP_DONE;
}

/* A command that has no reply was sent. */
static void finish_unanswered(struct session *s, struct backend *b)
{
    session_stmt_end(s, b);
    count_busy(s, b, false);
}

/* Forward one batch. PUMP_WAIT: nothing more to do now. */
static enum pumped pump_batch(struct session *s, struct backend *b)
{
    struct stmt *stmt = s->run.stmt;
    struct batch batch = {.count = 0};
    enum pumped pumped;
    enum stream_sent sent;

    if (stmt)
        batch.seen = stmt->seen;
    buf_clear(&s->out);
    pumped = collect(s, b, &batch);
    if (pumped != PUMP_DONE)
        return pumped;
    if (!buf_ok(&s->out))
        return PUMP_LOST;
    batch_place(s, &batch);
    if (batch.count > 0)
        session_end_timing(s, b);
    s->run.answered = s->run.answered || batch.count > 0;
    s->run.replied += batch.used;
    sent = stream_write(&s->client, batch.parts, batch.count);
    if (stmt)
        stmt->seen = batch.seen;
    if (batch.kept)
        backend_done(b);
    else if (batch.done)
        finish_reply(s, b);
    s->run.finished = batch.done && !batch.kept;
    if (sent == STREAM_FAILED)
        return PUMP_ENDED;
    if (sent == STREAM_BLOCKED) {
        s->run.reply_pinned = batch.used;
        stream_read(&b->stream, false);
        return PUMP_WAIT;
    }
    stream_consume(&b->stream, batch.used);
    return batch.done || !batch.more ? PUMP_DONE : PUMP_WAIT;
}

static void unpin_reply(struct session *s, struct backend *b)
{
    if (s->run.reply_pinned)
        stream_consume(&b->stream, s->run.reply_pinned);
    s->run.reply_pinned = 0;
}

static enum pumped swallow_first(struct session *s, struct backend *b)
{
    static const enum pumped meaning[] = {
        [SWALLOW_DONE] = PUMP_DONE,     [SWALLOW_WAIT] = PUMP_WAIT, [SWALLOW_STALE] = PUMP_STALE,
        [SWALLOW_ERROR] = PUMP_REFUSED, [SWALLOW_LOST] = PUMP_LOST,
    };

    return meaning[session_swallow(s, b)];
}

/* Whether a reply is still to come at all: STMT_CLOSE and the like have none. */
static bool reply_due(struct session *s, struct backend *b)
{
    return kind_of_run(s) != REPLY_NONE && !s->run.finished &&
           (b->expect_count > 0 || session_once_is(s, ONCE_KEPT));
}

static enum pumped pumped_of(enum held held)
{
    static const enum pumped meaning[] = {
        [HELD_NOT] = PUMP_DONE, [HELD_BACK] = PUMP_WAIT, [HELD_LOST] = PUMP_LOST};

    return meaning[held];
}

static enum pumped pump_reply(struct session *s, struct backend *b)
{
    enum pumped pumped = PUMP_DONE;

    if (s->client.writing)
        return PUMP_WAIT;
    unpin_reply(s, b);
    while (pumped == PUMP_DONE && reply_due(s, b)) {
        pumped = pumped_of(session_lease(s, b));
        if (pumped != PUMP_DONE)
            continue;
        if (session_once_is(s, ONCE_KEPT) && !session_once_commit(s, b))
            return PUMP_LOST;
        pumped = swallow_first(s, b);
        if (pumped != PUMP_DONE)
            return pumped;
        if (session_once_is(s, ONCE_SETTLED))
            return give_kept(s, b);
        (void)backend_due(b, s->caps, s->status);
        session_tracking_reply(s, b);
        pumped = pumped_of(session_room(s, b));
        if (pumped != PUMP_DONE)
            continue;
        if (stream_left(&b->stream) == 0)
            pumped = PUMP_WAIT;
        else
            pumped = pump_batch(s, b);
    }
    if (pumped == PUMP_WAIT && !s->client.writing && !s->run.finished) {
        stream_read(&b->stream, true);
        return b->stream.eof ? PUMP_LOST : PUMP_WAIT;
    }
    return pumped;
}

/* The reply came, and does not count: the command goes elsewhere. */
static void leave_behind(struct session *s)
{
    backend_done(s->target);
    s->target->warned = true; /* it was an error */
    count_busy(s, s->target, false);
    if (s->line)
        line_turn_over(s);
}

static enum step kill_session(struct session *s)
{
    struct backend *b = s->target;

    s->run.failed = true;
    finish_reply(s, b);
    session_answers_hide(s, b);
    s->target = NULL;
    return session_kill(s, &s->run.statement.kill);
}

static enum step after_pump(struct session *s, enum pumped pumped)
{
    int server = s->target->server;

    /* what is still being written to it are the client's bytes, which go elsewhere now */
    if (s->target->stream.writing && (pumped == PUMP_REROUTE || pumped == PUMP_STALE))
        pumped = PUMP_REFUSED;
    switch (pumped) {
    case PUMP_LOST:
        return session_target_lost(s);
    case PUMP_ENDED:
        session_end(s, 0, NULL, "client left in the middle of a command");
        return STEP_WAIT;
    case PUMP_REROUTE:
        leave_behind(s);
        return session_reroute(s);
    case PUMP_AGAIN:
        leave_behind(s);
        (void)session_reroute(s);
        s->run.exclude = 0;
        return STEP_MORE;
    case PUMP_STALE:
        count_busy(s, s->target, false);
        return session_reroute(s);
    case PUMP_REFUSED:
        session_release(s, server, false);
        return session_reroute(s);
    case PUMP_KILL:
        return kill_session(s);
    case PUMP_WAIT:
    case PUMP_DONE:
        break;
    }
    return STEP_WAIT;
}

/* All of the command went out and all of its reply, if it has one, came back and was taken by the
 * client. */
static bool complete(const struct session *s)
{
    bool replied = s->run.finished || kind_of_run(s) == REPLY_NONE;

    return replied && s->run.request.done && !s->client.writing && !s->target->stream.writing;
}

enum step session_relay(struct session *s)
{
    struct backend *b = s->target;
    enum pumped pumped;

    if (!s->run.sent) {
        if (b->stream.writing)
            return STEP_WAIT;
        if (!send_first(s, b))
            return session_target_lost(s);
    }
    pumped = pump_request(s, b);
    if (pumped == PUMP_DONE || pumped == PUMP_WAIT)
        pumped = pump_reply(s, b);
    if (pumped != PUMP_DONE && pumped != PUMP_WAIT)
        return after_pump(s, pumped);
    if (!complete(s))
        return STEP_WAIT;
    if (kind_of_run(s) == REPLY_NONE)
        finish_unanswered(s, b);
    s->target = NULL;
    /* bytes behind the reply are the next one's, or nobody's; a loss says so itself */
    if (s->line)
        line_turn_over(s);
    else if (stream_left(&b->stream) || !session_home_ask_early(s, b))
        session_backend_event(b, s);
    session_finish_command(s);
    return STEP_MORE;
}
