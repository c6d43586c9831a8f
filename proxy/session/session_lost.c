/* When a server is lost: who is told, and what is sent again elsewhere.
 *
 * A command is sent again only if it was never sent, or is provably a read, nothing of its reply
 * reached the client, and no state of the session was lost with the connection. */
#include "proxy/backend/suspect.h"
#include "proxy/replay/session_replay.h"
#include "proxy/session/session_ride.h"
#include "proxy/session/session_room.h"
#include "proxy/session/session_steps.h"

#include "base/log.h"

#include <stdio.h>

bool session_lose_home(struct session *s)
{
    const uint32_t bound = PIN_TRANSACTION | PIN_TX_SETTINGS | PIN_TEMPORARY | PIN_LOCKS | PIN_XA |
                           PIN_OPAQUE | PIN_TRACKING;
    bool had_state = (s->pins & bound) != 0 || s->fragile != 0;

    session_replay_note_loss(s);
    s->pins &= ~bound;
    s->fragile = 0;
    s->tables_locked = false;
    session_home_forget(s);
    s->status &= (uint16_t) ~(unsigned)(STATUS_IN_TRANS | STATUS_IN_TRANS_READONLY);
    s->home = -1;
    return had_state;
}

static void note_loss(struct session *s, const struct backend *b)
{
    struct shared *shared = s->worker->shared;

    metric_add(&shared->metrics, METRIC_BACKEND_LOST, 1);
    if (b->stream.eof)
        atomic_store_explicit(&shared->loads[b->server].broke_ns, worker_now_ns(),
                              memory_order_relaxed);
    log_event(LOG_INFO, "backend.lost", LOG_NUM("id", s->id),
              LOG_STR("server", s->worker->topology->servers[b->server].name),
              LOG_STR("state", state_name(&s->state)),
              LOG_STR("why", b->error.text[0] ? b->error.text : "connection closed"));
    shared->suspect(shared->monitor, b->server, backend_suspicion(b));
}

/* Whether the command may go out again, and where. */
static bool may_go_again(struct session *s, bool had_state)
{
    struct command_run *run = &s->run;

    if (run->answered || (had_state && !run->log_in))
        return false;
    if (run->log_in || (run->read && run->whole) || session_replay_is_harmless(s))
        return true;
    if (run->sent || !run->whole)
        return false;
    /* Never sent: once more, over a new connection; then elsewhere, when there is another primary.
     */
    run->resent++;
    return run->resent == 1 || s->worker->conf->failover.enabled;
}

static enum step go_again(struct session *s)
{
    bool same = s->run.resent == 1 && !s->run.read && !s->run.log_in;

    (void)session_reroute(s);
    if (same)
        s->run.exclude = 0;
    return STEP_MORE;
}

static enum step repeat_transaction(struct session *s)
{
    session_replay_arrange(s);
    s->run.resent++;
    return go_again(s);
}

static enum step tell_loss(struct session *s, const char *text)
{
    if (s->run.answered) {
        session_end(s, 0, NULL, text);
        return STEP_WAIT;
    }
    if (s->run.request_pinned)
        stream_consume(&s->client, s->run.request_pinned);
    s->run.request_pinned = 0;
    return session_answer_error(s, ER_NET_READ_ERROR, "08S01", text);
}

/* Whether what the session has on its home may be gone with the connection. */
static bool is_home(const struct session *s, int server)
{
    return server == s->home && !s->run.guarded;
}

/* A read on a replica has nothing to do with the session's transaction; one that waits for its
 * repetition has. */
static enum replay_verdict judge_transaction(const struct session *s, int server)
{
    bool concerned = is_home(s, server) || !s->run.read || session_replay_due(s);

    return concerned ? session_replay_judge(s, false) : REPLAY_NOT_ASKED;
}

enum step session_target_lost(struct session *s)
{
    struct backend *b = s->target;
    int server = b->server;
    uint32_t thread = b->thread_id;
    enum replay_verdict verdict;
    bool had_state = false;
    char text[400];

    session_room_lost(s);
    verdict = judge_transaction(s, server);
    note_loss(s, b);
    (void)snprintf(text, sizeof text, "Lost connection to server during query (%s: %s)%s",
                   s->worker->topology->servers[server].name,
                   b->error.text[0] ? b->error.text : "connection closed",
                   s->run.sent && !s->run.read ? "; whether it took effect is not known" : "");
    session_release(s, server, false);
    session_once_lost(s, server, thread, verdict == REPLAY_IN_DOUBT);
    if (verdict == REPLAY_POSSIBLE || verdict == REPLAY_IN_DOUBT)
        return repeat_transaction(s);
    if (verdict == REPLAY_UNDONE)
        s->run.sent = false;
    if (is_home(s, server))
        had_state = session_lose_home(s);
    if (verdict == REPLAY_ROLLED_BACK)
        return session_replay_roll_back(s, session_replay_why_not(s));
    return may_go_again(s, had_state) ? go_again(s) : tell_loss(s, text);
}

