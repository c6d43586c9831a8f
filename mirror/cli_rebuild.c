#include "mirror/cli.h"

#include <stdio.h>

/* The daemon's progress, until it has done the rebuild. */
static int watch_rebuild(struct cli *c, const bson_oid_t *asked)
{
    struct err e = {.kind = ERR_NONE};
    struct checkpoint at;
    int64_t shown = -1;
    bson_t doc;

    for (;;) {
        int got = sink_state_get(c->sink, "status", &doc, &e);
        bool alive;

        if (got < 0 || !checkpoint_load(c->sink, &at, &e))
            return cli_complain(&e);
        if (at.present && bson_oid_equal(&at.rebuild, asked))
            break;
        if (got == 0)
            return 1;
        alive = cli_running(&doc);
        if (alive && checkpoint_number(&doc, "done") != shown) {
            shown = checkpoint_number(&doc, "done");
            cli_print_state(&doc);
        }
        bson_destroy(&doc);
        if (!alive) {
            (void)fprintf(stderr, "mirror: it has stopped running; `rebuild` again\n");
            return 1;
        }
        (void)engine_pause(c->engine, CLI_POLL_MS);
    }
    bson_destroy(&doc);
    printf("rebuilt\n");
    return 0;
}

int cli_rebuild(struct cli *c)
{
    struct err e = {.kind = ERR_NONE};
    bson_oid_t asked;
    bool runs;

    bson_oid_init(&asked, NULL);
    if (!cli_daemon(c, &runs, &e) || !checkpoint_ask(c->sink, "rebuild", &asked, &e))
        return cli_complain(&e);
    if (runs)
        return watch_rebuild(c, &asked);
    printf("no mirror is running: rebuilding here\n");
    c->engine->once = true;
    if (!engine_run(c->engine)) {
        if (cli_daemon(c, &runs, &e) && runs) /* one has come up meanwhile */
            return watch_rebuild(c, &asked);
        (void)err_set(&e, ERR_SERVER, "%s", notes_read(&c->engine->notes).last_error);
        return cli_complain(&e);
    }
    printf("rebuilt\n");
    return 0;
}
