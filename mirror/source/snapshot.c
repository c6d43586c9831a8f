#include "mirror/source/snapshot.h"

#include "mirror/mapping/plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    SAME = 4, /* readings of a place */
    SAME_IN_DOUBT = 8,
    ALONE = 100, /* snapshots running in which nobody else asked: no doubt any more */
    PLACE_TRIES = 400,
};

static void take(struct rows *r, struct snapshot *out)
{
    struct span name = r->cells[0];
    struct span value = r->cells[1];
    char number[24] = "";

    if (span_eq(name, "Binlog_snapshot_file") && value.n < sizeof out->file) {
        memcpy(out->file, value.p, value.n);
        out->file[value.n] = '\0';
    } else if (span_eq(name, "Binlog_snapshot_position") && value.n < sizeof number) {
        memcpy(number, value.p, value.n);
        out->position = strtoull(number, NULL, 10);
    }
}

static bool read_place(struct source *s, struct snapshot *out, struct err *e)
{
    struct rows *r = source_query(s, span_of("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'"), e);

    *out = (struct snapshot){.position = 0};
    if (!r)
        return false;
    while (rows_next(r))
        if (r->n_columns >= 2 && r->cells[1].p)
            take(r, out);
    rows_free(r);
    if (out->file[0] && out->position)
        return true;
    return err_set(e, ERR_SERVER,
                   "the server does not say at which place of its binlog a snapshot"
                   " stands: is log_bin on?");
}

/* The place as it is said several times running: MariaDB keeps what SHOW STATUS is about to print
 * where another session's SHOW STATUS may put its own in between. With four that ask all the time
 * 11 readings in 100 were wrong, and twice running the same wrong one was read 3 times in 1,000. So
 * where others ask, as whoever has just connected must think, it is to be said more often. */
static bool find_place(struct source *s, struct snapshot *out, struct err *e)
{
    unsigned *alone = source_alone(s);
    struct snapshot before;
    unsigned same = 0;

    for (int i = 0; i < PLACE_TRIES; i++) {
        if (!read_place(s, out, e))
            return false;
        if (same > 0 && snapshot_compare(before.file, before.position, out->file, out->position)) {
            *alone = 0;
            same = 0;
        }
        before = *out;
        if (++same >= (*alone < ALONE ? SAME_IN_DOUBT : SAME)) {
            *alone += *alone < ALONE;
            return true;
        }
    }
    return err_set(e, ERR_SERVER, "the server says another place of a snapshot each time");
}

/* What was sent is read to its end, so that those that did not fail can be used. */
static bool start_all(struct source *const *s, unsigned n, struct err *e)
{
    bool ok = true;
    unsigned sent = 0;

    while (ok && sent < n) {
        ok = source_send(s[sent], "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", e);
        sent += ok;
    }
    for (unsigned i = 0; i < sent; i++)
        ok = source_done(s[i], e) && ok;
    return ok;
}

bool snapshots_begin(struct source *const *s, unsigned n, struct snapshot *out, struct err *e)
{
    bool ok = start_all(s, n, e);

    for (unsigned i = 0; ok && i < n; i++)
        ok = find_place(s[i], &out[i], e);
    return ok;
}

bool snapshot_begin(struct source *s, struct snapshot *out, struct err *e)
{
    return snapshots_begin(&s, 1, out, e);
}

bool snapshot_end(struct source *s, struct err *e)
{
    return source_exec(s, "ROLLBACK", e);
}

bool snapshot_gtid(struct source *s, const struct snapshot *at, struct gtid_set *out, struct err *e)
{
    struct buf sql = buf_with_max(4096);
    struct buf text = buf_with_max(4096);
    bool ok;

    buf_put_str(&sql, "SELECT BINLOG_GTID_POS(");
    plan_literal(&sql, MAP_CLASS_TEXT, span_of(at->file));
    buf_printf(&sql, ", %" PRIu64 ")", at->position);
    ok = source_value(s, buf_text(&sql), &text, e);
    if (ok && !gtid_set_parse(buf_span(&text), out))
        ok = err_set(e, ERR_DATA, "the server's GTID position is `%s`", buf_text(&text));
    buf_free(&sql);
    buf_free(&text);
    return ok;
}

int snapshot_compare(const char *file_a, uint64_t position_a, const char *file_b,
                     uint64_t position_b)
{
    size_t a = strlen(file_a);
    size_t b = strlen(file_b);
    int files = a != b ? (a < b ? -1 : 1) : strcmp(file_a, file_b);

    if (files)
        return files;
    return position_a < position_b ? -1 : position_a > position_b;
}
