/* The state SESSION_REPLAY: the statements of a lost transaction, one after the other, on the
 * connection that the waiting command will go out on.
 *
 * Each is written with what makes it come out as it did: the time, the id that an AUTO_INCREMENT
 * column begins with. A server that will not have these (a setting, a right) is not asked twice:
 * the digest of the reply decides. */
#include "proxy/replay/session_replay.h"

#include "proxy/session/session_steps.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>

/* So long others let transactions go first on a server that has just begun to take writes, … */
#define FIRST_NS (1 * CLOCK_NS_PER_S)
/* … and look so often whether there are any left. */
#define YIELD_NS (10 * CLOCK_NS_PER_MS)

/* Whether others wait for the session's repetition. */
static void set_counted(struct session *s, bool counts)
{
    struct replay *r = s->replay;

    if (counts != r->counted)
        atomic_fetch_add(&s->worker->shared->replays_due, counts ? 1 : -1);
    r->counted = counts;
}

void session_replay_set_due(struct session *s, bool due)
{
    set_counted(s, due && s->replay->log.count > 0);
    s->replay->due = due;
}

/* Whether some worker's sessions are to repeat transactions, or may not know yet that they are. */
static bool others_are_due(const struct shared *shared, uint64_t since_ns)
{
    for (int i = 0; i < shared->worker_count; i++)
        if (atomic_load(&shared->workers[i].looked_ns) < since_ns)
            return true;
    return atomic_load(&shared->replays_due) > 0;
}

/* Wait a little where others are to repeat what they did before, so that the ids they have told
 * their clients are still free, and what they read is as it was. Not for long: one may be idle. */
static bool lets_others_first(struct session *s, int server)
{
    const struct worker *w = s->worker;
    uint64_t since_ns = w->topology->servers[server].since_ns;
    uint64_t now_ns = worker_now_ns();

    if (now_ns > since_ns + FIRST_NS || !others_are_due(w->shared, since_ns))
        return false;
    s->deadline_ns = now_ns + YIELD_NS;
    return true;
}

bool session_replay_lets_others_first(struct session *s)
{
    const struct command_run *run = &s->run;
    bool concerned = s->worker->conf->failover.enabled && !run->read && !run->log_in &&
                     !(s->status & STATUS_IN_TRANS);

    return concerned && lets_others_first(s, run->route.server);
}

/* User variables are as they were before the transaction; what it made of them comes again. */
static void restore_uservars(struct session *s)
{
    if (s->replay->remembers)
        session_uservars_lost(s);
}

void session_replay_arrange(struct session *s)
{
    struct replay *r = s->replay;

    session_replay_set_due(s, r->log.count > 0 || r->once.in_doubt);
    restore_uservars(s);
    r->awaiting = false;
    r->next = 0;
    s->home = -1;
    session_home_forget(s);
}

void session_replay_note_loss(struct session *s)
{
    if (s->replay)
        s->replay->id_due = s->replay->insert_id != 0;
}

void session_replay_drop(struct session *s)
{
    s->pins &= ~(uint32_t)PIN_TRANSACTION;
    s->status &= (uint16_t) ~(unsigned)(STATUS_IN_TRANS | STATUS_IN_TRANS_READONLY);
    session_replay_end_transaction(s);
    session_replay_note_loss(s);
}

enum step session_replay_roll_back(struct session *s, const char *why)
{
    metric_add(&s->worker->shared->metrics, METRIC_NOT_REPLAYED, 1);
    log_event(LOG_INFO, "transaction.rolled_back", LOG_NUM("id", s->id), LOG_STR("why", why));
    restore_uservars(s);
    session_replay_drop(s);
    if (s->run.request_pinned)
        stream_consume(&s->client, s->run.request_pinned);
    s->run.request_pinned = 0;
    return session_answer_error(
        s, ER_LOCK_DEADLOCK, "40001",
        "Deadlock found when trying to get lock; try restarting transaction");
}

void session_replay_next_command(struct session *s)
{
    if (!s->replay || !s->replay->once.in_doubt)
        return;
    session_once_lost(s, -1, 0, false);
    session_replay_drop(s);
}

