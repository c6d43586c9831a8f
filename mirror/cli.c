#include "mirror/mirror.h"

#include "base/clock.h"
#include "mirror/checkpoint.h"
#include "mirror/document/verify.h"
#include "mirror/mapping/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DEAD_MS = 5000, LIST = 20, WAIT_MS = 60000, POLL_MS = 200 };

static const char usage[] =
    "usage: tillway mirror status|plan|verify|rebuild --config FILE\n"
    "  status   what the mirror does, where it stands, how far it is behind\n"
    "  plan     which change touches which documents, and an example of each collection\n"
    "  verify   compare every document with the rows; status 1 where they differ\n"
    "  rebuild  write all documents anew from a snapshot, and wait for it\n";

static int complain(const struct err *e)
{
    (void)fprintf(stderr, "mirror: %s\n", e->text);
    return e->kind == ERR_USAGE ? 2 : 1;
}

static int64_t moment(const bson_t *doc, const char *name)
{
    bson_iter_t it;

    if (bson_iter_init_find(&it, doc, name) && BSON_ITER_HOLDS_DATE_TIME(&it))
        return bson_iter_date_time(&it);
    return 0;
}

static bool running(const bson_t *doc)
{
    bson_iter_t it;
    bool on = bson_iter_init_find(&it, doc, "running") && bson_iter_as_bool(&it);

    return on && (int64_t)clock_wall_ms() - moment(doc, "at") < DEAD_MS;
}

static void print_state(const bson_t *doc)
{
    const char *state = checkpoint_text(doc, "state");
    int64_t done = checkpoint_number(doc, "done");
    int64_t total = checkpoint_number(doc, "total");

    if (!running(doc)) {
        printf("state: not running (was %s)\n", state);
        return;
    }
    printf("state: %s", state);
    if (strcmp(state, "snapshot") == 0)
        printf(" of %s, %" PRId64 " of about %" PRId64 " documents (%" PRId64 " %%)",
               checkpoint_text(doc, "collection"), done, total, total ? done * 100 / total : 0);
    if (*checkpoint_text(doc, "reason"))
        printf(": %s", checkpoint_text(doc, "reason"));
    printf("\n");
}

static void print_status(const bson_t *doc)
{
    int64_t lag = checkpoint_number(doc, "lag_ms");
    char when[32];

    print_state(doc);
    printf("source: %s\n", checkpoint_text(doc, "source"));
    printf("gtid: %s\n", checkpoint_text(doc, "gtid"));
    if (lag >= 0 && running(doc))
        printf("lag: %" PRId64 " ms\n", lag);
    else
        printf("lag: not known\n");
    printf("documents written: %" PRId64 "\n", checkpoint_number(doc, "documents"));
    printf("row changes read: %" PRId64 "\n", checkpoint_number(doc, "changes"));
    if (*checkpoint_text(doc, "last_error")) {
        clock_iso8601((uint64_t)moment(doc, "last_error_at"), when, sizeof when);
        printf("last error: %s %s\n", when, checkpoint_text(doc, "last_error"));
    } else {
        printf("last error: none\n");
    }
}

/* 0 while it streams or makes its snapshot. */
static int cli_status(struct sink *s)
{
    struct err e = {.kind = ERR_NONE};
    bson_t doc;
    int got = sink_state_get(s, "status", &doc, &e);
    int status;

    if (got < 0)
        return complain(&e);
    if (got == 0) {
        printf("state: it has never run\n");
        return 1;
    }
    print_status(&doc);
    status = running(&doc) && (strcmp(checkpoint_text(&doc, "state"), "streaming") == 0 ||
                               strcmp(checkpoint_text(&doc, "state"), "snapshot") == 0)
                 ? 0
                 : 1;
    bson_destroy(&doc);
    return status;
}

static int cli_verify(struct engine *w)
{
    struct err e = {.kind = ERR_NONE};
    struct verify_result r;

    if (!verify_run(w, stdout, LIST, WAIT_MS, &r, &e))
        return complain(&e);
    printf("verify: %" PRIu64 " documents compared, %" PRIu64 " differences\n", r.documents,
           r.differences);
    if (r.rewritten)
        printf("(%" PRIu64 " of them were rewritten all the while and not caught standing still)\n",
               r.rewritten);
    return r.differences ? 1 : 0;
}

