#include "mirror/sink/sink_writers.h"

#include <pthread.h>
#include <stdlib.h>

enum { WRITERS_MAX = 16, WAITING_MAX = 2, BULKS_MAX = WRITERS_MAX + WAITING_MAX };

struct writer {
    struct writers *all;
    struct sink *sink;
    pthread_t thread;
};

struct writers {
    pthread_mutex_t lock;
    pthread_cond_t more; /* for the threads: a bulk waits, or `end` */
    pthread_cond_t done; /* for the owner: a bulk was sent */
    struct sink_bulk *waiting[BULKS_MAX];
    unsigned n_waiting;
    struct sink_bulk *sent[BULKS_MAX]; /* for the owner to look at */
    unsigned n_sent;
    unsigned under_way; /* given and not taken back */
    bool end;
    bool failed; /* `e` has the first error since the last writers_wait */
    struct err e;
    unsigned n;
    struct writer writers[WRITERS_MAX];
};

/* The next bulk; NULL at the end. With the lock. */
static struct sink_bulk *next(struct writers *w)
{
    struct sink_bulk *b;

    while (w->n_waiting == 0 && !w->end)
        (void)pthread_cond_wait(&w->more, &w->lock);
    if (w->end)
        return NULL;
    b = w->waiting[0];
    w->waiting[0] = w->waiting[--w->n_waiting];
    return b;
}

static void *work(void *arg)
{
    struct writer *me = arg;
    struct writers *w = me->all;
    struct sink_bulk *b;

    (void)pthread_mutex_lock(&w->lock);
    while ((b = next(w))) {
        bool skip = w->failed;
        struct err e;
        bool ok;

        (void)pthread_mutex_unlock(&w->lock);
        ok = skip || bulk_send(b, me->sink, &e);
        (void)pthread_mutex_lock(&w->lock);
        if (!ok && !w->failed) {
            w->failed = true;
            w->e = e;
        }
        w->sent[w->n_sent++] = b;
        (void)pthread_cond_signal(&w->done);
    }
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

struct writers *writers_new(const struct sink *of, unsigned n)
{
    struct writers *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_cond_init(&w->more, NULL);
    (void)pthread_cond_init(&w->done, NULL);
    for (unsigned i = 0; i < n && i < WRITERS_MAX; i++) {
        struct writer *one = &w->writers[i];

        one->all = w;
        one->sink = sink_open(of->target);
        sink_under(one->sink, of->epoch);
        if (pthread_create(&one->thread, NULL, work, one) != 0) {
            sink_close(one->sink);
            break;
        }
        w->n++;
    }
    if (w->n > 0)
        return w;
    writers_free(w);
    return NULL;
}

void writers_free(struct writers *w)
{
    if (!w)
        return;
    (void)pthread_mutex_lock(&w->lock);
    w->end = true;
    (void)pthread_cond_broadcast(&w->more);
    (void)pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->n; i++) {
        (void)pthread_join(w->writers[i].thread, NULL);
        sink_close(w->writers[i].sink);
    }
    for (unsigned i = 0; i < w->n_waiting; i++)
        bulk_free(w->waiting[i]);
    for (unsigned i = 0; i < w->n_sent; i++)
        bulk_free(w->sent[i]);
    (void)pthread_cond_destroy(&w->more);
    (void)pthread_cond_destroy(&w->done);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

/* Take sent bulks back. With the lock, which is let go of meanwhile. */
static bool take_back(struct writers *w, writers_sent *sent, void *to, struct err *e)
{
    bool ok = true;

    while (w->n_sent > 0) {
        struct sink_bulk *b = w->sent[--w->n_sent];
        bool good = !w->failed;

        w->under_way--;
        (void)pthread_mutex_unlock(&w->lock);
        ok = ok && (!good || sent(to, b, e));
        bulk_free(b);
        (void)pthread_mutex_lock(&w->lock);
    }
    return ok;
}

/* Until fewer than `limit` are under way. With the lock. */
static bool wait_below(struct writers *w, unsigned limit, writers_sent *sent, void *to,
                       struct err *e)
{
    bool ok = take_back(w, sent, to, e);

    while (w->under_way >= limit) {
        (void)pthread_cond_wait(&w->done, &w->lock);
        ok = take_back(w, sent, to, e) && ok;
    }
    return ok;
}

bool writers_give(struct writers *w, struct sink_bulk *b, writers_sent *sent, void *to,
                  struct err *e)
{
    bool ok;

    (void)pthread_mutex_lock(&w->lock);
    ok = wait_below(w, w->n + WAITING_MAX, sent, to, e) && !w->failed;
    if (w->failed)
        *e = w->e;
    if (ok) {
        w->waiting[w->n_waiting++] = b;
        w->under_way++;
        (void)pthread_cond_signal(&w->more);
    }
    (void)pthread_mutex_unlock(&w->lock);
    if (!ok)
        bulk_free(b);
    return ok;
}

bool writers_wait(struct writers *w, writers_sent *sent, void *to, struct err *e)
{
    bool ok;

    (void)pthread_mutex_lock(&w->lock);
    ok = wait_below(w, 1, sent, to, e) && !w->failed;
    if (w->failed)
        *e = w->e;
    w->failed = false;
    (void)pthread_mutex_unlock(&w->lock);
    return ok;
}
