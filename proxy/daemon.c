#include "proxy/daemon.h"

#include "base/clock.h"
#include "base/log.h"
#include "protocol/auth/auth_rsa.h"
#include "proxy/admin.h"
#include "proxy/listener.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SIGNALS = 4 };

struct daemon {
    uv_loop_t loop;
    struct mailbox mailbox;
    uv_signal_t signals[SIGNALS];
    struct shared shared;
    struct listener *listeners;
    size_t listener_count;
    struct admin *admin; /* NULL where none is configured */
    struct conf *conf;
    struct daemon_hooks hooks;
    struct newest newest;
    struct topology *topology; /* as the admin socket saw it last */
    struct rules *rules;       /* those in force, for the admin socket; NULL: none */
    int workers_started;
    int writers[CONF_WORKERS_MAX]; /* of each worker, for topology_shared; the monitor's thread */
    bool draining;
};

static void drain(struct daemon *d, int signum)
{
    uint64_t deadline = clock_mono_ns() + d->conf->limits.drain_timeout_ns;

    if (d->draining)
        return;
    d->draining = true;
    log_event(LOG_INFO, "daemon.drain", LOG_STR("signal", sigdescr_np(signum)),
              LOG_NUM("sessions", atomic_load(&d->shared.metrics.value[METRIC_SESSIONS])));
    for (int i = 0; i < d->workers_started; i++)
        worker_send_drain(&d->shared.workers[i], deadline);
    uv_stop(&d->loop);
}

static bool same_address(const struct conf_address *a, const struct conf_address *b)
{
    return strcmp(a->host, b->host) == 0 && a->port == b->port;
}

/* What a reload cannot change while sessions refer to it by index; in words, NULL where nothing of
 * it changed. */
static const char *needs_restart(const struct conf *a, const struct conf *b)
{
    if (a->server_count != b->server_count)
        return "servers";
    for (size_t i = 0; i < a->server_count; i++)
        if (strcmp(a->servers[i].name, b->servers[i].name) != 0 ||
            !same_address(&a->servers[i].address, &b->servers[i].address))
            return "servers";
    if (a->listener_count != b->listener_count)
        return "listeners";
    for (size_t i = 0; i < a->listener_count; i++)
        if (!same_address(&a->listeners[i].address, &b->listeners[i].address))
            return "listeners";
    if (a->workers != b->workers)
        return "workers";
    return a->limits.buffer != b->limits.buffer ? "limits.buffer" : NULL;
}

/* What a configuration's certificates and rules make. */
struct contexts {
    struct rules *rules; /* NULL: there are none */
    struct tls_context *listeners[CONF_LISTENERS_MAX];
    struct tls_context *servers;
};

static void drop_contexts(struct contexts *all)
{
    for (size_t i = 0; i < CONF_LISTENERS_MAX; i++)
        tls_context_unref(all->listeners[i]);
    tls_context_unref(all->servers);
    rules_unref(all->rules);
}

/* All of them, or none with `e` set. */
static bool make_contexts(struct conf *c, struct contexts *all, struct err *e)
{
    *all = (struct contexts){.servers = NULL};
    if (c->rule_count > 0 && !(all->rules = rules_new(c, e)))
        return false;
    for (size_t i = 0; i < c->listener_count; i++) {
        const struct conf_listener_tls *t = &c->listeners[i].tls;

        if (t->present)
            all->listeners[i] = tls_context_server(t, e);
        if (t->present && !all->listeners[i]) {
            (void)err_wrap(e, "%s: listeners[%zu].tls", c->file, i);
            drop_contexts(all);
            return false;
        }
    }
    if (c->servers_tls.mode == CONF_TLS_OFF)
        return true;
    all->servers = tls_context_client(&c->servers_tls, e);
    if (all->servers)
        return true;
    drop_contexts(all);
    return err_wrap(e, "%s: servers_tls", c->file);
}

static void set_rules(struct daemon *d, struct rules *r)
{
    for (int i = 0; i < d->workers_started; i++)
        worker_send_rules(&d->shared.workers[i], r ? rules_ref(r) : NULL);
    rules_unref(d->rules);
    d->rules = r;
}

/* Gives the references away. */
static void set_contexts(struct daemon *d, const struct contexts *all)
{
    set_rules(d, all->rules);
    for (size_t i = 0; i < d->listener_count; i++)
        listener_set_tls(&d->listeners[i], all->listeners[i]);
    for (int i = 0; i < d->workers_started; i++)
        worker_send_servers_tls(&d->shared.workers[i], tls_context_ref(all->servers));
    tls_context_unref(all->servers);
}

bool daemon_check(struct conf *c, struct err *e)
{
    struct contexts all;

    if (!make_contexts(c, &all, e))
        return false;
    drop_contexts(&all);
    return true;
}

