/* `tillway mirror …`: shared by the files cli*.c, nobody else's business. */
#ifndef MIRROR_CLI_H
#define MIRROR_CLI_H

#include "mirror/checkpoint.h"
#include "mirror/engine.h"

struct cli {
    struct conf *conf;
    struct engine *engine;
    struct sink *sink; /* NULL for commands that need no MongoDB */
    double sample;
};

enum { CLI_POLL_MS = 200 };

/* Print the error; the exit code. */
int cli_complain(const struct err *e);
/* Whether the status document is a living mirror's. */
bool cli_running(const bson_t *doc);
void cli_print_state(const bson_t *doc);
/* Whether a mirror is running. */
bool cli_daemon(struct cli *c, bool *runs, struct err *e) MUST_CHECK;
/* How many dead letters there are. */
bool cli_letters(struct cli *c, uint64_t *n, struct err *e) MUST_CHECK;

/* The commands; each returns the exit code. */
int cli_verify(struct cli *c);
int cli_repair(struct cli *c);
int cli_retry(struct cli *c);
int cli_rebuild(struct cli *c);

#endif
