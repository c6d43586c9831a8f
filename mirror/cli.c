#include "mirror/cli.h"

#include "base/clock.h"
#include "mirror/mapping/explain.h"
#include "mirror/mirror.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEAD_MS = 5000 };

struct command {
    const char *word;
    int (*run)(struct cli *c);
    bool offline; /* MongoDB need not be there */
    const char *help;
};

int cli_complain(const struct err *e)
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

bool cli_running(const bson_t *doc)
{
    return checkpoint_flag(doc, "running") &&
           (int64_t)clock_wall_ms() - moment(doc, "at") < DEAD_MS;
}

bool cli_daemon(struct cli *c, bool *runs, struct err *e)
{
    bson_t doc;
    int got = sink_state_get(c->sink, "status", &doc, e);

    *runs = got == 1 && cli_running(&doc);
    if (got == 1)
        bson_destroy(&doc);
    return got >= 0;
}

void cli_print_state(const bson_t *doc)
{
    const char *state = checkpoint_text(doc, "state");
    int64_t done = checkpoint_number(doc, "done");
    int64_t total = checkpoint_number(doc, "total");
    int64_t left = checkpoint_number(doc, "left_ms");

    if (!cli_running(doc)) {
        printf("state: not running (was %s)\n", state);
        return;
    }
    printf("state: %s", state);
    if (strcmp(state, "snapshot") == 0) {
        printf(" of %s, %" PRId64 " of about %" PRId64 " documents (%" PRId64 " %%)",
               checkpoint_text(doc, "collection"), done, total, total ? done * 100 / total : 0);
        if (left >= 0)
            printf(", about %" PRId64 " s left", (left + 999) / 1000);
    }
    if (*checkpoint_text(doc, "reason"))
        printf(": %s", checkpoint_text(doc, "reason"));
    printf("\n");
}

static void print_status(const bson_t *doc)
{
    int64_t lag = checkpoint_number(doc, "lag_ms");
    char when[32];

    cli_print_state(doc);
    printf("source: %s\n", checkpoint_text(doc, "source"));
    printf("gtid: %s\n", checkpoint_text(doc, "gtid"));
    if (lag >= 0 && cli_running(doc))
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
static int cli_status(struct cli *c)
{
    struct err e = {.kind = ERR_NONE};
    uint64_t letters;
    bson_t doc;
    int got = sink_state_get(c->sink, "status", &doc, &e);
    int status;

    if (got < 0 || !cli_letters(c, &letters, &e))
        return cli_complain(&e);
    if (got == 0) {
        printf("state: it has never run\n");
        return 1;
    }
    print_status(&doc);
    printf("dead letters: %" PRIu64 "%s\n", letters, letters ? " (tillway mirror retry)" : "");
    status = cli_running(&doc) && (strcmp(checkpoint_text(&doc, "state"), "streaming") == 0 ||
                                   strcmp(checkpoint_text(&doc, "state"), "snapshot") == 0)
                 ? 0
                 : 1;
    bson_destroy(&doc);
    return status;
}

static int cli_plan(struct cli *c)
{
    struct err e = {.kind = ERR_NONE};

    return explain_run(c->engine, stdout, &e) ? 0 : cli_complain(&e);
}

static const struct command commands[] = {
    {"status", cli_status, false, "what the mirror does, where it stands, how far it is behind"},
    {"plan", cli_plan, true,
     "which change touches which documents, how to shard, and an example of each collection"},
    {"verify", cli_verify, false, "compare every document with the rows; status 1 if they differ"},
    {"repair", cli_repair, false, "verify, and have just those that differ written anew"},
    {"retry", cli_retry, false, "have the documents of the dead letters written anew"},
    {"rebuild", cli_rebuild, false, "write all documents anew from a snapshot, and wait for it"},
};

static const struct command *find_command(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].word, word) == 0)
            return &commands[i];
    return NULL;
}

static int usage(void)
{
    (void)fputs("usage: tillway mirror status|plan|verify|repair|retry|rebuild --config FILE"
                " [--sample P]\n",
                stderr);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        (void)fprintf(stderr, "  %-8s %s\n", commands[i].word, commands[i].help);
    (void)fputs("  --sample P, of verify and repair: look at this share of the key ranges,"
                " 0 < P <= 1\n",
                stderr);
    return 2;
}

static bool parse(struct cli *c, int argc, char **argv, const struct command **command)
{
    char *end = NULL;

    *command = find_command(argv[0]);
    c->sample = 1;
    if (!*command || argc == 1)
        return *command != NULL;
    if (argc != 3 || strcmp(argv[1], "--sample") != 0 ||
        ((*command)->run != cli_verify && (*command)->run != cli_repair))
        return false;
    c->sample = strtod(argv[2], &end);
    return !*end && c->sample > 0 && c->sample <= 1;
}

static int run(struct cli *c, const struct command *command)
{
    struct err e = {.kind = ERR_NONE};
    int status;

    if (command->offline)
        return command->run(c);
    c->sink = sink_open(c->engine->target);
    status = sink_ping(c->sink, &e) ? command->run(c) : cli_complain(&e);
    sink_close(c->sink);
    return status;
}

int mirror_main(struct conf *conf, int argc, char **argv)
{
    struct cli c = {.conf = conf};
    const struct command *command;
    struct err e = {.kind = ERR_NONE};
    int status;

    if (!parse(&c, argc, argv, &command))
        return usage();
    if (!conf->mirror.present) {
        (void)fprintf(stderr, "mirror: %s has no mirror section\n", conf->file);
        return 2;
    }
    c.engine = engine_library_init() ? engine_new(conf, &e) : NULL;
    if (!c.engine)
        return cli_complain(&e);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    status = run(&c, command);
    engine_free(c.engine);
    return status;
}
