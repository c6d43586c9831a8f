#include "mirror/mirror.h"

#include "base/clock.h"
#include "base/log.h"
#include "mirror/checkpoint.h"
#include "mirror/choose.h"
#include "mirror/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    REPORT_MS = 500,
    WAKE_MS = 50,
    STUCK_MS = 5000, /* the primary is so far ahead, and the source brings nothing */
};

struct mirror {
    struct conf *conf;
    struct engine *engine;
    pthread_t work_thread;
    pthread_t report_thread;
    bool reporting;
    atomic_bool end; /* of the reporter, after the engine */
    /* The reporter's own. */
    struct sink *sink;
    struct source *primary;
    uint64_t primary_tried_ns;
    struct behind behind;
};

void mirror_unname_counters(void)
{
    char name[32];

    (void)snprintf(name, sizeof name, "/mongoc-%u", (unsigned)getpid());
    (void)shm_unlink(name);
}

bool mirror_check(const struct conf *c, struct err *e)
{
    struct mapping *m;

    if (!c->mirror.present)
        return true;
    m = mapping_new(c->mirror.aggregates, e);
    mapping_free(m);
    return m != NULL;
}

/* Where the primary stands now, if there is one to ask. */
static void sample(struct mirror *m)
{
    struct buf text = buf_with_max(4096);
    uint64_t asked_ns = clock_mono_ns();
    struct gtid_set gtid;
    struct err e;

    if (!m->primary) {
        if (clock_mono_ns() - m->primary_tried_ns < 2 * CLOCK_NS_PER_S)
            return;
        m->primary = choose_primary(m->conf);
        m->primary_tried_ns = clock_mono_ns();
    }
    if (m->primary && source_value(m->primary, "SELECT @@gtid_binlog_pos", &text, &e) &&
        gtid_set_parse(buf_span(&text), &gtid)) {
        behind_add(&m->behind, clock_wall_ms(), &gtid);
        notes_primary(&m->engine->notes, asked_ns, &gtid);
    } else {
        source_close(m->primary);
        m->primary = NULL;
    }
    buf_free(&text);
}

/* By the commits that were seen and not applied, and by those that the primary has and we haven't
 * seen; a fresh sample says nothing: a batch is always under way. */
static int64_t current_lag(struct mirror *m, const struct status *s)
{
    uint64_t now = clock_wall_ms();
    uint64_t seen = s->pending_ms && s->pending_ms < now ? now - s->pending_ms : 0;
    uint64_t unseen;

    if (!s->has_gtid)
        return -1;
    unseen = behind_ms(&m->behind, now, &s->gtid);
    if (unseen < REPORT_MS + WAKE_MS * 2)
        unseen = 0;
    return (int64_t)(seen > unseen ? seen : unseen);
}

static void report(struct mirror *m)
{
    struct status s = notes_read(&m->engine->notes);
    bson_t doc = BSON_INITIALIZER;
    struct orders asked;
    struct err e = {.kind = ERR_NONE};

    /* A standby must not write over the one that works. */
    if (s.epoch) {
        int64_t lag = current_lag(m, &s);

        notes_stuck(&m->engine->notes, lag > STUCK_MS && !s.pending_ms);
        status_bson(&s, lag, &m->engine->owner, &doc);
        sink_under(m->sink, s.epoch);
        if (!sink_state_put_fenced(m->sink, "status", &doc, &e))
            log_event(LOG_DEBUG, "mirror.report", LOG_STR("reason", e.text));
        if (e.code == SINK_ERR_FENCED)
            notes_fenced(&m->engine->notes, s.epoch);
    }
    if (checkpoint_orders(m->sink, &asked, &e))
        notes_asked(&m->engine->notes, &asked);
    if (e.kind == ERR_IO) {
        sink_close(m->sink);
        m->sink = sink_open(m->engine->target);
    }
    bson_destroy(&doc);
}

/* The last word: this mirror has ended by itself, so that the next needs not wait. */
static void report_end(struct mirror *m)
{
    struct status s = notes_read(&m->engine->notes);
    bson_t fields = BSON_INITIALIZER;
    struct err e;

    if (!s.epoch)
        return;
    (void)bson_append_bool(&fields, "running", -1, false);
    (void)bson_append_utf8(&fields, "state", -1, "ended", -1);
    if (!sink_state_set(m->sink, "status", &fields, &e))
        log_event(LOG_DEBUG, "mirror.report", LOG_STR("reason", e.text));
    bson_destroy(&fields);
}

static void *report_main(void *arg)
{
    struct mirror *m = arg;
    uint64_t next = 0;
    int64_t owner = 0;

    m->sink = sink_open(m->engine->target);
    while (!atomic_load(&m->end)) {
        struct timespec t = {0, WAKE_MS * (long)CLOCK_NS_PER_MS};
        int64_t owns = notes_read(&m->engine->notes).epoch;
        uint64_t now = clock_mono_ns();

        if (now >= next || owns != owner) { /* a new owner says so at once */
            report(m);
            sample(m);
            next = now + REPORT_MS * CLOCK_NS_PER_MS;
            owner = owns;
        }
        (void)nanosleep(&t, NULL);
    }
    report_end(m);
    sink_close(m->sink);
    source_close(m->primary);
    return NULL;
}

static void *work_main(void *arg)
{
    struct mirror *m = arg;

    (void)engine_run(m->engine);
    return NULL;
}

static void destroy(struct mirror *m)
{
    engine_free(m->engine);
    conf_unref(m->conf);
    free(m);
}

struct mirror *mirror_start(struct conf *c, struct err *e)
{
    struct mirror *m = calloc(1, sizeof *m);

    if (!m || !engine_library_init()) {
        free(m);
        (void)err_set(e, ERR_IO, "out of memory");
        return NULL;
    }
    atomic_init(&m->end, false);
    m->conf = conf_ref(c);
    m->engine = engine_new(m->conf, e);
    if (!m->engine) {
        destroy(m);
        return NULL;
    }
    if (pthread_create(&m->report_thread, NULL, report_main, m) == 0) {
        m->reporting = true;
        if (pthread_create(&m->work_thread, NULL, work_main, m) == 0)
            return m;
        atomic_store(&m->end, true);
        (void)pthread_join(m->report_thread, NULL);
    }
    destroy(m);
    (void)err_set(e, ERR_IO, "no thread for the mirror");
    return NULL;
}

void mirror_stop(struct mirror *m)
{
    if (!m)
        return;
    engine_stop(m->engine);
    (void)pthread_join(m->work_thread, NULL);
    atomic_store(&m->end, true);
    (void)pthread_join(m->report_thread, NULL);
    destroy(m);
}
