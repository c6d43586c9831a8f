/* Reads the dictionary at every accounts_interval and on demand, from the primary or else from any
 * server that is up. */
#include "base/clock.h"
#include "base/log.h"
#include "monitor/catalog_read.h"
#include "monitor/shared.h"

/* Between two readings, however often somebody asks: failing logins must not keep a server busy. */
#define GAP_NS   (100 * CLOCK_NS_PER_MS)
#define RETRY_NS CLOCK_NS_PER_S

/* The number of the last request, to any monitor of the process. Changed under the monitor's lock,
 * so that its thread does not miss one. */
static _Atomic uint64_t requests;

static uint64_t ask(struct monitor *m, bool objects)
{
    uint64_t number;

    (void)pthread_mutex_lock(&m->lock);
    number = ++requests;
    if (objects)
        m->dictionary.objects_asked = number;
    (void)pthread_cond_signal(&m->dictionary.wake);
    (void)pthread_mutex_unlock(&m->lock);
    return number;
}

uint64_t monitor_refresh_accounts(struct monitor *m)
{
    return ask(m, false);
}

uint64_t monitor_refresh_objects(struct monitor *m)
{
    return m ? ask(m, true) : ++requests;
}

/* The server to ask, or -1. Under the lock. */
static int choose(const struct monitor *m, int not_this)
{
    const struct topology *t = m->publisher.now;

    if (t->primary >= 0 && t->primary != not_this)
        return t->primary;
    for (int i = 0; i < t->count; i++)
        if (i != not_this &&
            (t->servers[i].health == HEALTH_UP || t->servers[i].health == HEALTH_BROKEN))
            return i;
    return -1;
}

static uint64_t known_number(const struct dictionary *d)
{
    return d->now ? d->now->objects_number : 0;
}

/* What is read is judged anew, which costs more than a comparison: not at each failed login. Who
 * asks while the accounts are read is answered by the next reading: this one's number is older. */
static bool objects_due(struct monitor *m)
{
    struct dictionary *d = &m->dictionary;
    bool due;

    (void)pthread_mutex_lock(&m->lock);
    due = d->objects_asked > known_number(d) || clock_mono_ns() >= d->objects_due_ns;
    (void)pthread_mutex_unlock(&m->lock);
    return due;
}

static void add_objects(struct monitor *m, int i, struct catalog *c)
{
    struct dictionary *d = &m->dictionary;
    struct objects *known = d->now ? d->now->objects : NULL;
    struct probe_answer a;
    bool ok;

    c->objects_number = known_number(d);
    if (!objects_due(m)) {
        catalog_keep_objects(c, known);
        return;
    }
    d->objects_due_ns = clock_mono_ns() + m->conf->monitor.accounts_interval_ns;
    ok = catalog_read_objects(c, d->probes[i], known, &a);
    if (!ok && !d->objects_failing)
        log_event(LOG_INFO, "catalog.objects_unknown", LOG_STR("server", m->conf->servers[i].name),
                  LOG_NUM("code", a.code), LOG_STR("reason", a.why),
                  LOG_STR("hint", "calls of stored functions go to the primary; to have those that "
                                  "only read balanced, grant the monitor's account more "
                                  "(docs/monitor.md)"));
    d->objects_failing = !ok;
    if (ok)
        c->objects_number = d->seen;
}

static struct catalog *read_from(struct monitor *m, int i, struct probe_answer *a)
{
    struct dictionary *d = &m->dictionary;
    struct catalog *c;

    c = probe_open(d->probes[i], a) == PROBE_OK ? catalog_read(d->probes[i], a) : NULL;
    if (c)
        log_event(LOG_DEBUG, "catalog.refreshed", LOG_STR("server", m->conf->servers[i].name),
                  LOG_NUM("accounts", c->account_count), LOG_STR("version", c->version));
    else
        log_event(d->failing ? LOG_DEBUG : LOG_WARN, "catalog.failed",
                  LOG_STR("server", m->conf->servers[i].name), LOG_NUM("code", a->code),
                  LOG_STR("reason", a->why),
                  LOG_STR("hint", a->result == PROBE_DENIED
                                      ? "the monitor's account needs SELECT on mysql.global_priv "
                                        "(docs/monitor.md)"
                                      : "it is tried again"));
    d->failing = !c;
    if (c)
        add_objects(m, i, c);
    if (!c)
        probe_close(d->probes[i]); /* rights that are granted meanwhile hold for new connections */
    return c;
}

/* A connection that idled may have been closed meanwhile: once more on a new one. */
static struct catalog *read_twice(struct monitor *m, int i, struct probe_answer *a)
{
    bool was_open = probe_is_open(m->dictionary.probes[i]);
    struct catalog *c = read_from(m, i, a);

    return c || !was_open || a->result != PROBE_LOST ? c : read_from(m, i, a);
}

/* Without the lock. */
static struct catalog *read_catalog(struct monitor *m)
{
    struct probe_answer a;
    struct catalog *c = NULL;
    int tried = -1;
    int i;

    for (int round = 0; !c && round < 2; round++) {
        (void)pthread_mutex_lock(&m->lock);
        i = m->stopping ? -1 : choose(m, tried);
        (void)pthread_mutex_unlock(&m->lock);
        if (i < 0)
            return NULL;
        c = read_twice(m, i, &a);
        tried = i;
    }
    return c;
}

/* What was read, or where that failed what is known, as an answer to the requests up to `answers`;
 * `asked`: some of them have none yet. */
static void publish(struct monitor *m, struct catalog *got, uint64_t answers, bool asked)
{
    struct dictionary *d = &m->dictionary;
    bool replaces = got && (asked || !d->now || d->now->fingerprint != got->fingerprint ||
                            d->now->objects_number != got->objects_number);

    if (replaces) {
        catalog_unref(d->now);
        d->now = got;
    } else {
        catalog_unref(got);
    }
    if (d->now && (replaces || asked)) {
        catalog_ref(d->now);
        m->sink.catalog(m->sink.ctx, d->now, answers);
    }
}

/* Until it is due or asked for (but not before the gap is over). Under the lock. */
static void wait_for_next(struct monitor *m, uint64_t answered, uint64_t due)
{
    struct dictionary *d = &m->dictionary;
    uint64_t earliest = clock_mono_ns() + GAP_NS;

    while (!m->stopping) {
        uint64_t now = clock_mono_ns();
        bool wanted = requests != answered || now >= due;

        if (wanted && now >= earliest)
            return;
        shared_wait(m, &d->wake, wanted ? earliest : due);
    }
}

void *dictionary_run(void *monitor)
{
    struct monitor *m = monitor;
    struct dictionary *d = &m->dictionary;
    uint64_t answered = 0;
    uint64_t due;

    (void)pthread_mutex_lock(&m->lock);
    while (!m->stopping) {
        struct catalog *got;

        while ((d->awaits_server = !m->stopping && !d->now && choose(m, -1) < 0))
            (void)pthread_cond_wait(&d->wake, &m->lock);
        d->seen = requests;
        (void)pthread_mutex_unlock(&m->lock);
        got = read_catalog(m);
        due = clock_mono_ns() + (got ? m->conf->monitor.accounts_interval_ns : RETRY_NS);
        publish(m, got, d->seen, d->seen != answered);
        (void)pthread_mutex_lock(&m->lock);
        answered = d->seen;
        wait_for_next(m, answered, due);
    }
    (void)pthread_mutex_unlock(&m->lock);
    return NULL;
}
