#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MS 1000000ULL
#define S  (1000 * MS)

static struct conf *load(const char *text)
{
    struct err e = {ERR_NONE, 0, ""};
    struct conf *c = conf_parse("t.yaml", text, strlen(text), &e);

    if (!c)
        print_error("%s\n", e.text);
    assert_non_null(c);
    return c;
}

static const char *const full =
    "workers: 3\n"
    "listeners:\n"
    "  - {address: '127.0.0.1:4000', consistency: primary}\n"
    "  - address: \"[::1]:4000\"\n"
    "  - {address: /tmp/x.sock, consistency: eventual}\n"
    "servers:\n"
    "  - {name: db1, address: 'db1.example:3306', weight: 0}\n"
    "  - {name: db2, address: /tmp/db2.sock, weight: 1000}\n"
    "monitor: {user: m, password: '', interval: 20ms, timeout: 300ms, failures: 5, "
    "accounts_interval: 1m}\n"
    "routing: {max_lag: 5m, wait_for_replica: false, wait_timeout: 1s, balance: latency,\n"
    "  slow_start: 30s, primary_reads: true,\n"
    "  multi_writer: true}\n"
    "limits: {login_timeout: 1s, connect_timeout: 2s, drain_timeout: 0, max_sessions: 7,\n"
    "         max_prepared: 8, buffer: 64k}\n"
    "pool: {multiplexing: false, pipelining: false, idle: 5s, diagnostics: 1s, prepared: 2MiB, "
    "min_idle: 7}\n"
    "admin: {socket: /tmp/a.sock}\n"
    "log: {level: debug, format: json, file: /tmp/t.log}\n"
    "mirror:\n"
    "  uri: mongodb://h/\n"
    "  database: shop\n"
    "  state_collection: s\n"
    "  batch_changes: 10\n"
    "  batch_delay: 0\n"
    "  source: {server: db2, user: u, password: p, server_id: 4294967295}\n"
    "  aggregates: [{name: a}]\n";

static void test_everything_set(void **state)
{
    struct conf *c = load(full);

    (void)state;
    assert_int_equal(c->workers, 3);
    assert_int_equal(c->listener_count, 3);
    assert_string_equal(c->listeners[0].address.host, "127.0.0.1");
    assert_int_equal(c->listeners[0].address.port, 4000);
    assert_int_equal(c->listeners[0].consistency, CONF_PRIMARY);
    assert_string_equal(c->listeners[1].address.host, "::1");
    assert_string_equal(c->listeners[1].address.text, "[::1]:4000");
    assert_int_equal(c->listeners[1].consistency, CONF_SESSION);
    assert_string_equal(c->listeners[2].address.host, "/tmp/x.sock");
    assert_int_equal(c->listeners[2].address.port, 0);
    assert_int_equal(c->listeners[2].consistency, CONF_EVENTUAL);
    assert_int_equal(c->server_count, 2);
    assert_string_equal(c->servers[0].name, "db1");
    assert_string_equal(c->servers[0].address.host, "db1.example");
    assert_int_equal(c->servers[0].weight, 0);
    assert_int_equal(c->servers[1].weight, 1000);
    assert_true(c->monitor.present);
    assert_string_equal(c->monitor.user, "m");
    assert_string_equal(c->monitor.password, "");
    assert_int_equal(c->monitor.interval_ns, 20 * MS);
    assert_int_equal(c->monitor.timeout_ns, 300 * MS);
    assert_int_equal(c->monitor.failures, 5);
    assert_int_equal(c->monitor.accounts_interval_ns, 60 * S);
    conf_unref(c);
}

static void test_everything_set_sections(void **state)
{
    struct conf *c = load(full);

    (void)state;
    assert_int_equal(c->routing.max_lag_ns, 300 * S);
    assert_int_equal(c->routing.resume_lag_ns, 300 * S);
    assert_int_equal(c->routing.balance, BALANCE_LATENCY);
    assert_int_equal(c->routing.slow_start_ns, 30 * S);
    assert_true(c->routing.primary_reads);
    assert_true(c->routing.multi_writer);
    assert_false(c->routing.wait_for_replica);
    assert_int_equal(c->routing.wait_timeout_ns, S);
    assert_int_equal(c->limits.login_timeout_ns, S);
    assert_int_equal(c->limits.connect_timeout_ns, 2 * S);
    assert_int_equal(c->limits.drain_timeout_ns, 0);
    assert_int_equal(c->limits.max_sessions, 7);
    assert_int_equal(c->limits.max_prepared, 8);
    assert_int_equal(c->limits.buffer, 65536);
    assert_false(c->pool.multiplexing);
    assert_false(c->pool.pipelining);
    assert_int_equal(c->pool.idle_ns, 5 * S);
    assert_int_equal(c->pool.diagnostics_ns, 1 * S);
    assert_int_equal(c->pool.min_idle, 7);
    assert_int_equal(c->pool.prepared, 2 << 20);
    assert_string_equal(c->admin_socket, "/tmp/a.sock");
    assert_int_equal(c->log_level, LOG_DEBUG);
    assert_int_equal(c->log_format, LOG_JSON);
    assert_string_equal(c->log_file, "/tmp/t.log");
    assert_true(c->mirror.present);
    assert_string_equal(c->mirror.uri, "mongodb://h/");
    assert_string_equal(c->mirror.database, "shop");
    assert_string_equal(c->mirror.state_collection, "s");
    assert_int_equal(c->mirror.batch_changes, 10);
    assert_int_equal(c->mirror.batch_delay_ns, 0);
    assert_int_equal(c->mirror.source.server, 1);
    assert_string_equal(c->mirror.source.user, "u");
    assert_string_equal(c->mirror.source.password, "p");
    assert_int_equal(c->mirror.source.server_id, 4294967295);
    assert_int_equal(c->mirror.aggregates->count, 1);
    assert_string_equal(conf_node_get(conf_node_first(c->mirror.aggregates), "name")->text, "a");
    conf_unref(c);
}

