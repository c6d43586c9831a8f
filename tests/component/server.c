#include "component/server.h"

#include "protocol/auth/auth_ed25519.h"
#include "protocol/handshake.h"
#include "protocol/packet.h"
#include "proxy/session/session_steps.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER_CAPS                                                                             \
    (CAP_FOUND_ROWS | CAP_LONG_FLAG | CAP_CONNECT_WITH_DB | CAP_LOCAL_FILES | CAP_PROTOCOL_41 | \
     CAP_TRANSACTIONS | CAP_SECURE_CONNECTION | CAP_MULTI_STATEMENTS | CAP_MULTI_RESULTS |      \
     CAP_PS_MULTI_RESULTS | CAP_PLUGIN_AUTH | CAP_CONNECT_ATTRS | CAP_PLUGIN_AUTH_LENENC |      \
     CAP_SESSION_TRACK | CAP_DEPRECATE_EOF | CAP_MARIADB_PROGRESS | CAP_MARIADB_BULK |          \
     CAP_MARIADB_EXTENDED | CAP_MARIADB_CACHE_META)

enum { PAYLOAD_MAX = 1 << 20, COLUMN_LENGTH = 255, TYPE_VAR_STRING = 253 };

void server_open(struct server *s, const char *name)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;

    *s = (struct server){.name = name, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(s->fd, 64), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &size), 0);
    s->port = ntohs(at.sin_port);
}

void server_close(struct server *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
}

static bool somebody_waits(const struct server *s, int ms)
{
    struct pollfd fd = {.fd = s->fd, .events = POLLIN};

    return poll(&fd, 1, ms) == 1;
}

struct peer *server_accepts(struct server *s)
{
    struct peer *p;
    char name[32];

    if (!somebody_waits(s, PEER_STEP_MS))
        fail_msg("%s: nobody connects", s->name);
    s->connections++;
    (void)snprintf(name, sizeof name, "%s#%u", s->name, s->connections);
    p = peer_new(accept4(s->fd, NULL, NULL, SOCK_CLOEXEC), name);
    p->thread_id = s->port * 100u + s->connections;
    return p;
}

void server_is_left_alone(struct server *s, int ms)
{
    if (somebody_waits(s, ms))
        fail_msg("%s: somebody connects where nobody must", s->name);
}

void server_greets(struct peer *p)
{
    struct greeting g = {.version = span_of("5.5.5-10.11.19-MariaDB"),
                         .connection_id = p->thread_id,
                         .capabilities = SERVER_CAPS,
                         .collation = 45,
                         .status = STATUS_AUTOCOMMIT,
                         .plugin = span_of(AUTH_NATIVE)};
    struct buf b = buf_with_max(PAYLOAD_MAX);

    for (unsigned i = 0; i < sizeof g.nonce; i++)
        g.nonce[i] = p->nonce[i] = (uint8_t)('!' + (p->thread_id + i) % 80);
    greeting_encode(&b, &g);
    p->seq = UINT8_MAX;
    peer_send_packet(p, buf_span(&b));
    buf_free(&b);
}

static void check_reply(const struct peer *p, struct span reply, const char *password)
{
    uint8_t stage1[AUTH_HASH];
    uint8_t expected[AUTH_HASH];

    if (!password) {
        if (reply.n)
            peer_fail(p, "a password where there is none");
        return;
    }
    auth_stage1(span_of(password), stage1);
    auth_native_reply(p->nonce, stage1, expected);
    if (reply.n != sizeof expected || memcmp(reply.p, expected, sizeof expected) != 0)
        peer_fail(p, "logs in with another password than '%s'", password);
}

static struct login hear_login(struct peer *p, const char *user)
{
    struct login l;
    const char *why = "";

    if (!login_decode(peer_hears_packet(p), SERVER_CAPS, &l, &why))
        peer_fail(p, "no log-in: %s", why);
    if (!span_eq(l.user, user))
        peer_fail(p, "not user '%s'", user);
    p->caps = l.capabilities;
    return l;
}

struct span server_hears_any_login(struct peer *p, const char *user)
{
    return hear_login(p, user).auth;
}

void server_hears_attributes(struct peer *p, const char *user, struct span attributes)
{
    struct span got = hear_login(p, user).attributes;

    if (got.n != attributes.n || memcmp(got.p, attributes.p, got.n) != 0)
        peer_fail(p, "other connection attributes: '%.*s'", (int)got.n, (const char *)got.p);
}

void server_hears_login(struct peer *p, const char *user, const char *password)
{
    check_reply(p, server_hears_any_login(p, user), password);
}

void server_asks(struct peer *p, const char *plugin)
{
    bool is_ed25519 = strcmp(plugin, AUTH_ED25519) == 0;
    uint8_t nonce[AUTH_ED25519_NONCE];
    struct buf b = buf_with_max(PAYLOAD_MAX);

    for (size_t i = 0; i < sizeof nonce; i++)
        nonce[i] = p->nonce[i % sizeof p->nonce];
    auth_switch_encode(
        &b, plugin, (struct span){nonce, is_ed25519 ? sizeof nonce : sizeof p->nonce}, !is_ed25519);
    peer_send_packet(p, buf_span(&b));
    buf_free(&b);
}