void session_lost_idle(struct session *s)
{
    switch (session_replay_judge(s, true)) {
    case REPLAY_POSSIBLE:
        session_replay_arrange(s);
        return;
    case REPLAY_ROLLED_BACK:
        s->replay->tell = s->lost = true;
        break;
    default:
        break;
    }
    s->lost = session_lose_home(s) || s->lost;
}

bool session_is_left_behind(const struct session *s)
{
    const struct worker *w = s->worker;
    const struct topology *t = w->topology;
    bool stays = s->run.route.reason == ROUTE_PINNED && s->run.route.server == s->home;

    return stays && w->conf->failover.enabled && !t->galera && t->primary >= 0 &&
           s->home != t->primary && (s->run.statement.effects & SQL_EFFECT_OPAQUE) &&
           !(s->status & STATUS_IN_TRANS);
}

enum step session_leave_home(struct session *s)
{
    session_release(s, s->home, false);
    (void)session_lose_home(s);
    return session_tell_loss(s);
}

static enum server_health health_of(const struct session *s, int server)
{
    return s->worker->topology->servers[server].health;
}

/* In maintenance and well: what runs there ends as it would. */
static bool rests(const struct session *s, int server)
{
    return s->worker->topology->servers[server].resting && health_of(s, server) == HEALTH_BROKEN;
}

static bool is_down(const struct session *s, int server)
{
    enum server_health health = health_of(s, server);

    return health != HEALTH_UP && health != HEALTH_UNKNOWN && health != HEALTH_REFUSED &&
           !rests(s, server);
}

/* There is another primary than the one that the statement was sent to: no reply can come that
 * would count. */
static bool is_replaced(const struct session *s)
{
    return s->worker->conf->failover.enabled &&
           topology_has_replaced(s->worker->topology, s->target->server);
}

void session_leave_old_primary(struct session *s)
{
    int primary = s->worker->topology->primary;
    int home = s->home;

    if (s->worker->topology->galera && home >= 0 &&
        (health_of(s, home) == HEALTH_UP || rests(s, home)))
        return; /* it takes commits still */
    if (s->state.now != SESSION_READY || home < 0 || primary < 0 || home == primary ||
        session_replay_judge(s, true) == REPLAY_NOT_ASKED)
        return;
    session_release(s, home, false);
    session_lost_idle(s);
}

static bool waits_for_reply(const struct session *s)
{
    bool state = s->state.now == SESSION_RELAY || s->state.now == SESSION_SYNC ||
                 s->state.now == SESSION_CONNECT || s->state.now == SESSION_REPLAY;

    return state && s->target && s->run.whole && !s->run.answered && !s->client.writing;
}

void session_topology_changed(struct session *s)
{
    if (s->state.now == SESSION_ROUTE && s->run.wait_until_ns) {
        s->run.exclude = 0;
        return;
    }
    session_leave_old_primary(s);
    if (s->state.now == SESSION_READY && !s->worker->conf->pool.multiplexing)
        session_let_go(s); /* of servers in maintenance */
    if (s->state.now == SESSION_QUEUE && health_of(s, s->place.server) != HEALTH_UP) {
        session_queue_leave(s);
        session_enter(s, SESSION_ROUTE);
        return;
    }
    if (session_waits(s) && health_of(s, s->wait.server) != HEALTH_UP) {
        session_wait_leave(s);
        return;
    }
    if (s->state.now == SESSION_SHARE && is_down(s, s->run.route.server)) {
        session_ride_lost(s);
        return;
    }
    if (!waits_for_reply(s) || !is_down(s, s->target->server))
        return;
    if (s->run.read ? health_of(s, s->target->server) == HEALTH_BROKEN : !is_replaced(s))
        return;
    s->stepping = true;
    (void)session_target_lost(s);
    s->stepping = false;
}

void session_timeout(struct session *s)
{
    s->deadline_ns = 0;
    if (s->state.now == SESSION_CONNECT && s->target) {
        backend_fail(s->target, CR_SERVER_LOST, "08S01",
                     s->target->unproven ? "no answer after idling"
                                         : "connection attempt timed out");
        session_step(s);
        return;
    }
    if (s->state.now == SESSION_SHED) {
        session_release(s, s->target->server, false);
        session_step(s);
        return;
    }
    if (s->state.now == SESSION_QUEUE) {
        session_queue_leave(s);
        s->stepping = true;
        (void)session_fail(s, ER_CON_COUNT_ERROR, "08004", "Too many connections");
        s->stepping = false;
        session_step(s);
        return;
    }
    if (s->state.now == SESSION_ROUTE) {
        s->run.waited = s->run.wait_until_ns && worker_now_ns() >= s->run.wait_until_ns;
        if (s->run.wait_until_ns)
            s->run.exclude = 0;
        session_step(s);
        return;
    }
    if (s->state.now == SESSION_CLOSING || s->state.now == SESSION_REPLAY ||
        s->state.now == SESSION_RELAY) {
        session_step(s);
        return;
    }
    if (s->state.now == SESSION_GREET)
        session_end_uninformed(s);
    else
        session_fault(s, ER_NET_READ_INTERRUPTED, "08S01",
                      "Got timeout reading communication packets");
}
