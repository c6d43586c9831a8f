#include "base/log.h"
#include "mirror/document/index.h"
#include "mirror/engine_batch.h"
#include "mirror/resume.h"

struct first {
    struct work *k;
    struct resume resume;
    struct gtid_set gtid; /* of what is read now */
};

static bool progress(void *to, const struct pass_progress *at, struct err *e)
{
    struct first *f = to;

    work_note(f->k, at);
    f->resume.documents = at->done;
    return resume_save(&f->resume, f->k->sink, at->key, at->plan->n_key, e);
}

static bool aggregate(struct first *f, struct err *e)
{
    struct pass p = work_pass(f->k, f->resume.aggregate, &f->gtid);

    p.from = f->resume.from;
    p.progress = progress;
    p.to = f;
    p.after = &f->resume.after;
    p.done = f->resume.documents;
    return work_whole(f->k, &p, e);
}

/* What the checkpoint will be when the snapshot that begins here is complete. */
static struct checkpoint begun(struct work *k, const struct snapshot *at,
                               const struct gtid_set *gtid)
{
    work_place(k, at->file, at->position);
    k->at.gtid = *gtid;
    k->at.fingerprint = k->w->fingerprint;
    k->at.rebuild = k->asked;
    return k->at;
}

/* On from where an attempt before was cut short, if this snapshot has all that that one had. */
static bool begin(struct first *f, const struct snapshot *at, struct err *e)
{
    struct checkpoint c = begun(f->k, at, &f->gtid);

    e->kind = ERR_NONE;
    if (resume_load(f->k->sink, &c, &f->resume, e)) {
        if (gtid_set_covers(&f->gtid, &f->resume.begun.gtid) && f->resume.aggregate < f->k->w->n)
            return true;
        resume_free(&f->resume);
    }
    resume_init(&f->resume, &c);
    return e->kind == ERR_NONE || e->kind == ERR_DATA; /* what can't be read is no use */
}

static bool finish(struct first *f, struct err *e)
{
    struct work *k = f->k;

    k->feed.xa = true; /* for all we know */
    /* The binlog is followed from where the first part was read: not from this snapshot's twin. */
    k->twin = k->twin && gtid_set_equal(&f->gtid, &f->resume.begun.gtid);
    k->intact = true;
    work_place(k, f->resume.begun.file, f->resume.begun.position);
    return work_save(k, &f->resume.begun.gtid, e) && resume_end(k->sink, e) &&
           work_end_snapshot(k, e);
}

bool work_snapshot(struct work *k, struct err *e)
{
    struct first f = {.k = k};
    struct snapshot at;
    bool ok;

    notes_state(&k->w->notes, STATUS_SNAPSHOT, "");
    k->writing = true;
    if (!work_begin_snapshot(k, work_has_readers(k), &at, e) ||
        !snapshot_gtid(k->source, &at, &f.gtid, e))
        return false;
    ok = begin(&f, &at, e) && work_use_readers(k, e);
    for (; ok && f.resume.aggregate < k->w->n; resume_next(&f.resume))
        ok = aggregate(&f, e);
    ok = ok && finish(&f, e);
    resume_free(&f.resume);
    return ok;
}

bool work_indexes(struct work *k, struct err *e)
{
    for (int i = 0; i < k->w->n; i++)
        if (!index_mapped(k->w->plans[i], k->sink, e))
            return false;
    return true;
}