enum step session_replay_undone(struct session *s)
{
    struct replay *r = s->replay;
    int server = s->target->server;

    s->run.sent = false;
    session_replay_set_due(s, r->log.count > 0);
    if (r->due)
        return STEP_MORE;
    if (s->status & STATUS_IN_TRANS) {
        session_release(s, server, false);
        return session_replay_roll_back(s, session_replay_why_not(s));
    }
    s->target = NULL;
    session_enter(s, SESSION_ROUTE); /* where it lets those go first that are repeated */
    return STEP_MORE;
}

static struct replay_entry *entry_of(const struct replay *r)
{
    return &r->log.entries[r->next];
}

/* ---- out ---- */

/* The client has set the time itself: then it is among the variables that are laid on. */
static bool has_own_time(const struct session *s)
{
    return vars_value(s->vars, "timestamp").p != NULL;
}

/* What a server refuses is done without. */
static bool set(struct backend *b, const char *items)
{
    char sql[300];

    (void)snprintf(sql, sizeof sql, "SET%s", items);
    return backend_command(b, COM_QUERY, span_of(sql), EXPECT_DISCARD);
}

void session_replay_lay_on(struct session *s, const struct backend *b)
{
    struct replay *r = s->replay;

    if (!r || !r->id_due || r->due || b->server != s->worker->topology->primary)
        return;
    r->id_due = false;
    s->left.insert_id = r->insert_id;
}

static bool put_conditions(struct session *s, struct backend *b, const struct replay_entry *e)
{
    struct buf sql = buf_with_max(256);
    bool ok = true;

    if (!has_own_time(s))
        buf_printf(&sql, ",timestamp=%llu.%03u", (unsigned long long)(e->sent_ms / 1000),
                   (unsigned)(e->sent_ms % 1000));
    if (e->insert_id)
        buf_printf(&sql, ",insert_id=%llu", (unsigned long long)e->insert_id);
    if (e->seeds[0])
        buf_printf(&sql, ",rand_seed1=%" PRIu32 ",rand_seed2=%" PRIu32, e->seeds[0], e->seeds[1]);
    if (s->replay->next == 0 && s->replay->log.insert_id)
        buf_printf(&sql, ",last_insert_id=%llu", (unsigned long long)s->replay->log.insert_id);
    if (sql.len) {
        memcpy(sql.data, " ", 1); /* in the place of the first comma */
        ok = set(b, buf_text(&sql));
    }
    buf_free(&sql);
    return ok;
}

/* The functions that prepare a statement again look at the command under way. */
static bool prepare(struct session *s, struct backend *b, const struct replay_entry *e)
{
    struct command_run waiting = s->run;
    bool ok;

    s->run = (struct command_run){.byte = e->byte, .stmt = e->stmt};
    ok = session_lay_on_statement(s, b);
    s->run = waiting;
    return ok;
}

static bool send_entry(struct session *s, struct backend *b)
{
    struct replay_entry *e = entry_of(s->replay);
    uint8_t *packet = replay_log_packet(&s->replay->log, e);
    struct span part = {packet, e->n};

    if (!put_conditions(s, b, e) || (e->stmt && !prepare(s, b, e)) ||
        !backend_expect(b, reply_kind_of(e->byte), EXPECT_CLIENT, 0))
        return false;
    if (e->stmt) {
        struct prepared *p = prepared_find(&b->prepared, e->stmt->key);

        stmt_id_patch(packet + PACKET_HEADER, p->id);
        backend_expect_of(b, p);
    }
    reply_digest_begin(&s->replay->digest);
    s->replay->awaiting = true;
    return backend_write(b, &part, 1) != STREAM_FAILED;
}

/* ---- in ---- */

enum came { CAME_WAIT, CAME_SAME, CAME_OTHER, CAME_LOST };

/* Run the tracker over the reply as if it went to the client. */
static enum came take_reply(struct session *s, struct backend *b)
{
    struct stream *in = &b->stream;
    struct replay *r = s->replay;
    struct reply_out step;

