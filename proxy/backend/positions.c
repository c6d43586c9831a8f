#include "proxy/backend/positions.h"

#include "proxy/session/session.h"

static struct positions *positions_of(const struct session *s)
{
    return &s->worker->positions;
}

static void push(struct session **list, struct session *s, enum position_role role)
{
    s->position.role = role;
    s->position.next = *list;
    *list = s;
}

static struct session *pop(struct session **list)
{
    struct session *s = *list;

    *list = s->position.next;
    s->position.next = NULL;
    return s;
}

static void drop(struct session **list, const struct session *s)
{
    while (*list && *list != s)
        list = &(*list)->position.next;
    if (*list)
        *list = s->position.next;
}

/* Company of a question that is over: it knows what there is to know. */
static void tell(const struct positions *p, struct session *s)
{
    s->position.role = POSITION_NONE;
    s->run.position_asked = true;
    if (p->known) {
        causal_bound(&s->causal, &p->position);
        s->run.position_known = true;
    }
    session_step(s);
}

static void on_idle(uv_idle_t *handle)
{
    struct positions *p = handle->data;
    struct session *s;

    (void)uv_idle_stop(handle);
    while (p->told)
        tell(p, pop(&p->told));
    if (p->asker || !p->waiting)
        return;
    s = p->asker = pop(&p->waiting);
    s->position.role = POSITION_TURN;
    session_step(s);
}

bool positions_init(struct positions *p, uv_loop_t *loop)
{
    p->idle.data = p;
    return uv_idle_init(loop, &p->idle) == 0;
}

void positions_close(struct positions *p)
{
    uv_close((uv_handle_t *)&p->idle, NULL);
}

static void step_soon(struct positions *p)
{
    (void)uv_idle_start(&p->idle, on_idle); /* fails only without a callback */
}

void positions_wait(struct session *s)
{
    struct positions *p = positions_of(s);

    push(&p->waiting, s, POSITION_WAITS);
    if (!p->asker)
        step_soon(p);
}

void positions_ask(struct session *s)
{
    struct positions *p = positions_of(s);

    metric_add(&s->worker->shared->metrics, METRIC_POSITIONS, 1);
    s->position.role = POSITION_ASKS;
    p->known = false;
    while (p->waiting)
        push(&p->company, pop(&p->waiting), POSITION_COMPANY);
}

void positions_answer(struct session *s, const struct gtid_set *position)
{
    struct positions *p = positions_of(s);

    if (s != p->asker)
        return;
    p->position = *position;
    p->known = true;
}

static void end_question(struct positions *p)
{
    p->asker = NULL;
    while (p->company)
        push(&p->told, pop(&p->company), POSITION_COMPANY);
    step_soon(p);
}

void positions_leave(struct session *s)
{
    struct positions *p = positions_of(s);
    enum position_role role = s->position.role;

    s->position.role = POSITION_NONE;
    if (role == POSITION_WAITS) {
        drop(&p->waiting, s);
    } else if (role == POSITION_COMPANY) {
        drop(&p->company, s);
        drop(&p->told, s);
    } else if (role != POSITION_NONE) {
        end_question(p);
    }
}
