/* Chooses the server for the command under way and gets a connection to it. */
#include "proxy/replay/session_replay.h"
#include "proxy/session/session_ride.h"
#include "proxy/session/session_steps.h"
#include "proxy/session/session_tracking.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>

#define AGAIN_NS (100 * CLOCK_NS_PER_MS)

static bool may_serve_again(const struct worker *w, const struct backend *b)
{
    uint64_t max_age_ns = w->conf->pool.max_age_ns;
    bool old =
        max_age_ns && !b->unread && !b->diagnostics && clock_mono_ns() - b->since_ns > max_age_ns;

    return !old && !b->leaving && !b->killed && backend_is_ready(b) && b->expect_count == 0 &&
           !b->load && !b->stream.writing;
}

void session_put_back(struct worker *w, struct backend *b)
{
    int server = b->server;

    if (may_serve_again(w, b) && !b->unread && !b->diagnostics && session_queue_owes(w, server)) {
        backend_close(b);
        session_queue_hand_over(w, server);
        return;
    }
    if (may_serve_again(w, b))
        pool_give(&w->pool, b);
    else
        backend_close(b);
    session_queue_serve(w, server);
}

void session_release(struct session *s, int server, bool keep)
{
    struct worker *w = s->worker;
    struct backend *b = s->held[server];

    if (!b)
        return;
    s->held[server] = NULL;
    s->held_bits &= ~(1u << server);
    if (s->target == b)
        s->target = NULL;
    session_queue_opened(w, b);
    if (keep) {
        session_put_back(w, b);
        return;
    }
    backend_close(b);
    session_queue_serve(w, server);
}

/* A connection with a transaction, locks or the like is closed, so that the server lets go of them
 * at once. What stays open is reset unless all that is on it is known. */
void session_release_all(struct session *s)
{
    bool clean = !session_has_state(s) && !s->may_hold_locks;

    for (int i = 0; i < SERVERS_MAX; i++) {
        if (s->held[i] &&
            (!s->worker->conf->pool.multiplexing || session_stmt_bound(s, s->held[i])))
            s->held[i]->dirty = true;
        session_release(s, i, clean);
    }
    s->target = NULL;
    s->home = -1;
    session_answers_forget(s);
}

/* Not where a command that is no read runs elsewhere: had the session something here, it would run
 * here, and what it has there by now does not go with this connection. */
static bool is_home(const struct session *s, const struct backend *b)
{
    const struct command_run *run = &s->run;
    bool moves = s->target && s->target != b && !run->read && !run->statement.only_asks &&
                 run->route.reason != ROUTE_ASKED_SERVER;

    return b->server == s->home && !moves;
}

/* Something came on a connection that serves no command of this session now. */
static void on_idle_event(struct session *s, struct backend *b)
{
    enum swallow swallowed = session_swallow(s, b);
    bool home = is_home(s, b);
    int server = b->server;

    if (swallowed == SWALLOW_WAIT)
        return;
    if (swallowed == SWALLOW_DONE && backend_is_ready(b) && !b->stream.eof &&
        stream_left(&b->stream) == 0) {
        session_let_go_of(s, b);
        return;
    }
    session_release(s, server, false);
    if (home)
        session_lost_idle(s);
}

void session_backend_event(struct backend *b, void *owner)
{
    struct session *s = owner;

    if (b != s->target) {
        on_idle_event(s, b);
        return;
    }
    session_step(s);
}

/* Any server will do to check a log-in where there is no primary. */
static int any_server(const struct session *s)
{
    const struct topology *t = s->worker->topology;

    for (int i = 0; i < t->count; i++)
        if (t->servers[i].health == HEALTH_UP && !(s->run.exclude & 1u << i))
            return i;
    return -1;
}

static struct route route_log_in(const struct session *s)
{
    const struct topology *t = s->worker->topology;
    bool primary = t->primary >= 0 && !(s->run.exclude & 1u << t->primary);

