/* The composition root: the one file that sees proxy, monitor and mirror, and wires them. */
#include "base/log.h"
#include "mirror/mirror.h"
#include "monitor/monitor.h"
#include "proxy/admin.h"
#include "proxy/daemon.h"
#include "proxy/explain.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage[] =
    "usage: tillway COMMAND --config FILE [argument...]\n"
    "\n"
    "  run                 serve: what the file's sections ask for (listeners, monitor, mirror)\n"
    "  check               check the configuration file and say what it means\n"
    "  explain 'SQL'       where a statement would go, and why [--user U] [--schema S]\n"
    "                      [--client ADDRESS] [--listener ADDRESS]\n"
    "  stats [json]        counters of the running daemon: statements by server and reason\n"
    "  sessions            its sessions, one a line, and why each is pinned\n"
    "  cluster status      the servers' roles and epochs\n"
    "  cluster switchover  make another server the primary [--to NAME] [--dry-run]\n"
    "  cluster failover    the same at once, without the old primary [--dry-run]\n"
    "  cluster rejoin NAME have a server that was kept out follow the primary [--dry-run]\n"
    "  cluster drain NAME  maintenance, once what runs there has ended [--wait SECONDS]\n"
    "                      [--dry-run]\n"
    "  cluster maintenance NAME on|off\n"
    "                      no reads go there, and nothing is done about it\n"
    "  mirror status       how far the mirror is\n"
    "  mirror plan         which change touches which documents\n"
    "  mirror verify       compare every document with what the SQL says\n"
    "  mirror repair       have those that differ written anew\n"
    "  mirror retry        have the documents of the dead letters written anew\n"
    "  mirror rebuild      make the documents anew\n"
    "  reference           all configuration keys, as Markdown (needs no file)\n"
    "\n"
    "  --version, --help\n";

struct arguments {
    const char *command;
    const char *config;
    int argc; /* what is left */
    char **argv;
};

/* The running parts. A reload puts another monitor in the old one's place, hence the lock. */
struct parts {
    pthread_rwlock_t lock;
    struct monitor *monitor; /* under lock; NULL where there is none */
    uint32_t resting;        /* while there is none: what the last one had in maintenance */
    bool informed; /* a topology without unknown servers was published; the monitor in force alone
                      uses it */
    struct daemon *daemon;
    struct mirror *mirror;
};

/* A monitor that has just started knows nothing yet. After a reload the old one's knowledge serves
 * until the new one has asked every server. */
static void on_topology(void *ctx, struct topology *t)
{
    struct parts *p = ctx;

    if (p->informed && topology_has_unknown(t)) {
        topology_unref(t);
        return;
    }
    p->informed = !topology_has_unknown(t);
    daemon_publish_topology(p->daemon, t);
}

static void on_catalog(void *ctx, struct catalog *c, uint64_t answers)
{
    daemon_publish_catalog(((struct parts *)ctx)->daemon, c, answers);
}

static bool on_connections(void *ctx, int server, int *count)
{
    return daemon_connections(((struct parts *)ctx)->daemon, server, count);
}

static uint64_t on_left(void *ctx)
{
    return daemon_left(((struct parts *)ctx)->daemon);
}

static void on_suspect(void *ctx, int server, enum suspicion why)
{
    struct parts *p = ctx;

    (void)pthread_rwlock_rdlock(&p->lock);
    if (p->monitor)
        monitor_suspect(p->monitor, server, why);
    (void)pthread_rwlock_unlock(&p->lock);
}

static uint64_t on_refresh_accounts(void *ctx)
{
    struct parts *p = ctx;
    uint64_t number;

    (void)pthread_rwlock_rdlock(&p->lock);
    number = p->monitor ? monitor_refresh_accounts(p->monitor) : 0;
    (void)pthread_rwlock_unlock(&p->lock);
    return number;
}

