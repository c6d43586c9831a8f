#include "proxy/backend/warm.h"

#include "proxy/backend/suspect.h"
#include "proxy/session/session_steps.h"

#include "base/clock.h"

enum { OPENING_MAX = 4 }; /* to a server */

#define PAUSE_NS (1000 * CLOCK_NS_PER_MS)

/* ---- accounts ---- */

static int find(const struct warm *a, const struct identity *identity)
{
    int i = 0;

    while (i < WARM_ACCOUNTS && a->accounts[i] && !identity_equal(a->accounts[i], identity))
        i++;
    return i;
}

/* It becomes the first, in the place of an equal one or of the one noted longest ago. */
void warm_note(struct worker *w, struct identity *identity)
{
    struct identity **all = w->warm.accounts;
    int i = find(&w->warm, identity);

    if (w->conf->pool.min_idle == 0 || !identity_is_shared(identity))
        return;
    if (i == WARM_ACCOUNTS)
        i--;
    identity_unref(all[i]);
    for (; i > 0; i--)
        all[i] = all[i - 1];
    all[0] = identity_ref(identity);
}

static void forget(struct warm *a, const struct identity *identity)
{
    int i = find(a, identity);

    if (i == WARM_ACCOUNTS || !a->accounts[i])
        return;
    identity_unref(a->accounts[i]);
    for (; i < WARM_ACCOUNTS - 1; i++)
        a->accounts[i] = a->accounts[i + 1];
    a->accounts[WARM_ACCOUNTS - 1] = NULL;
}

int warm_share(const struct worker *w)
{
    uint32_t workers = (uint32_t)w->shared->worker_count;

    return (int)((w->conf->pool.min_idle + workers - 1) / workers);
}

/* ---- opening ---- */

static void link_opening(struct warm *a, struct backend *b)
{
    pool_list_add(&a->opening, b);
    a->count[b->server]++;
}

static void unlink_opening(struct warm *a, struct backend *b)
{
    pool_list_remove(&a->opening, b);
    a->count[b->server]--;
}

/* It came to nothing. */
static void give_up(struct worker *w, struct backend *b)
{
    const struct shared *shared = w->shared;
    int server = b->server;

    if (backend_suspicion(b) == SUSPECT_NO_LOGIN)
        shared->suspect(shared->monitor, server, SUSPECT_NO_LOGIN);
    if (backend_error_denies(&b->error))
        forget(&w->warm, b->identity);
    w->warm.again_ns[server] = worker_now_ns() + PAUSE_NS;
    unlink_opening(&w->warm, b);
    session_queue_opened(w, b);
    backend_close(b);
    session_queue_serve(w, server);
}

/* Take the replies to what follows its log-in. */
static enum swallow swallow(const struct worker *w, struct backend *b)
{
    struct reply_out out = {.event = REPLY_OK};

    if (b->out.len && backend_write(b, NULL, 0) == STREAM_FAILED)
        return SWALLOW_LOST;
    while (backend_due(b, b->caps, 0) && out.event != REPLY_MORE) {
        backend_feed(b, stream_data(&b->stream), stream_left(&b->stream), worker_whole_max(w),
                     &out);
        if (out.event == REPLY_BAD || out.event == REPLY_ERROR || out.event == REPLY_INFILE)
            return SWALLOW_LOST;
        stream_consume(&b->stream, out.pass + out.drop);
        if (out.done)
            backend_done(b);
    }
    if (b->stream.eof)
        return SWALLOW_LOST;
    return b->expect_count == 0 ? SWALLOW_DONE : SWALLOW_WAIT;
}

static void on_event(struct backend *b, void *owner)
{
    struct worker *w = owner;
    enum swallow swallowed = SWALLOW_LOST;

    if (b->state.now < BACKEND_READY || (backend_is_ready(b) && b->stream.writing))
        return;
    if (backend_is_ready(b))
        swallowed = swallow(w, b);
    if (swallowed == SWALLOW_WAIT) {
        stream_read(&b->stream, true);
    } else if (swallowed == SWALLOW_DONE) {
        unlink_opening(&w->warm, b);
        session_queue_opened(w, b);
        session_put_back(w, b);
    } else {
        give_up(w, b);
    }
}

static int count_opening(const struct warm *a, int server, const struct identity *identity)
{
    int count = 0;

    for (const struct backend *b = a->opening.head; b; b = b->next)
        count += b->server == server && identity_equal(b->identity, identity);
    return count;
}

/* False: no more to this server now. */
static bool open_one(struct worker *w, int server, struct identity *identity)
{
    struct backend *b = NULL;

    if (w->warm.count[server] < OPENING_MAX && w->pool.count + OPENING_MAX < w->pool.max)
        b = session_queue_open_ahead(w, server, identity);
    if (!b)
        return false;
    b->notify = on_event;
    b->owner = w;
    link_opening(&w->warm, b);
    return true;
}

static void fill(struct worker *w, int server, int share)
{
    bool more = true;

    for (int i = 0; i < WARM_ACCOUNTS && w->warm.accounts[i] && more; i++) {
        struct identity *identity = w->warm.accounts[i];
        int missing = share - count_opening(&w->warm, server, identity) -
                      pool_count(&w->pool, server, identity, share);

        for (; missing > 0 && more; missing--)
            more = open_one(w, server, identity);
    }
}

static bool is_wanted(const struct topology *t, int server)
{
    const struct server_view *v = &t->servers[server];

    return v->health == HEALTH_UP && (v->weight > 0 || server == t->primary);
}

static void give_up_slow(struct worker *w, uint64_t opened_before_ns)
{
    struct backend *next;

    for (struct backend *b = w->warm.opening.head; b; b = next) {
        next = b->next;
        if (b->since_ns < opened_before_ns)
            give_up(w, b);
    }
}

void warm_tick(struct worker *w, uint64_t now_ns)
{
    uint64_t limit_ns = w->conf->limits.connect_timeout_ns;
    int share = w->drain_deadline_ns ? 0 : warm_share(w);

    give_up_slow(w, now_ns > limit_ns ? now_ns - limit_ns : 0);
    for (int i = 0; i < w->topology->count && share > 0; i++)
        if (is_wanted(w->topology, i) && now_ns >= w->warm.again_ns[i])
            fill(w, i, share);
}

void warm_close(struct worker *w)
{
    while (w->warm.opening.head)
        give_up(w, w->warm.opening.head);
    while (w->warm.accounts[0])
        forget(&w->warm, w->warm.accounts[0]);
}
