#include "conf/check.h"

#include "conf/accounts.h"
#include "conf/file.h"
#include "conf/hint.h"

#include <string.h>
#include <unistd.h>

/* A secret that stands in the file or beside it. */
struct secret {
    const struct conf_node *section;
    const char *key;      /* "password" */
    const char *file_key; /* "password_file" */
    const char **value;
    const char *file;
};

static const struct conf_node *at_path(const struct conf *c, const char *section, const char *key)
{
    const struct conf_node *n = conf_node_get(conf_doc_root(c->doc), section);

    return key ? conf_node_get(n, key) : n;
}

static const struct conf_node *element(const struct conf_node *list, size_t i)
{
    const struct conf_node *n = conf_node_first(list);

    for (; i > 0; i--)
        n = conf_node_next(n);
    return n;
}

static bool same_address(const struct conf_address *a, const struct conf_address *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* Index of an earlier server with the same name (or address), or -1. */
static int server_before(const struct conf *c, size_t i, bool by_name)
{
    for (size_t k = 0; k < i; k++)
        if (by_name ? strcmp(c->servers[k].name, c->servers[i].name) == 0
                    : same_address(&c->servers[k].address, &c->servers[i].address))
            return (int)k;
    return -1;
}

/* Relative to the folder of the configuration. */
static const char *resolve(const struct conf *c, const char *path)
{
    const char *slash = strrchr(c->file, '/');

    if (path[0] == '/' || !slash)
        return path;
    return conf_doc_printf(c->doc, "%.*s/%s", (int)(slash - c->file), c->file, path);
}

static bool check_servers(const struct conf *c, struct err *e)
{
    const struct conf_node *list = at_path(c, "servers", NULL);
    const struct conf_node *n;
    int other;

    for (size_t i = 0; i < c->server_count; i++) {
        n = element(list, i);
        if (server_before(c, i, true) >= 0)
            return conf_node_err(conf_node_get(n, "name"), e, "two servers are called %s",
                                 c->servers[i].name);
        other = server_before(c, i, false);
        if (other >= 0)
            return conf_node_err(conf_node_get(n, "address"), e, "%s has the same address",
                                 c->servers[other].name);
    }
    return true;
}

static bool check_listener(const struct conf *c, size_t i, const struct conf_node *at,
                           struct err *e)
{
    const struct conf_address *own = &c->listeners[i].address;

    for (size_t k = 0; k < i; k++)
        if (same_address(&c->listeners[k].address, own))
            return conf_node_err(at, e, "listeners[%zu] has the same address", k);
    for (size_t k = 0; k < c->server_count; k++)
        if (same_address(&c->servers[k].address, own))
            return conf_node_err(at, e,
                                 "is the address of server %s; listen on another port or address",
                                 c->servers[k].name);
    return true;
}

static const char *found(const struct conf *c, const char *path, const char *otherwise)
{
    return path[0] ? resolve(c, path) : otherwise;
}

static void find_tls_files(const struct conf *c, struct conf_listener_tls *t)
{
    if (!t->present)
        return;
    t->certificate = resolve(c, t->certificate);
    t->key = found(c, t->key, t->certificate);
    t->ca = found(c, t->ca, "");
}

static bool check_servers_tls(struct conf *c, struct err *e)
{
    struct conf_servers_tls *t = &c->servers_tls;
    const struct conf_node *key = conf_node_get(at_path(c, "servers_tls", NULL), "key");

    if (key && !t->certificate[0])
        return conf_node_key_err(key, e, "needs certificate beside it");
    t->ca = found(c, t->ca, "");
    t->certificate = found(c, t->certificate, "");
    t->key = found(c, t->key, t->certificate);
    return true;
}

static bool check_listeners(const struct conf *c, struct err *e)
{
    const struct conf_node *list = at_path(c, "listeners", NULL);

    for (size_t i = 0; i < c->listener_count; i++) {
        find_tls_files(c, &c->listeners[i].tls);
        if (!check_listener(c, i, conf_node_get(element(list, i), "address"), e))
            return false;
    }
    return true;
}

/* Sections that need one another. */
static bool check_sections(const struct conf *c, struct err *e)
{
    const struct conf_node *root = conf_doc_root(c->doc);

    if (c->listener_count == 0 && !c->monitor.present && !c->mirror.present)
        return conf_node_err(root, e,
                             "nothing to do: there are no listeners, no monitor and no mirror");
    if (c->server_count == 0)
        return conf_node_err(root, e, "servers is missing: list at least one MariaDB server");
    if (c->listener_count > 0 && !c->monitor.present)
        return conf_node_key_err(at_path(c, "listeners", NULL), e,
                                 "listeners need the monitor section: it finds the primary and "
                                 "reads the accounts");
    return true;
}

/* "FILE:LINE:COLUMN: KEY: " in front of an error that reading a file gave. */
static bool at_node(const struct conf_node *n, struct err *e)
{
    struct err why = *e;

    return conf_node_err(n, e, "%.300s", why.text);
}

static bool read_secret(const struct conf *c, const struct secret *s, const struct conf_node *n,
                        struct err *e)
{
    struct buf text = buf_with_max(CONF_SECRET_MAX);
    const char *path = resolve(c, s->file);
    bool ok = conf_file_read(path, true, &text, e);
    size_t length = ok ? strcspn(buf_text(&text), "\r\n") : 0;

    if (ok && length > 0)
        *s->value = conf_doc_printf(c->doc, "%.*s", (int)length, (const char *)text.data);
    if (ok && length == 0)
        (void)err_set(e, ERR_USAGE, "%s is empty; its first line is to be the secret", path);
    buf_free(&text);
    return ok && length > 0 ? true : at_node(n, e);
}

static bool check_secret(const struct conf *c, const struct secret *s, struct err *e)
{
    const struct conf_node *direct = conf_node_get(s->section, s->key);
    const struct conf_node *file = conf_node_get(s->section, s->file_key);

    if (direct && file)
        return conf_node_key_err(file, e, "%s stands there, too; keep one of the two", s->key);
    if (!direct && !file)
        return conf_node_key_err(s->section, e, "%s or %s is missing", s->key, s->file_key);
    return !file || read_secret(c, s, file, e);
}

static bool check_monitor(struct conf *c, struct err *e)
{
    struct conf_monitor *m = &c->monitor;
    struct secret s = {at_path(c, "monitor", NULL), "password", "password_file", &m->password,
                       m->password_file};

    return !m->present || check_secret(c, &s, e);
}

static bool check_failover_account(struct conf *c, const struct conf_node *section, struct err *e)
{
    struct conf_failover *f = &c->failover;
    struct secret s = {section, "password", "password_file", &f->password, f->password_file};
    const struct conf_node *alone = conf_node_get(section, "password");

    if (conf_node_get(section, "user"))
        return check_secret(c, &s, e);
    if (!alone)
        alone = conf_node_get(section, "password_file");
    if (alone)
        return conf_node_key_err(alone, e, "needs user beside it");
    f->user = c->monitor.user;
    f->password = c->monitor.password;
    return true;
}

static bool check_failover(struct conf *c, struct err *e)
{
    const struct conf_node *section = at_path(c, "failover", NULL);
    const struct conf_node *list = at_path(c, "servers", NULL);

    if (!c->failover.enabled)
        return true;
    if (!c->monitor.present)
        return conf_node_key_err(section, e, "needs the monitor section");
    for (size_t i = 0; i < c->server_count; i++)
        if (!c->servers[i].address.port)
            return conf_node_err(conf_node_get(element(list, i), "address"), e,
                                 "replicas must reach it: failover needs host:port");
    return check_failover_account(c, section, e);
}

static bool check_accounts(struct conf *c, struct err *e)
{
    const struct conf_node *n = at_path(c, "accounts_file", NULL);

    return !n || conf_accounts_read(c, resolve(c, c->accounts_file), e) || at_node(n, e);
}

static bool find_source(struct conf *c, const struct conf_node *n, struct err *e)
{
    struct conf_mirror_source *source = &c->mirror.source;
    const char *names[CONF_SERVERS_MAX + 1] = {NULL};
    const char *near;

    for (size_t i = 0; i < c->server_count; i++) {
        names[i] = c->servers[i].name;
        if (strcmp(names[i], source->server_name) == 0) {
            source->server = (int)i;
            return true;
        }
    }
    near = conf_hint_nearest(source->server_name, names);
    return conf_node_err(n, e, "no server is called %s%s%s%s", source->server_name,
                         near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static bool check_source_account(struct conf *c, const struct conf_node *section, struct err *e)
{
    struct conf_mirror_source *source = &c->mirror.source;
    struct secret s = {section, "password", "password_file", &source->password,
                       source->password_file};
    const struct conf_node *alone = conf_node_get(section, "password");

    if (!alone)
        alone = conf_node_get(section, "password_file");
    if (conf_node_get(section, "user"))
        return check_secret(c, &s, e);
    if (alone)
        return conf_node_key_err(alone, e, "needs user beside it");
    if (!c->monitor.present)
        return conf_node_key_err(section ? section : at_path(c, "mirror", NULL), e,
                                 "source.user is missing (and there is no monitor section whose "
                                 "account it could use)");
    source->user = c->monitor.user;
    source->password = c->monitor.password;
    return true;
}

static bool check_mirror(struct conf *c, struct err *e)
{
    const struct conf_node *section = at_path(c, "mirror", NULL);
    const struct conf_node *source = conf_node_get(section, "source");
    struct secret uri = {section, "uri", "uri_file", &c->mirror.uri, c->mirror.uri_file};
    const struct conf_node *name = conf_node_get(source, "server");

    c->mirror.source.server = -1;
    if (!c->mirror.present)
        return true;
    if (!check_secret(c, &uri, e))
        return false;
    if (strncmp(c->mirror.uri, "mongodb://", 10) != 0 &&
        strncmp(c->mirror.uri, "mongodb+srv://", 14) != 0)
        return conf_node_key_err(section, e, "the uri must begin with mongodb://");
    if (name && !find_source(c, name, e))
        return false;
    return check_source_account(c, source, e);
}

static void count_cores(struct conf *c)
{
    long cores = c->workers ? (long)c->workers : sysconf(_SC_NPROCESSORS_ONLN);

    if (cores < 1)
        cores = 1;
    c->workers = cores > CONF_WORKERS_MAX ? CONF_WORKERS_MAX : (uint32_t)cores;
}

static bool check_routing(struct conf *c, struct err *e)
{
    const struct conf_node *n = at_path(c, "routing", "resume_lag");

    if (n && c->routing.resume_lag_ns > c->routing.max_lag_ns)
        return conf_node_err(n, e, "is more than max_lag");
    if (!n)
        c->routing.resume_lag_ns = c->routing.max_lag_ns;
    return true;
}

bool conf_check(struct conf *c, struct err *e)
{
    count_cores(c);
    return check_sections(c, e) && check_servers(c, e) && check_listeners(c, e) &&
           check_servers_tls(c, e) && check_monitor(c, e) && check_failover(c, e) &&
           check_accounts(c, e) && check_routing(c, e) && conf_check_rules(c, e) &&
           check_mirror(c, e);
}