    return (struct route){primary ? t->primary : any_server(s), ROUTE_STATEMENT, false};
}

/* State that lives on one connection keeps the session there, whatever the topology says by now. */
static bool bound_elsewhere(const struct session *s, const struct route *r)
{
    const uint32_t bound =
        PIN_TRANSACTION | PIN_TX_SETTINGS | PIN_TEMPORARY | PIN_LOCKS | PIN_XA | PIN_TRACKING;

    return s->home >= 0 && r->server != s->home && s->held[s->home] &&
           r->reason != ROUTE_BALANCED && r->reason != ROUTE_WAITS &&
           r->reason != ROUTE_REPLICA_STAYED && r->reason != ROUTE_ASKED_SERVER &&
           ((s->pins & bound) != 0 || s->fragile != 0);
}

static struct route_policy policy_of(const struct session *s)
{
    const struct conf_routing *r = &s->worker->conf->routing;

    return (struct route_policy){.consistency = route_consistency(&s->run.wish, s->consistency),
                                 .wait_for_replica = r->wait_for_replica,
                                 .primary_reads = r->primary_reads,
                                 .slow_start_ns = r->slow_start_ns};
}

static bool measures_latency(const struct session *s)
{
    return s->worker->conf->routing.balance == BALANCE_LATENCY;
}

/* Replicas that still work on reads which were given up because they came too late: what is written
 * behind those would wait for them. */
static uint32_t still_answering(const struct session *s)
{
    uint32_t bits = 0;

    for (uint32_t left = s->held_bits; left; left &= left - 1) {
        int i = __builtin_ctz(left);

        if (i != s->worker->topology->primary && s->held[i]->expect_count > 0)
            bits |= 1u << i;
    }
    return bits;
}

static struct route choose(struct session *s)
{
    const struct command_run *run = &s->run;
    struct route_policy policy = policy_of(s);
    struct route_ask ask = {
        .statement = &run->statement,
        .policy = &policy,
        .topology = s->worker->topology,
        .causal = &s->causal,
        .loads = s->worker->shared->loads,
        .latency = measures_latency(s) ? &s->worker->latency : NULL,
        .now_ns = uv_now(&s->worker->loop) * CLOCK_NS_PER_MS,
        .pins = s->pins,
        .exclude = run->exclude | still_answering(s),
        .held = s->held_bits,
        .favours = s->worker->lines.favours,
        .turn = s->turn++,
        .wish = run->wish,
    };
    struct route r;

    if (run->log_in)
        return route_log_in(s);
    if (run->stmt && run->stmt->bound >= 0)
        return (struct route){run->stmt->bound, ROUTE_STATEMENT, false};
    if (session_who_answers(s) >= 0)
        return (struct route){session_who_answers(s), ROUTE_REPLICA_STAYED, false};
    causal_fold(&s->causal, s->worker->topology);
    r = route_statement(&ask);
    if (bound_elsewhere(s, &r))
        return (struct route){s->home, ROUTE_PINNED, false};
    return r;
}

/* Where failover is on, a primary will be there again soon. One that broke this session's
 * connections and still counts as the primary is tried again before: nothing may be wrong with it
 * but those. */
static bool waits_for_primary(struct session *s)
{
    const struct conf *c = s->worker->conf;
    struct command_run *run = &s->run;
    uint64_t again_ns = worker_now_ns() + AGAIN_NS;
    uint64_t wait_ns = c->failover.wait_ns;

    if (!c->failover.enabled || run->waited || wait_ns == 0)
        return false;
    if (run->log_in && wait_ns > c->limits.login_timeout_ns)
        wait_ns = c->limits.login_timeout_ns;
    if (!run->wait_until_ns)
        run->wait_until_ns = worker_now_ns() + wait_ns;
    s->deadline_ns = run->wait_until_ns;
    if (s->worker->topology->primary >= 0 && again_ns < run->wait_until_ns)
        s->deadline_ns = again_ns;
    run->resent = 0;
    return true;
}

