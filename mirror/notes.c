#include "mirror/notes.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define ANYWAY (STATE_BIT(STATUS_RETRYING) | STATE_BIT(STATUS_STOPPED))

static const struct state_row rows[STATUS_COUNT] = {
    [STATUS_CONNECTING] = {"connecting", STATE_BIT(STATUS_STANDBY) | STATE_BIT(STATUS_SNAPSHOT) |
                                             STATE_BIT(STATUS_STREAMING) | ANYWAY},
    [STATUS_STANDBY] = {"standby", STATE_BIT(STATUS_CONNECTING) | ANYWAY},
    [STATUS_SNAPSHOT] = {"snapshot", STATE_BIT(STATUS_STREAMING) | ANYWAY},
    [STATUS_STREAMING] = {"streaming", STATE_BIT(STATUS_CONNECTING) | ANYWAY},
    [STATUS_RETRYING] = {"retrying", STATE_BIT(STATUS_CONNECTING)},
    [STATUS_STOPPED] = {"stopped", STATE_BIT(STATUS_CONNECTING)},
};
static const struct state_table machine = {"mirror", rows, STATUS_COUNT};

void notes_init(struct notes *b)
{
    memset(b, 0, sizeof *b);
    (void)pthread_mutex_init(&b->lock, NULL);
    state_init(&b->status.state, &machine, STATUS_CONNECTING);
}

void notes_destroy(struct notes *b)
{
    (void)pthread_mutex_destroy(&b->lock);
}

struct status notes_read(struct notes *b)
{
    struct status copy;

    (void)pthread_mutex_lock(&b->lock);
    copy = b->status;
    (void)pthread_mutex_unlock(&b->lock);
    return copy;
}

void notes_state(struct notes *b, int state, const char *reason)
{
    (void)pthread_mutex_lock(&b->lock);
    if (b->status.state.now != state)
        state_enter(&b->status.state, state);
    (void)snprintf(b->status.reason, sizeof b->status.reason, "%s", reason);
    (void)pthread_mutex_unlock(&b->lock);
}

void notes_error(struct notes *b, const char *text)
{
    (void)pthread_mutex_lock(&b->lock);
    (void)snprintf(b->status.last_error, sizeof b->status.last_error, "%s", text);
    b->status.last_error_ms = clock_wall_ms();
    (void)pthread_mutex_unlock(&b->lock);
}

void notes_source(struct notes *b, const char *name)
{
    (void)pthread_mutex_lock(&b->lock);
    (void)snprintf(b->status.source, sizeof b->status.source, "%s", name);
    (void)pthread_mutex_unlock(&b->lock);
}

void notes_gtid(struct notes *b, const struct gtid_set *gtid)
{
    (void)pthread_mutex_lock(&b->lock);
    b->status.gtid = *gtid;
    b->status.has_gtid = true;
    (void)pthread_mutex_unlock(&b->lock);
}

void notes_pass(struct notes *b, const char *collection, uint64_t done, uint64_t total)
{
    (void)pthread_mutex_lock(&b->lock);
    if (strcmp(b->status.collection, collection) != 0 || done < b->status.done) {
        b->status.pass_ms = clock_mono_ns() / CLOCK_NS_PER_MS;
        b->status.pass_first = done;
    }
    (void)snprintf(b->status.collection, sizeof b->status.collection, "%s", collection);
    b->status.done = done;
    b->status.total = total > done ? total : done;
    (void)pthread_mutex_unlock(&b->lock);
}

void notes_counts(struct notes *b, uint64_t documents, uint64_t changes)
{
    (void)pthread_mutex_lock(&b->lock);
    b->status.documents = documents;
    b->status.changes = changes;
    (void)pthread_mutex_unlock(&b->lock);
}

void notes_pending(struct notes *b, uint64_t wall_ms)
{
    (void)pthread_mutex_lock(&b->lock);
    b->status.pending_ms = wall_ms;
    (void)pthread_mutex_unlock(&b->lock);
}

void notes_epoch(struct notes *b, int64_t epoch)
{
    (void)pthread_mutex_lock(&b->lock);
    b->status.epoch = epoch;
    (void)pthread_mutex_unlock(&b->lock);
}

void notes_fenced(struct notes *b, int64_t epoch)
{
    (void)pthread_mutex_lock(&b->lock);
    if (b->status.epoch == epoch)
        b->status.epoch = 0;
    (void)pthread_mutex_unlock(&b->lock);
}