    do {
        backend_feed(b, stream_data(in), stream_left(in), worker_whole_max(s->worker), &step);
        if (step.event == REPLY_BAD || step.event == REPLY_INFILE)
            return CAME_LOST;
        reply_digest_step(&r->digest, &b->reply, stream_data(in), &step);
        stream_consume(in, step.pass + step.drop);
    } while (!step.done && (step.event != REPLY_MORE || step.pass + step.drop > 0) &&
             stream_left(in));
    if (!step.done) {
        stream_read(in, true);
        return in->eof ? CAME_LOST : CAME_WAIT;
    }
    backend_done(b);
    return reply_digest_value(&r->digest) == entry_of(r)->digest ? CAME_SAME : CAME_OTHER;
}

static enum came await(struct session *s, struct backend *b)
{
    switch (session_swallow(s, b)) {
    case SWALLOW_WAIT:
        return CAME_WAIT;
    case SWALLOW_DONE:
        break;
    case SWALLOW_ERROR: /* a statement cannot be prepared again */
    case SWALLOW_STALE:
        return CAME_OTHER;
    case SWALLOW_LOST:
        return CAME_LOST;
    }
    (void)backend_due(b, s->caps, s->status);
    if (stream_left(&b->stream))
        return take_reply(s, b);
    stream_read(&b->stream, true);
    return b->stream.eof ? CAME_LOST : CAME_WAIT;
}

/* ---- the state ---- */

/* The log says which statement, and MariaDB's error where it got one. */
static enum step came_out_otherwise(struct session *s)
{
    const struct backend *b = s->target;
    unsigned code = b->error.code ? b->error.code : b->reply.error.code;
    char said[16] = "no error", why[120];

    if (code)
        (void)snprintf(said, sizeof said, "error %u", code);
    (void)snprintf(why, sizeof why,
                   "statement %zu of %zu gave another result on the new primary (%s)",
                   s->replay->next + 1, s->replay->log.count, said);
    session_release(s, b->server, false); /* the server rolls back */
    return session_replay_roll_back(s, why);
}

/* Its own statements are repeated; the command that waits may be new to the server. */
static bool awaits_others(struct session *s, const struct backend *b)
{
    set_counted(s, false);
    return !s->run.read && lets_others_first(s, b->server);
}

static enum step finish(struct session *s, struct backend *b)
{
    struct replay *r = s->replay;

    metric_add(&s->worker->shared->metrics, METRIC_REPLAYED, 1);
    log_event(LOG_INFO, "transaction.replayed", LOG_NUM("id", s->id),
              LOG_STR("server", s->worker->topology->servers[b->server].name),
              LOG_NUM("statements", r->log.count));
    session_replay_set_due(s, false);
    s->home = b->server;
    b->unread = true;
    if (!has_own_time(s) && !set(b, " timestamp=DEFAULT"))
        return session_target_lost(s);
    session_enter(s, SESSION_RELAY);
    return STEP_MORE;
}

/* What is to be rolled back has been, by the loss. */
static bool is_pointless(const struct session *s)
{
    return s->run.statement.kind == SQL_ROLLBACK && s->run.statement.statements == 1;
}

enum step session_replay(struct session *s)
{
    struct backend *b = s->target;
    struct replay *r = s->replay;

    if (b->stream.writing)
        return STEP_WAIT;
    if (b->state.now == BACKEND_LOST)
        return session_target_lost(s);
    if (r->once.in_doubt)
        return session_once_resolve(s);
    if (is_pointless(s)) {
        session_replay_drop(s);
        session_enter(s, SESSION_RELAY);
        return STEP_MORE;
    }
    if (!r->awaiting && r->next == r->log.count)
        return awaits_others(s, b) ? STEP_WAIT : finish(s, b);
    if (!r->awaiting)
        return send_entry(s, b) ? STEP_MORE : session_target_lost(s);
    switch (await(s, b)) {
    case CAME_WAIT:
        return STEP_WAIT;
    case CAME_LOST:
        return session_target_lost(s);
    case CAME_OTHER:
        return came_out_otherwise(s);
    case CAME_SAME:
        break;
    }
    r->awaiting = false;
    r->next++;
    return STEP_MORE;
}
