#include "proxy/replay/session_replay.h"
#include "proxy/session/session_kill.h"
#include "proxy/session/session_steps.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ANY_TIME  (STATE_BIT(SESSION_CLOSING))
#define COMMANDED (STATE_BIT(SESSION_READY) | STATE_BIT(SESSION_REPLY))
#define ASKING    (STATE_BIT(SESSION_SYNC) | STATE_BIT(SESSION_REPLAY) | STATE_BIT(SESSION_RELAY))

static const struct state_row rows[] = {
    [SESSION_GREET] = {"greet", STATE_BIT(SESSION_LOGIN) | ANY_TIME},
    [SESSION_LOGIN] = {"login", STATE_BIT(SESSION_VERIFY) | ANY_TIME},
    [SESSION_SWITCH] = {"switch", STATE_BIT(SESSION_VERIFY) | ANY_TIME},
    [SESSION_VERIFY] = {"verify", STATE_BIT(SESSION_SWITCH) | STATE_BIT(SESSION_ROUTE) |
                                      STATE_BIT(SESSION_REPLY) | ANY_TIME},
    [SESSION_READY] = {"ready", STATE_BIT(SESSION_ROUTE) | STATE_BIT(SESSION_VERIFY) |
                                    STATE_BIT(SESSION_SHED) | STATE_BIT(SESSION_ASK) | COMMANDED |
                                    ANY_TIME},
    [SESSION_SHED] = {"shed", STATE_BIT(SESSION_VERIFY) | COMMANDED | ANY_TIME},
    [SESSION_ASK] = {"ask", STATE_BIT(SESSION_ROUTE) | STATE_BIT(SESSION_REPLY) | ANY_TIME},
    [SESSION_ROUTE] = {"route", STATE_BIT(SESSION_QUEUE) | STATE_BIT(SESSION_CONNECT) |
                                    STATE_BIT(SESSION_SYNC) | STATE_BIT(SESSION_SHARE) | COMMANDED |
                                    ANY_TIME},
    [SESSION_QUEUE] = {"queue", STATE_BIT(SESSION_ROUTE) | STATE_BIT(SESSION_CONNECT) |
                                    STATE_BIT(SESSION_SHARE) | COMMANDED | ANY_TIME},
    [SESSION_CONNECT] = {"connect", STATE_BIT(SESSION_VERIFY) | STATE_BIT(SESSION_ROUTE) |
                                        STATE_BIT(SESSION_SYNC) | STATE_BIT(SESSION_REPLAY) |
                                        STATE_BIT(SESSION_RELAY) | COMMANDED | ANY_TIME},
    [SESSION_SYNC] = {"sync", STATE_BIT(SESSION_ROUTE) | STATE_BIT(SESSION_REPLAY) |
                                  STATE_BIT(SESSION_RELAY) | STATE_BIT(SESSION_ASK) | COMMANDED |
                                  ANY_TIME},
    [SESSION_REPLAY] = {"replay",
                        STATE_BIT(SESSION_ROUTE) | STATE_BIT(SESSION_RELAY) | COMMANDED | ANY_TIME},
    [SESSION_SHARE] = {"share",
                       STATE_BIT(SESSION_ROUTE) | STATE_BIT(SESSION_RELAY) | COMMANDED | ANY_TIME},
    [SESSION_RELAY] = {"relay",
                       STATE_BIT(SESSION_ROUTE) | STATE_BIT(SESSION_ASK) | COMMANDED | ANY_TIME},
    [SESSION_REPLY] = {"reply", STATE_BIT(SESSION_READY) | ANY_TIME},
    [SESSION_CLOSING] = {"closing", 0},
};
static const struct state_table table = {"session", rows, SESSION_STATE_COUNT};

static enum step session_closing(struct session *s);

static enum step (*const handlers[SESSION_STATE_COUNT])(struct session *) = {
    [SESSION_GREET] = session_greet,     [SESSION_LOGIN] = session_login,
    [SESSION_SWITCH] = session_switch,   [SESSION_VERIFY] = session_verify,
    [SESSION_READY] = session_ready,     [SESSION_ROUTE] = session_route,
    [SESSION_CONNECT] = session_connect, [SESSION_SYNC] = session_sync,
    [SESSION_RELAY] = session_relay,     [SESSION_REPLY] = session_reply,
    [SESSION_CLOSING] = session_closing, [SESSION_ASK] = session_ask,
    [SESSION_REPLAY] = session_replay,   [SESSION_QUEUE] = session_queue,
    [SESSION_SHED] = session_shed,       [SESSION_SHARE] = session_share,
};

enum { CLOSING_MS = 1000, ASSIGNED_MAX = 8192, UNTOLD_MAX = 65536 };

/* How long a state may last, from the configuration; 0: for ever. */
static uint64_t state_limit(const struct session *s, enum session_state state)
{
    const struct conf_limits *l = &s->worker->conf->limits;

    switch (state) {
    case SESSION_GREET:
    case SESSION_LOGIN:
    case SESSION_SWITCH:
    case SESSION_VERIFY:
        return l->login_timeout_ns;
    case SESSION_QUEUE:
        return s->worker->conf->pool.wait_ns;
    case SESSION_CONNECT:
    case SESSION_SHED:
        return l->connect_timeout_ns;
    case SESSION_CLOSING:
        return CLOSING_MS * CLOCK_NS_PER_MS;
    default:
        return 0;
    }
}

