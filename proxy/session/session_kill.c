/* KILL [QUERY] of a session by the id the proxy gave it.
 *
 * The killer's session asks the worker that owns the id and waits (ASK) for its answer. There the
 * victim's statement, if one is under way, is killed on its server over a connection of its own
 * with the victim's credentials (everybody may kill his own); KILL CONNECTION also ends the
 * victim's session. Who may: the same user, or an account with SUPER or CONNECTION ADMIN.
 *
 * An expression (KILL @id) is the primary's to evaluate, on the session's own connection: it gets
 * the statement as it is, has no thread of a session's id, and its error tells the id. So it is
 * with a KILL in SQL-level PREPARE and EXECUTE (session_kill_prepared.c). session_kill_user.c has
 * KILL USER. */
#include "proxy/session/session_kill.h"

#include "proxy/session/session_steps.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum kill_answer { KILL_DONE, KILL_UNKNOWN, KILL_DENIED };

struct kill_request {
    struct message message;
    struct worker *from;
    uint32_t killer;
    struct sql_kill kill;
    bool privileged;
    enum kill_answer answer;
    uint32_t user_len;
    uint8_t user[]; /* the killer's */
};

struct session *session_by_id(struct worker *w, uint32_t id)
{
    for (struct session *s = w->sessions; s; s = s->next)
        if (s->id == id && !s->freed_soon)
            return s;
    return NULL;
}

/* Whether the replies to the set-up and to KILL are both there, a packet each. A server that reads
 * slowly might otherwise find the connection closed before it came to the KILL. */
static bool is_answered(const struct stream *in)
{
    struct cursor c = cursor_of(stream_data(in), stream_left(in));

    for (int replies = 0; replies < 2; replies++) {
        const uint8_t *head = cursor_take(&c, PACKET_HEADER);

        if (head)
            cursor_skip(&c, packet_header_at(head).length);
    }
    return cursor_ok(&c) || stream_full(in);
}

/* A connection that carries one KILL; in the worker's list `sides` while it lives. */
struct side {
    struct worker *worker;
    char sql[40];
};

static void side_close(struct backend *b)
{
    struct side *side = b->owner;

    if (b->prev)
        b->prev->next = b->next;
    else
        side->worker->sides = b->next;
    if (b->next)
        b->next->prev = b->prev;
    free(side);
    backend_close(b);
}

/* The side connection's life: ready, send, wait for the answer (which only says that it arrived),
 * close. */
static void on_side_event(struct backend *b, void *owner)
{
    const struct side *side = owner;

    if (backend_is_ready(b) && b->caps && b->serial) {
        bool sent = backend_command(b, COM_QUERY, span_of(side->sql), EXPECT_DISCARD) &&
                    backend_write(b, NULL, 0) != STREAM_FAILED;

        b->serial = 0; /* sent: what comes now answers it */
        if (sent)
            return;
    }
    if (b->state.now == BACKEND_READY && !is_answered(&b->stream) && !b->stream.eof)
        return;
    if (b->state.now < BACKEND_READY)
        return;
    side_close(b);
}

void session_kill_trim(struct worker *w, uint64_t before_ns)
{
    struct backend *next;

    for (struct backend *b = w->sides; b; b = next) {
        next = b->next;
        if (b->idle_since_ns < before_ns)
            side_close(b);
    }
}

static void kill_on_server(struct session *victim, bool soft)
{
    struct worker *w = victim->worker;
    struct backend *target = victim->target;
    struct side *side = calloc(1, sizeof *side);
    struct backend *b;

    b = side ? worker_connect(w, target->server, victim->identity) : NULL;
    if (!b) {
        free(side);
        return;
    }
    side->worker = w;
    target->killed = true; /* whoever came behind on it might be hit instead */
    (void)snprintf(side->sql, sizeof side->sql, "KILL %sQUERY %u", soft ? "SOFT " : "",
                   target->thread_id);
    b->notify = on_side_event;
    b->owner = side;
    b->idle_since_ns = worker_now_ns();
    b->next = w->sides;
    if (w->sides)
        w->sides->prev = b;
    w->sides = b;
}

/* The server has not come to its statement. */
static void interrupt(struct session *victim)
{
    line_leave(victim);
    (void)session_answer_error(victim, ER_QUERY_INTERRUPTED, "70100",
                               "Query execution was interrupted");
    session_step(victim);
}

void session_kill_victim(struct session *victim, const struct sql_kill *kill)
{
    bool mid_reply = victim->state.now == SESSION_RELAY && victim->run.answered;
    bool unsent = session_waits(victim) || (victim->line && !line_take_over(victim));

    if (unsent && kill->query)
        interrupt(victim);
    if (victim->target && victim->state.now == SESSION_RELAY)
        kill_on_server(victim, kill->soft);
    if (kill->query)
        return;
    log_event(LOG_INFO, "session.killed", LOG_NUM("id", victim->id));
    session_end(victim, mid_reply ? 0 : ER_CONNECTION_KILLED, "70100", "Connection was killed");
}

static uint32_t session_meant(const struct sql_kill *kill)
{
    return (uint32_t)(kill->by_query ? kill->id >> 32 : kill->id);
}

