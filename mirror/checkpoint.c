#include "mirror/checkpoint.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const char *checkpoint_text(const bson_t *doc, const char *name)
{
    bson_iter_t it;

    if (bson_iter_init_find(&it, doc, name) && BSON_ITER_HOLDS_UTF8(&it))
        return bson_iter_utf8(&it, NULL);
    return "";
}

int64_t checkpoint_number(const bson_t *doc, const char *name)
{
    bson_iter_t it;

    if (bson_iter_init_find(&it, doc, name) && BSON_ITER_HOLDS_NUMBER(&it))
        return bson_iter_as_int64(&it);
    return 0;
}

bool checkpoint_flag(const bson_t *doc, const char *name)
{
    bson_iter_t it;

    return bson_iter_init_find(&it, doc, name) && bson_iter_as_bool(&it);
}

static void oid_of(const bson_t *doc, const char *name, bson_oid_t *out)
{
    bson_iter_t it;

    memset(out, 0, sizeof *out);
    if (bson_iter_init_find(&it, doc, name) && BSON_ITER_HOLDS_OID(&it))
        bson_oid_copy(bson_iter_oid(&it), out);
}

bool checkpoint_read(const bson_t *doc, struct checkpoint *out, struct err *e)
{
    const char *gtid = checkpoint_text(doc, "gtid");

    if (!gtid_set_parse(span_of(gtid), &out->gtid))
        return err_set(e, ERR_DATA,
                       "the checkpoint's gtid is `%s`; `tillway mirror rebuild` makes"
                       " a new one",
                       gtid);
    (void)snprintf(out->source, sizeof out->source, "%s", checkpoint_text(doc, "source"));
    (void)snprintf(out->file, sizeof out->file, "%s", checkpoint_text(doc, "file"));
    out->position = (uint64_t)checkpoint_number(doc, "position");
    out->fingerprint = strtoull(checkpoint_text(doc, "mapping"), NULL, 16);
    out->xa = checkpoint_flag(doc, "xa");
    oid_of(doc, "rebuild", &out->rebuild);
    out->present = true;
    return true;
}

bool checkpoint_load(struct sink *s, struct checkpoint *out, struct err *e)
{
    bson_t doc;
    int got = sink_state_get(s, "checkpoint", &doc, e);
    bool ok = got >= 0;

    memset(out, 0, sizeof *out);
    if (got <= 0)
        return ok;
    ok = checkpoint_read(&doc, out, e);
    bson_destroy(&doc);
    return ok;
}

void checkpoint_bson(const struct checkpoint *c, const char *id, const struct sink *s, bson_t *out)
{
    char gtid[GTID_SET_TEXT_MAX];
    char fingerprint[17];

    gtid_set_format(&c->gtid, gtid, sizeof gtid);
    (void)snprintf(fingerprint, sizeof fingerprint, "%016" PRIx64, c->fingerprint);
    (void)bson_append_utf8(out, "_id", -1, id, -1);
    (void)bson_append_utf8(out, "gtid", -1, gtid, -1);
    (void)bson_append_utf8(out, "source", -1, c->source, -1);
    (void)bson_append_utf8(out, "file", -1, c->file, -1);
    (void)bson_append_int64(out, "position", -1, (int64_t)c->position);
    (void)bson_append_utf8(out, "mapping", -1, fingerprint, -1);
    (void)bson_append_bool(out, "xa", -1, c->xa);
    (void)bson_append_oid(out, "rebuild", -1, &c->rebuild);
    (void)bson_append_date_time(out, "updated", -1, (int64_t)clock_wall_ms());
    (void)bson_append_int64(out, "epoch", -1, sink_epoch(s));
}

bool checkpoint_save(struct sink *s, const struct checkpoint *c, struct err *e)
{
    bson_t doc = BSON_INITIALIZER;
    bool ok;

    checkpoint_bson(c, "checkpoint", s, &doc);
    ok = sink_commit(s, "checkpoint", &doc, e);
    bson_destroy(&doc);
    return ok;
}

bool checkpoint_orders(struct sink *s, struct orders *out, struct err *e)
{
    bson_t doc;
    int got = sink_state_get(s, "control", &doc, e);

    memset(out, 0, sizeof *out);
    if (got <= 0)
        return got == 0;
    oid_of(&doc, "rebuild", &out->rebuild);
    oid_of(&doc, "repair", &out->repair);
    bson_destroy(&doc);
    return true;
}

bool checkpoint_ask(struct sink *s, const char *what, const bson_oid_t *id, struct err *e)
{
    bson_t fields = BSON_INITIALIZER;
    bool ok;

    (void)bson_append_oid(&fields, what, -1, id);
    ok = sink_state_set(s, "control", &fields, e);
    bson_destroy(&fields);
    return ok;
}

bool checkpoint_done(struct sink *s, const char *name, struct err *e)
{
    bson_t fields = BSON_INITIALIZER;
    bool ok;

    (void)bson_append_bool(&fields, "done", -1, true);
    ok = sink_state_set(s, name, &fields, e);
    bson_destroy(&fields);
    return ok;
}
