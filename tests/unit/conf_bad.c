/* A table of configurations that are off, each with the exact words it is refused with. */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define L      "listeners: [{address: '127.0.0.1:4000'}]\n"
#define V      "servers: [{name: a, address: 'h:1'}]\n"
#define M      "monitor: {user: m, password: p}\n"
#define LVM    L V M
#define MIRROR "mirror:\n  uri: mongodb://h\n  database: d\n  aggregates: [{a: 1}]\n"

static const struct {
    const char *text, *error;
} cases[] = {
    /* shapes and keys */
    {"- a\n", "1:1: must be a section (key: value lines), not a list"},
    {"hello\n", "1:1: must be a section (key: value lines), not a text"},
    {"listner: []\n", "1:1: listner: unknown key; did you mean listeners?"},
    {LVM "frobnicate: 1\n", "4:1: frobnicate: unknown key"},
    {LVM "max_lag: 1s\n", "4:1: max_lag: unknown key here; did you mean routing.max_lag?"},
    {LVM "password: 1\n", "4:1: password: unknown key"},
    {LVM "log: {levle: info}\n", "4:7: log.levle: unknown key; did you mean level?"},
    {LVM "log: stderr\n", "4:6: log: must be a section (key: value lines), not a text"},
    {LVM "log:\n", "4:5: log: must be a section (key: value lines), not empty"},
    {"listeners: {address: 'h:1'}\n",
     "1:12: listeners: must be a list (lines that begin with \"- \")"},
    {"listeners: [127.0.0.1:1]\n",
     "1:13: listeners[0]: must be a section (key: value lines), not a text"},
    {"servers: [{nmae: a}]\n", "1:12: servers[0].nmae: unknown key; did you mean name?"},
    {"servers: [{name: a}]\n", "1:11: servers[0]: address is missing"},
    {L V "monitor: {password: p}\n", "3:1: monitor: user is missing"},
    {V M "mirror: {uri: 'mongodb://h', aggregates: [1]}\n", "3:1: mirror: database is missing"},
    {V M "mirror: {uri: 'mongodb://h', database: d}\n", "3:1: mirror: aggregates is missing"},
    {V M "mirror: {uri: 'mongodb://h', database: d, aggregates: []}\n",
     "3:55: mirror.aggregates: must not be empty"},
    {V M "mirror: {uri: 'mongodb://h', database: d, aggregates: x}\n",
     "3:55: mirror.aggregates: must be a list (lines that begin with \"- \")"},
    /* types */
    {LVM "workers: many\n", "4:10: workers: must be a whole number, not \"many\""},
    {LVM "workers: -1\n", "4:10: workers: must be a whole number, not \"-1\""},
    {LVM "workers: '2'\n", "4:10: workers: must be a number without quotes, not \"2\""},
    {LVM "workers: [2]\n", "4:10: workers: must be one value, not a list"},
    {LVM "workers:\n", "4:9: workers: has no value"},
    {LVM "routing: {max_lag: 10}\n",
     "4:20: routing.max_lag: must be a duration such as 50ms, 2s, 5m or 1h, not \"10\""},
    {LVM "routing: {wait_for_replica: yes}\n",
     "4:29: routing.wait_for_replica: must be true or false"},
    {LVM "routing: {wait_for_replica: 'true'}\n",
     "4:29: routing.wait_for_replica: must be true or false"},
    {LVM "limits: {buffer: 32KB}\n",
     "4:18: limits.buffer: must be a size such as 4096, 64KiB or 16MiB, not \"32KB\""},
    {LVM "log: {level: inof}\n", "4:14: log.level: unknown value \"inof\"; did you mean info?"},
    {LVM "log: {format: xml}\n", "4:15: log.format: unknown value \"xml\"; one of text, json"},
    {"listeners: [{address: '127.0.0.1:4000', consistency: strict}]\n",
     "1:54: listeners[0].consistency: unknown value \"strict\"; one of session, eventual, primary, "
     "global"},
    /* ranges */
    {LVM "workers: 257\n", "4:10: workers: must be from 0 to 256"},
    {LVM "workers: 99999999999999999999\n",
     "4:10: workers: must be a whole number, not \"99999999999999999999\""},
    {L "servers: [{name: a, address: 'h:1', weight: 1001}]\n" M,
     "2:45: servers[0].weight: must be from 0 to 1000"},
    {L V "monitor: {user: m, password: p, interval: 1ms}\n",
     "3:43: monitor.interval: must be from 5ms to 1m"},
    {LVM "limits: {buffer: 1k}\n", "4:18: limits.buffer: must be from 4KiB to 16MiB"},
    {L V "monitor: {user: '', password: p}\n", "3:17: monitor.user: must not be empty"},
    {"servers: [{name: 'a b', address: 'h:1'}]\n",
     "1:18: servers[0].name: may have letters, digits, \"_\", \"-\" and \".\" only"},
    {"servers: [{name: a123456789012345678901234567890123456789012345678901234567890123}]\n",
     "1:18: servers[0].name: is longer than 63 bytes"},
    {LVM "admin: {socket: a.sock}\n", "4:17: admin.socket: must be an absolute path"},
    /* addresses */
    {"servers: [{name: a, address: h}]\n", "1:30: servers[0].address: \"h\" has no port; write "
                                           "host:port, [v6]:port or an absolute path"},
    {"servers: [{name: a, address: 'h:33x6'}]\n",
     "1:30: servers[0].address: \"h:33x6\" has no valid port, a number from 1 to 65535"},
    {"servers: [{name: a, address: '::1:3306'}]\n",
     "1:30: servers[0].address: \"::1:3306\" is IPv6 without brackets; write [address]:port"},
    {"listeners: [{address: 'localhost:3306'}]\n", "1:23: listeners[0].address: \"localhost:3306\" "
                                                   "is a name; listen on a numeric address such as "
                                                   "127.0.0.1:3306 or 0.0.0.0:3306"},
    /* doubles */
    {"workers: 1\nworkers: 2\n",
     "2:1: workers: the key stands twice (first in line 1); remove one"},
    {L "servers:\n  - {name: a, address: 'h:1'}\n  - {name: a, address: 'h:2'}\n" M,
     "4:12: servers[1].name: two servers are called a"},
    {L "servers:\n  - {name: a, address: 'h:1'}\n  - {name: b, address: 'h:1'}\n" M,
     "4:24: servers[1].address: a has the same address"},
    {"listeners:\n  - address: 127.0.0.1:1\n  - address: 127.0.0.1:1\n" V M,
     "3:14: listeners[1].address: listeners[0] has the same address"},
    /* contradictions */
    {V, "1:1: nothing to do: there are no listeners, no monitor and no mirror"},
    {M, "1:1: servers is missing: list at least one MariaDB server"},
    {L V "log: {level: info}\n", "1:1: listeners: listeners need the monitor section: it finds the "
                                 "primary and reads the accounts"},
    {"listeners: [{address: '127.0.0.1:1'}]\nservers: [{name: a, address: '127.0.0.1:1'}]\n" M,
     "1:23: listeners[0].address: is the address of server a; listen on another port or address"},
    {V "monitor: {user: m}\n", "2:1: monitor: password or password_file is missing"},
    {V "monitor: {user: m, password: p, password_file: f}\n",
     "2:33: monitor.password_file: password stands there, too; keep one of the two"},
    {V MIRROR, "2:1: mirror: source.user is missing (and there is no monitor section whose account "
               "it could use)"},
    {V M MIRROR "  uri_file: f\n",
     "7:3: mirror.uri_file: uri stands there, too; keep one of the two"},
    {V M "mirror: {database: d, aggregates: [1]}\n", "3:1: mirror: uri or uri_file is missing"},
    {V M "mirror: {uri: h, database: d, aggregates: [1]}\n",
     "3:1: mirror: the uri must begin with mongodb://"},
    {"servers: [{name: db1, address: 'h:1'}]\n" M MIRROR "  source: {server: bd1}\n",
     "7:20: mirror.source.server: no server is called bd1; did you mean db1?"},
    {V M MIRROR "  source: {server: zzz}\n", "7:20: mirror.source.server: no server is called zzz"},
    {V M MIRROR "  source: {password: p}\n", "7:12: mirror.source.password: needs user beside it"},
    {V M MIRROR "  source: {user: u}\n",
     "7:3: mirror.source: password or password_file is missing"},
    {LVM "routing: {max_lag: 1s, resume_lag: 2s}\n",
     "4:36: routing.resume_lag: is more than max_lag"},
    /* rules */
    {LVM "rules: [{user: x}]\n", "4:9: rules[0]: name is missing"},
    {LVM "rules: [{name: r, usr: x}]\n", "4:19: rules[0].usr: unknown key; did you mean user?"},
    {LVM "rules: [{name: r, user: []}]\n", "4:25: rules[0].user: must not be empty"},
    {LVM "rules: [{name: r, user: [a, '']}]\n", "4:29: rules[0].user[1]: must not be empty"},
    {LVM "rules: [{name: r, user: [a, {b: c}]}]\n",
     "4:29: rules[0].user[1]: must be a text, not a map"},
    {LVM "rules: [{name: r, network: [10.0.0.0/8x]}]\n",
     "4:29: rules[0].network[0]: \"10.0.0.0/8x\" has no valid number of bits behind its slash"},
    {LVM "rules: [{name: r, fingerprint: 61a0463a1c92eb5}]\n",
     "4:32: rules[0].fingerprint: 61a0463a1c92eb5 is not 16 hexadecimal digits"},
    {LVM "rules: [{name: r, fingerprint: 61a0463a1c92eb5g}]\n",
     "4:32: rules[0].fingerprint: 61a0463a1c92eb5g is not 16 hexadecimal digits"},
    {LVM "rules: [{name: r, statement: reed}]\n",
     "4:30: rules[0].statement: unknown value \"reed\"; did you mean read?"},
    {LVM "rules: [{name: r, user: a}, {name: r, user: b}]\n",
     "4:36: rules[1].name: two rules are called r"},
    {LVM "rules: [{name: r, timeout: 1s}, {name: s, user: b}]\n",
     "4:9: rules[0]: has no condition, so that the rules behind it are never reached; put it last"},
    {LVM "rules: [{name: r, user: a, deny: x, timeout: 1s}]\n",
     "4:37: rules[0].timeout: has no meaning beside deny; keep one of the two"},
    {LVM "rules: [{name: r, user: a, target: primary, consistency: global}]\n",
     "4:45: rules[0].consistency: has no meaning where the target is the primary"},
    {LVM "rules: [{name: r, statement: write, target: replica}]\n",
     "4:37: rules[0].target: replica cannot be for writes: they go to the primary"},
    {LVM "rules: [{name: r, user: a, target: primry}]\n",
     "4:36: rules[0].target: no server or group is called primry; did you mean primary?"},
    {LVM "rules: [{name: r, user: a, rewrite: {find: x}}]\n",
     "4:28: rules[0].rewrite: with is missing"},
    {"servers: [{name: a, address: 'h:1', group: replica}]\n" L M,
     "1:44: servers[0].group: replica already means something else as a rule's target"},
    {"servers: [{name: a, address: 'h:1'}, {name: b, address: 'h:2', group: a}]\n" L M,
     "1:71: servers[1].group: a server is called a"},
};

static void test_bad(void **state)
{
    char want[512];
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        e = (struct err){ERR_NONE, 0, ""};
        assert_null(conf_parse("t.yaml", cases[i].text, strlen(cases[i].text), &e));
        (void)snprintf(want, sizeof want, "t.yaml:%s", cases[i].error);
        assert_string_equal(e.text, want);
        assert_int_equal(e.kind, ERR_USAGE);
    }
}

static void test_too_many(void **state)
{
    char text[4096] = "servers:\n";
    size_t n = strlen(text);
    struct err e;

    (void)state;
    for (unsigned i = 0; i <= CONF_SERVERS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "  - {name: s%u, address: 'h:%u'}\n", i,
                              i + 1);
    assert_null(conf_parse("t.yaml", text, n, &e));
    assert_string_equal(e.text, "t.yaml:2:3: servers: has 33 entries, 32 are allowed");
}

static void test_no_file(void **state)
{
    struct err e;

    (void)state;
    assert_null(conf_load("no/such.yaml", &e));
    assert_string_equal(e.text, "cannot read no/such.yaml: No such file or directory");
    assert_int_equal(e.kind, ERR_IO);
    assert_null(conf_load("conf", &e));
    assert_string_equal(e.text, "cannot read conf: it is not a file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
