/* A connection may die without a sign while it idles: a firewall forgets it, a machine is gone.
 * What is sent on it then waits for TCP to give up, minutes; and of a write nobody knows whether it
 * took effect. So one that idled for longer than pool.check_after is asked first (COM_PING), and is
 * left where it does not answer within limits.connect_timeout; nothing of the session's was on it
 * yet.
 *
 * Not where the statement asks about the one before: that has to be the next on its connection. */
#include "proxy/session/session_steps.h"

#include "base/clock.h"
#include "base/log.h"

static uint64_t used_since_ns(const struct worker *w)
{
    uint64_t after_ns = w->conf->pool.check_after_ns;
    uint64_t now_ns = uv_now(&w->loop) * CLOCK_NS_PER_MS;

    return after_ns && now_ns > after_ns ? now_ns - after_ns : 0;
}

void session_doubt(const struct worker *w, struct backend *b)
{
    b->unproven = b->unproven || b->idle_since_ns < used_since_ns(w);
}

enum swallow session_prove(struct session *s, struct backend *b)
{
    if (s->run.statement.effects & SQL_EFFECTS_ASKS)
        return SWALLOW_DONE;
    if (b->expect_count == 0) {
        session_left_disturbed(s, b, false);
        b->sound_ns = worker_now_ns();
        if (!backend_command(b, COM_PING, (struct span){NULL, 0}, EXPECT_STATE) ||
            backend_write(b, NULL, 0) == STREAM_FAILED)
            return SWALLOW_LOST;
    }
    return session_swallow(s, b);
}

/* Where it kept silent, those that idle for as long will do, too. */
enum step session_not_proven(struct session *s)
{
    struct worker *w = s->worker;
    struct backend *b = s->target;
    int server = b->server;

    metric_add(&w->shared->metrics, METRIC_BACKEND_LOST, 1);
    log_event(LOG_INFO, "backend.unproven", LOG_NUM("id", s->id),
              LOG_STR("server", w->topology->servers[server].name),
              LOG_STR("why", b->error.text[0] ? b->error.text : "connection closed"));
    if (!b->stream.eof)
        pool_drop_unused(&w->pool, server, used_since_ns(w));
    session_release(s, server, false);
    session_enter(s, SESSION_ROUTE);
    return STEP_MORE;
}