enum { NOWHERE_MAX = 400 };

/* `what`, and what keeps each server away. */
static void tell_nowhere(const struct session *s, const char *what, char text[NOWHERE_MAX])
{
    const struct topology *t = s->worker->topology;
    size_t used = (size_t)snprintf(text, NOWHERE_MAX, "%s", what);

    for (int i = 0; i < t->count && used < NOWHERE_MAX; i++)
        if (t->servers[i].health != HEALTH_UP)
            used += (size_t)snprintf(text + used, NOWHERE_MAX - used, "; %s: %s",
                                     t->servers[i].name, t->servers[i].why);
}

static enum step nowhere(struct session *s)
{
    bool any = s->run.route.reason == ROUTE_NO_SERVER || s->run.log_in;
    char text[NOWHERE_MAX];

    tell_nowhere(s,
                 any ? "Lost connection to server: no server is available"
                     : "Lost connection to server: no primary server is available",
                 text);
    return session_fail(s, ER_NET_READ_ERROR, "08S01", text);
}

void session_end_uninformed(struct session *s)
{
    char text[NOWHERE_MAX];

    tell_nowhere(s, "Tillway has not learned yet what it serves, its log says why", text);
    session_end(s, ER_NET_READ_ERROR, "08S01", text);
}

static bool acquire(struct session *s, int server)
{
    struct backend *b = s->held[server];

    if (b) /* perhaps it was in the pool when the session began to wait */
        session_queue_leave(s);
    s->target = b ? b : session_queue_connect(s, server);
    return s->target != NULL;
}

static enum step connecting(struct session *s)
{
    if (acquire(s, s->run.route.server)) {
        session_enter(s, SESSION_CONNECT);
        return STEP_MORE;
    }
    if (!s->place.waits)
        return session_fail(s, ER_UNKNOWN_ERROR, "HY000", "out of memory or descriptors");
    if (s->state.now != SESSION_QUEUE)
        session_enter(s, SESSION_QUEUE);
    session_let_go(s); /* nobody holds what another one waits for while he waits himself */
    return STEP_WAIT;
}

static enum step go_there(struct session *s)
{
    return session_ride(s) ? STEP_WAIT : connecting(s);
}

enum step session_queue(struct session *s)
{
    return go_there(s);
}

static void log_route(const struct session *s)
{
    if (!log_enabled(LOG_DEBUG) || s->run.log_in)
        return;
    log_event(LOG_DEBUG, "statement.route", LOG_NUM("id", s->id),
              LOG_STR("server", s->worker->topology->servers[s->run.route.server].name),
              LOG_STR("why", route_reason_text(s->run.route.reason)),
              LOG_STR("statement", sql_reason_text(s->run.statement.reason)),
              LOG_STR("pins", session_pin_words(s)));
}

/* Whether the primary can be asked right now, over a connection that is idle there. */
static bool can_ask(struct session *s)
{
    int primary = s->worker->topology->primary;
    const struct backend *b = primary >= 0 ? s->held[primary] : NULL;

    if (!b && primary >= 0)
        b = session_take_idle(s, primary, false);
    return b && !b->unproven && backend_is_ready(b) && b->expect_count == 0 && !b->stream.writing &&
           !b->stream.eof;
}

/* A read that is to see all that anybody has committed, about to go to a replica that may lack it.
 */
static bool must_ask(const struct session *s)
{
    return !s->worker->topology->galera && s->run.read && !s->run.position_known &&
           s->run.route.server >= 0 && s->run.route.server != s->worker->topology->primary &&
           policy_of(s).consistency == CONSISTENCY_GLOBAL;
}

/* A read must stay on the primary only because nobody knows yet how far the primary was when the
 * session looked at it last. Asking it costs less than the read, and from then on replicas will do.
 */
static bool worth_asking(const struct session *s)
{
    return s->run.route.reason == ROUTE_NOT_FRESH &&
           s->causal.seen_at == s->worker->topology->primary &&
           s->worker->conf->routing.wait_for_replica;
}

