#include "proxy/session/session_bounds.h"

#include "base/clock.h"
#include "proxy/session/session.h"

#include <stdlib.h>

/* Only where the next move is the client's. A packet that is sent in crumbs is one wait. */
static enum stall kind_of(const struct session *s)
{
    switch ((enum session_state)s->state.now) {
    case SESSION_READY:
        if (s->client.writing)
            return STALL_WRITE;
        return stream_left(&s->client) ? STALL_READ : STALL_IDLE;
    case SESSION_RELAY:
        return s->client.writing ? STALL_WRITE : STALL_NONE;
    case SESSION_REPLY:
        return s->client.writing ? STALL_WRITE : STALL_READ;
    default:
        return STALL_NONE; /* the log-in has a limit of its own */
    }
}

/* As the session has set it, or else the servers. 0: not known. */
static uint64_t idle_limit_ns(const struct session *s)
{
    bool interactive = s->caps & CAP_INTERACTIVE;
    struct span own = vars_value(s->vars, "wait_timeout");
    const struct catalog *c = s->worker->catalog;
    char text[24] = "";

    if (!own.p || own.n >= sizeof text)
        return interactive ? c->interactive_timeout_ns : c->wait_timeout_ns;
    memcpy(text, own.p, own.n);
    return strtoull(text, NULL, 10) * CLOCK_NS_PER_S;
}

static uint64_t limit_of(const struct session *s, enum stall kind)
{
    const struct conf_limits *l = &s->worker->conf->limits;

    switch (kind) {
    case STALL_IDLE:
        return idle_limit_ns(s);
    case STALL_READ:
        return l->read_timeout_ns;
    case STALL_WRITE:
        return l->write_timeout_ns;
    case STALL_NONE:
        break;
    }
    return 0;
}

static void end_stalled(struct session *s, enum stall kind)
{
    if (kind == STALL_IDLE)
        session_end(s, 0, NULL, "idle for wait_timeout"); /* MariaDB says nothing, either */
    else if (kind == STALL_READ)
        session_fault(s, ER_NET_READ_INTERRUPTED, "08S01",
                      "Got timeout reading communication packets");
    else
        session_fault(s, 0, NULL, "the client does not take its reply");
}

/* An idle session keeps no memory that its next command makes anew. */
static void shed_buffers(struct session *s)
{
    buf_free(&s->out);
    buf_free(&s->text);
    buf_free(&s->credentials.bytes);
    for (uint32_t left = s->held_bits; left; left &= left - 1) {
        struct backend *b = s->held[__builtin_ctz(left)];

        if (b->out.len == 0)
            buf_free(&b->out);
    }
}

void session_check_stall(struct session *s, uint64_t now_ns)
{
    struct session_bounds *b = &s->bounds;
    enum stall kind = kind_of(s);
    uint64_t limit;

    if (kind == STALL_NONE || kind != b->stall || b->moved) {
        b->stalled_ns = now_ns;
        b->stall = (uint8_t)kind;
        b->moved = false;
        return;
    }
    if (kind == STALL_IDLE)
        shed_buffers(s);
    limit = limit_of(s, kind);
    if (limit && now_ns - b->stalled_ns >= limit)
        end_stalled(s, kind);
}

bool session_count_address(struct session *s)
{
    struct shared *shared = s->worker->shared;

    if (s->bounds.address_counted)
        return true;
    s->bounds.address_counted = quota_take(&shared->addresses, span_of(s->address),
                                           s->worker->conf->limits.max_address_sessions);
    if (s->bounds.address_counted)
        return true;
    metric_add(&shared->metrics, METRIC_TURNED_AWAY, 1);
    session_end(s, ER_CON_COUNT_ERROR, "08004", "Too many connections");
    return false;
}

bool session_count_user(struct session *s, struct span user)
{
    struct quota *users = &s->worker->shared->users;
    struct span old = session_user(s);

    if (!quota_take(users, user, s->worker->conf->limits.max_user_sessions))
        return false;
    if (s->bounds.user_counted)
        quota_give(users, old);
    s->bounds.user_counted = true;
    return true;
}

void session_uncount(struct session *s)
{
    struct shared *shared = s->worker->shared;

    if (s->bounds.address_counted)
        quota_give(&shared->addresses, span_of(s->address));
    if (s->bounds.user_counted)
        quota_give(&shared->users, session_user(s));
    s->bounds.address_counted = s->bounds.user_counted = false;
}