void session_enter(struct session *s, enum session_state next)
{
    uint64_t limit = state_limit(s, next);

    if (s->position.role != POSITION_NONE &&
        !(s->position.role == POSITION_ASKS && next == SESSION_SYNC))
        positions_leave(s);
    if (!(s->wait.waiter.role == WAIT_ASKS && STATE_BIT(next) & ASKING))
        session_wait_leave(s);
    state_enter(&s->state, (int)next);
    s->deadline_ns = limit ? worker_now_ns() + limit : 0;
}

/* Called again from inside a step (the session was ended, say), it runs once more when that step is
 * through. */
void session_step(struct session *s)
{
    s->again = true;
    if (s->stepping || s->freed_soon)
        return;
    s->stepping = true;
    while (s->again && !s->freed_soon) {
        s->again = false;
        while (handlers[s->state.now](s) == STEP_MORE)
            continue;
    }
    s->stepping = false;
}

struct step_message {
    struct message message;
    uint32_t id;
};

static void on_step(struct message *m, void *receiver)
{
    struct step_message *x = (struct step_message *)(void *)m;
    struct session *s = session_by_id(receiver, x->id);

    free(x);
    if (s)
        session_step(s);
}

/* Without memory it goes on with its next event. */
void session_step_later(struct session *s)
{
    struct step_message *x = malloc(sizeof *x);

    if (!x)
        return;
    *x = (struct step_message){.message.run = on_step, .id = s->id};
    worker_send(s->worker, &x->message);
}

static void on_event(void *owner)
{
    struct session *s = owner;

    if (s->client.eof && s->client.error == UV_EPROTO)
        session_fault(s, 0, NULL, stream_why(&s->client));
    else if (s->client.eof && s->client.error != 0)
        session_end(s, 0, NULL, stream_why(&s->client));
    session_step(s);
}

static void on_closed(void *owner)
{
    struct session *s = owner;

    session_part_all(s);
    identity_unref(s->identity);
    tls_context_unref(s->tls);
    vars_free(s->vars);
    session_replay_free(s);
    stmts_clear(&s->stmts);
    buf_free(&s->out);
    session_forget_credentials(s);
    buf_free(&s->credentials.bytes);
    buf_free(&s->text);
    buf_free(&s->fitted);
    session_busy_forget(s);
    session_kill_forget(s);
    buf_free(&s->telling.assigned);
    buf_free(&s->telling.untold);
    if (s->pinned)
        buffers_give(&s->worker->buffers, s->pinned);
    session_answers_free(s);
    buf_free(&s->unsaid.variables);
    buf_free(&s->uservars.set);
    free(s);
}

static void on_drained(void *owner)
{
    struct session *s = owner;

    s->bounds.moved = true;
    on_event(s);
}

static const struct stream_ops ops = {NULL, on_event, on_drained, on_closed};

static void link_session(struct worker *w, struct session *s)
{
    s->next = w->sessions;
    if (w->sessions)
        w->sessions->prev = s;
    w->sessions = s;
    s->logging_in = true;
    atomic_fetch_add(&w->logging_in, 1);
    w->coalesce.events++;
    metric_add(&w->shared->metrics, METRIC_SESSIONS, 1);
    metric_add(&w->shared->metrics, METRIC_SESSIONS_OPENED, 1);
}

void session_logged_in(struct session *s)
{
    atomic_fetch_sub(&s->worker->logging_in, s->logging_in);
    s->logging_in = false;
}

static void unlink_session(struct session *s)
{
    session_logged_in(s);
    s->worker->coalesce.events++;
    if (s->prev)
        s->prev->next = s->next;
    else
        s->worker->sessions = s->next;
    if (s->next)
        s->next->prev = s->prev;
    session_uncount(s);
    worker_free_seat(s->worker, s->listener);
    metric_add(&s->worker->shared->metrics, METRIC_SESSIONS, -1);
}

/* Ids are unique over all workers and tell the worker: see session_worker_of. */
static uint32_t next_id(struct worker *w)
{
    unsigned n = (unsigned)w->shared->worker_count;
    unsigned turns = (SESSION_ID_LAST - SESSION_ID_FIRST) / n;
    unsigned turn = atomic_fetch_add(&w->shared->next_session, 1) % turns;

    return SESSION_ID_FIRST + turn * n + (uint32_t)w->index;
}