static uint64_t on_refresh_objects(void *ctx)
{
    struct parts *p = ctx;
    uint64_t number;

    (void)pthread_rwlock_rdlock(&p->lock);
    number = monitor_refresh_objects(p->monitor);
    (void)pthread_rwlock_unlock(&p->lock);
    return number;
}

static void on_cluster(void *ctx, const char *words, answer_fn line, void *line_ctx)
{
    struct parts *p = ctx;

    (void)pthread_rwlock_rdlock(&p->lock);
    if (p->monitor)
        monitor_cluster(p->monitor, words, line, line_ctx);
    else
        line(line_ctx, "no monitor runs", ANSWER_FAILED);
    (void)pthread_rwlock_unlock(&p->lock);
}

static bool start_monitor(struct parts *p, struct conf *c, struct err *e)
{
    const struct monitor_sink sink = {p, on_topology, on_catalog, on_connections, on_left};
    struct monitor *m = monitor_start(c, &sink, daemon_id(p->daemon), p->resting, e);

    (void)pthread_rwlock_wrlock(&p->lock);
    p->monitor = m;
    (void)pthread_rwlock_unlock(&p->lock);
    return m != NULL;
}

static void stop_monitor(struct parts *p, bool leaving)
{
    struct monitor *m;

    (void)pthread_rwlock_wrlock(&p->lock);
    m = p->monitor;
    p->monitor = NULL;
    (void)pthread_rwlock_unlock(&p->lock);
    if (m)
        p->resting = monitor_stop(m, leaving);
}

/* The monitor starts anew with the new weights, intervals and account; servers in maintenance stay
 * there. The mirror keeps what it was
 * started with. */
static void on_reload(void *ctx, struct conf *c)
{
    struct parts *p = ctx;
    struct err e;

    stop_monitor(p, false);
    if (c->monitor.present && !start_monitor(p, c, &e))
        log_event(LOG_ERROR, "daemon.reload", LOG_STR("why", e.text));
}

static int usage_error(const char *what, const char *which)
{
    (void)fprintf(stderr, "tillway: %s%s\n%s", what, which, usage);
    return EXIT_USAGE;
}