void server_hears_setup(struct peer *p)
{
    server_hears_query(p, backend_setup_sql);
    server_says_ok(p);
}

void server_refuses(struct server *s, uint16_t code, const char *sqlstate, const char *text)
{
    struct peer *p = server_accepts(s);

    server_greets(p);
    (void)peer_hears_packet(p);
    server_says_error(p, code, sqlstate, text);
}

struct peer *server_serves(struct server *s)
{
    return server_lets_in(s, "till", "secret");
}

struct peer *server_lets_in(struct server *s, const char *user, const char *password)
{
    struct peer *p = server_accepts(s);

    server_greets(p);
    server_hears_login(p, user, password);
    server_says_ok(p);
    server_hears_setup(p);
    return p;
}

static bool is_query(struct span packet, const char *text)
{
    return packet.n > 1 && packet.p[0] == COM_QUERY &&
           span_eq((struct span){packet.p + 1, packet.n - 1}, text);
}

/* What the proxy asks or says on its own, unless the test waits for that. */
static bool answers_by_itself(struct peer *p, struct span packet, struct span expected)
{
    if (is_query(packet, backend_guard_sql)) {
        p->guards++;
        server_says_ok(p);
        return true;
    }
    if (!is_query(packet, session_probe_sql) || span_eq(expected, session_probe_sql))
        return false;
    server_says_rows(p, "0/");
    return true;
}

void server_hears_command(struct peer *p, uint8_t command, struct span argument)
{
    struct span packet = peer_hears_first(p);

    while (answers_by_itself(p, packet, argument))
        packet = peer_hears_first(p);
    if (packet.n == 0 || packet.p[0] != command)
        peer_fail(p, "not command %u", command);
    if (packet.n - 1 != argument.n ||
        (argument.n && memcmp(packet.p + 1, argument.p, argument.n) != 0))
        peer_fail(p, "command %u, but not with '%.*s'", command, (int)argument.n,
                  (const char *)argument.p);
}

void server_hears(struct peer *p, uint8_t command, const char *text)
{
    server_hears_command(p, command, span_of(text));
}

struct span server_hears_about(struct peer *p, const char *words)
{
    struct span packet = peer_hears_first(p);
    struct span text;

    while (answers_by_itself(p, packet, span_of(words)))
        packet = peer_hears_first(p);
    text = (struct span){packet.p + 1, packet.n - 1};
    if (packet.n == 0 || packet.p[0] != COM_QUERY || !span_begins_with(text, words))
        peer_fail(p, "no query '%s …'", words);
    return text;
}

void server_hears_wait(struct peer *p, const char *gtids)
{
    char words[96];

    (void)snprintf(words, sizeof words, "SELECT IF(MASTER_GTID_WAIT('%s',0.", gtids);
    (void)server_hears_about(p, words);
}

uint64_t server_hears_row(struct peer *p)
{
    static const char words[] = "INSERT INTO tillway.outcome (proxy,session,number) VALUES (";
    struct span text = server_hears_about(p, words);
    char values[128];
    char *at = values;
    uint64_t number = 0;

    (void)snprintf(values, sizeof values, "%.*s", (int)(text.n - sizeof words + 1),
                   (const char *)text.p + sizeof words - 1);
    for (int i = 0; i < 3; i++, at += *at == ',')
        number = strtoull(at, &at, 10);
    if (*at != ')')
        peer_fail(p, "no number");
    return number;
}

uint64_t server_hears_once(struct peer *p, const char *sql)
{
    uint64_t number;

    server_hears_query(p, "BEGIN");
    server_says(p, .status = STATUS_IN_TRANS);
    number = server_hears_row(p);
    server_says(p, .affected = 1, .status = STATUS_IN_TRANS);
    server_hears_query(p, sql);
    server_says(p, .affected = 1, .insert_id = 7, .status = STATUS_IN_TRANS);
    server_hears_query(p, "COMMIT");
    return number;
}

void server_tells_outcome(struct peer *p, const char *trace, uint64_t number)
{
    struct span asked;
    char text[32];

    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    asked = server_hears_about(p, "SET STATEMENT time_zone='+00:00' FOR SELECT CONCAT((SELECT");
    assert_true(span_holds(asked, "SYSDATE()")); /* NOW() and UPTIME are as the client has SET */
    server_says_rows(p, trace);
    (void)server_hears_about(p, "SELECT IFNULL((SELECT number FROM tillway.outcome");
    server_says_rows(p, text);
}