static enum step ask_position(struct session *s)
{
    struct backend *b = s->held[s->worker->topology->primary];

    s->run.position_asked = s->run.asking = true;
    s->target = b;
    session_left_disturbed(s, b, true);
    if (!session_take_over(b) ||
        !backend_command(b, COM_QUERY, span_of("SELECT @@global.gtid_binlog_pos"), EXPECT_POSITION))
        return session_answer_error(s, ER_UNKNOWN_ERROR, "HY000", "out of memory");
    positions_ask(s);
    session_enter(s, SESSION_SYNC);
    return STEP_MORE;
}

/* Together with others that want it now: one of them asks for all. */
static enum step await_position(struct session *s)
{
    if (s->position.role == POSITION_TURN && can_ask(s))
        return ask_position(s);
    if (s->position.role != POSITION_TURN) {
        positions_wait(s);
        return STEP_WAIT;
    }
    s->run.position_asked = true;
    positions_leave(s);
    return STEP_MORE;
}

/* The replica that it waited for last is not far enough in time. */
static enum step leave_late_replica(struct session *s)
{
    s->run.exclude |= 1u << s->wait.server;
    s->run.wait_since_ns = 0;
    metric_add(&s->worker->shared->metrics, METRIC_STALE_WAITS, 1);
    metric_add(&s->worker->shared->metrics, METRIC_RETRIED, 1);
    return STEP_MORE;
}

enum step session_route(struct session *s)
{
    if (s->left_at.rescue && !s->run.read)
        return STEP_WAIT; /* what it left on a connection is on its way back */
    if (s->position.role == POSITION_WAITS || s->position.role == POSITION_COMPANY)
        return STEP_WAIT;
    if (session_waits(s) && s->deadline_ns)
        return STEP_WAIT;
    session_wait_leave(s);
    s->run.asking = false;
    switch (session_home_ask(s)) {
    case ASKED:
        s->run.asking = true;
        s->run.route.server = s->home;
        session_enter(s, SESSION_SYNC);
        return STEP_MORE;
    case ASKED_IN_VAIN:
        return session_fail(s, ER_UNKNOWN_ERROR, "HY000", "out of memory");
    case ASKED_NOTHING:
        break;
    }
    worker_look_at_positions(s->worker);
    s->run.route = choose(s);
    if (!s->run.position_asked && (worth_asking(s) || must_ask(s)))
        return await_position(s);
    positions_leave(s);
    if (must_ask(s))
        s->run.route = (struct route){s->worker->topology->primary, ROUTE_NOT_FRESH, false};
    if (s->run.route.server < 0)
        return waits_for_primary(s) ? STEP_WAIT : nowhere(s);
    if (session_wait_is_over(s))
        return leave_late_replica(s);
    if (session_is_left_behind(s))
        return session_leave_home(s);
    if (session_wait_joins(s))
        return STEP_WAIT;
    if (session_replay_lets_others_first(s))
        return STEP_WAIT;
    s->deadline_ns = 0;
    if (!s->run.log_in)
        metrics_count_route(&s->worker->shared->metrics, &s->run.route, s->run.statement.reason);
    log_route(s);
    return go_there(s);
}

/* The primary itself, once more, where it was tried over a connection that only reads. */
static void leave_server(struct session *s)
{
    struct command_run *run = &s->run;

    if (run->guarded && run->route.server == s->worker->topology->primary)
        run->alone = true;
    else
        run->exclude |= 1u << run->route.server;
    run->sent = run->guarded = false;
    run->wait_since_ns = 0;
}

enum step session_reroute(struct session *s)
{
    leave_server(s);
    s->target = NULL;
    metric_add(&s->worker->shared->metrics, METRIC_RETRIED, 1);
    session_enter(s, SESSION_ROUTE);
    return STEP_MORE;
}