static void apply(struct daemon *d, struct conf *c)
{
    struct err e;

    if (!log_setup(c->log_level, c->log_format, c->log_file, &e))
        log_event(LOG_ERROR, "daemon.reload", LOG_STR("why", e.text));
    for (int i = 0; i < d->workers_started; i++)
        worker_send_conf(&d->shared.workers[i], conf_ref(c));
    d->hooks.reload(d->hooks.ctx, c);
    conf_unref(d->conf);
    d->conf = c;
    log_event(LOG_INFO, "daemon.reload", LOG_STR("file", c->file));
}

static void keep_old(struct conf *c, const char *why, const char *changed)
{
    log_event(LOG_ERROR, "daemon.reload", LOG_STR("why", why), LOG_STR("changed", changed),
              LOG_STR("kept", "the configuration in force"));
    conf_unref(c);
}

static void reload(struct daemon *d)
{
    struct err e;
    struct conf *c = conf_load(d->conf->file, &e);
    const char *fixed = c ? needs_restart(d->conf, c) : NULL;
    struct contexts contexts;

    log_reopen();
    if (fixed) {
        keep_old(c, "needs a restart", fixed);
    } else if (!c || !make_contexts(c, &contexts, &e)) {
        keep_old(c, e.text, "");
    } else {
        set_contexts(d, &contexts);
        apply(d, c);
    }
}

static void on_signal(uv_signal_t *h, int signum)
{
    struct daemon *d = h->data;

    if (signum == SIGHUP)
        reload(d);
    else if (signum == SIGUSR1)
        log_reopen();
    else
        drain(d, signum);
}

static const int wanted[SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

static void mask_signals(int how)
{
    sigset_t set;

    (void)sigemptyset(&set);
    for (int i = 0; i < SIGNALS; i++)
        (void)sigaddset(&set, wanted[i]);
    (void)pthread_sigmask(how, &set, NULL);
}

void daemon_hold_signals(void)
{
    mask_signals(SIG_BLOCK);
}

static bool watch_signals(struct daemon *d)
{
    for (int i = 0; i < SIGNALS; i++) {
        d->signals[i].data = d;
        if (uv_signal_init(&d->loop, &d->signals[i]) != 0 ||
            uv_signal_start(&d->signals[i], on_signal, wanted[i]) != 0)
            return false;
    }
    mask_signals(SIG_UNBLOCK);
    return true;
}

static bool open_listeners(struct daemon *d, struct err *e)
{
    d->listeners =
        calloc(d->conf->listener_count ? d->conf->listener_count : 1, sizeof *d->listeners);
    if (!d->listeners)
        return err_set(e, ERR_IO, "out of memory");
    for (size_t i = 0; i < d->conf->listener_count; i++) {
        struct listener *l = &d->listeners[i];

        l->index = (int)i;
        if (!listener_open(l, &d->conf->listeners[i], e))
            return false;
        d->listener_count++;
    }
    return true;
}

static bool start_workers(struct daemon *d, struct err *e)
{
    int n = (int)d->conf->workers;

    d->shared.workers = calloc((size_t)n, sizeof *d->shared.workers);
    if (!d->shared.workers)
        return err_set(e, ERR_IO, "out of memory");
    d->shared.worker_count = n;
    if (uv_random(NULL, NULL, &d->shared.proxy_id, sizeof d->shared.proxy_id, 0, NULL) != 0)
        return err_set(e, ERR_IO, "no random number from the system");
    if (!threads_init(&d->shared.threads))
        return err_set(e, ERR_IO, "no lock from the system");
    d->shared.rsa = auth_rsa_new();
    if (!d->shared.rsa || !guard_init(&d->shared.guard) || !quota_init(&d->shared.addresses) ||
        !quota_init(&d->shared.users))
        return err_set(e, ERR_IO, "cannot set up what log-ins need: no RSA key, or no memory");
    d->shared.monitor = d->hooks.ctx;
    d->shared.suspect = d->hooks.suspect;
    d->shared.refresh_accounts = d->hooks.refresh_accounts;
    d->shared.refresh_objects = d->hooks.refresh_objects;
    for (; d->workers_started < n; d->workers_started++) {
        d->writers[d->workers_started] = -1;
        if (!worker_start(&d->shared.workers[d->workers_started], &d->shared, d->workers_started,
                          d->conf, e))
            return false;
    }
    return true;
}

/* Only when the workers have been told what else they need. */
static bool hand_out_listeners(struct daemon *d, struct err *e)
{
    for (size_t i = 0; i < d->listener_count; i++)
        if (!listener_hand_to(&d->listeners[i],
                              &d->shared.workers[i % (size_t)d->shared.worker_count]))
            return err_set(e, ERR_IO, "out of memory");
    return true;
}

static bool start_admin(struct daemon *d, struct err *e)
{
    if (d->conf->admin_socket[0] == 0)
        return true;
    d->admin = admin_open(d, &d->loop, d->conf->admin_socket, e);
    return d->admin != NULL;
}

static bool set_up(struct daemon *d, struct err *e)
{
    struct contexts contexts;

    if (!d->topology || uv_loop_init(&d->loop) != 0 || !mailbox_init(&d->mailbox, &d->loop, d) ||
        !watch_signals(d))
        return err_set(e, ERR_IO, "cannot set up the control thread: out of memory or descriptors");
    if (!make_contexts(d->conf, &contexts, e) || !open_listeners(d, e) || !start_workers(d, e))
        return false;
    set_contexts(d, &contexts);
    return start_admin(d, e) && hand_out_listeners(d, e);
}

/* As many descriptors as the system allows: a session has two and more. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

struct daemon *daemon_start(struct conf *c, const struct daemon_hooks *hooks, struct err *e)
{
    static struct daemon the_daemon; /* one a process */
    struct daemon *d = &the_daemon;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a log file that may not grow is a full one */
    raise_descriptors();
    d->conf = conf_ref(c);
    d->hooks = *hooks;
    d->topology = topology_new();
    if (set_up(d, e))
        return d;
    return NULL; /* the process ends with the reason; nothing was served */
}