static void put_change(struct buf *to, uint8_t kind, const char *name, const char *value)
{
    struct buf entry = buf_with_max(PAYLOAD_MAX);

    if (!value)
        return;
    if (name)
        buf_put_lenenc_bytes(&entry, span_of(name));
    if (kind == CHANGE_STATE)
        buf_put_str(&entry, value);
    else
        buf_put_lenenc_bytes(&entry, span_of(value));
    buf_put_u8(to, kind);
    buf_put_lenenc_bytes(to, buf_span(&entry));
    buf_free(&entry);
}

static void put_changes(struct buf *to, const struct says *says)
{
    put_change(to, CHANGE_VARIABLE, "last_gtid", says->gtid);
    for (size_t i = 0; i + 1 < ARRAY_LEN(says->variable); i += 2)
        put_change(to, CHANGE_VARIABLE, says->variable[i], says->variable[i + 1]);
    put_change(to, CHANGE_SCHEMA, NULL, says->schema);
    put_change(to, CHANGE_STATE, NULL, says->state ? "1" : NULL);
    put_change(to, CHANGE_TX_CHARACTERISTICS, NULL, says->characteristics);
    put_change(to, CHANGE_TX_STATE, NULL, says->transaction);
}

static void send_ok(struct peer *p, const struct says *says, uint8_t header)
{
    struct buf changes = buf_with_max(PAYLOAD_MAX);
    struct buf b = buf_with_max(PAYLOAD_MAX);
    uint16_t autocommit = says->autocommit_off ? 0 : STATUS_AUTOCOMMIT;
    struct ok ok = {.header = header,
                    .affected_rows = says->affected,
                    .last_insert_id = says->insert_id,
                    .warnings = says->warnings,
                    .status = (uint16_t)(says->status | autocommit)};

    put_changes(&changes, says);
    ok.changes = buf_span(&changes);
    if (says->info)
        ok.info = span_of(says->info);
    ok_encode(&b, &ok, p->caps);
    peer_send_packet(p, buf_span(&b));
    buf_free(&b);
    buf_free(&changes);
}

void server_sends_ok(struct peer *p, const struct says *says)
{
    send_ok(p, says, 0x00);
}

void server_says_end(struct peer *p, const struct says *end)
{
    send_ok(p, end, 0xFE);
}

void server_says_error(struct peer *p, uint16_t code, const char *sqlstate, const char *text)
{
    struct buf b = buf_with_max(PAYLOAD_MAX);

    error_encode(&b, code, sqlstate, text);
    peer_send_packet(p, buf_span(&b));
    buf_free(&b);
}

static void put_column(struct buf *b)
{
    static const char *const texts[] = {"def", "shop", "t", "t", "c", "c"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        buf_put_lenenc_bytes(b, span_of(texts[i]));
    buf_put_u8(b, 12); /* the length of the fixed fields */
    buf_put_u16(b, 45);
    buf_put_u32(b, COLUMN_LENGTH);
    buf_put_u8(b, TYPE_VAR_STRING);
    buf_put_zeros(b, 5);
}

static void send_columns(struct peer *p, unsigned n)
{
    struct buf b = buf_with_max(PAYLOAD_MAX);

    put_column(&b);
    for (unsigned i = 0; i < n; i++)
        peer_send_packet(p, buf_span(&b));
    buf_free(&b);
}

void server_says_columns(struct peer *p, unsigned n)
{
    const uint8_t count = (uint8_t)n;

    peer_send_packet(p, (struct span){&count, 1});
    send_columns(p, n);
}

void server_says_row(struct peer *p, const char *value)
{
    struct buf b = buf_with_max(PAYLOAD_MAX);

    if (strcmp(value, "\\N") == 0)
        buf_put_u8(&b, 0xFB);
    else
        buf_put_lenenc_bytes(&b, span_of(value));
    peer_send_packet(p, buf_span(&b));
    buf_free(&b);
}

void server_sends_rows(struct peer *p, const struct says *end, const char *const *rows)
{
    server_says_columns(p, 1);
    for (; *rows; rows++)
        server_says_row(p, *rows);
    server_says_end(p, end);
}

void server_says_prepared(struct peer *p, uint32_t id, unsigned columns, unsigned params)
{
    struct buf b = buf_with_max(PAYLOAD_MAX);

    buf_put_u8(&b, 0);
    buf_put_u32(&b, id);
    buf_put_u16(&b, (uint16_t)columns);
    buf_put_u16(&b, (uint16_t)params);
    buf_put_zeros(&b, 3);
    peer_send_packet(p, buf_span(&b));
    buf_free(&b);
    send_columns(p, params);
    send_columns(p, columns);
}

void server_hears_probe(struct peer *p, const char *numbers)
{
    server_hears_query(p, session_rescue_sql);
    server_says_rows(p, numbers);
    server_hears_query(p, session_probe_sql);
}

void server_hears_execute(struct peer *p, uint32_t id)
{
    struct buf b = peer_execution(id);

    server_hears_command(p, COM_STMT_EXECUTE, buf_span(&b));
    buf_free(&b);
}
