#include "conf/schema.h"

#include "base/clock.h"

#include <assert.h>
#include <string.h>

#define MS  CLOCK_NS_PER_MS
#define S   CLOCK_NS_PER_S
#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

#define IN(field)          offsetof(struct conf, field)
#define IN_LISTENER(field) offsetof(struct conf_listener, field)
#define IN_SERVER(field)   offsetof(struct conf_server, field)
#define IN_RULE(field)     offsetof(struct conf_rule, field)

static const char *const consistencies[] = {"session", "eventual", "primary", "global", NULL};
static const char *const rule_statements[] = {"any", "read", "write", NULL};
static const char *const rule_consistencies[] = {"default", "session", "eventual", "global", NULL};
static const char *const tls_versions[] = {"1.2", "1.3", NULL};
static const char *const tls_modes[] = {"off",       "prefer",          "require",
                                        "verify_ca", "verify_identity", NULL};
static const char *const candidates[] = {"normal", "prefer", "never", NULL};
static const char *const balances[] = {"busy", "latency", NULL};
static const char *const levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const formats[] = {"text", "json", NULL};

const struct schema_row conf_schema[] = {
    {"workers", SCHEMA_NUMBER, IN(workers), "0", 0, CONF_WORKERS_MAX, NULL,
     "Threads that carry client sessions. 0: one for each processor core."},

    {"listeners", SCHEMA_LIST, IN(listeners), "", 0, CONF_LISTENERS_MAX, NULL,
     "Where clients connect. The proxy runs where at least one stands here."},
    {"listeners[].address", SCHEMA_LISTEN, IN_LISTENER(address), NULL, 0, 0, NULL,
     "`127.0.0.1:3306`, `[::1]:3306`, `0.0.0.0:3306` for all interfaces, or the absolute path of a "
     "unix socket."},
    {"listeners[].consistency", SCHEMA_CHOICE, IN_LISTENER(consistency), "session", 0, 0,
     consistencies,
     "What reads may see. `session`: all that the session wrote or saw before, never going back in "
     "time. `eventual`: whatever a replica within `routing.max_lag` has. `primary`: every "
     "statement goes to the primary. `global`: all that any client had committed when the read "
     "began, through whatever proxy; each read asks the primary for its position first."},
    {"listeners[].max_sessions", SCHEMA_NUMBER, IN_LISTENER(max_sessions), "0", 0, 1000000, NULL,
     "Client connections at one time on this listener; more get error 1040. 0: only "
     "`limits.max_sessions` holds."},
    {"listeners[].exactly_once", SCHEMA_BOOL, IN_LISTENER(exactly_once), "false", 0, 0, NULL,
     "With `failover`: whether a write that was under way when the primary was lost took effect is "
     "asked on the next one, by a row that is written in the same transaction; see "
     "[failover.md](failover.md#exactly-once)."},
    {"listeners[].proxy_protocol", SCHEMA_NETWORKS, IN_LISTENER(proxy_protocol), "", 1, 100, NULL,
     "Networks (`[10.0.0.5, 10.1.0.0/16, localhost]`, the latter for unix sockets) whose "
     "connections may begin with a PROXY header, version 1 or 2: the address in it then counts for "
     "accounts and logs. A header from elsewhere is refused."},

    {"listeners[].tls", SCHEMA_MAP, IN_LISTENER(tls.present), "", 0, 0, NULL,
     "Offers TLS to clients. The files are read at the start and anew on SIGHUP; where one is "
     "broken "
     "then, the configuration in force stays."},
    {"listeners[].tls.certificate", SCHEMA_FILE, IN_LISTENER(tls.certificate), NULL, 1, 4095, NULL,
     "PEM: the certificate, then those of the authorities between it and the root."},
    {"listeners[].tls.key", SCHEMA_FILE, IN_LISTENER(tls.key), "", 1, 4095, NULL,
     "PEM: its private key, without a passphrase. Without this the key stands in `certificate`."},
    {"listeners[].tls.ca", SCHEMA_FILE, IN_LISTENER(tls.ca), "", 1, 4095, NULL,
     "PEM: the authorities of client certificates. Clients are asked for one, and may come without "
     "unless their account wants it; one that these did not issue ends the handshake."},
    {"listeners[].tls.required", SCHEMA_BOOL, IN_LISTENER(tls.required), "false", 0, 0, NULL,
     "Whether clients must use TLS (those of a unix socket need not)."},
    {"listeners[].tls.min_version", SCHEMA_CHOICE, IN_LISTENER(tls.min_version), "1.2", 0, 0,
     tls_versions, "The oldest version that is spoken."},

    {"servers", SCHEMA_LIST, IN(servers), "", 0, CONF_SERVERS_MAX, NULL,
     "The MariaDB servers: a primary and its replicas, in any order. Which one is the primary is "
     "found out, not configured."},
    {"servers[].name", SCHEMA_NAME, IN_SERVER(name), NULL, 1, 63, NULL,
     "What logs and the admin interface call it; unique."},
    {"servers[].address", SCHEMA_ADDRESS, IN_SERVER(address), NULL, 0, 0, NULL,
     "`host:port`, `[v6]:port`, or the absolute path of a unix socket."},
    {"servers[].weight", SCHEMA_NUMBER, IN_SERVER(weight), "1", 0, 1000, NULL,
     "Its share of the reads. 0: none (writes go to it where it is the primary)."},
    {"servers[].group", SCHEMA_NAME, IN_SERVER(group), "", 1, 63, NULL,
     "Keeps the server for reads that a rule or a comment sends to it or to this group, such as "
     "`reporting`; others do not go there. Several servers may be of one group."},
    {"servers[].max_connections", SCHEMA_NUMBER, IN_SERVER(max_connections), "0", 0, 100000, NULL,
     "So many connections to it are open for sessions at one time; sessions that need one more "
     "wait "
     "for it (`pool.wait`). What the monitor and the mirror open, and `KILL`, counts besides. "
     "0: no limit."},
    {"servers[].proxy_protocol", SCHEMA_BOOL, IN_SERVER(proxy_protocol), "false", 0, 0, NULL,
     "Whether it is told each client's address by a PROXY header (version 2); its "
     "`proxy_protocol_networks` must list this machine. Connections then serve one address only."},
    {"servers[].candidate", SCHEMA_CHOICE, IN_SERVER(candidate), "normal", 0, 0, candidates,
     "Whether it may become the primary (see `failover`). `prefer`: before others that have as "
     "much. `never`: it does not, and its acknowledgements do not count."},

    {"servers_tls", SCHEMA_MAP, SCHEMA_ALWAYS, "", 0, 0, NULL,
     "TLS towards the servers: for sessions, the monitor and the mirror."},
    {"servers_tls.mode", SCHEMA_CHOICE, IN(servers_tls.mode), "off", 0, 0, tls_modes,
     "`prefer`: where the server offers it. `require`: or else no connection. `verify_ca`: and an "
     "authority vouches for the certificate. `verify_identity`: and it names the host or address "
     "in `servers[].address`."},
    {"servers_tls.ca", SCHEMA_FILE, IN(servers_tls.ca), "", 1, 4095, NULL,
     "PEM: the authorities of the servers' certificates. Without it, the system's."},
    {"servers_tls.certificate", SCHEMA_FILE, IN(servers_tls.certificate), "", 1, 4095, NULL,
     "PEM: a certificate to show to the servers, for accounts with `REQUIRE X509`."},
    {"servers_tls.key", SCHEMA_FILE, IN(servers_tls.key), "", 1, 4095, NULL,
     "PEM: its private key. Without this it stands in `certificate`."},

    {"monitor", SCHEMA_MAP, IN(monitor.present), "", 0, 0, NULL,
     "Watches the servers: who is the primary, who is up, how far replicas are behind, which "
     "accounts there are. Needed by listeners. The account's rights are in "
     "[monitor.md](monitor.md)."},
    {"monitor.user", SCHEMA_TEXT, IN(monitor.user), NULL, 1, 128, NULL,
     "The account on every server."},
    {"monitor.password", SCHEMA_TEXT, IN(monitor.password), "", 0, 1024, NULL,
     "Its password. Either this or `password_file` must stand."},
    {"monitor.password_file", SCHEMA_FILE, IN(monitor.password_file), "", 1, 4095, NULL,
     "A file whose first line is the password; mode 0600 or stricter."},
    {"monitor.interval", SCHEMA_DURATION, IN(monitor.interval_ns), "50ms", 5 * MS, 60 * S, NULL,
     "How often each server is asked for its position. Shorter: reads find their way to replicas "
     "sooner after a write."},
    {"monitor.timeout", SCHEMA_DURATION, IN(monitor.timeout_ns), "1s", 50 * MS, 60 * S, NULL,
     "How long an answer may take."},
    {"monitor.failures", SCHEMA_NUMBER, IN(monitor.failures), "3", 1, 100, NULL,
     "So many probes in a row must time out before a server counts as down; of a replica one is "
     "enough. A refused connection counts at once."},
    {"monitor.accounts_interval", SCHEMA_DURATION, IN(monitor.accounts_interval_ns), "5s", 100 * MS,
     3600 * S, NULL,
     "How often accounts are read anew. A failed login has them read at once, too."},

    {"failover", SCHEMA_MAP, SCHEMA_ALWAYS, "", 0, 0, NULL,
     "What happens when the primary is lost, see [failover.md](failover.md). Needs the monitor, "
     "with more rights."},
    {"failover.enabled", SCHEMA_BOOL, IN(failover.enabled), "false", 0, 0, NULL,
     "Whether a replica is promoted when the primary is lost, and servers that come back are "
     "rejoined. From then on writes need a majority of the servers."},
    {"failover.wait", SCHEMA_DURATION, IN(failover.wait_ns), "10s", 0, 3600 * S, NULL,
     "How long a statement waits while there is no primary, before it gets an error. Used where "
     "failover is enabled."},
    {"failover.lease", SCHEMA_DURATION, IN(failover.lease_ns), "1500ms", 200 * MS, 60 * S, NULL,
     "How long writes go on without an answer from a majority of the servers or from the primary. "
     "So long a failover waits, once more, for a Tillway that it does not hear of. The same in "
     "every Tillway of a cluster."},
    {"failover.confirm", SCHEMA_DURATION, IN(failover.confirm_ns), "200ms", 0, 60 * S, NULL,
     "How long the primary must be missing before another one is promoted."},
    {"failover.drain", SCHEMA_DURATION, IN(failover.drain_ns), "60s", 1 * S, 3600 * S, NULL,
     "How long the elected replica may apply what it has received."},
    {"failover.quiesce", SCHEMA_DURATION, IN(failover.quiesce_ns), "2s", 200 * MS, 60 * S, NULL,
     "How long running transactions may go on at a switchover."},
    {"failover.semi_sync", SCHEMA_BOOL, IN(failover.semi_sync), "true", 0, 0, NULL,
     "Keep semi-synchronous replication on: a write is acknowledged only when a replica has it. "
     "Without it the last writes before a failover may be lost."},
    {"failover.domain", SCHEMA_NUMBER, IN(failover.domain), "7355", 1, UINT32_MAX, NULL,
     "The GTID domain of the transaction that each new primary begins with. Nothing else may use "
     "it."},
    {"failover.replay_budget", SCHEMA_SIZE, IN(failover.replay_budget), "1MiB", 0, 256 * MIB, NULL,
     "How many bytes of an open transaction's statements are kept for the next primary, for each "
     "session. A longer one is rolled back when its primary is lost: error 1213."},
    {"failover.user", SCHEMA_TEXT, IN(failover.user), "", 1, 128, NULL,
     "The account that replicas log in to the primary with. Without it, `monitor.user` and its "
     "password."},
    {"failover.password", SCHEMA_TEXT, IN(failover.password), "", 0, 1024, NULL,
     "Its password. Either this or `password_file` must stand where `user` does."},
    {"failover.password_file", SCHEMA_FILE, IN(failover.password_file), "", 1, 4095, NULL,
     "A file whose first line is the password; mode 0600 or stricter."},

    {"accounts_file", SCHEMA_FILE, IN(accounts_file), "", 1, 4095, NULL,
     "A YAML file of `user: 'password'` lines, mode 0600 or stricter, for users whose password the "
     "proxy cannot learn from their log-in: those of `ed25519` and `unix_socket` accounts, and "
     "clients that have only `caching_sha2_password`. Read again at SIGHUP. See "
     "[proxy.md](proxy.md#clients)."},

    {"routing", SCHEMA_MAP, SCHEMA_ALWAYS, "", 0, 0, NULL, "Where reads go."},
    {"routing.max_lag", SCHEMA_DURATION, IN(routing.max_lag_ns), "10s", 0, 86400 * S, NULL,
     "A replica further behind the primary than this gets no reads."},
    {"routing.resume_lag", SCHEMA_DURATION, IN(routing.resume_lag_ns), "10s", 0, 86400 * S, NULL,
     "It gets reads again when it is no further behind than this; lower than `max_lag`, one at the "
     "limit does not come and go. At most, and where the key does not stand, `max_lag`."},
    {"routing.balance", SCHEMA_CHOICE, IN(routing.balance), "busy", 0, 0, balances,
     "`busy`: a read goes to the replica with the fewest statements under way for its weight. "
     "`latency`: and one that answers more slowly than the fastest counts as busier by as often."},
    {"routing.primary_reads", SCHEMA_BOOL, IN(routing.primary_reads), "false", 0, 0, NULL,
     "Whether the primary takes reads as well, by its `weight` and how busy it is; else it gets "
     "those alone that no replica may answer."},
    {"routing.multi_writer", SCHEMA_BOOL, IN(routing.multi_writer), "false", 0, 0, NULL,
     "Galera: whether all nodes take writes, each those of some of the workers, instead of one."},
    {"routing.slow_start", SCHEMA_DURATION, IN(routing.slow_start_ns), "0", 0, 3600 * S, NULL,
     "How long the weight of a server that came back grows to its whole, so that cold caches are "
     "not flooded."},
    {"routing.wait_for_replica", SCHEMA_BOOL, IN(routing.wait_for_replica), "true", 0, 0, NULL,
     "Whether a read that needs a write not yet known to be on a replica may wait for it there, "
     "instead of going to the primary."},
    {"routing.wait_timeout", SCHEMA_DURATION, IN(routing.wait_timeout_ns), "20ms", 1 * MS, 10 * S,
     NULL, "How long such a read waits before it goes to the primary after all."},

    {"rules", SCHEMA_LIST, IN(rules), "", 0, CONF_RULES_MAX, NULL,
     "What is to be done with statements of some kind; the first rule whose conditions all hold "
     "counts, see [rules.md](rules.md). A condition that does not stand holds; of a list of values "
     "one must fit."},
    {"rules[].name", SCHEMA_NAME, IN_RULE(name), NULL, 1, 63, NULL,
     "What `explain`, `stats`, errors and logs call it; unique."},
    {"rules[].user", SCHEMA_TEXTS, IN_RULE(users), "", 1, 128, NULL, "The client's user."},
    {"rules[].schema", SCHEMA_TEXTS, IN_RULE(schemas), "", 1, 64, NULL,
     "The session's default schema."},
    {"rules[].network", SCHEMA_NETWORKS, IN_RULE(networks), "", 1, 100, NULL,
     "Where the client comes from: `[10.0.0.5, 10.1.0.0/16, localhost]`, the latter for unix "
     "sockets."},
    {"rules[].table", SCHEMA_TEXTS, IN_RULE(tables), "", 1, 129, NULL,
     "A table that the statement names: `orders`, or `shop.orders` (also where `shop` is the "
     "default schema)."},
    {"rules[].fingerprint", SCHEMA_TEXTS, IN_RULE(fingerprints), "", 1, 16, NULL,
     "Of the statement, as `tillway explain` prints it: 16 hexadecimal digits, in quotes."},
    {"rules[].pattern", SCHEMA_TEXT, IN_RULE(pattern), "", 1, 4095, NULL,
     "A regular expression (PCRE2, capitals as small letters) for the statement without its "
     "values, as `tillway explain` prints it: `'^select .* from orders where'`."},
    {"rules[].statement", SCHEMA_CHOICE, IN_RULE(statement), "any", 0, 0, rule_statements,
     "`read`: what is provably a read. `write`: what may change data."},
    {"rules[].target", SCHEMA_NAME, IN_RULE(target_text), "", 1, 63, NULL,
     "Where reads go: `primary`, `replica` (any), a server's name, or a group's. Never makes a "
     "statement go to a replica that is not provably a read."},
    {"rules[].consistency", SCHEMA_CHOICE, IN_RULE(consistency), "default", 0, 0,
     rule_consistencies, "What reads may see, instead of what the listener says. `default`: that."},
    {"rules[].timeout", SCHEMA_DURATION, IN_RULE(timeout_ns), "0", 1 * MS, 86400 * S, NULL,
     "The server ends the statement after this time (`max_statement_time`, error 1969)."},
    {"rules[].rewrite", SCHEMA_MAP, IN_RULE(rewrite.present), "", 0, 0, NULL,
     "Changes the statement's text."},
    {"rules[].rewrite.find", SCHEMA_TEXT, IN_RULE(rewrite.find), NULL, 1, 4095, NULL,
     "A regular expression (PCRE2, capitals as small letters) for the text as the client wrote it; "
     "every place that fits is replaced."},
    {"rules[].rewrite.with", SCHEMA_TEXT, IN_RULE(rewrite.with), NULL, 0, 4095, NULL,
     "What is put there; `$1`, `${name}` are groups of the expression, `$$` is a dollar."},
    {"rules[].deny", SCHEMA_TEXT, IN_RULE(deny), "", 1, 400, NULL,
     "The statement is not run: error 1227, SQLSTATE 42000, \"Access denied; \" and this text."},

    {"limits", SCHEMA_MAP, SCHEMA_ALWAYS, "", 0, 0, NULL,
     "What a client, or all of them, may use."},
    {"limits.login_timeout", SCHEMA_DURATION, IN(limits.login_timeout_ns), "10s", 100 * MS,
     3600 * S, NULL, "How long a client may take to log in."},
    {"limits.login_packets", SCHEMA_NUMBER, IN(limits.login_packets), "16", 2, 255, NULL,
     "Packets that a client may send until it is logged in; each at most 16 KiB, as in MariaDB."},
    {"limits.read_timeout", SCHEMA_DURATION, IN(limits.read_timeout_ns), "60s", 0, 3600 * S, NULL,
     "How long the rest of a command may take, from its first byte on, until the buffer has it or "
     "is full of it. Over it: error 1159. 0: for ever."},
    {"limits.write_timeout", SCHEMA_DURATION, IN(limits.write_timeout_ns), "60s", 0, 3600 * S, NULL,
     "How long a client may take nothing of its reply before it is cut. 0: for ever."},
    {"limits.max_login_errors", SCHEMA_NUMBER, IN(limits.max_login_errors), "100", 0, 1000000000,
     NULL,
     "So many failed log-ins in a row from one address (of IPv6: one /64 network), and it is "
     "blocked: error 1129. A log-in that succeeds begins the count anew; unix sockets, 127.0.0.1 "
     "and ::1 are never blocked. 0: no limit."},
    {"limits.login_block", SCHEMA_DURATION, IN(limits.login_block_ns), "60s", 1 * S, 86400 * S,
     NULL, "How long after its last failed log-in an address is blocked, and the count kept."},
    {"limits.connect_timeout", SCHEMA_DURATION, IN(limits.connect_timeout_ns), "3s", 50 * MS,
     300 * S, NULL, "How long connecting and logging in to a server may take."},
    {"limits.drain_timeout", SCHEMA_DURATION, IN(limits.drain_timeout_ns), "10s", 0, 3600 * S, NULL,
     "How long sessions may finish their work after SIGTERM before they are cut."},
    {"limits.max_sessions", SCHEMA_NUMBER, IN(limits.max_sessions), "10000", 1, 1000000, NULL,
     "Client connections at one time; more get error 1040, \"Too many connections\"."},
    {"limits.max_address_sessions", SCHEMA_NUMBER, IN(limits.max_address_sessions), "0", 0, 1000000,
     NULL,
     "The same for one client address, that of a PROXY header where one comes; error 1040. Unix "
     "sockets are one address. 0: no limit."},
    {"limits.max_user_sessions", SCHEMA_NUMBER, IN(limits.max_user_sessions), "0", 0, 1000000, NULL,
     "The same for one user name; error 1203. An account's own `MAX_USER_CONNECTIONS` holds "
     "besides. 0: no limit."},
    {"limits.max_prepared", SCHEMA_NUMBER, IN(limits.max_prepared), "16382", 1, 1048576, NULL,
     "Prepared statements that one session may hold; more get error 1461."},
    {"limits.session_memory", SCHEMA_SIZE, IN(limits.session_memory), "64MiB", 64 * KIB, 1024 * MIB,
     NULL,
     "Memory that one session's prepared statements may take in the proxy; error 1461, too. All "
     "else that a session keeps is bounded by `buffer`."},
    {"limits.buffer", SCHEMA_SIZE, IN(limits.buffer), "32KiB", 4 * KIB, 16 * MIB, NULL,
     "Memory for each direction of a session, lent while bytes are in it; a row of any size "
     "streams "
     "through it. What a client sends ahead (a pipeline) waits there and, beyond, with the "
     "client."},

    {"pool", SCHEMA_MAP, SCHEMA_ALWAYS, "", 0, 0, NULL,
     "The connections to the servers, see [proxy.md](proxy.md#connections-to-the-servers)."},
    {"pool.multiplexing", SCHEMA_BOOL, IN(pool.multiplexing), "true", 0, 0, NULL,
     "Whether a session gives its server connections back after each statement that leaves nothing "
     "behind on them. Else it keeps them until it ends."},
    {"pool.by_attributes", SCHEMA_BOOL, IN(pool.by_attributes), "false", 0, 0, NULL,
     "Whether only clients of the same address and with equal connection attributes (`_pid` and "
     "`program_name` among them) share connections, so that "
     "`performance_schema.session_connect_attrs` is right for each of them."},
    {"pool.pipelining", SCHEMA_BOOL, IN(pool.pipelining), "true", 0, 0, NULL,
     "Whether short reads of several sessions share a connection: they go out in one write, and "
     "their replies are told apart. Needs `multiplexing`."},
    {"pool.idle", SCHEMA_DURATION, IN(pool.idle_ns), "60s", 0, 86400 * S, NULL,
     "How long an unused server connection is kept. 0: closed at once."},
    {"pool.min_idle", SCHEMA_NUMBER, IN(pool.min_idle), "0", 0, 128, NULL,
     "So many idle connections to each server are kept ready beyond `idle`, and opened ahead, for "
     "each account that logged in lately (the last 16 of a worker); the workers share them."},
    {"pool.wait", SCHEMA_DURATION, IN(pool.wait_ns), "10s", 1 * MS, 3600 * S, NULL,
     "How long a session waits for a connection where a server has as many as it may, before it "
     "gets error 1040."},
    {"pool.check_after", SCHEMA_DURATION, IN(pool.check_after_ns), "10s", 0, 86400 * S, NULL,
     "A connection that idled for longer than this is asked (`COM_PING`) whether it still works "
     "before it serves a session. 0: never."},
    {"pool.max_age", SCHEMA_DURATION, IN(pool.max_age_ns), "1h", 0, 30 * (86400 * S), NULL,
     "A connection older than this is closed as soon as it is idle. 0: never."},
    {"pool.diagnostics", SCHEMA_DURATION, IN(pool.diagnostics_ns), "200ms", 0, 60 * S, NULL,
     "How long a connection on which a statement left warnings or an error is kept for its "
     "session, which may ask for them, at least: it serves another one only if no other can be "
     "had, or very many are kept."},
    {"pool.prepared", SCHEMA_SIZE, IN(pool.prepared), "1MiB", 64 * KIB, 1024 * MIB, NULL,
     "Memory for prepared statements on a server, a connection: beyond it those that were not "
     "used for the longest time are closed there. They are prepared again when needed."},

    {"admin", SCHEMA_MAP, SCHEMA_ALWAYS, "", 0, 0, NULL, "The admin interface."},
    {"admin.socket", SCHEMA_PATH, IN(admin_socket), "", 1, 107, NULL,
     "Absolute path of its unix socket, whose folder is made where it is missing. Without it there "
     "is none."},

    {"log", SCHEMA_MAP, SCHEMA_ALWAYS, "", 0, 0, NULL, "One line an event."},
    {"log.level", SCHEMA_CHOICE, IN(log_level), "info", 0, 0, levels, "The least that is written."},
    {"log.format", SCHEMA_CHOICE, IN(log_format), "text", 0, 0, formats,
     "`text` for people, `json` for programs."},
    {"log.file", SCHEMA_TEXT, IN(log_file), "stderr", 1, 4095, NULL,
     "`stderr`, or a file to append to; SIGHUP opens it anew."},

    {"mirror", SCHEMA_MAP, IN(mirror.present), "", 0, 0, NULL,
     "Keeps MongoDB collections equal to the committed rows. Runs where the section stands."},
    {"mirror.uri", SCHEMA_TEXT, IN(mirror.uri), "", 1, 4095, NULL,
     "MongoDB's connection string, `mongodb://…`; it must be a replica set. Either this or "
     "`uri_file` must stand."},
    {"mirror.uri_file", SCHEMA_FILE, IN(mirror.uri_file), "", 1, 4095, NULL,
     "A file whose first line is the connection string (it may hold a password); mode 0600 or "
     "stricter."},
    {"mirror.database", SCHEMA_NAME, IN(mirror.database), NULL, 1, 63, NULL,
     "The MongoDB database the collections are in."},
    {"mirror.state_collection", SCHEMA_NAME, IN(mirror.state_collection), "tillway_mirror", 1, 63,
     NULL, "Where the mirror keeps its checkpoint, in the same database."},
    {"mirror.batch_changes", SCHEMA_NUMBER, IN(mirror.batch_changes), "1000", 1, 100000, NULL,
     "At most about so many row changes are applied to MongoDB at once; transactions are never "
     "split."},
    {"mirror.batch_delay", SCHEMA_DURATION, IN(mirror.batch_delay_ns), "20ms", 0, 60 * S, NULL,
     "How long a batch that is not full waits for more."},
    {"mirror.readers", SCHEMA_NUMBER, IN(mirror.readers), "2", 1, 16, NULL,
     "How many connections to the source read at once where much is to be read, all of them at the "
     "same snapshot."},
    {"mirror.writers", SCHEMA_NUMBER, IN(mirror.writers), "2", 1, 16, NULL,
     "How many connections write to MongoDB at once where much is to be written. Each takes up to "
     "16 MiB of memory."},
    {"mirror.page_cache", SCHEMA_SIZE, IN(mirror.page_cache), "96MiB", 0, 65536 * MIB, NULL,
     "Of documents with a paged array the elements last written are kept in this much memory, in "
     "equal shares of all aggregates with pages; of those that are there a change reads only what "
     "has changed."},
    {"mirror.atomic", SCHEMA_BOOL, IN(mirror.atomic), "false", 0, 0, NULL,
     "Write the documents of a batch and the checkpoint in one transaction of MongoDB: nobody sees "
     "a "
     "document that is newer than the checkpoint. See docs/mirror.md for what is too large for "
     "it."},
    {"mirror.validate", SCHEMA_BOOL, IN(mirror.validate), "false", 0, 0, NULL,
     "Give each collection a validator, a JSON schema made of the mapping and the tables, so that "
     "MongoDB refuses what others write into it in another form."},
    {"mirror.source", SCHEMA_MAP, SCHEMA_ALWAYS, "", 0, 0, NULL, "Where the changes are read."},
    {"mirror.source.server", SCHEMA_NAME, IN(mirror.source.server_name), "", 1, 63, NULL,
     "A server's name. Without it the mirror chooses, a replica if it can."},
    {"mirror.source.user", SCHEMA_TEXT, IN(mirror.source.user), "", 1, 128, NULL,
     "The account. Without it, `monitor.user` and its password."},
    {"mirror.source.password", SCHEMA_TEXT, IN(mirror.source.password), "", 0, 1024, NULL,
     "Its password. Either this or `password_file` must stand where `user` does."},
    {"mirror.source.password_file", SCHEMA_FILE, IN(mirror.source.password_file), "", 1, 4095, NULL,
     "A file whose first line is the password; mode 0600 or stricter."},
    {"mirror.source.server_id", SCHEMA_NUMBER, IN(mirror.source.server_id), "4242", 1, UINT32_MAX,
     NULL, "The mirror's own server id; no server or other mirror may have the same."},
    {"mirror.aggregates", SCHEMA_TREE, IN(mirror.aggregates), NULL, 1, 1000, NULL,
     "What becomes a document: a list of aggregates, see [mirror.md](mirror.md)."},
};

const size_t conf_schema_count = ARRAY_LEN(conf_schema);

const char *conf_schema_child(const char *parent, const char *path)
{
    size_t n = strlen(parent);
    const char *rest = path;

    if (n > 0) {
        if (strncmp(path, parent, n) != 0 || path[n] != '.')
            return NULL;
        rest = path + n + 1;
    }
    return strchr(rest, '.') ? NULL : rest;
}

void conf_schema_keys(const char *parent, const char *out[SCHEMA_KEYS_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < conf_schema_count; i++) {
        const char *key = conf_schema_child(parent, conf_schema[i].path);

        if (!key)
            continue;
        assert(n < SCHEMA_KEYS_MAX - 1);
        out[n++] = key;
    }
    out[n] = NULL;
}

const char *conf_schema_section_of(const char *key)
{
    const char *found = NULL;

    for (size_t i = 0; i < conf_schema_count; i++) {
        const char *dot = strrchr(conf_schema[i].path, '.');

        if (!dot || strcmp(dot + 1, key) != 0)
            continue;
        if (found)
            return NULL;
        found = conf_schema[i].path;
    }
    return found;
}