static struct session *session_new(struct worker *w, const struct client_socket *c)
{
    struct session *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->worker = w;
    s->id = next_id(w);
    s->home = -1;
    session_answers_forget(s);
    session_home_forget(s);
    s->turn = s->id / (uint32_t)w->shared->worker_count; /* each session begins elsewhere */
    s->seq = UINT8_MAX; /* the greeting, or an error in its place, is packet 0 */
    s->consistency = c->consistency;
    s->listener = c->listener;
    s->is_unix = c->is_unix;
    s->tls = c->tls;
    s->status = w->default_status ? w->default_status : STATUS_AUTOCOMMIT;
    s->out = buf_with_max(SESSION_OUT_MAX);
    s->credentials.bytes = buf_with_max(CREDENTIALS_MAX);
    s->text = buf_with_max(PACKET_MAX_PAYLOAD);
    s->fitted = buf_with_max(PACKET_MAX_PAYLOAD);
    s->telling.assigned = buf_with_max(ASSIGNED_MAX);
    s->telling.untold = buf_with_max(UNTOLD_MAX);
    tracking_init(&s->telling.wanted);
    s->port = c->port;
    memcpy(s->address, c->address, sizeof s->address);
    s->stmts.uses = &w->prepared;
    s->stmts.owner = s->id;
    causal_init(&s->causal);
    stream_init(&s->client, &ops, s, &w->buffers);
    state_init(&s->state, &table, SESSION_GREET);
    s->deadline_ns = worker_now_ns() + state_limit(s, SESSION_GREET);
    s->vars = vars_new();
    if (!s->vars) {
        free(s);
        return NULL;
    }
    return s;
}

void session_start(struct worker *w, const struct client_socket *c)
{
    struct session *s = session_new(w, c);
    int rc;

    if (!s) {
        worker_free_seat(w, c->listener);
        client_socket_drop(c);
        return;
    }
    link_session(w, s);
    rc = stream_open_fd(&s->client, &w->loop, c->fd, c->is_unix);
    if (rc != 0) {
        session_end(s, 0, NULL, uv_strerror(rc));
        return;
    }
    log_event(LOG_DEBUG, "session.open", LOG_NUM("id", s->id), LOG_STR("address", s->address));
    stream_read(&s->client, true);
    session_step(s);
}

static void log_end(const struct session *s, enum log_level level, const char *event, uint16_t code,
                    const char *why)
{
    char user[64] = "";

    (void)snprintf(user, sizeof user, "%.*s", (int)session_user(s).n,
                   (const char *)session_user(s).p);
    log_event(level, event, LOG_NUM("id", s->id), LOG_STR("user", user),
              LOG_STR("address", s->address), LOG_STR("state", state_name(&s->state)),
              LOG_NUM("code", code), LOG_STR("why", why ? why : "client closed"),
              LOG_NUM("statements", s->statements));
}

/* A write to the client that is not through reads from the buffer of the server's connection,
 * which is about to close: the next to read would fill that buffer with another session's bytes. */
static void keep_pinned(struct session *s)
{
    struct backend *b = s->target;

    if (!b || s->held[b->server] != b || !s->client.writing)
        return;
    s->pinned = stream_take_buffer(&b->stream);
    session_release(s, b->server, false);
}

static void end(struct session *s, uint16_t code, const char *sqlstate, const char *why)
{
    session_queue_leave(s);
    line_leave(s);
    keep_pinned(s);
    session_release_all(s);
    session_part_all(s);
    s->out_sent = s->client.writing; /* what is pinned goes out; nothing behind it */
    if (!s->client.writing)
        buf_clear(&s->out);
    if (code && !s->client.writing) {
        size_t at = packet_begin(&s->out);

        error_encode(&s->out, code, sqlstate, why);
        packet_end(&s->out, at, (uint8_t)(s->seq + 1));
        metric_add(&s->worker->shared->metrics, METRIC_ERRORS, 1);
    }
    session_enter(s, SESSION_CLOSING);
    session_step(s);
}

void session_end(struct session *s, uint16_t code, const char *sqlstate, const char *why)
{
    if (s->state.now == SESSION_CLOSING)
        return;
    log_end(s, code ? LOG_INFO : LOG_DEBUG, "session.close", code, why);
    end(s, code, sqlstate, why);
}

void session_fault(struct session *s, uint16_t code, const char *sqlstate, const char *why)
{
    if (s->state.now == SESSION_CLOSING)
        return;
    metric_add(&s->worker->shared->metrics, METRIC_BAD_CLIENTS, 1);
    if (log_limit_passes(&s->worker->faults, worker_now_ns()))
        log_end(s, LOG_WARN, SESSION_FAULT_EVENT, code, why);
    end(s, code, sqlstate, why);
}

static void destroy(struct session *s)
{
    if (s->freed_soon)
        return;
    s->freed_soon = true;
    positions_leave(s);
    session_wait_leave(s);
    unlink_session(s);
    stream_close(&s->client);
}

static enum step session_closing(struct session *s)
{
    struct span part = buf_span(&s->out);

    if (!stream_settle(&s->client) && worker_now_ns() < s->deadline_ns)
        return STEP_WAIT;
    if (!s->out_sent && part.n && !s->client.writing && !s->client.eof) {
        s->out_sent = true;
        if (stream_write(&s->client, &part, 1) != STREAM_FAILED && !stream_settle(&s->client))
            return STEP_WAIT;
    }
    destroy(s);
    return STEP_WAIT;
}

const char *session_pin_words(const struct session *s)
{
    return s->pins ? session_pin_text(s->pins) : "";
}