static bool may_kill(const struct kill_request *k, const struct session *victim)
{
    return k->privileged || span_same(session_user(victim), (struct span){k->user, k->user_len});
}

static void say_not_killed(struct session *s, const struct kill_request *k)
{
    static const struct {
        uint16_t code;
        const char *words;
    } errors[][2] = {
        [KILL_UNKNOWN] = {{ER_NO_SUCH_THREAD, "Unknown thread id: "},
                          {ER_NO_SUCH_QUERY, "Unknown query id: "}},
        [KILL_DENIED] = {{ER_KILL_DENIED_ERROR, "You are not owner of thread "},
                         {ER_KILL_QUERY_DENIED_ERROR, "You are not owner of query "}},
    };
    char text[64];

    (void)snprintf(text, sizeof text, "%s%" PRIu64, errors[k->answer][k->kill.by_query].words,
                   k->kill.id);
    (void)session_answer_error(s, errors[k->answer][k->kill.by_query].code, "HY000", text);
}

static void answer(struct message *m, void *receiver)
{
    struct kill_request *k = (struct kill_request *)(void *)m;
    struct session *s = session_by_id(receiver, k->killer);

    if (s && s->state.now == SESSION_ASK) {
        if (k->answer == KILL_DONE)
            (void)session_answer_ok(s);
        else
            say_not_killed(s, k);
        session_step(s);
    }
    free(k);
}

static bool is_meant(const struct kill_request *k, const struct session *victim)
{
    return victim && victim->identity &&
           (!k->kill.by_query || session_query_id(victim) == k->kill.id);
}

static void carry_out(struct message *m, void *receiver)
{
    struct kill_request *k = (struct kill_request *)(void *)m;
    struct session *victim = session_by_id(receiver, session_meant(&k->kill));

    k->answer = KILL_UNKNOWN;
    if (is_meant(k, victim))
        k->answer = may_kill(k, victim) ? KILL_DONE : KILL_DENIED;
    if (k->answer == KILL_DONE)
        session_kill_victim(victim, &k->kill);
    k->message.run = answer;
    worker_send(k->from, &k->message);
}

bool session_may(const struct session *s, uint64_t access)
{
    const struct account *a = catalog_account(s->worker->catalog, session_user(s), s->address);

    return a && (a->access & access) != 0;
}

bool session_kills_all(const struct session *s)
{
    return session_may(s, ACCESS_SUPER | ACCESS_CONNECTION_ADMIN);
}

static enum step kill_self(struct session *s, bool query)
{
    if (query)
        return session_answer_error(s, ER_QUERY_INTERRUPTED, "70100",
                                    "Query execution was interrupted");
    session_end(s, ER_CONNECTION_KILLED, "70100", "Connection was killed");
    return STEP_WAIT;
}

enum step session_kill(struct session *s, const struct sql_kill *kill)
{
    struct span user = session_user(s);
    struct kill_request *k;
    unsigned workers = (unsigned)s->worker->shared->worker_count;
    uint32_t id = session_meant(kill);

    if (id == s->id && !kill->by_query) /* of its statements the listed one is over */
        return kill_self(s, kill->query);
    k = calloc(1, sizeof *k + user.n);
    if (!k)
        return session_answer_error(s, ER_UNKNOWN_ERROR, "HY000", "out of memory");
    k->message.run = carry_out;
    k->from = s->worker;
    k->killer = s->id;
    k->kill = *kill;
    k->privileged = session_kills_all(s);
    k->user_len = (uint32_t)user.n;
    if (user.n)
        memcpy(k->user, user.p, user.n);
    session_enter(s, SESSION_ASK);
    worker_send(&s->worker->shared->workers[(id - SESSION_ID_FIRST) % workers], &k->message);
    return STEP_WAIT;
}

uint64_t session_id_told(struct span text)
{
    uint64_t id = 0;

    for (size_t i = 0; i < text.n && id <= INT64_MAX / 10; i++) {
        if (text.p[i] >= '0' && text.p[i] <= '9')
            id = id * 10 + (text.p[i] - '0');
        else if (text.p[i] && id)
            break;
    }
    return id;
}

/* One KILL alone. */
static bool is_kill(struct session *s)
{
    const struct command_run *run = &s->run;

    if (run->statement.statements != 1 || !run->whole ||
        (run->byte != COM_QUERY && run->byte != COM_STMT_EXECUTE))
        return false;
    return run->statement.kind == SQL_KILL || session_kill_executed(s, &s->run.statement.kill);
}

/* "Unknown thread id: 17", in any language and character set. */
bool session_kill_missed(struct session *s, const struct server_error *e)
{
    struct sql_class *c = &s->run.statement;

    if ((e->code != ER_NO_SUCH_THREAD && e->code != ER_NO_SUCH_QUERY) || !is_kill(s))
        return false;
    c->kill.id = session_id_told(e->message);
    c->kill.by_query = e->code == ER_NO_SUCH_QUERY;
    return session_is_id(c->kill.by_query ? c->kill.id >> 32 : c->kill.id);
}

enum step session_ask(struct session *s)
{
    (void)s;
    return STEP_WAIT;
}