uint64_t daemon_id(const struct daemon *d)
{
    return d->shared.proxy_id;
}

uint64_t daemon_left(const struct daemon *d)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < d->workers_started; i++) {
        uint64_t left = atomic_load(&d->shared.workers[i].left);

        least = left < least ? left : least;
    }
    return least;
}

void daemon_publish_topology(struct daemon *d, struct topology *t)
{
    int first = (int)(d->shared.proxy_id % SERVERS_MAX); /* several Tillways share them, too */

    for (int i = 0; i < d->workers_started; i++) {
        struct topology *own = topology_shared(t, first + i, &d->writers[i]);

        if (own) /* else the next one serves */
            worker_send_topology(&d->shared.workers[i], own);
    }
    (void)newest_put(&d->newest, t); /* the admin socket looks when it is asked */
}

void daemon_publish_catalog(struct daemon *d, struct catalog *c, uint64_t answers)
{
    for (int i = 0; i < d->workers_started; i++) {
        catalog_ref(c);
        worker_send_catalog(&d->shared.workers[i], c, answers);
    }
    catalog_unref(c);
}

bool daemon_connections(const struct daemon *d, int server, int *count)
{
    bool known = true;

    for (int i = 0; i < d->workers_started; i++)
        known = known && atomic_load(&d->shared.workers[i].resting) & 1u << server;
    *count = atomic_load(&d->shared.loads[server].connections);
    return known;
}

void daemon_run(struct daemon *d)
{
    log_event(LOG_INFO, "daemon.start", LOG_STR("file", d->conf->file),
              LOG_NUM("workers", d->shared.worker_count), LOG_NUM("pid", getpid()));
    (void)uv_run(&d->loop, UV_RUN_DEFAULT);
    for (int i = 0; i < d->workers_started; i++)
        worker_join(&d->shared.workers[i]);
}

/* Another SIGTERM that comes while all is taken down must not make a clean end a death by it. */
static void stop_listening_to_signals(struct daemon *d)
{
    mask_signals(SIG_BLOCK);
    for (int i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&d->signals[i], NULL);
}

void daemon_free(struct daemon *d)
{
    if (d->admin)
        admin_close(d->admin);
    stop_listening_to_signals(d);
    mailbox_close(&d->mailbox);
    (void)uv_run(&d->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&d->loop);
    newest_free(&d->newest);
    topology_unref(d->topology);
    for (int i = 0; i < d->workers_started; i++)
        worker_free(&d->shared.workers[i]);
    rules_unref(d->rules);
    conf_unref(d->conf);
    threads_free(&d->shared.threads);
    guard_free(&d->shared.guard);
    quota_free(&d->shared.addresses);
    quota_free(&d->shared.users);
    auth_rsa_free(d->shared.rsa);
    free(d->shared.workers);
    free(d->listeners);
}

struct shared *daemon_shared(struct daemon *d)
{
    return &d->shared;
}

struct topology *daemon_topology(struct daemon *d)
{
    struct topology *t = newest_take(&d->newest);

    if (t) {
        topology_unref(d->topology);
        d->topology = t;
    }
    return d->topology;
}

const struct rules *daemon_rules(const struct daemon *d)
{
    return d->rules;
}

struct mailbox *daemon_mailbox(struct daemon *d)
{
    return &d->mailbox;
}

const struct daemon_hooks *daemon_hooks(const struct daemon *d)
{
    return &d->hooks;
}
