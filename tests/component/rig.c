#include "component/rig.h"

#include "base/clock.h"
#include "protocol/auth/auth_rsa.h"

#include <limits.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct rig *current;

static void on_suspect(void *monitor, int server, enum suspicion why)
{
    struct rig *r = monitor;

    atomic_fetch_add(&r->suspicions[server], 1);
    atomic_fetch_or(&r->suspected_of[server], 1 << why);
}

void rig_send_catalog(struct rig *r, struct catalog *c, int answers)
{
    for (int i = 0; i < r->shared.worker_count; i++) {
        catalog_ref(c);
        worker_send_catalog(&r->workers[i], c, (uint64_t)answers);
    }
    catalog_unref(c);
}

/* As the monitor promises: every refresh ends in a catalog, changed or not. */
static uint64_t on_refresh(void *monitor)
{
    struct rig *r = monitor;
    int number = atomic_fetch_add(&r->refreshes, 1) + 1;

    if (r->catalog) {
        catalog_ref(r->catalog);
        rig_send_catalog(r, r->catalog, number);
    }
    return (uint64_t)number;
}

static void put_limit(struct buf *b, const char *key, int value, const char *unit)
{
    if (value)
        buf_printf(b, "  %s: %d%s\n", key, value, unit);
}

/* Puts the key to it in front of the configuration; the file is gone once that is read. */
static void put_accounts(struct buf *b, const char *text, char path[64])
{
    int fd;

    (void)snprintf(path, 64, "/tmp/rig_accounts.XXXXXX");
    fd = mkstemp(path); /* mode 0600 */
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
    buf_printf(b, "accounts_file: %s\n", path);
}

static struct conf *make_conf(const struct rig_options *o)
{
    struct buf b = buf_with_max(65536);
    char accounts[64] = "";
    struct conf *c;
    struct err e;

    if (o->accounts)
        put_accounts(&b, o->accounts, accounts);
    buf_printf(&b, "listeners:\n  - address: 127.0.0.1:1\n%s",
               o->tls_required ? "    tls: {certificate: unread.pem, required: true}\n" : "");
    if (o->exactly_once)
        buf_put_str(&b, "    exactly_once: true\n");
    if (o->proxy_trusted)
        buf_put_str(&b, "    proxy_protocol: [127.0.0.0/8]\n");
    buf_put_str(&b, "servers:\n  - {name: one, address: 127.0.0.1:2}\n"
                    "monitor:\n  user: monitor\n  password: unused\n"
                    "limits:\n  drain_timeout: 10s\n");
    put_limit(&b, "login_timeout", o->login_timeout_ms, "ms");
    put_limit(&b, "connect_timeout", o->connect_timeout_ms, "ms");
    put_limit(&b, "read_timeout", o->read_timeout_ms, "ms");
    put_limit(&b, "write_timeout", o->write_timeout_ms, "ms");
    put_limit(&b, "login_packets", o->login_packets, "");
    put_limit(&b, "max_address_sessions", o->max_address_sessions, "");
    put_limit(&b, "max_user_sessions", o->max_user_sessions, "");
    put_limit(&b, "session_memory", o->session_memory_kib, "KiB");
    put_limit(&b, "max_prepared", o->max_prepared, "");
    put_limit(&b, "buffer", o->buffer_kib, "KiB");
    put_limit(&b, "max_login_errors", o->max_login_errors, "");
    buf_printf(&b, "pool:\n  multiplexing: %s\n  by_attributes: %s\n  pipelining: %s\n",
               o->holding ? "false" : "true", o->by_attributes ? "true" : "false",
               o->pipelining ? "true" : "false");
    put_limit(&b, "idle", o->pool_idle_ms, "ms");
    buf_printf(&b, "  check_after: %dms\n", o->check_ms);
    put_limit(&b, "min_idle", o->min_idle, "");
    put_limit(&b, "max_age", o->max_age_ms, "ms");
    put_limit(&b, "wait", o->pool_wait_ms, "ms");
    put_limit(&b, "diagnostics", o->diagnostics_ms, "ms");
    buf_printf(&b, "routing:\n  wait_timeout: 250ms\n  wait_for_replica: %s\n",
               o->no_waiting ? "false" : "true");
    if (o->failover_ms)
        buf_printf(&b, "failover: {enabled: true, wait: %dms}\n", o->failover_ms);
    c = conf_parse("rig.yaml", b.data, b.len, &e);
    buf_free(&b);
    if (accounts[0])
        (void)unlink(accounts);
    if (!c)
        fail_msg("%s", e.text);
    return c;
}

/* "*" and the hash of "secret". */
#define SECRET_NATIVE "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7"
/* The same of "changed". */
#define CHANGED_NATIVE "*D278C6DF1755B4BAF51F06E0C461F8DB2646ECD7"
#define SECRET_ED25519 "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY"

