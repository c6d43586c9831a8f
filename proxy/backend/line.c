#include "proxy/backend/line.h"

#include "proxy/session/session_ride.h"
#include "proxy/session/session_steps.h"

#include <assert.h>
#include <stdlib.h>

/* Who waits behind the head when the watch has come by so often, with no byte of a reply in
 * between, is sent elsewhere: 50 to 75 ms, longer where this thread itself does not get to run. */
enum { WATCH_MS = 25 };

static struct lines *lines_of(const struct line *l)
{
    return &l->worker->lines;
}

static struct server_load *load_of(const struct line *l)
{
    return &l->worker->shared->loads[l->backend->server];
}

static unsigned place(unsigned head, unsigned i)
{
    return (head + i) % LINE_DEPTH;
}

static struct session *head_of(const struct line *l)
{
    return l->count ? l->riders[l->head].session : NULL;
}

static void watch(struct lines *all);

/* Something is to be written, or looked at, at the end of this turn. */
static void remember(struct line *l)
{
    struct lines *all = lines_of(l);

    if (l->unsent)
        return;
    l->unsent = true;
    l->next_unsent = all->unsent;
    all->unsent = l;
}

/* A write that fails is seen as the stream's end. */
static void write_out(struct line *l)
{
    struct backend *b = l->backend;

    if (l->since_ns == 0) {
        l->since_ns = l->now_ns;
        l->rounds = 0;
    }
    if (!b->stream.writing && b->out.len > 0)
        (void)!backend_write(b, NULL, 0);
}

/* ---- a line's life ---- */

static void unlink_line(struct line *l)
{
    struct line **at = &lines_of(l)->of[l->backend->server];

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    l->backend->gone = NULL;
    l->backend = NULL;
}

/* It is not a line any more; its memory is used again once nobody looks at it. */
static void retire(struct line *l)
{
    if (l->backend || l->pumping || l->unsent)
        return;
    l->next = lines_of(l)->spare;
    lines_of(l)->spare = l;
}

/* The session waits no more. */
static void let_out(struct line *l, unsigned i)
{
    struct rider *r = &l->riders[place(l->head, i)];

    r->session->line = NULL;
    r->session = NULL;
}

/* All riders but `stays` are sent elsewhere. They step, and so may do anything; the line is not in
 * the list any more. */
static void scatter(struct line *l, const struct session *stays, struct server_load *load)
{
    for (unsigned i = 0; i < l->count; i++) {
        struct session *s = l->riders[place(l->head, i)].session;

        if (!s || s == stays)
            continue;
        let_out(l, i);
        atomic_fetch_sub_explicit(&load->busy, 1, memory_order_relaxed);
        session_ride_elsewhere(s);
    }
    l->count = 0;
    l->us = 0;
    retire(l);
}

/* The connection closes, whoever wanted that. */
static void on_gone(struct backend *b)
{
    struct line *l = b->owner;
    struct server_load *load = load_of(l);
    struct session *s = l->turn ? head_of(l) : NULL;

    unlink_line(l);
    if (s)
        s->line = NULL;
    scatter(l, s, load);
}

static void end_line(struct line *l)
{
    struct worker *w = l->worker;
    struct backend *b = l->backend;

    unlink_line(l);
    retire(l);
    b->notify = NULL;
    b->owner = NULL;
    session_put_back(w, b);
}

/* ---- replies ---- */

static void begin_turn(struct line *l, struct session *s)
{
    if (l->turn)
        return;
    l->turn = true;
    l->backend->load = load_of(l);
    session_ride_begin(s, l->backend);
}

static void pop(struct line *l)
{
    l->riders[l->head].session = NULL;
    l->us -= l->riders[l->head].us;
    l->head = place(l->head, 1);
    l->count--;
    l->turn = false;
    l->since_ns = l->now_ns;
}

void line_turn_over(struct session *s)
{
    struct line *l = s->line;

    assert(l->turn && head_of(l) == s);
    session_ride_end(s, l->backend, l->now_ns - l->since_ns);
    s->line = NULL;
    pop(l);
    if (!l->pumping)
        remember(l);
}

/* In front of the riders' replies there may be one to what made it a line's. */
static bool is_of_rider(const struct line *l)
{
    return l->backend->expect_count == l->count;
}

static bool is_no_use(const struct line *l, enum reply_event event)
{
    return event == REPLY_BAD || event == REPLY_INFILE || (event == REPLY_ERROR && !is_of_rider(l));
}

