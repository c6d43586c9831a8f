#include "mirror/cli.h"
#include "mirror/document/verify.h"
#include "mirror/mirror.h"
#include "mirror/sink/document_ref.h"

#include <inttypes.h>
#include <stdio.h>

enum { LIST = 20, WAIT_MS = 60000 };

static bool verify(struct cli *c, struct repair *found, struct verify_result *r, struct err *e)
{
    struct verify_options o = {
        .out = stdout, .list = LIST, .wait_ms = WAIT_MS, .sample = c->sample, .found = found};

    if (!verify_run(c->engine, &o, r, e))
        return false;
    printf("verify: %" PRIu64 " documents compared, %" PRIu64 " differences\n", r->documents,
           r->differences);
    if (r->rewritten)
        printf("(%" PRIu64 " of them were rewritten all the while and not caught standing still)\n",
               r->rewritten);
    return true;
}

int cli_verify(struct cli *c)
{
    struct err e = {.kind = ERR_NONE};
    struct verify_result r;

    if (!verify(c, NULL, &r, &e))
        return cli_complain(&e);
    return r.differences ? 1 : 0;
}

/* Whether the mirror may still do what it is asked. */
static bool hopeful(struct cli *c, struct err *e)
{
    bson_t doc;
    int got = sink_state_get(c->sink, "status", &doc, e);
    bool ok = got == 1;

    if (got < 0)
        return false;
    if (got == 0 || !cli_running(&doc))
        ok = err_set(e, ERR_SERVER, "the mirror has stopped running; try again");
    else if (strcmp(checkpoint_text(&doc, "state"), "stopped") == 0)
        ok = err_set(e, ERR_SERVER, "the mirror stands: %s", checkpoint_text(&doc, "reason"));
    if (got == 1)
        bson_destroy(&doc);
    return ok;
}

/* Until the mirror has written what was asked for. */
static bool await(struct cli *c, const bson_oid_t *asked, struct err *e)
{
    bool done = false;

    while (repair_done(c->sink, asked, &done, e)) {
        if (done || !hopeful(c, e))
            return done;
        (void)engine_pause(c->engine, CLI_POLL_MS);
    }
    return false;
}

static bool ask(struct cli *c, const struct repair *what, struct err *e)
{
    bson_oid_t asked;

    if (what->full)
        (void)fprintf(stderr, "mirror: only %u documents at once: again for the rest, or rebuild\n",
                      what->n);
    return repair_ask(c->sink, what, &asked, e) && await(c, &asked, e);
}

/* Where no mirror runs there is one here, for as long as it takes. */
static bool begin_mirror(struct cli *c, struct mirror **own, struct err *e)
{
    bool runs;

    *own = NULL;
    if (!cli_daemon(c, &runs, e))
        return false;
    if (runs)
        return true;
    printf("no mirror is running: one runs here meanwhile\n");
    *own = mirror_start(c->conf, e);
    while (*own && !runs) {
        if (!cli_daemon(c, &runs, e)) {
            mirror_stop(*own);
            return false;
        }
        (void)engine_pause(c->engine, CLI_POLL_MS);
    }
    return *own != NULL;
}

static bool repair(struct cli *c, struct err *e)
{
    struct verify_result r;
    struct repair found;
    bool ok;

    repair_init(&found);
    ok = verify(c, &found, &r, e) && (found.n == 0 || ask(c, &found, e));
    if (ok)
        printf("repair: %u documents written anew\n", found.n);
    repair_free(&found);
    return ok;
}

static void take_letter(const bson_t *letter, struct repair *what)
{
    bson_t id = BSON_INITIALIZER;
    const char *collection = NULL;
    bson_iter_t it;

    if (bson_iter_init_find(&it, letter, "_id"))
        collection = document_ref_take(&it, &id);
    if (collection)
        repair_add(what, collection, &id);
    bson_destroy(&id);
}

/* Into `what`; the first are printed with their reasons where `print`. */
static bool read_letters(struct cli *c, struct repair *what, bool print, struct err *e)
{
    bson_t all = BSON_INITIALIZER;
    struct sink_cursor *cursor = sink_find(c->sink, sink_letters_collection(c->sink), &all, NULL);
    const bson_t *letter;
    int got;

    while ((got = sink_next(cursor, &letter, e)) == 1) {
        take_letter(letter, what);
        if (print && what->n <= LIST) {
            char *json = bson_as_relaxed_extended_json(letter, NULL);

            printf("%s\n", json ? json : "");
            bson_free(json);
        }
    }
    sink_cursor_free(cursor);
    bson_destroy(&all);
    return got == 0;
}

bool cli_letters(struct cli *c, uint64_t *n, struct err *e)
{
    struct repair letters;
    bool ok;

    repair_init(&letters);
    ok = read_letters(c, &letters, false, e);
    *n = letters.n;
    repair_free(&letters);
    return ok;
}

static bool retry(struct cli *c, struct err *e)
{
    struct repair before;
    struct repair after;
    bool ok;

    repair_init(&before);
    repair_init(&after);
    ok = read_letters(c, &before, false, e) && (before.n == 0 || ask(c, &before, e)) &&
         read_letters(c, &after, true, e);
    if (ok)
        printf("retry: %u dead letters, %u are left\n", before.n, after.n);
    ok = ok && (after.n == 0 || err_set(e, ERR_DATA, "documents are refused"));
    repair_free(&before);
    repair_free(&after);
    return ok;
}

static int with_mirror(struct cli *c, bool (*act)(struct cli *c, struct err *e))
{
    struct err e = {.kind = ERR_NONE};
    struct mirror *own;
    bool ok;

    if (!begin_mirror(c, &own, &e))
        return cli_complain(&e);
    ok = act(c, &e);
    mirror_stop(own);
    return ok ? 0 : cli_complain(&e);
}

int cli_repair(struct cli *c)
{
    return with_mirror(c, repair);
}

int cli_retry(struct cli *c)
{
    return with_mirror(c, retry);
}