/* The server would not have us: a matter for the client, unless another server can answer. */
static enum step connect_failed(struct session *s)
{
    struct backend_error e = s->target->error;
    int server = s->run.route.server;
    bool denied = backend_error_denies(&e);

    if (e.code == CR_SERVER_LOST)
        return session_target_lost(s);
    session_release(s, server, false);
    if (denied && session_log_in_otherwise(s))
        return STEP_MORE;
    if (s->run.read && !(denied && server == s->worker->topology->primary))
        return session_reroute(s);
    if (denied && !s->run.log_in) { /* the client must log in anew */
        session_end(s, e.code, e.sqlstate, e.text);
        return STEP_WAIT;
    }
    return session_fail(s, e.code, e.sqlstate, e.text);
}

static bool never_fails(const struct backend *b)
{
    for (unsigned i = 0; i < b->expect_count; i++) {
        uint8_t role = b->expect[(b->expect_head + i) % EXPECT_MAX].role;

        if (role != EXPECT_CARRIED && role != EXPECT_RESCUE)
            return false;
    }
    return true;
}

/* Reads on a replica go out together with what prepares them. Where a failed preparation could do
 * harm, it is waited for. */
static bool may_pipeline(const struct session *s, const struct backend *b)
{
    bool replica = s->run.route.server != s->worker->topology->primary;

    return !s->run.log_in && ((s->run.read && s->run.whole && replica) || never_fails(b));
}

void session_host(const struct session *s, char out[THREAD_HOST_MAX])
{
    if (s->port)
        (void)snprintf(out, THREAD_HOST_MAX, "%s:%u", s->address, s->port);
    else
        (void)snprintf(out, THREAD_HOST_MAX, "%s", s->address);
}

void session_list_thread(const struct session *s, struct backend *b)
{
    char host[THREAD_HOST_MAX];

    if (b->listed_for == s->id)
        return;
    b->threads = &s->worker->shared->threads;
    session_host(s, host);
    backend_list(b, s->id, host);
}

/* The text as this connection shall read it. */
static void fit_text(struct session *s, const struct backend *b)
{
    struct command_run *run = &s->run;
    struct span command = {stream_data(&s->client), run->size};

    buf_clear(&s->fitted);
    run->fitted = false;
    if (!run->own_text)
        return;
    if (run->rewritten)
        command = buf_span(&s->text);
    run->fitted = session_rewrite(s, b, run->byte, packet_argument(command), &s->fitted);
}

enum step session_connect(struct session *s)
{
    struct backend *b = s->target;

    if (b->state.now >= BACKEND_READY)
        session_queue_opened(s->worker, b);
    if (b->state.now == BACKEND_FAILED)
        return connect_failed(s);
    if (b->state.now == BACKEND_LOST || (backend_is_ready(b) && b->stream.eof))
        return b->unproven ? session_not_proven(s) : session_target_lost(s);
    if (!backend_is_ready(b) || b->stream.writing)
        return STEP_WAIT;
    if (b->unproven) {
        enum swallow proven = session_prove(s, b);

        if (proven != SWALLOW_DONE)
            return proven == SWALLOW_WAIT ? STEP_WAIT : session_not_proven(s);
    }
    session_list_thread(s, b);
    session_answers_arrange(s, b);
    session_once_arrange(s, b);
    session_tracking_arrange(s, b);
    if (session_lays_on(s, b))
        session_left_disturbed(s, b, false);
    fit_text(s, b);
    if (!session_lay_on_state(s, b)) {
        session_release(s, b->server, false);
        return session_fail(s, ER_UNKNOWN_ERROR, "HY000",
                            "the session's state does not fit the proxy's limits");
    }
    if (b->expect_count > 0 && !may_pipeline(s, b))
        session_enter(s, SESSION_SYNC);
    else
        session_enter(s, session_replay_due(s) ? SESSION_REPLAY : SESSION_RELAY);
    if (s->state.now == SESSION_RELAY && s->run.log_in)
        return session_welcome(s);
    return STEP_MORE;
}
