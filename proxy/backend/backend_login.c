/* The log-in of a server connection: greeting, our response, perhaps an authentication switch, OK.
 */
#include "proxy/backend/backend_login.h"

#include "base/clock.h"
#include "protocol/auth/auth_sha2.h"
#include "protocol/handshake.h"

#include <stdio.h>

enum { LOGIN_PACKET_MAX = 16384, AUTH_MAX = 2048 };

#define BACKEND_CAPS                                                                \
    (CAP_PROTOCOL_41 | CAP_SECURE_CONNECTION | CAP_PLUGIN_AUTH | CAP_TRANSACTIONS | \
     CAP_SESSION_TRACK | CAP_DEPRECATE_EOF | CAP_CONNECT_ATTRS)

static void fail_with_packet(struct backend *b, struct span payload)
{
    struct server_error e;
    char text[sizeof b->error.text];

    if (!error_decode(payload, &e)) {
        backend_fail(b, CR_SERVER_LOST, "08S01", "the server sent an unreadable error packet");
        return;
    }
    if (b->lacking)
        (void)snprintf(text, sizeof text,
                       "%.*s: the server asks for %s, for which the proxy does not know the "
                       "password; accounts_file must have it",
                       (int)e.message.n, (const char *)e.message.p, b->lacking);
    else
        (void)snprintf(text, sizeof text, "%.*s", (int)e.message.n, (const char *)e.message.p);
    backend_fail(b, e.code, e.sqlstate, text);
}

static bool send_packet(struct backend *b, struct span payload, uint8_t seq)
{
    size_t at = packet_begin(&b->out);

    buf_put_span(&b->out, payload);
    if (!buf_ok(&b->out))
        return false;
    packet_end(&b->out, at, seq);
    return backend_write(b, NULL, 0) != STREAM_FAILED;
}

/* MariaDB takes them from the packet that asks for TLS where there is one, not from the log-in. */
static uint64_t caps_of(const struct backend *b, const struct greeting *g)
{
    return (BACKEND_CAPS | b->identity->caps) & (g->capabilities | CAP_MULTI_STATEMENTS);
}

/* Ask for TLS where it is wanted and offered. False: it failed. */
static bool begin_tls(struct backend *b, const struct greeting *g, uint8_t *seq)
{
    struct buf payload = buf_with_max(LOGIN_PACKET_MAX);
    struct login l = {.max_packet = 1u << 30, .collation = b->collation, .ssl_request = true};
    struct tls *tls = b->tls;
    bool ok;

    if (!tls)
        return true;
    if (!(g->capabilities & CAP_SSL)) {
        if (tls_is_required(tls))
            backend_fail(b, ER_HANDSHAKE_ERROR, "08S01",
                         "TLS is required (servers_tls), but the server does not offer it");
        return !tls_is_required(tls);
    }
    l.capabilities = caps_of(b, g) | CAP_SSL;
    login_encode(&payload, &l);
    ok = buf_ok(&payload) && send_packet(b, buf_span(&payload), ++*seq) && !b->stream.writing;
    buf_free(&payload);
    b->tls = NULL;
    if (ok)
        return stream_start_tls(&b->stream, tls);
    tls_free(tls);
    return false;
}

static bool answer_greeting(struct backend *b, const struct greeting *g, uint8_t seq)
{
    struct buf auth = buf_with_max(AUTH_MAX);
    struct buf payload = buf_with_max(LOGIN_PACKET_MAX);
    struct span nonce = {g->nonce, AUTH_NONCE};
    struct login l = {.max_packet = 1u << 30, .plugin = span_of(AUTH_NATIVE)};
    bool ok;

    l.collation = b->collation;
    l.capabilities = caps_of(b, g) | (b->stream.filter ? CAP_SSL : 0);
    l.user = identity_user(b->identity);
    l.attributes = b->identity->attributes;
    if (span_eq(g->plugin, AUTH_SHA2) && b->identity->secret.kind == SECRET_PASSWORD)
        l.plugin = span_of(AUTH_SHA2);
    ok = backend_auth_reply(b, l.plugin, nonce, &auth);
    l.auth = buf_span(&auth);
    login_encode(&payload, &l);
    b->caps = l.capabilities;
    b->thread_id = g->connection_id;
    ok = ok && buf_ok(&payload) && send_packet(b, buf_span(&payload), (uint8_t)(seq + 1));
    buf_free(&auth);
    buf_free(&payload);
    return ok;
}

