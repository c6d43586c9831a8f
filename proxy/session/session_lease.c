/* Whether a reply counts is looked up when it is there, by a clock that is read then: a process
 * that was stopped wakes up with replies in its sockets, and with the time of before in its loop.
 */
#include "proxy/session/session_lease.h"

#include "base/clock.h"
#include "proxy/replay/session_once.h"
#include "proxy/session/session_room.h"

void session_lease_begin(struct session *s, const struct backend *b)
{
    const struct topology *t = s->worker->topology;
    int primary = t->primary >= 0 ? t->primary : s->home;

    s->run.leased = s->worker->conf->failover.enabled && !t->galera && !s->run.read &&
                    !s->run.log_in && b->server == primary;
    s->run.held_until_ns = 0;
}

static bool is_over(const struct worker *w, int server, uint64_t now_ns)
{
    return now_ns >= w->topology->servers[server].lease_ns;
}

/* An error has nothing to do with it. A COMMIT that is to be sent behind what has come has. */
static bool depends(const struct session *s, const struct backend *b)
{
    bool come = stream_left(&b->stream) > 0 || session_once_is(s, ONCE_KEPT);

    return s->run.leased && come && !session_error_ahead(s, b);
}

/* Rows that the client has begun to read, of a procedure say: at a switchover the server before
 * goes on with them, and it writes nothing more. */
static bool goes_on(const struct session *s)
{
    return s->run.answered && !session_once_is(s, ONCE_KEPT) &&
           !session_once_is(s, ONCE_COMMITTING);
}

static enum held lost(struct backend *b)
{
    if (backend_is_ready(b))
        backend_fail(b, CR_SERVER_LOST, "08S01", "its answer came too late to be believed");
    return HELD_LOST;
}

static enum held await(struct session *s, struct backend *b, uint64_t now_ns)
{
    struct command_run *run = &s->run;

    if (!run->held_until_ns)
        run->held_until_ns = now_ns + s->worker->conf->failover.wait_ns;
    if (now_ns >= run->held_until_ns) {
        run->waited = true;
        return lost(b);
    }
    s->deadline_ns = now_ns + HELD_LOOK_NS;
    return HELD_BACK;
}

enum held session_lease(struct session *s, struct backend *b)
{
    struct worker *w = s->worker;
    uint64_t now_ns;
    bool over;

    if (!depends(s, b))
        return HELD_NOT;
    now_ns = worker_now_ns();
    if (is_over(w, b->server, now_ns))
        worker_look_at_positions(w);
    over = is_over(w, b->server, now_ns);
    if (topology_has_replaced(w->topology, b->server) && (over || !goes_on(s)))
        return lost(b);
    return over ? await(s, b, now_ns) : HELD_NOT;
}