static struct account *add_account(struct catalog *c, const char *user, const char *plugin,
                                   const char *text)
{
    struct account *a = &c->accounts[c->account_count++];

    a->user = strdup(user);
    a->host = strdup("%");
    assert_true(account_add_way(a, plugin, text));
    return a;
}

static void add_accounts(struct catalog *c)
{
    struct account *two;

    (void)add_account(c, "till", AUTH_NATIVE, SECRET_NATIVE);
    (void)add_account(c, "other", AUTH_NATIVE, SECRET_NATIVE);
    add_account(c, "super", AUTH_NATIVE, SECRET_NATIVE)->access = ACCESS_SUPER;
    (void)add_account(c, "guest", AUTH_NATIVE, "");
    add_account(c, "locked", AUTH_NATIVE, SECRET_NATIVE)->locked = true;
    add_account(c, "sealed", AUTH_NATIVE, SECRET_NATIVE)->tls = ACCOUNT_TLS_ANY;
    add_account(c, "counted", AUTH_NATIVE, SECRET_NATIVE)->limited = true;
    (void)add_account(c, "clever", "gssapi", "");
    (void)add_account(c, "curve", "ed25519", SECRET_ED25519);
    (void)add_account(c, "secretive", "ed25519", SECRET_ED25519);
    (void)add_account(c, "modern", "caching_sha2_password", "unreadable");
    (void)add_account(c, "local", "unix_socket", "");
    two = add_account(c, "two", "ed25519", SECRET_ED25519);
    assert_true(account_add_way(two, AUTH_NATIVE, "*A41BEE51488264C01B96DE959A9142AF1A75205E"));
}

static void add_collation(struct catalog *c, uint16_t id, const char *name, const char *charset)
{
    c->collations[c->collation_count++] =
        (struct collation){.id = id, .name = strdup(name), .charset = strdup(charset)};
}

struct catalog *rig_catalog(const char *more)
{
    struct catalog *c = calloc(1, sizeof *c);

    assert_non_null(c);
    c->version = strdup("10.11.19-MariaDB-log");
    c->default_collation = 45;
    c->accounts = calloc(16, sizeof *c->accounts);
    c->collations = calloc(4, sizeof *c->collations);
    assert_true(c->accounts && c->collations);
    add_accounts(c);
    if (more)
        (void)add_account(c, more, AUTH_NATIVE, SECRET_NATIVE);
    c->fingerprint = more ? 2 : 1;
    add_collation(c, 8, "latin1_swedish_ci", "latin1");
    add_collation(c, 28, "gbk_chinese_ci", "gbk");
    add_collation(c, 45, "utf8mb4_general_ci", "utf8mb4");
    catalog_seal(c);
    return c;
}

static void change_password(struct account *a)
{
    assert_true(auth_parse_stage2(span_of(CHANGED_NATIVE), a->ways->stage2));
    a->ways->kind = WAY_NATIVE;
}

void rig_changes_passwords(struct rig *r)
{
    struct catalog *c = rig_catalog(NULL);

    c->fingerprint = 3;
    for (size_t i = 0; i < c->account_count; i++)
        if (strcmp(c->accounts[i].user, "till") == 0 || strcmp(c->accounts[i].user, "curve") == 0)
            change_password(&c->accounts[i]);
    catalog_unref(r->catalog);
    r->catalog = c;
}

static void make_view(struct rig *r)
{
    static const char *const names[] = {"primary", "replica", "second"};

    r->view = topology_new();
    assert_non_null(r->view);
    r->view->count = 2;
    r->view->primary = PRIMARY;
    for (int i = 0; i < RIG_SERVERS; i++) {
        struct server_view *v = &r->view->servers[i];

        server_open(&r->servers[i], names[i]);
        (void)snprintf(v->name, sizeof v->name, "%s", names[i]);
        (void)snprintf(v->host, sizeof v->host, "127.0.0.1");
        v->port = r->servers[i].port;
        v->weight = 1;
        v->role = i == PRIMARY ? ROLE_PRIMARY : ROLE_REPLICA;
        v->health = HEALTH_UP;
        v->lease_ns = UINT64_MAX;
        rig_position(r, i, "0-1-1");
    }
}

/* One for all rigs of the process: it takes a while to make. */
static struct auth_rsa *the_key(void)
{
    static struct auth_rsa *key;

    if (!key)
        key = auth_rsa_new();
    assert_non_null(key);
    return key;
}

static uint64_t on_refresh_objects(void *monitor)
{
    (void)monitor;
    return 0;
}