static bool read_greeting(struct backend *b, struct span payload, struct greeting *g)
{
    const char *why = "";

    if (payload.n && payload.p[0] == 0xFF) {
        fail_with_packet(b, payload);
        return false;
    }
    if (!greeting_decode(payload, g, &why)) {
        backend_fail(b, CR_SERVER_LOST, "08S01", why);
        return false;
    }
    if ((g->capabilities & (CAP_SESSION_TRACK | CAP_DEPRECATE_EOF)) !=
        (CAP_SESSION_TRACK | CAP_DEPRECATE_EOF)) {
        backend_fail(b, ER_HANDSHAKE_ERROR, "08S01",
                     "the server lacks session tracking: MariaDB 10.2 or newer is needed");
        return false;
    }
    if (b->identity->caps & CAPS_MARIADB & ~g->capabilities) {
        backend_fail(b, ER_HANDSHAKE_ERROR, "08S01",
                     "the server lacks a capability that the client uses");
        return false;
    }
    return true;
}

/* Its packet, of `used` bytes, is consumed before it is answered: what follows may be TLS. */
static void on_greeting(struct backend *b, struct span payload, uint8_t seq, size_t used)
{
    struct greeting g;
    bool fine = read_greeting(b, payload, &g);

    stream_consume(&b->stream, used);
    if (!fine)
        return;
    fine = begin_tls(b, &g, &seq);
    if (b->state.now == BACKEND_FAILED)
        return;
    if (!fine || !answer_greeting(b, &g, seq)) {
        backend_fail(b, CR_SERVER_LOST, "08S01",
                     "Lost connection to server at 'sending authentication'");
        return;
    }
    state_enter(&b->state, BACKEND_AUTH);
}

/* Write an answer that holds a secret, and forget it. */
static bool send_secret(struct backend *b, struct buf *auth, uint8_t seq)
{
    bool ok = buf_ok(auth) && send_packet(b, buf_span(auth), (uint8_t)(seq + 1));

    if (auth->data)
        explicit_bzero(auth->data, auth->len);
    return ok;
}

static void on_switch(struct backend *b, struct span payload, uint8_t seq)
{
    struct buf auth = buf_with_max(AUTH_MAX);
    struct span plugin;
    struct span data;

    if (!auth_switch_decode(payload, &plugin, &data) ||
        !backend_auth_reply(b, plugin, data, &auth) || !send_secret(b, &auth, seq))
        backend_fail(b, ER_NOT_SUPPORTED_AUTH_MODE, "08004",
                     "the server asks for an authentication plugin other than "
                     "mysql_native_password, ed25519 and caching_sha2_password");
    buf_free(&auth);
}

static void on_more(struct backend *b, struct span payload, uint8_t seq)
{
    struct buf auth = buf_with_max(AUTH_MAX);
    struct span data = {payload.p + 1, payload.n - 1};

    if (!backend_auth_more(b, data, &auth) || (auth.len > 0 && !send_secret(b, &auth, seq)))
        backend_fail(b, ER_HANDSHAKE_ERROR, "08S01",
                     "the server's part of caching_sha2_password cannot be followed");
    buf_free(&auth);
}

static void on_welcome(struct backend *b)
{
    state_enter(&b->state, BACKEND_READY);
    b->identity->proven_ns = clock_mono_ns();
    if (!backend_command(b, COM_QUERY, span_of(backend_setup_sql), EXPECT_SETUP))
        backend_fail(b, ER_UNKNOWN_ERROR, "HY000", "out of memory");
}

static void on_auth_reply(struct backend *b, struct span payload, uint8_t seq)
{
    uint8_t first = payload.n ? payload.p[0] : 0xFF;

    if (first == 0x00)
        on_welcome(b);
    else if (first == AUTH_SHA2_MORE)
        on_more(b, payload, seq);
    else if (first == 0xFE)
        on_switch(b, payload, seq);
    else
        fail_with_packet(b, payload);
}

/* No more once it is through, or failed at any point: the last is to ask for what it needs. */
static bool is_logging_in(const struct backend *b)
{
    return b->state.now == BACKEND_GREETING || b->state.now == BACKEND_AUTH;
}

void backend_login_step(struct backend *b)
{
    struct packet_header h;
    struct span payload;
    size_t used;
    int whole;

    while (!b->stream.writing && is_logging_in(b)) {
        struct span in = {stream_data(&b->stream), stream_left(&b->stream)};

        whole = packet_whole(in, LOGIN_PACKET_MAX, &h, &payload, &used);
        if (whole < 0)
            backend_fail(b, CR_SERVER_LOST, "08S01", "the server's handshake packet is too large");
        if (whole <= 0)
            return;
        if (b->state.now == BACKEND_GREETING) {
            on_greeting(b, payload, h.seq, used);
            continue;
        }
        on_auth_reply(b, payload, h.seq);
        stream_consume(&b->stream, used);
    }
}
