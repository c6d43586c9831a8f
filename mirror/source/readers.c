#include "mirror/source/readers.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { SQL_MAX = 16 << 20, WAITING_MAX = READERS_AHEAD };

struct reader {
    struct readers *all;
    unsigned number; /* its connection's */
    pthread_t thread;
};

struct readers {
    pthread_mutex_t lock;
    pthread_cond_t more; /* for the threads: something waits, or `end` */
    pthread_cond_t done; /* for the owner */
    struct source *sources[READERS_MAX];
    unsigned n_sources;
    struct reading *waiting[WAITING_MAX]; /* first come, first served */
    unsigned n_waiting;
    unsigned under_way; /* these and those that are running */
    bool end;
    unsigned n;
    struct reader readers[READERS_MAX];
};

void reading_init(struct reading *r)
{
    *r = (struct reading){.n = 0};
    for (int i = 0; i < MAP_LEVELS_MAX; i++)
        r->sql[i] = buf_with_max(SQL_MAX);
}

static void free_rows(struct reading *r)
{
    for (int i = 0; i < r->n; i++) {
        rows_free(r->rows[i]);
        r->rows[i] = NULL;
    }
}

void reading_clear(struct reading *r)
{
    free_rows(r);
    for (int i = 0; i < r->n; i++)
        buf_clear(&r->sql[i]);
    r->n = 0;
    r->ok = r->done = false;
}

void reading_free(struct reading *r)
{
    free_rows(r);
    for (int i = 0; i < MAP_LEVELS_MAX; i++)
        buf_free(&r->sql[i]);
}

static struct rows *run_one(struct reading *r, int i, struct source *s, struct err *e)
{
    if (buf_ok(&r->sql[i]))
        return r->by[i] ? source_query_by(s, buf_span(&r->sql[i]), r->by[i], e)
                        : source_query(s, buf_span(&r->sql[i]), e);
    buf_free(&r->sql[i]);
    r->sql[i] = buf_with_max(SQL_MAX);
    (void)err_set(e, ERR_DATA, "a statement over %d bytes: the keys are too long", SQL_MAX);
    return NULL;
}

bool reading_run(struct reading *r, struct source *s, struct err *e)
{
    for (int i = 0; i < r->n; i++) {
        r->rows[i] = run_one(r, i, s, e);
        if (r->rows[i])
            continue;
        free_rows(r);
        return false;
    }
    return true;
}

/* The next one, once there is a connection for this thread; NULL at the end. With the lock. */
static struct reading *next(struct readers *r, const struct reader *me)
{
    struct reading *what;

    while (!r->end && (r->n_waiting == 0 || me->number >= r->n_sources))
        (void)pthread_cond_wait(&r->more, &r->lock);
    if (r->end)
        return NULL;
    what = r->waiting[0];
    r->n_waiting--;
    for (unsigned i = 0; i < r->n_waiting; i++)
        r->waiting[i] = r->waiting[i + 1];
    return what;
}

static void *work(void *arg)
{
    struct reader *me = arg;
    struct readers *r = me->all;
    struct reading *what;

    (void)pthread_mutex_lock(&r->lock);
    while ((what = next(r, me))) {
        struct source *s = r->sources[me->number];

        (void)pthread_mutex_unlock(&r->lock);
        what->ok = reading_run(what, s, &what->e);
        (void)pthread_mutex_lock(&r->lock);
        what->done = true;
        r->under_way--;
        (void)pthread_cond_signal(&r->done);
    }
    (void)pthread_mutex_unlock(&r->lock);
    return NULL;
}

struct readers *readers_new(unsigned n)
{
    struct readers *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->more, NULL);
    (void)pthread_cond_init(&r->done, NULL);
    for (unsigned i = 0; i < n && i < READERS_MAX; i++) {
        struct reader *one = &r->readers[i];

        one->all = r;
        one->number = i;
        if (pthread_create(&one->thread, NULL, work, one) != 0)
            break;
        r->n++;
    }
    if (r->n > 0)
        return r;
    readers_free(r);
    return NULL;
}

void readers_free(struct readers *r)
{
    if (!r)
        return;
    (void)pthread_mutex_lock(&r->lock);
    r->end = true;
    (void)pthread_cond_broadcast(&r->more);
    (void)pthread_mutex_unlock(&r->lock);
    for (unsigned i = 0; i < r->n; i++)
        (void)pthread_join(r->readers[i].thread, NULL);
    (void)pthread_cond_destroy(&r->more);
    (void)pthread_cond_destroy(&r->done);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

void readers_use(struct readers *r, struct source *const *sources, unsigned n)
{
    (void)pthread_mutex_lock(&r->lock);
    r->n_sources = n < r->n ? n : r->n;
    for (unsigned i = 0; i < r->n_sources; i++)
        r->sources[i] = sources[i];
    (void)pthread_mutex_unlock(&r->lock);
}

/* The owner works on one, and none of the connections waits for it. */
unsigned readers_ahead(const struct readers *r)
{
    return r->n_sources + 2;
}

void readers_ask(struct readers *r, struct reading *what)
{
    (void)pthread_mutex_lock(&r->lock);
    assert(r->n_sources > 0 && r->n_waiting < WAITING_MAX);
    what->done = false;
    r->under_way++;
    r->waiting[r->n_waiting++] = what;
    (void)pthread_cond_broadcast(&r->more);
    (void)pthread_mutex_unlock(&r->lock);
}

void readers_rest(struct readers *r)
{
    (void)pthread_mutex_lock(&r->lock);
    while (r->under_way > 0)
        (void)pthread_cond_wait(&r->done, &r->lock);
    (void)pthread_mutex_unlock(&r->lock);
}

bool readers_wait(struct readers *r, struct reading *what, struct err *e)
{
    (void)pthread_mutex_lock(&r->lock);
    while (!what->done)
        (void)pthread_cond_wait(&r->done, &r->lock);
    (void)pthread_mutex_unlock(&r->lock);
    if (!what->ok)
        *e = what->e;
    return what->ok;
}