static void set_slow_rounds(struct rig *r, unsigned rounds)
{
    for (int i = 0; i < r->shared.worker_count; i++)
        atomic_store(&r->workers[i].lines.slow_rounds, rounds);
}

static void set_aim_us(struct rig *r, unsigned us)
{
    for (int i = 0; i < r->shared.worker_count; i++)
        atomic_store(&r->workers[i].lines.aim_us, us);
}

void rig_hurries_lines(struct rig *r)
{
    set_slow_rounds(r, LINE_SLOW_ROUNDS);
}

static void take_half_of_aim(struct message *m, void *receiver)
{
    struct worker *w = receiver;

    for (int i = 0; i < HISTORY_ROWS; i++)
        w->lines.history.rows[i].us = LINE_AIM_US / 2;
    free(m);
}

void rig_has_long_riders(struct rig *r)
{
    set_aim_us(r, LINE_AIM_US);
    for (int i = 0; i < r->shared.worker_count; i++) {
        struct message *m = malloc(sizeof *m);

        assert_non_null(m);
        m->run = take_half_of_aim;
        worker_send(&r->workers[i], m);
    }
    rig_barrier(r);
}

static void start_workers(struct rig *r)
{
    int n = r->options.workers ? r->options.workers : 1;
    struct conf *conf = make_conf(&r->options);
    struct err e;

    r->shared.worker_count = n;
    assert_true(threads_init(&r->shared.threads));
    r->shared.workers = r->workers;
    r->shared.monitor = r;
    r->shared.suspect = on_suspect;
    r->shared.refresh_accounts = on_refresh;
    r->shared.rsa = r->options.rsa ? the_key() : NULL;
    assert_true(guard_init(&r->shared.guard) && quota_init(&r->shared.addresses) &&
                quota_init(&r->shared.users));
    r->shared.refresh_objects = on_refresh_objects;
    for (int i = 0; i < n; i++)
        if (!worker_start(&r->workers[i], &r->shared, i, conf, &e))
            fail_msg("%s", e.text);
    conf_unref(conf);
    set_slow_rounds(r, UINT_MAX);
    set_aim_us(r, UINT_MAX);
}

struct rig *rig_start_with(const struct rig_options *o)
{
    struct server door;
    struct err e;
    struct rig *r = calloc(1, sizeof *r);

    assert_non_null(r);
    assert_null(current);
    assert_true(log_setup(getenv("RIG_LOG") ? LOG_DEBUG : LOG_ERROR, LOG_TEXT, "stderr", &e));
    current = r;
    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    r->options = *o;
    server_open(&door, "door");
    r->door = door.fd;
    make_view(r);
    r->catalog = rig_catalog(NULL);
    r->catalog->wait_timeout_ns = (unsigned)o->wait_timeout_ms * CLOCK_NS_PER_MS;
    r->catalog->interactive_timeout_ns = (unsigned)o->interactive_timeout_ms * CLOCK_NS_PER_MS;
    start_workers(r);
    rig_publish(r);
    if (!o->no_catalog) {
        catalog_ref(r->catalog);
        rig_send_catalog(r, r->catalog, 0);
    }
    return r;
}

void rig_drain(struct rig *r, unsigned ms)
{
    for (int i = 0; i < r->shared.worker_count; i++)
        worker_send_drain(&r->workers[i], worker_now_ns() + ms * CLOCK_NS_PER_MS);
}

/* With their clients gone the sessions end by themselves; give them a moment, for a drain ends the
 * rest more slowly. */
static void end_sessions(struct rig *r)
{
    for (int i = 0; i < 100 && atomic_load(&r->shared.metrics.value[METRIC_SESSIONS]); i++)
        (void)usleep(500);
}

int rig_stop(void **state)
{
    struct rig *r = current;

    (void)state;
    current = NULL;
    if (!r)
        return 0;
    peer_free_all();
    end_sessions(r);
    rig_drain(r, 0); /* also where the test drained with more patience */
    for (int i = 0; i < r->shared.worker_count; i++) {
        worker_join(&r->workers[i]);
        worker_free(&r->workers[i]);
    }
    for (int i = 0; i < RIG_SERVERS; i++)
        server_close(&r->servers[i]);
    (void)close(r->door);
    threads_free(&r->shared.threads);
    guard_free(&r->shared.guard);
    quota_free(&r->shared.addresses);
    quota_free(&r->shared.users);
    topology_unref(r->view);
    catalog_unref(r->catalog);
    tls_context_unref(r->tls);
    free(r);
    return 0;
}

struct barrier {
    struct message message;
    sem_t *reached;
};

static void on_barrier(struct message *m, void *receiver)
{
    struct barrier *b = (struct barrier *)(void *)m;

    (void)receiver;
    (void)sem_post(b->reached);
    free(b);
}

