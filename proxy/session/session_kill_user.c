/* KILL … USER: one request goes round all workers, the killer's own last; each kills its sessions
 * of that user and adds how many those were. The killer may be one of them: it gets the answer
 * first, as MariaDB does it. Sessions that the killer may not kill are passed over; connections
 * that are not the proxy's are not met. */
#include "proxy/session/session_kill.h"
#include "proxy/session/session_steps.h"

#include <stdlib.h>
#include <string.h>

struct kill_user_request {
    struct message message;
    struct worker *from;
    uint32_t killer;
    uint32_t rows;        /* sessions killed */
    struct sql_kill kill; /* user and host point behind it */
    bool privileged;
    bool suicide;
    struct span by; /* the killer's user */
    uint8_t text[];
};

static bool is_meant(const struct kill_user_request *k, const struct session *victim)
{
    struct span user = session_user(victim);
    bool any_host = !k->kill.host.n || span_eq(k->kill.host, "%");

    return victim->identity && !victim->freed_soon && victim->state.now != SESSION_CLOSING &&
           span_same(user, k->kill.user) && (any_host || span_eq(k->kill.host, victim->address)) &&
           (k->privileged || span_same(user, k->by));
}

static void kill_here(struct kill_user_request *k, struct worker *w)
{
    struct session *next;

    for (struct session *s = w->sessions; s; s = next) {
        next = s->next;
        if (!is_meant(k, s))
            continue;
        k->rows++;
        if (s->id == k->killer)
            k->suicide = !k->kill.query;
        else
            session_kill_victim(s, &k->kill);
    }
}

static void answer(struct kill_user_request *k, struct worker *w)
{
    struct session *s = session_by_id(w, k->killer);

    if (!s || s->state.now != SESSION_ASK)
        return;
    session_left_by_proxy(s, false);
    (void)session_answer_told(s, (struct ok){.affected_rows = k->rows});
    session_step(s);
    s = session_by_id(w, k->killer);
    if (s && k->suicide)
        session_end(s, ER_CONNECTION_KILLED, "70100", "Connection was killed");
}

static void carry_out(struct message *m, void *receiver)
{
    struct kill_user_request *k = (struct kill_user_request *)(void *)m;
    struct worker *w = receiver;

    kill_here(k, w);
    if (w != k->from) {
        worker_send_next(w, &k->message);
        return;
    }
    answer(k, w);
    free(k);
}

static struct span keep(uint8_t **at, struct span s)
{
    uint8_t *p = *at;

    if (s.n)
        memcpy(p, s.p, s.n);
    *at += s.n;
    return (struct span){p, s.n};
}

enum step session_kill_user(struct session *s, const struct sql_kill *kill)
{
    struct span by = session_user(s), user = kill->own_user ? by : kill->user;
    struct kill_user_request *k = calloc(1, sizeof *k + by.n + user.n + kill->host.n);
    uint8_t *at;

    if (!k)
        return session_answer_error(s, ER_UNKNOWN_ERROR, "HY000", "out of memory");
    at = k->text;
    k->message.run = carry_out;
    k->from = s->worker;
    k->killer = s->id;
    k->kill = *kill;
    k->kill.user = keep(&at, user);
    k->kill.host = keep(&at, kill->host);
    k->by = keep(&at, by);
    k->privileged = session_kills_all(s);
    session_enter(s, SESSION_ASK);
    worker_send_next(s->worker, &k->message);
    return STEP_WAIT;
}