void notes_stuck(struct notes *b, bool stuck)
{
    (void)pthread_mutex_lock(&b->lock);
    b->stuck = stuck;
    (void)pthread_mutex_unlock(&b->lock);
}

bool notes_take_stuck(struct notes *b)
{
    bool stuck;

    (void)pthread_mutex_lock(&b->lock);
    stuck = b->stuck;
    b->stuck = false;
    (void)pthread_mutex_unlock(&b->lock);
    return stuck;
}

void notes_primary(struct notes *b, uint64_t mono_ns, const struct gtid_set *gtid)
{
    (void)pthread_mutex_lock(&b->lock);
    b->primary = *gtid;
    b->primary_ns = mono_ns;
    (void)pthread_mutex_unlock(&b->lock);
}

bool notes_primary_since(struct notes *b, uint64_t mono_ns, struct gtid_set *gtid)
{
    bool known;

    (void)pthread_mutex_lock(&b->lock);
    known = b->primary_ns > mono_ns;
    *gtid = b->primary;
    (void)pthread_mutex_unlock(&b->lock);
    return known;
}

void notes_asked(struct notes *b, const struct orders *orders)
{
    (void)pthread_mutex_lock(&b->lock);
    b->asked = *orders;
    b->seen = true;
    (void)pthread_mutex_unlock(&b->lock);
}

static bool is_new(const bson_oid_t *asked, const bson_oid_t *known)
{
    static const bson_oid_t none;

    return !bson_oid_equal(asked, &none) && !bson_oid_equal(asked, known);
}

bool notes_wants_rebuild(struct notes *b, const bson_oid_t *known)
{
    bool wants;

    (void)pthread_mutex_lock(&b->lock);
    wants = b->seen && is_new(&b->asked.rebuild, known);
    (void)pthread_mutex_unlock(&b->lock);
    return wants;
}

bool notes_wants_repair(struct notes *b, const bson_oid_t *known, bson_oid_t *which)
{
    bool wants;

    (void)pthread_mutex_lock(&b->lock);
    wants = b->seen && is_new(&b->asked.repair, known);
    *which = wants ? b->asked.repair : *known;
    (void)pthread_mutex_unlock(&b->lock);
    return wants;
}

/* Of a running pass, by the pace so far; -1: not known. */
static int64_t left_ms(const struct status *s)
{
    uint64_t done = s->done - s->pass_first;
    uint64_t took = clock_mono_ns() / CLOCK_NS_PER_MS - s->pass_ms;

    return done ? (int64_t)((double)took * (double)(s->total - s->done) / (double)done) : -1;
}

static void put_text(bson_t *out, const char *name, const char *text)
{
    (void)bson_append_utf8(out, name, -1, text, -1);
}

static void put_moment(bson_t *out, const char *name, uint64_t wall_ms)
{
    (void)bson_append_date_time(out, name, -1, (int64_t)wall_ms);
}

void status_bson(const struct status *s, int64_t lag_ms, const bson_oid_t *owner, bson_t *out)
{
    char gtid[GTID_SET_TEXT_MAX];

    gtid_set_format(&s->gtid, gtid, sizeof gtid);
    put_text(out, "_id", "status");
    put_text(out, "state", state_name(&s->state));
    put_text(out, "reason", s->reason);
    put_text(out, "source", s->source);
    put_text(out, "gtid", s->has_gtid ? gtid : "");
    (void)bson_append_int64(out, "lag_ms", -1, lag_ms);
    (void)bson_append_int64(out, "documents", -1, (int64_t)s->documents);
    (void)bson_append_int64(out, "changes", -1, (int64_t)s->changes);
    put_text(out, "collection", s->collection);
    (void)bson_append_int64(out, "done", -1, (int64_t)s->done);
    (void)bson_append_int64(out, "total", -1, (int64_t)s->total);
    (void)bson_append_int64(out, "left_ms", -1, left_ms(s));
    put_text(out, "last_error", s->last_error);
    if (s->last_error_ms)
        put_moment(out, "last_error_at", s->last_error_ms);
    (void)bson_append_oid(out, "owner", -1, owner);
    (void)bson_append_int64(out, "epoch", -1, s->epoch);
    (void)bson_append_bool(out, "running", -1, true);
    put_moment(out, "at", clock_wall_ms());
}
