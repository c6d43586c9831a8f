/* The mirror alone, without proxy and monitor: `mirror_tool run --config FILE`, and
 * `mirror_tool mirror status|verify|rebuild --config FILE`, spelt as with tillway. */
#include "base/log.h"
#include "mirror/mirror.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static int run(struct conf *c)
{
    struct err e = {.kind = ERR_NONE};
    struct mirror *m;
    sigset_t set;
    int signal;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (!log_setup(c->log_level, c->log_format, c->log_file, &e))
        return 1;
    m = mirror_start(c, &e);
    if (!m) {
        (void)fprintf(stderr, "mirror_tool: %s\n", e.text);
        return 2;
    }
    (void)sigwait(&set, &signal);
    mirror_stop(m);
    return 0;
}

/* Take `--config FILE` out of the words; NULL: it is not there. */
static const char *take_config(int *argc, char **argv)
{
    for (int i = 1; i + 1 < *argc; i++) {
        const char *file = argv[i + 1];

        if (strcmp(argv[i], "--config") != 0)
            continue;
        for (int k = i; k + 2 < *argc; k++)
            argv[k] = argv[k + 2];
        *argc -= 2;
        return file;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct err e = {.kind = ERR_NONE};
    const char *file = take_config(&argc, argv);
    struct conf *c = file ? conf_load(file, &e) : NULL;
    int status = 2;

    if (!c)
        (void)fprintf(stderr, "mirror_tool: %s\n", file ? e.text : "--config is missing");
    else if (argc == 2 && strcmp(argv[1], "run") == 0)
        status = run(c);
    else if (argc > 2 && strcmp(argv[1], "mirror") == 0)
        status = mirror_main(c, argc - 2, argv + 2);
    conf_unref(c);
    return status;
}