static void drop_one(struct line *l)
{
    bool riders = is_of_rider(l);

    backend_done(l->backend);
    if (riders)
        pop(l);
}

/* Of one that has left. False: more is to come. */
static bool drop_reply(struct line *l)
{
    struct backend *b = l->backend;
    struct reply_out out;

    (void)backend_due(b, b->caps, 0);
    do {
        backend_feed(b, stream_data(&b->stream), stream_left(&b->stream),
                     worker_whole_max(l->worker), &out);
        if (is_no_use(l, out.event)) {
            backend_close(b);
            return false;
        }
        stream_consume(&b->stream, out.pass + out.drop);
        if (out.done) {
            drop_one(l);
            return true;
        }
    } while (out.event != REPLY_MORE);
    return false;
}

/* The head forwards what there is of its reply. False: it is not through yet. */
static bool step_head(struct line *l)
{
    struct session *s = head_of(l);

    if (!s)
        return drop_reply(l);
    begin_turn(l, s);
    session_step(s);
    if (!l->backend || s->line != l)
        return l->backend != NULL;
    if (s->client.writing)
        (void)line_take_over(s);
    return false;
}

/* The connection ended: the first of those that wait finds that out. */
static void lose(struct line *l)
{
    struct session *s;

    while (l->count && !head_of(l))
        pop(l);
    s = head_of(l);
    if (s) {
        begin_turn(l, s);
        session_step(s);
    }
    if (l->backend)
        backend_close(l->backend);
}

static bool has_news(const struct line *l)
{
    return l->backend && l->count > 0 && (l->turn || stream_left(&l->backend->stream) > 0);
}

static bool is_over(const struct backend *b)
{
    return b->stream.eof || !backend_is_ready(b);
}

static void pump(struct line *l)
{
    l->pumping = true;
    while (has_news(l) && step_head(l))
        continue;
    if (l->backend && l->count > 0 && is_over(l->backend))
        lose(l);
    l->pumping = false;
    if (!l->backend)
        retire(l);
    else if (l->count == 0)
        end_line(l);
    else
        stream_read(&l->backend->stream, true);
}

static void on_event(struct backend *b, void *owner)
{
    struct line *l = owner;
    struct worker *w = l->worker;
    int server = b->server;

    l->now_ns = worker_now_ns();
    l->rounds = 0;
    pump(l);
    if (w->queues.of[server].head) /* there may be room now */
        session_queue_serve(w, server);
}

/* ---- riders ---- */

static struct line *line_new(struct worker *w)
{
    struct line *l = w->lines.spare;

    if (l)
        w->lines.spare = l->next;
    else
        l = malloc(sizeof *l);
    if (l)
        *l = (struct line){.worker = w};
    return l;
}

static struct line *open_line(struct session *s, int server)
{
    struct worker *w = s->worker;
    struct backend *b = session_take_equal(s, server);
    struct line *l = b ? line_new(w) : NULL;

    if (!l) {
        if (b)
            session_put_back(w, b);
        return NULL;
    }
    l->backend = b;
    l->next = w->lines.of[server];
    w->lines.of[server] = l;
    b->notify = on_event;
    b->owner = l;
    b->gone = on_gone;
    return l;
}

bool line_has_enough(const struct line *l)
{
    unsigned aim = coalesce_is_full(&l->worker->coalesce) ? LINE_DEPTH : LINE_AIM;

    return l->count >= aim ||
           l->us >= atomic_load_explicit(&lines_of(l)->aim_us, memory_order_relaxed);
}

static bool gathers(const struct line *l)
{
    return l->unsent && !line_has_enough(l);
}

/* One that gathers in this turn already; else the one with the fewest. */
static bool is_better(const struct line *l, const struct line *than)
{
    return !than || gathers(l) || (l->count < than->count && !gathers(than));
}

struct line *line_find(struct session *s, int server)
{
    struct line *best = NULL;
    struct line *more;
    int n = 0;

    for (struct line *l = s->worker->lines.of[server]; l; l = l->next) {
        n++;
        if (l->count < LINE_DEPTH && session_fits_line(s, l->backend) && is_better(l, best))
            best = l;
    }
    if ((best && (!line_has_enough(best) || n >= LINES_AIM)) || n == LINES_MAX)
        return best;
    more = open_line(s, server);
    return more ? more : best;
}