/* The daemon's progress, until it has done the rebuild. */
static int watch_rebuild(struct engine *w, struct sink *s, const bson_oid_t *asked)
{
    struct err e = {.kind = ERR_NONE};
    struct checkpoint at;
    int64_t shown = -1;
    bson_t doc;

    for (;;) {
        int got = sink_state_get(s, "status", &doc, &e);
        bool alive;

        if (got < 0 || !checkpoint_load(s, &at, &e))
            return complain(&e);
        if (at.present && bson_oid_equal(&at.rebuild, asked))
            break;
        if (got == 0)
            return 1;
        alive = running(&doc);
        if (alive && checkpoint_number(&doc, "done") != shown) {
            shown = checkpoint_number(&doc, "done");
            print_state(&doc);
        }
        bson_destroy(&doc);
        if (!alive) {
            (void)fprintf(stderr, "mirror: it has stopped running; `rebuild` again\n");
            return 1;
        }
        (void)engine_pause(w, POLL_MS);
    }
    bson_destroy(&doc);
    printf("rebuilt\n");
    return 0;
}

static bool daemon_runs(struct sink *s, bool *runs, struct err *e)
{
    bson_t doc;
    int got = sink_state_get(s, "status", &doc, e);

    *runs = got == 1 && running(&doc);
    if (got == 1)
        bson_destroy(&doc);
    return got >= 0;
}

static int cli_rebuild(struct engine *w, struct sink *s)
{
    struct err e = {.kind = ERR_NONE};
    bson_oid_t asked;
    bool runs;

    bson_oid_init(&asked, NULL);
    if (!daemon_runs(s, &runs, &e) || !checkpoint_ask(s, &asked, &e))
        return complain(&e);
    if (runs)
        return watch_rebuild(w, s, &asked);
    printf("no mirror is running: rebuilding here\n");
    w->once = true;
    if (!engine_run(w)) {
        if (daemon_runs(s, &runs, &e) && runs) /* one has come up meanwhile */
            return watch_rebuild(w, s, &asked);
        (void)err_set(&e, ERR_SERVER, "%s", notes_read(&w->notes).last_error);
        return complain(&e);
    }
    printf("rebuilt\n");
    return 0;
}

static int cli_plan(struct engine *w)
{
    struct err e = {.kind = ERR_NONE};

    return explain_run(w, stdout, &e) ? 0 : complain(&e);
}

static int command(struct engine *w, const char *word)
{
    struct err e = {.kind = ERR_NONE};
    struct sink *s;
    int status = 2;

    if (strcmp(word, "plan") == 0) /* MongoDB need not be there */
        return cli_plan(w);
    s = sink_open(w->target);
    if (!sink_ping(s, &e))
        status = complain(&e);
    else if (strcmp(word, "status") == 0)
        status = cli_status(s);
    else if (strcmp(word, "verify") == 0)
        status = cli_verify(w);
    else
        status = cli_rebuild(w, s);
    sink_close(s);
    return status;
}

int mirror_main(struct conf *c, int argc, char **argv)
{
    static const char *const words[] = {"status", "plan", "verify", "rebuild"};
    struct err e = {.kind = ERR_NONE};
    struct engine *w;
    bool known = false;
    int status;

    for (size_t i = 0; argc == 1 && i < ARRAY_LEN(words); i++)
        known |= strcmp(argv[0], words[i]) == 0;
    if (!known) {
        (void)fputs(usage, stderr);
        return 2;
    }
    if (!c->mirror.present) {
        (void)fprintf(stderr, "mirror: %s has no mirror section\n", c->file);
        return 2;
    }
    w = engine_library_init() ? engine_new(c, &e) : NULL;
    if (!w)
        return complain(&e);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    status = command(w, argv[0]);
    engine_free(w);
    return status;
}