static void test_defaults(void **state)
{
    struct conf *c = load("listeners: [{address: '0.0.0.0:3306'}]\n"
                          "servers: [{name: a, address: 'h:1'}]\n"
                          "monitor: {user: m, password: p}\n");

    (void)state;
    assert_int_equal(c->workers, sysconf(_SC_NPROCESSORS_ONLN));
    assert_int_equal(c->listeners[0].consistency, CONF_SESSION);
    assert_int_equal(c->servers[0].weight, 1);
    assert_int_equal(c->monitor.interval_ns, 50 * MS);
    assert_int_equal(c->monitor.timeout_ns, S);
    assert_int_equal(c->monitor.failures, 3);
    assert_int_equal(c->monitor.accounts_interval_ns, 5 * S);
    assert_int_equal(c->routing.max_lag_ns, 10 * S);
    assert_int_equal(c->routing.resume_lag_ns, 10 * S);
    assert_int_equal(c->routing.balance, BALANCE_BUSY);
    assert_int_equal(c->routing.slow_start_ns, 0);
    assert_false(c->routing.primary_reads);
    assert_false(c->routing.multi_writer);
    assert_true(c->routing.wait_for_replica);
    assert_int_equal(c->routing.wait_timeout_ns, 20 * MS);
    assert_int_equal(c->limits.login_timeout_ns, 10 * S);
    assert_int_equal(c->limits.connect_timeout_ns, 3 * S);
    assert_int_equal(c->limits.drain_timeout_ns, 10 * S);
    assert_int_equal(c->limits.max_sessions, 10000);
    assert_int_equal(c->limits.max_prepared, 16382);
    assert_int_equal(c->limits.buffer, 32768);
    assert_true(c->pool.multiplexing);
    assert_true(c->pool.pipelining);
    assert_int_equal(c->pool.idle_ns, 60 * S);
    assert_string_equal(c->admin_socket, "");
    assert_int_equal(c->log_level, LOG_INFO);
    assert_int_equal(c->log_format, LOG_TEXT);
    assert_string_equal(c->log_file, "stderr");
    assert_false(c->mirror.present);
    assert_null(c->mirror.aggregates);
    conf_unref(c);
}

static void test_mirror_uses_the_monitors_account(void **state)
{
    struct conf *c = load("servers: [{name: a, address: 'h:1'}]\n"
                          "monitor: {user: m, password: mp}\n"
                          "mirror: {uri: 'mongodb://h', database: d, aggregates: [{a: 1}]}\n");

    (void)state;
    assert_int_equal(c->mirror.source.server, -1);
    assert_string_equal(c->mirror.source.user, "m");
    assert_string_equal(c->mirror.source.password, "mp");
    assert_int_equal(c->mirror.source.server_id, 4242);
    assert_string_equal(c->mirror.state_collection, "tillway_mirror");
    assert_int_equal(c->mirror.batch_changes, 1000);
    conf_unref(c);
}

static void test_mirror_alone(void **state)
{
    struct conf *c = load("servers: [{name: a, address: 'h:1'}]\n"
                          "mirror: {uri: 'mongodb://h', database: d, aggregates: [{a: 1}],\n"
                          "         source: {user: u, password: p}}\n");

    (void)state;
    assert_false(c->monitor.present);
    assert_int_equal(c->listener_count, 0);
    assert_string_equal(c->mirror.source.user, "u");
    conf_unref(c);
}

static void test_references(void **state)
{
    struct conf *c = load(full);

    (void)state;
    assert_ptr_equal(conf_ref(c), c);
    conf_unref(c);
    assert_string_equal(c->servers[0].name, "db1");
    conf_unref(c);
    conf_unref(NULL);
}

static void test_consistency_names(void **state)
{
    (void)state;
    assert_string_equal(conf_consistency_name(CONF_SESSION), "session");
    assert_string_equal(conf_consistency_name(CONF_EVENTUAL), "eventual");
    assert_string_equal(conf_consistency_name(CONF_PRIMARY), "primary");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_set),
        cmocka_unit_test(test_everything_set_sections),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_mirror_uses_the_monitors_account),
        cmocka_unit_test(test_mirror_alone),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_consistency_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