void line_board(struct line *l, struct session *s)
{
    uint32_t us = history_us(&lines_of(l)->history, s->run.shape);

    assert(l->count < LINE_DEPTH && !s->line);
    if (l->count == 0)
        l->since_ns = 0;
    l->riders[place(l->head, l->count++)] = (struct rider){.session = s, .us = us};
    l->us += us;
    s->worker->coalesce.events++;
    s->line = l;
    lines_of(l)->favours = UINT32_C(1) << l->backend->server;
    atomic_fetch_add_explicit(&load_of(l)->busy, 1, memory_order_relaxed);
    remember(l);
    watch(lines_of(l));
}

static unsigned index_of(const struct line *l, const struct session *s)
{
    unsigned i = 0;

    while (l->riders[place(l->head, i)].session != s)
        i++;
    assert(i < l->count);
    return i;
}

/* Theirs are the last ones expected; the head's own may have come already. */
static void expect_nothing(const struct line *l, unsigned i)
{
    struct backend *b = l->backend;
    unsigned at = b->expect_head + b->expect_count - (l->count - i);

    b->expect[at % EXPECT_MAX].role = EXPECT_DISCARD;
}

void line_leave(struct session *s)
{
    struct line *l = s->line;
    unsigned i;

    if (!l || (l->turn && head_of(l) == s)) /* in its turn the connection is its to close */
        return;
    i = index_of(l, s);
    let_out(l, i);
    expect_nothing(l, i);
    atomic_fetch_sub_explicit(&load_of(l)->busy, 1, memory_order_relaxed);
}

bool line_take_over(struct session *s)
{
    struct line *l = s->line;
    struct backend *b = l->backend;
    struct server_load *load = load_of(l);

    if (head_of(l) != s)
        return false;
    begin_turn(l, s);
    for (unsigned i = 1; i < l->count; i++)
        expect_nothing(l, i);
    write_out(l);
    unlink_line(l);
    s->line = NULL;
    session_hold(s, b);
    session_list_thread(s, b);
    scatter(l, s, load);
    return true;
}

/* ---- the loop ---- */

void lines_write(struct lines *all)
{
    struct line *l;

    while ((l = all->unsent)) {
        all->unsent = l->next_unsent;
        l->unsent = false;
        if (!l->backend) {
            retire(l);
            continue;
        }
        l->now_ns = l->since_ns ? l->since_ns : worker_now_ns();
        write_out(l);
        if (l->backend->stream.eof || stream_left(&l->backend->stream) > 0)
            pump(l);
    }
}

/* Whoever waits behind something slow goes elsewhere. */
static void look_at(struct line *l)
{
    struct session *s = head_of(l);
    unsigned most = atomic_load_explicit(&lines_of(l)->slow_rounds, memory_order_relaxed);

    if (l->unsent || ++l->rounds < most)
        return;
    if (!s) {
        backend_close(l->backend);
        return;
    }
    session_ride_is_slow(s);
    (void)line_take_over(s);
}

/* Only while there are lines. */
static void on_watch(uv_timer_t *timer)
{
    struct lines *all = timer->data;
    bool some = false;

    for (int i = 0; i < SERVERS_MAX; i++) {
        struct line *next;

        for (struct line *l = all->of[i]; l; l = next) {
            next = l->next;
            some = true;
            look_at(l);
        }
    }
    if (!some)
        (void)uv_timer_stop(timer);
}

static void watch(struct lines *all)
{
    if (!uv_is_active((const uv_handle_t *)&all->watch))
        (void)uv_timer_start(&all->watch, on_watch, WATCH_MS,
                             WATCH_MS); /* fails only without one */
}

bool lines_init(struct lines *all, uv_loop_t *loop)
{
    all->watch.data = all;
    atomic_store(&all->slow_rounds, LINE_SLOW_ROUNDS);
    atomic_store(&all->aim_us, LINE_AIM_US);
    return uv_timer_init(loop, &all->watch) == 0;
}

void lines_close(struct lines *all)
{
    struct line *next;

    for (int i = 0; i < SERVERS_MAX; i++)
        while (all->of[i])
            backend_close(all->of[i]->backend);
    lines_write(all);
    for (struct line *l = all->spare; l; l = next) {
        next = l->next;
        free(l);
    }
    all->spare = NULL;
    uv_close((uv_handle_t *)&all->watch, NULL);
}