static int fail(const struct err *e)
{
    (void)fprintf(stderr, "tillway: %s\n", e->text);
    return e->kind == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

static void stop(struct parts *p)
{
    mirror_stop(p->mirror);
    stop_monitor(p, true);
    if (p->daemon)
        daemon_free(p->daemon);
    log_event(LOG_INFO, "daemon.stop", LOG_NUM("code", 0));
}

static bool start(struct parts *p, struct conf *c, struct err *e)
{
    const struct daemon_hooks hooks = {
        p, on_suspect, on_refresh_accounts, on_refresh_objects, on_cluster, on_reload};

    p->daemon = daemon_start(c, &hooks, e);
    if (!p->daemon)
        return false;
    if (c->monitor.present && !start_monitor(p, c, e))
        return false;
    if (c->mirror.present)
        p->mirror = mirror_start(c, e);
    return !c->mirror.present || p->mirror;
}

static int run(struct conf *c, struct arguments *a)
{
    struct parts parts = {.lock = PTHREAD_RWLOCK_INITIALIZER};
    struct err e;

    (void)a;
    if (!log_setup(c->log_level, c->log_format, c->log_file, &e) || !mirror_check(c, &e))
        return fail(&e);
    if (!start(&parts, c, &e))
        return fail(&e); /* the process ends here with its threads */
    daemon_run(parts.daemon);
    stop(&parts);
    return EXIT_FINE;
}

static int check(struct conf *c, struct arguments *a)
{
    struct err e;

    (void)a;
    if (!daemon_check(c, &e) || !mirror_check(c, &e))
        return fail(&e);
    printf("%s: fine: listeners %zu, servers %zu, workers %u%s%s\n", c->file, c->listener_count,
           c->server_count, c->workers, c->monitor.present ? ", monitor" : "",
           c->mirror.present ? ", mirror" : "");
    return EXIT_FINE;
}

static int explain(struct conf *c, struct arguments *a)
{
    struct explain_ask ask;
    struct err e;

    if (!explain_parse(a->argc, a->argv, &ask, &e) || !explain_statement(c, &ask, &e))
        return fail(&e);
    return EXIT_FINE;
}

static int stats(struct conf *c, struct arguments *a)
{
    bool json = a->argc == 1 && strcmp(a->argv[0], "json") == 0;
    struct err e;

    return admin_ask(c->admin_socket, json ? "stats json" : "stats", &e) ? EXIT_FINE : fail(&e);
}

static int sessions(struct conf *c, struct arguments *a)
{
    struct err e;

    (void)a;
    return admin_ask(c->admin_socket, "sessions", &e) ? EXIT_FINE : fail(&e);
}

static int cluster(struct conf *c, struct arguments *a)
{
    char line[256] = "cluster";
    size_t n = strlen(line);
    struct err e;

    for (int i = 0; i < a->argc && n < sizeof line; i++)
        n += (size_t)snprintf(line + n, sizeof line - n, " %s", a->argv[i]);
    if (a->argc < 1 || n >= sizeof line)
        return usage_error("cluster takes status, switchover, failover, rejoin NAME, drain NAME or "
                           "maintenance NAME on|off",
                           "");
    return admin_ask(c->admin_socket, line, &e) ? EXIT_FINE : fail(&e);
}

static int mirror(struct conf *c, struct arguments *a)
{
    if (a->argc < 1)
        return usage_error("mirror takes status, plan, verify, repair, retry or rebuild", "");
    if (!c->mirror.present)
        return usage_error("no mirror section in ", c->file);
    return mirror_main(c, a->argc, a->argv);
}

static const struct {
    const char *name;
    int (*run)(struct conf *c, struct arguments *a);
} commands[] = {
    {"run", run},           {"check", check},     {"explain", explain}, {"stats", stats},
    {"sessions", sessions}, {"cluster", cluster}, {"mirror", mirror},
};

/* Take the command and --config out of argv; the rest moves together. */
static bool parse(int argc, char **argv, struct arguments *a)
{
    a->argv = argv;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--config") == 0) {
            if (++i == argc)
                return false;
            a->config = argv[i];
        } else if (strncmp(argv[i], "--config=", 9) == 0) {
            a->config = argv[i] + 9;
        } else if (!a->command) {
            a->command = argv[i];
        } else {
            argv[a->argc++] = argv[i];
        }
    }
    return true;
}

static int dispatch(struct arguments *a)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        struct err e;
        struct conf *c;
        int code;

        if (strcmp(a->command, commands[i].name) != 0)
            continue;
        if (!a->config)
            return usage_error("--config FILE is missing", "");
        if (commands[i].run == run) /* a SIGTERM that comes now is to drain, not to kill */
            daemon_hold_signals();
        c = conf_load(a->config, &e);
        if (!c)
            return fail(&e);
        code = commands[i].run(c, a);
        conf_unref(c);
        return code;
    }
    return usage_error("unknown command ", a->command);
}

int main(int argc, char **argv)
{
    struct arguments a = {NULL, NULL, 0, NULL};

    mirror_unname_counters();
    if (!parse(argc, argv, &a))
        return usage_error("--config needs a file", "");
    if (!a.command)
        return usage_error("what shall it do?", "");
    if (strcmp(a.command, "--help") == 0 || strcmp(a.command, "help") == 0) {
        (void)fputs(usage, stdout);
        return EXIT_FINE;
    }
    if (strcmp(a.command, "--version") == 0) {
        puts("tillway " TILLWAY_VERSION);
        return EXIT_FINE;
    }
    if (strcmp(a.command, "reference") == 0) {
        conf_print_reference(stdout);
        return EXIT_FINE;
    }
    return dispatch(&a);
}
