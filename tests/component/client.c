#include "component/client.h"

#include "component/rig.h"
#include "protocol/handshake.h"
#include "protocol/packet.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAYLOAD_MAX = 1 << 20 };

/* A connected pair of sockets. */
static void connect_pair(const struct rig *r, int fds[2])
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;

    if (r->options.unix_clients) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        return;
    }
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(getsockname(r->door, (struct sockaddr *)&at, &size), 0);
    assert_int_equal(connect(fds[0], (struct sockaddr *)&at, size), 0);
    fds[1] = accept4(r->door, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fds[1] >= 0);
}

struct peer *client_connects(struct rig *r, int index)
{
    struct client_socket c = {.consistency = r->options.consistency};
    int fds[2];

    connect_pair(r, fds);
    c.fd = fds[1];
    c.tls = tls_context_ref(r->tls);
    c.is_unix = r->options.unix_clients;
    (void)snprintf(c.address, sizeof c.address, "%s",
                   r->options.address ? r->options.address
                   : c.is_unix        ? "localhost"
                                      : "127.0.0.1");
    worker_send_client(&r->workers[index], &c);
    return peer_new(fds[0], "client");
}

void client_hears_greeting(struct peer *p)
{
    struct greeting g;
    const char *why = "";
    struct span packet = peer_hears_first(p);

    if (!greeting_decode(packet, &g, &why))
        peer_fail(p, "no greeting: %s", why);
    memcpy(p->nonce, g.nonce, sizeof p->nonce);
    p->thread_id = g.connection_id;
    p->caps = g.capabilities;
}

struct peer *client_greeted(struct rig *r)
{
    struct peer *p = client_connects(r, 0);

    client_hears_greeting(p);
    return p;
}

void client_native_reply(const struct peer *p, const char *password, uint8_t reply[20])
{
    uint8_t stage1[AUTH_HASH];

    auth_stage1(span_of(password), stage1);
    auth_native_reply(p->nonce, stage1, reply);
}

void client_sends_login(struct peer *p, const struct login_as *as)
{
    uint8_t reply[AUTH_HASH];
    struct buf b = buf_with_max(PAYLOAD_MAX);
    const char *password = as->password ? as->password : "secret";
    struct login l = {.max_packet = 1 << 24,
                      .capabilities = (CLIENT_CAPS & ~as->without) | as->with,
                      .collation = as->collation ? as->collation : 45,
                      .user = span_of(as->user ? as->user : "till"),
                      .plugin = span_of(as->plugin ? as->plugin : AUTH_NATIVE)};

    client_native_reply(p, password, reply);
    if (*password)
        l.auth = (struct span){reply, sizeof reply};
    if (as->auth.n)
        l.auth = as->auth;
    l.attributes = as->attributes;
    if (as->schema)
        l.database = span_of(as->schema);
    login_encode(&b, &l);
    p->caps = l.capabilities;
    peer_send_packet(p, buf_span(&b));
    buf_free(&b);
}

bool client_is_asked(struct peer *p)
{
    if (peer_peeks(p) != 0xFE)
        return false;
    (void)peer_hears_packet(p);
    return true;
}

struct span client_hears_switch(struct peer *p, const char *plugin)
{
    struct span packet = peer_hears_packet(p);
    struct span name;
    struct span nonce;

    if (!auth_switch_decode(packet, &name, &nonce) || !span_eq(name, plugin))
        peer_fail(p, "is not asked for %s", plugin);
    if (nonce.n == sizeof p->nonce)
        memcpy(p->nonce, nonce.p, sizeof p->nonce);
    return nonce;
}

void client_sends(struct peer *p, uint8_t command, struct span argument)
{
    struct buf b = buf_with_max(PAYLOAD_MAX);

    buf_put_u8(&b, command);
    buf_put_span(&b, argument);
    p->seq = UINT8_MAX;
    peer_send_packet(p, buf_span(&b));
    buf_free(&b);
}

void client_asks(struct peer *p, const char *sql)
{
    client_sends(p, COM_QUERY, span_of(sql));
}

static struct ok read_ok(struct peer *p, uint8_t header)
{
    struct span packet = peer_hears_packet(p);
    struct ok ok;

    if (!ok_decode(packet, p->caps, &ok) || ok.header != header)
        peer_fail(p, "no OK packet (%02x)", header);
    return ok;
}

struct ok client_hears_ok(struct peer *p)
{
    return read_ok(p, 0x00);
}

void client_hears_error(struct peer *p, uint16_t code, const char *sqlstate, const char *part)
{
    struct span packet = peer_hears_packet(p);
    struct server_error e;

    if (!error_decode(packet, &e))
        peer_fail(p, "no ERR packet where %u must come", code);
    if (e.code != code || strcmp(e.sqlstate, sqlstate) != 0)
        peer_fail(p, "error %u (%s) where %u (%s) must come", e.code, e.sqlstate, code, sqlstate);
    if (*part && (!e.message.n || !memmem(e.message.p, e.message.n, part, strlen(part))))
        peer_fail(p, "error %u does not say '%s'", code, part);
}

void client_is_refused(struct peer *p, uint16_t code, const char *sqlstate, const char *part)
{
    client_hears_error(p, code, sqlstate, part);
    peer_hears_end(p);
}

static void hear_eof(struct peer *p)
{
    if (peer_hears_packet(p).n != 5 || p->packet.data[0] != 0xFE)
        peer_fail(p, "no EOF packet");
}

static void hear_definitions(struct peer *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (peer_hears_packet(p).n < 20)
            peer_fail(p, "no column definition");
    if (n && !(p->caps & CAP_DEPRECATE_EOF))
        hear_eof(p);
}

void client_hears_columns(struct peer *p, unsigned n)
{
    struct span packet = peer_hears_packet(p);

    if (packet.n != 1 || packet.p[0] != n)
        peer_fail(p, "no result set of %u columns", n);
    hear_definitions(p, n);
}

void client_hears_row(struct peer *p, const char *value)
{
    struct cursor c = cursor_span(peer_hears_packet(p));
    struct span got;

    if (strcmp(value, "\\N") == 0 && cursor_left(&c) == 1 && *c.p == 0xFB)
        return;
    got = cursor_lenenc_bytes(&c);
    if (!cursor_done(&c) || !span_eq(got, value))
        peer_fail(p, "not the row '%s'", value);
}

struct ok client_hears_end(struct peer *p)
{
    struct ok ok = read_ok(p, 0xFE);
    bool is_eof = p->packet.len == 5;

    if (is_eof == ((p->caps & CAP_DEPRECATE_EOF) != 0))
        peer_fail(p, "the wrong kind of end");
    return ok;
}

struct ok client_hears_result(struct peer *p, const char *const *rows)
{
    client_hears_columns(p, 1);
    for (; *rows; rows++)
        client_hears_row(p, *rows);
    return client_hears_end(p);
}

uint32_t client_hears_prepared(struct peer *p, unsigned columns, unsigned params)
{
    struct cursor c = cursor_span(peer_hears_packet(p));
    uint8_t zero = cursor_u8(&c);
    uint32_t id = cursor_u32(&c);

    if (zero != 0 || cursor_u16(&c) != columns || cursor_u16(&c) != params || !cursor_ok(&c))
        peer_fail(p, "no reply to PREPARE with %u columns and %u parameters", columns, params);
    hear_definitions(p, params);
    hear_definitions(p, columns);
    return id;
}

void client_executes(struct peer *p, uint32_t id)
{
    struct buf b = peer_execution(id);

    client_sends(p, COM_STMT_EXECUTE, buf_span(&b));
    buf_free(&b);
}
