/* The stage: real workers of the proxy in threads of their own, with servers and clients that the
 * test plays. There is one rig at a time; a test starts it first, RIG_TEST stops it.
 *
 * The topology has the primary and one replica, both up and fresh, unless the test changes
 * `view` and publishes. */
#ifndef COMPONENT_RIG_H
#define COMPONENT_RIG_H

#include "component/client.h"
#include "component/server.h"
#include "proxy/worker.h"

enum { PRIMARY, REPLICA, SECOND, RIG_SERVERS, RIG_WORKERS = 2 };

struct rig_options {
    int workers;            /* 0: one */
    int login_timeout_ms;   /* 0: 10 s */
    int connect_timeout_ms; /* 0: 3 s */
    int read_timeout_ms;    /* 0: the default, as are those that follow */
    int write_timeout_ms;
    int login_packets;
    int max_address_sessions;
    int max_user_sessions;
    int session_memory_kib;
    int wait_timeout_ms; /* of the servers; 0: not known */
    int interactive_timeout_ms;
    int max_prepared;   /* 0: the default */
    int buffer_kib;     /* 0: the default, 32 */
    bool holding;       /* pool.multiplexing: false */
    bool pipelining;    /* pool.pipelining: true */
    bool by_attributes; /* pool.by_attributes: true */
    int pool_wait_ms;   /* 0: the default */
    int pool_idle_ms;   /* 0: the default */
    int min_idle;       /* pool.min_idle; 0: none */
    int check_ms;       /* pool.check_after; 0: never */
    int max_age_ms;     /* pool.max_age; 0: the default */
    int diagnostics_ms; /* pool.diagnostics; 0: the default */
    int failover_ms;    /* failover is on, and this its wait; 0: it is off */
    bool exactly_once;
    bool no_waiting; /* routing.wait_for_replica: false */
    bool no_catalog; /* the monitor has not read one yet */
    bool tls_required;
    bool proxy_trusted;   /* 127.0.0.0/8 may send PROXY headers */
    bool unix_clients;    /* clients come by a unix socket */
    bool rsa;             /* there is an RSA key */
    const char *accounts; /* accounts_file's content; NULL: none */
    int max_login_errors; /* 0: the default, 100 */
    const char *address;  /* of clients; NULL: 127.0.0.1 */
    enum consistency consistency;
};

struct rig {
    struct rig_options options;
    struct shared shared;
    struct worker workers[RIG_WORKERS];
    struct topology *view; /* the test's own copy: change it, then rig_publish */
    struct server servers[RIG_SERVERS];
    struct tls_context *tls; /* what clients are offered; NULL: no TLS */
    int door; /* where clients connect; the test hands the accepted descriptor to a worker */
    struct catalog *catalog;              /* what a refresh answers; NULL: nothing */
    atomic_int refreshes;                 /* how often a worker asked for fresh accounts */
    atomic_int suspicions[RIG_SERVERS];   /* how often one was told to the monitor */
    atomic_int suspected_of[RIG_SERVERS]; /* bits of enum suspicion */
};

#define rig_start(...) rig_start_with(&(struct rig_options){__VA_ARGS__})
struct rig *rig_start_with(const struct rig_options *o);
/* cmocka's teardown. */
int rig_stop(void **state);
#define RIG_TEST(f) cmocka_unit_test_teardown(f, rig_stop)

/* Publish `view`, sampled now, and return when every worker has it. */
void rig_publish(struct rig *r);
/* In `view` a server takes the place of the primary. */
void rig_make_primary(struct rig *r, int server);
/* Set a server's position ("0-1-7") in `view`. */
void rig_position(struct rig *r, int server, const char *gtids);
/* All workers have run every message sent to them so far. */
void rig_barrier(struct rig *r);
/* Accounts, with the password "secret" where nothing else is said: till, other, super (SUPER),
 * guest (no password), locked, sealed (REQUIRE SSL), counted (limited), clever (gssapi), curve and
 * secretive (ed25519), modern (caching_sha2_password), local (unix_socket), two (ed25519, or native
 * with "two"); `more` as a further user, or NULL. */
struct catalog *rig_catalog(const char *more);
/* From now on a refresh answers that till's password is "changed", and curve's, by native. */
void rig_changes_passwords(struct rig *r);
/* Takes the reference; `answers`: how many of the workers' requests came before its reading. */
void rig_send_catalog(struct rig *r, struct catalog *c, int answers);
void rig_drain(struct rig *r, unsigned ms);
/* Heads of lines are slow from now on, as they are for users: until then no test can be too slow
 * for them. */
void rig_hurries_lines(struct rig *r);
/* Two riders of what is known by now can be expected to take as long as is enough for a line, as
 * they may for users: until then no test's can. */
void rig_has_long_riders(struct rig *r);
/* Wait until a counter stands at n. */
void rig_counts(struct rig *r, enum metric which, long long n);
/* Wait until the first worker's pool has n connections to the server. */
void rig_idle(struct rig *r, int server, int n);
/* Wait until sessions have n connections to the server, idle or not. */
void rig_connections(struct rig *r, int server, int n);
/* A till that is logged in, with its connection to the primary. */
struct scene {
    struct peer *till;
    struct peer *primary;
};
struct scene rig_scene(struct rig *r);
/* … one of the old protocol, without DEPRECATE_EOF. */
struct scene rig_old_scene(struct rig *r);
/* A further till, on that worker: has asked to log in, and has not looked at the answer. */
struct peer *rig_till(struct rig *r, int worker);

/* The till runs `sql` on the server, whose OK says what follows. */
#define RUNS(till, server, sql, ...)        \
    do {                                    \
        client_asks((till), (sql));         \
        server_hears_query((server), sql);  \
        server_says((server), __VA_ARGS__); \
        (void)client_hears_ok(till);        \
    } while (0)

#endif
