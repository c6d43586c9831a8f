/* How long reads take at each server, where `routing.balance` goes by that. */
#include "proxy/session/session_steps.h"

/* One read in so many is timed. */
enum { TIMED = 4 };

void session_begin_timing(struct session *s)
{
    struct command_run *run = &s->run;

    run->timed_ns = 0;
    if (s->worker->conf->routing.balance == BALANCE_LATENCY && run->read && !run->route.wait &&
        s->turn % TIMED == 0)
        run->timed_ns = worker_now_ns();
}

void session_end_timing(struct session *s, const struct backend *b)
{
    if (s->run.timed_ns)
        latency_note(&s->worker->latency, b->server, worker_now_ns() - s->run.timed_ns);
    s->run.timed_ns = 0;
}