void rig_barrier(struct rig *r)
{
    sem_t reached;

    (void)sem_init(&reached, 0, 0);
    for (int i = 0; i < r->shared.worker_count; i++) {
        struct barrier *b = calloc(1, sizeof *b);

        assert_non_null(b);
        b->message.run = on_barrier;
        b->reached = &reached;
        worker_send(&r->workers[i], &b->message);
    }
    for (int i = 0; i < r->shared.worker_count; i++)
        while (sem_wait(&reached) != 0)
            continue;
    (void)sem_destroy(&reached);
}

/* Positions count for what a session saw before only if they were sampled a while after it. */
static void let_it_settle(void)
{
    struct timespec pause = {.tv_nsec = 2 * (long)CAUSAL_SETTLE_NS};

    (void)nanosleep(&pause, NULL);
}

void rig_make_primary(struct rig *r, int server)
{
    r->view->primary = server;
    for (int i = 0; i < RIG_SERVERS; i++)
        r->view->servers[i].role = i == server ? ROLE_PRIMARY : ROLE_REPLICA;
}

void rig_publish(struct rig *r)
{
    struct topology *t;

    rig_barrier(r); /* what was answered so far is finished, and was seen before the sample */
    let_it_settle();
    for (int i = 0; i < RIG_SERVERS; i++)
        r->view->servers[i].sampled_ns = clock_mono_ns();
    t = topology_copy(r->view);
    assert_non_null(t);
    for (int i = 0; i < r->shared.worker_count; i++) {
        topology_ref(t);
        worker_send_topology(&r->workers[i], t);
    }
    topology_unref(t);
    rig_barrier(r);
}

void rig_position(struct rig *r, int server, const char *gtids)
{
    assert_true(gtid_set_parse(span_of(gtids), &r->view->servers[server].position));
}

void rig_counts(struct rig *r, enum metric which, long long n)
{
    uint64_t deadline = clock_mono_ns() + PEER_STEP_MS * CLOCK_NS_PER_MS;

    while (atomic_load(&r->shared.metrics.value[which]) != n) {
        if (clock_mono_ns() > deadline)
            fail_msg("counter %d stays at %lld, not %lld", (int)which,
                     atomic_load(&r->shared.metrics.value[which]), n);
        let_it_settle();
    }
}

struct idle {
    struct message message;
    int server;
    atomic_int count; /* -1: not counted yet */
};

static void on_idle(struct message *m, void *receiver)
{
    struct idle *i = (struct idle *)(void *)m;
    const struct worker *w = receiver;
    int count = 0;

    for (const struct backend *b = w->pool.of[i->server].head; b; b = b->next)
        count++;
    atomic_store(&i->count, count);
}

static int count_idle(struct rig *r, int server)
{
    struct idle *i = calloc(1, sizeof *i);
    int count;

    assert_non_null(i);
    i->message.run = on_idle;
    i->server = server;
    atomic_store(&i->count, -1);
    worker_send(&r->workers[0], &i->message);
    while ((count = atomic_load(&i->count)) < 0)
        let_it_settle();
    free(i);
    return count;
}

void rig_idle(struct rig *r, int server, int n)
{
    uint64_t deadline = clock_mono_ns() + PEER_STEP_MS * CLOCK_NS_PER_MS;
    int count;

    while ((count = count_idle(r, server)) != n)
        if (clock_mono_ns() > deadline)
            fail_msg("%s: %d idle connections, not %d", r->servers[server].name, count, n);
}

void rig_connections(struct rig *r, int server, int n)
{
    uint64_t deadline = clock_mono_ns() + PEER_STEP_MS * CLOCK_NS_PER_MS;

    while (atomic_load(&r->shared.loads[server].connections) != n) {
        if (clock_mono_ns() > deadline)
            fail_msg("%s: %d connections, not %d", r->servers[server].name,
                     atomic_load(&r->shared.loads[server].connections), n);
        let_it_settle();
    }
}

struct peer *rig_till(struct rig *r, int worker)
{
    struct peer *till = client_connects(r, worker);

    client_hears_greeting(till);
    client_logs_in(till, .user = NULL);
    return till;
}

static struct scene scene_of(struct rig *r, struct peer *till)
{
    struct scene s = {.till = till, .primary = server_serves(&r->servers[PRIMARY])};

    (void)client_hears_ok(s.till);
    return s;
}

struct scene rig_scene(struct rig *r)
{
    return scene_of(r, rig_till(r, 0));
}

struct scene rig_old_scene(struct rig *r)
{
    struct peer *till = client_connects(r, 0);

    client_hears_greeting(till);
    client_logs_in(till, .without = CAP_DEPRECATE_EOF);
    return scene_of(r, till);
}
