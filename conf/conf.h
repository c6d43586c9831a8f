/* The configuration: one YAML file, checked as a whole, immutable and ref-counted.
 *
 * Every key, its type, default, range and help stand in conf/schema.c and, generated from there, in
 * docs/configuration.md. Durations are nanoseconds and sizes bytes here, whatever unit the file
 * uses. Texts live as long as the conf. Any thread may read; a reload makes a new conf. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/log.h"
#include "base/ref.h"
#include "conf/failover.h"
#include "conf/limits.h"
#include "conf/mirror.h"
#include "conf/network.h"
#include "conf/node.h"
#include "conf/rules.h"
#include "conf/tls.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { CONF_SERVERS_MAX = 32, CONF_LISTENERS_MAX = 64, CONF_WORKERS_MAX = 256 };

struct conf_address {
    const char *host; /* a name, an address without brackets, or an absolute path (port 0) */
    uint32_t port;    /* 0: a unix socket */
    const char *text; /* as written */
};

enum conf_consistency { CONF_SESSION, CONF_EVENTUAL, CONF_PRIMARY, CONF_GLOBAL };

struct conf_listener {
    struct conf_address address;
    enum conf_consistency consistency;
    bool exactly_once;
    struct conf_listener_tls tls;
    struct conf_networks proxy_protocol; /* who may say for whom he speaks */
    uint32_t max_sessions;               /* 0: any number */
};

/* Whether a server may be promoted. */
enum conf_candidate { CANDIDATE_NORMAL, CANDIDATE_PREFER, CANDIDATE_NEVER };

struct conf_server {
    const char *name;
    struct conf_address address;
    uint32_t weight;          /* share of reads; 0: none */
    uint32_t max_connections; /* of sessions; 0: any number */
    const char *group;   /* takes no reads but those that are sent to it or its group; "": none */
    bool proxy_protocol; /* told the client's address by a PROXY header */
    enum conf_candidate candidate;
};

struct conf_monitor {
    bool present; /* whether the section stands in the file; else the rest is not to be used */
    const char *user;
    const char *password; /* "" where there is none; already read from password_file */
    const char *password_file;
    uint64_t interval_ns;
    uint64_t timeout_ns;
    uint32_t failures;
    uint64_t accounts_interval_ns;
};

enum conf_balance { BALANCE_BUSY, BALANCE_LATENCY };

struct conf_routing {
    uint64_t max_lag_ns;
    uint64_t resume_lag_ns; /* at most max_lag_ns */
    enum conf_balance balance;
    bool primary_reads;
    bool multi_writer;
    uint64_t slow_start_ns;
    bool wait_for_replica;
    uint64_t wait_timeout_ns;
};

struct conf {
    struct ref ref;
    const char *file;
    uint32_t workers; /* at least 1: 0 in the file became the number of cores */
    size_t listener_count;
    struct conf_listener *listeners;
    size_t server_count;
    struct conf_server *servers;
    struct conf_servers_tls servers_tls;
    struct conf_monitor monitor;
    struct conf_failover failover;
    struct conf_routing routing;
    size_t rule_count;
    struct conf_rule *rules;
    struct conf_limits limits;
    struct conf_pool pool;
    const char *accounts_file; /* "" where there is none */
    size_t account_count;
    struct conf_account *accounts; /* see accounts.h */
    const char *admin_socket;      /* "" where there is none */
    enum log_level log_level;
    enum log_format log_format;
    const char *log_file; /* "stderr" or a path */
    struct conf_mirror mirror;
    struct conf_doc *doc; /* owns all of the above; for conf/ alone */
};

/* One reference, or NULL with `e` set: ERR_USAGE "FILE:LINE:COLUMN: KEY: what; hint" where the file
 * is off, ERR_IO where it cannot be read. */
struct conf *conf_load(const char *path, struct err *e) MUST_CHECK;
/* The same from memory; relative password files are looked for beside `name`. */
struct conf *conf_parse(const char *name, const void *data, size_t n, struct err *e) MUST_CHECK;
struct conf *conf_ref(struct conf *c); /* returns c */
void conf_unref(struct conf *c);       /* NULL is fine */

const char *conf_consistency_name(enum conf_consistency c);

/* All keys as Markdown: docs/configuration.md is this, byte for byte. */
void conf_print_reference(FILE *out);

#endif
