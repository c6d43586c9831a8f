/* Greeting, the client's response, and what COM_CHANGE_USER shares with them. The account's check
 * is in session_verify.c. */
#include "proxy/session/session_steps.h"
#include "proxy/session/session_tracking.h"

#include "base/clock.h"
#include "base/log.h"
#include "protocol/attributes.h"
#include "proxy/login/session_auth.h"

#include <openssl/rand.h>
#include <stdio.h>

/* What the proxy offers, and TLS where the listener has a certificate, and of MariaDB's extended
 * capabilities those of the servers. A client never asks for what was not offered. */
#define CAPS_OFFERED                                                                               \
    (CAP_FOUND_ROWS | CAP_LONG_FLAG | CAP_CONNECT_WITH_DB | CAP_NO_SCHEMA | CAP_ODBC |             \
     CAP_LOCAL_FILES | CAP_IGNORE_SPACE | CAP_PROTOCOL_41 | CAP_INTERACTIVE | CAP_IGNORE_SIGPIPE | \
     CAP_TRANSACTIONS | CAP_RESERVED | CAP_SECURE_CONNECTION | CAP_COMPRESS | CAP_ZSTD |           \
     CAP_MULTI_STATEMENTS | CAP_MULTI_RESULTS | CAP_PS_MULTI_RESULTS | CAP_PLUGIN_AUTH |           \
     CAP_CONNECT_ATTRS | CAP_PLUGIN_AUTH_LENENC | CAP_EXPIRED_PASSWORDS | CAP_SESSION_TRACK |      \
     CAP_DEPRECATE_EOF)

enum {
    USER_MAX = 384,
    SCHEMA_MAX = 192,
    LOGIN_PACKET_MAX = 16384,
};

static uint64_t caps_offered(const struct session *s)
{
    uint64_t servers = topology_capabilities(s->worker->topology);

    return CAPS_OFFERED | (servers & CAPS_MARIADB) | (s->tls && !s->tls_begun ? CAP_SSL : 0);
}

/* Whether the listener turns down those who do not come by TLS. A unix socket is secure enough. */
static bool must_be_tls(const struct session *s)
{
    return s->worker->conf->listeners[s->listener].tls.required && !s->is_unix;
}

bool session_random(uint8_t *to, size_t n)
{
    return RAND_bytes(to, (int)n) == 1;
}

static bool make_nonce(struct session *s)
{
    uint8_t random[AUTH_NONCE];

    if (!session_random(random, sizeof random))
        return false;
    auth_make_nonce(random, s->nonce);
    return true;
}

bool session_send_packet(struct session *s, size_t at, uint8_t seq)
{
    struct span part;

    packet_end(&s->out, at, seq);
    part = buf_span(&s->out);
    if (!buf_ok(&s->out) || stream_write(&s->client, &part, 1) == STREAM_FAILED) {
        session_end(s, 0, NULL, "cannot write to the client");
        return false;
    }
    if (!s->client.writing)
        buf_clear(&s->out);
    s->seq = seq;
    return true;
}

/* MariaDB before 11 puts "5.5.5-" in front, for replicas of old that compare versions as text. */
static void version_text(const struct catalog *c, char *out, size_t size)
{
    (void)snprintf(out, size, "%s%s", strncmp(c->version, "10.", 3) == 0 ? "5.5.5-" : "",
                   c->version);
}

/* Whether the monitor has told enough to serve: who the primary is, or that there is none. */
static bool is_informed(const struct worker *w)
{
    const struct topology *t = w->topology;

    return w->catalog && (t->primary >= 0 || (t->count > 0 && !topology_has_unknown(t)));
}

static bool is_blocked(const struct session *s)
{
    return guard_blocks(&s->worker->shared->guard, s->address, &s->worker->conf->limits,
                        worker_now_ns());
}

static enum step turn_away(struct session *s)
{
    char text[200];

    metric_add(&s->worker->shared->metrics, METRIC_TURNED_AWAY, 1);
    (void)snprintf(text, sizeof text,
                   "Host '%s' is blocked because of many connection errors; it is unblocked %llu "
                   "seconds after the last one",
                   s->address,
                   (unsigned long long)(s->worker->conf->limits.login_block_ns / CLOCK_NS_PER_S));
    session_end(s, ER_HOST_IS_BLOCKED, "HY000", text);
    return STEP_WAIT;
}

enum step session_greet(struct session *s)
{
    const struct catalog *c = s->worker->catalog;
    struct greeting g = {
        .connection_id = s->id, .capabilities = caps_offered(s), .status = STATUS_AUTOCOMMIT};
    char version[128];
    size_t at;

    if (s->client.eof) {
        session_end(s, 0, NULL, NULL);
        return STEP_WAIT;
    }
    if (is_blocked(s))
        return turn_away(s);
    if (!session_may_be_introduced(s) && !session_count_address(s))
        return STEP_WAIT;
    if (!is_informed(s->worker))
        return STEP_WAIT;
    if (!make_nonce(s)) {
        session_end(s, ER_HANDSHAKE_ERROR, "08S01", "no random bytes from the system");
        return STEP_WAIT;
    }
    version_text(c, version, sizeof version);
    g.version = span_of(version);
    g.collation = c->default_collation;
    g.plugin = span_of(AUTH_NATIVE);
    memcpy(g.nonce, s->nonce, sizeof g.nonce);
    at = packet_begin(&s->out);
    greeting_encode(&s->out, &g);
    if (!session_send_packet(s, at, 0))
        return STEP_WAIT;
    session_enter(s, SESSION_LOGIN);
    return STEP_MORE;
}

/* The client is gone; who sent nothing at all may only have asked whether somebody listens. */
static void left_early(struct session *s, struct span in)
{
    if (in.n > 0 || s->tls_begun)
        session_fault(s, 0, NULL, "client left in the middle of its log-in");
    else
        session_end(s, 0, NULL, "client left before it logged in");
}

/* The next whole packet of the connection phase, consumed by the caller; false: wait (or the
 * session has ended). */
static bool next_packet(struct session *s, struct span *payload, size_t *used)
{
    struct span in = {stream_data(&s->client), stream_left(&s->client)};
    struct packet_header h;
    int whole;

    if (s->client.writing)
        return false;
    buf_clear(&s->out);
    whole = packet_whole(in, LOGIN_PACKET_MAX, &h, payload, used);
    if (whole < 0)
        session_fault(s, ER_NET_PACKET_TOO_LARGE, "08S01",
                      "Got a packet bigger than 'max_allowed_packet' bytes");
    else if (whole == 0 && s->client.eof)
        left_early(s, in);
    if (whole <= 0)
        return false;
    if (h.seq != (uint8_t)(s->seq + 1)) {
        session_fault(s, ER_NET_PACKETS_OUT_OF_ORDER, "08S01", "Got packets out of order");
        return false;
    }
    s->seq = h.seq;
    if (s->bounds.login_packets++ < s->worker->conf->limits.login_packets)
        return true;
    session_fault(s, ER_HANDSHAKE_ERROR, "08S01", "Bad handshake: too many packets");
    return false;
}

/* Keep what the check needs, and what holds once it succeeds: the packet's bytes go. Names are cut
 * where MariaDB cuts them (USERNAME_LENGTH, NAME_LEN). False: no room. */
static bool keep_credentials(struct session *s, struct span user, struct span schema,
                             struct span attributes, struct span auth)
{
    size_t before;

    user.n = user.n < USER_MAX ? user.n : USER_MAX;
    schema.n = schema.n < SCHEMA_MAX ? schema.n : SCHEMA_MAX;
    buf_clear(&s->credentials.bytes);
    buf_put_span(&s->credentials.bytes, user);
    buf_put_span(&s->credentials.bytes, schema);
    before = s->credentials.bytes.len;
    attributes_introduce(&s->credentials.bytes, attributes, s->address);
    s->credentials.attributes_len = s->credentials.bytes.len - before;
    buf_put_span(&s->credentials.bytes, auth);
    s->credentials.user_len = user.n;
    s->credentials.schema_len = schema.n;
    return buf_ok(&s->credentials.bytes);
}

struct span session_login_user(const struct session *s)
{
    return (struct span){s->credentials.bytes.data, s->credentials.user_len};
}

static struct span credentials_from(const struct session *s, size_t at, size_t n)
{
    return (struct span){s->credentials.bytes.data ? s->credentials.bytes.data + at : NULL, n};
}

struct span session_login_attributes(const struct session *s)
{
    return credentials_from(s, s->credentials.user_len + s->credentials.schema_len,
                            s->credentials.attributes_len);
}

static size_t reply_at(const struct session *s)
{
    return s->credentials.user_len + s->credentials.schema_len + s->credentials.attributes_len;
}

struct span session_login_reply(const struct session *s)
{
    return credentials_from(s, reply_at(s), s->credentials.bytes.len - reply_at(s));
}

bool session_keep_reply(struct session *s, struct span reply)
{
    s->credentials.bytes.len = reply_at(s);
    buf_put_span(&s->credentials.bytes, reply);
    return buf_ok(&s->credentials.bytes);
}

void session_forget_credentials(struct session *s)
{
    if (s->credentials.bytes.data)
        explicit_bzero(s->credentials.bytes.data, s->credentials.bytes.len);
    buf_clear(&s->credentials.bytes);
}

/* The schema and the character set that were asked for are the session's. */
void session_adopt_login(struct session *s)
{
    if (s->credentials.schema_len)
        memcpy(s->schema, s->credentials.bytes.data + s->credentials.user_len,
               s->credentials.schema_len);
    s->schema[s->credentials.schema_len] = 0;
    s->global_sets = atomic_load(&s->worker->shared->global_sets);
    session_set_charset(s, s->collation);
}

static const char *login_fault(struct session *s, const struct login *l)
{
    if (must_be_tls(s) && !stream_is_tls(&s->client))
        return "Connections using insecure transport are prohibited: this listener requires TLS";
    if (!(l->capabilities & CAP_PROTOCOL_41) || !(l->capabilities & CAP_SECURE_CONNECTION))
        return "the client is too old: protocol 4.1 with secure authentication is needed";
    if (!keep_credentials(s, l->user, l->database, l->attributes, l->auth))
        return "the login packet is too large";
    return NULL;
}

/* The client asked for TLS: its log-in follows inside. */
static enum step begin_tls(struct session *s, size_t used)
{
    stream_consume(&s->client, used);
    s->tls_begun = true;
    if (!stream_start_tls(&s->client, tls_accept(s->tls)))
        session_end(s, ER_HANDSHAKE_ERROR, "08S01", "out of memory");
    return STEP_WAIT;
}

enum step session_login(struct session *s)
{
    struct span payload;
    struct login l;
    const char *why = NULL;
    size_t used;

    if (!session_introduced(s) || !next_packet(s, &payload, &used))
        return STEP_WAIT;
    if (login_decode(payload, caps_offered(s), &l, &why)) {
        if (l.ssl_request)
            return begin_tls(s, used);
        why = login_fault(s, &l);
    }
    if (why) {
        session_fault(s, ER_HANDSHAKE_ERROR, "08S01", why);
        return STEP_WAIT;
    }
    s->caps = l.capabilities;
    s->multi_statements = (s->caps & CAP_MULTI_STATEMENTS) != 0;
    s->collation = l.collation;
    s->credentials.zstd_level = l.zstd_level;
    session_auth_begin(s, l.plugin, l.attributes);
    s->worker->coalesce.events++;
    stream_consume(&s->client, used);
    session_enter(s, SESSION_VERIFY);
    return STEP_MORE;
}

enum step session_switch(struct session *s)
{
    struct span payload;
    size_t used;
    bool ok;

    if (!next_packet(s, &payload, &used))
        return STEP_WAIT;
    ok = session_auth_reply(s, payload);
    if (s->state.now == SESSION_CLOSING)
        return STEP_WAIT;
    stream_consume(&s->client, used);
    if (!ok) {
        session_fault(s, ER_HANDSHAKE_ERROR, "08S01", "Bad handshake");
        return STEP_WAIT;
    }
    return STEP_MORE;
}

/* COM_CHANGE_USER: its state is that of a new login; user and schema stay what they were should it
 * fail. */
enum step session_begin_change_user(struct session *s, struct span payload)
{
    struct change_user u;
    const char *why = "";

    if (!change_user_decode(payload, s->caps, &u, &why) ||
        !keep_credentials(s, u.user, u.database, u.attributes, u.auth)) {
        session_fault(s, ER_HANDSHAKE_ERROR, "08S01", "Bad handshake");
        return STEP_WAIT;
    }
    session_release_all(s);
    session_part_all(s);
    session_forget_state(s);
    s->changing_user = true;
    s->bounds.login_packets = 0;
    s->collation = u.collation;
    session_auth_begin(s, u.plugin, u.attributes);
    if (u.auth.n == 0 && (s->caps & CAP_PLUGIN_AUTH)) /* servers ask who says nothing */
        s->auth.by = BY_OTHER;
    session_enter(s, SESSION_VERIFY);
    return STEP_MORE;
}

/* What lets a client trust a certificate that no authority vouches for; empty where it has no use.
 * Of the plugins, mysql_native_password alone can make it here. */
static struct span certificate_proof(const struct session *s, uint8_t room[AUTH_PROOF])
{
    const uint8_t *fingerprint = stream_tls_fingerprint(&s->client);

    if (!fingerprint || s->auth.by != BY_NATIVE || s->identity->secret.kind == SECRET_NONE)
        return (struct span){NULL, 0};
    auth_native_proof(s->nonce, s->identity->secret.stage1, fingerprint, room);
    return (struct span){room, AUTH_PROOF};
}

/* What of the compressed protocol both sides have; "" for neither. */
static const char *compression_of(const struct session *s)
{
    return s->caps & CAP_COMPRESS ? "zlib" : s->caps & CAP_ZSTD ? "zstd" : "";
}

/* Who came, and how. */
static void log_login(const struct session *s)
{
    struct tls_peer peer;
    char user[128];

    (void)stream_tls_peer(&s->client, &peer);
    (void)snprintf(user, sizeof user, "%.*s", (int)session_user(s).n,
                   (const char *)session_user(s).p);
    log_event(LOG_INFO, "session.login", LOG_NUM("id", s->id), LOG_STR("user", user),
              LOG_STR("address", s->address), LOG_STR("schema", s->schema),
              LOG_STR("plugin", s->auth.plugin),
              LOG_STR("password", s->auth.told ? "told" : "proved"), LOG_STR("tls", peer.version),
              LOG_STR("compression", compression_of(s)));
}

/* The session's state is laid on a server: the log-in is complete. */
enum step session_welcome(struct session *s)
{
    struct buf changes = buf_with_max(SCHEMA_MAX + PACKET_HEADER);
    uint8_t proof[AUTH_PROOF];
    enum step step;

    if (!s->changing_user)
        log_login(s);
    session_logged_in(s);
    s->changing_user = false;
    s->target = NULL;
    session_forget_credentials(s);
    guard_passed(&s->worker->shared->guard, s->address);
    warm_note(s->worker, s->identity);
    session_tracking_log_in(s, &changes);
    step = session_answer_told(
        s, (struct ok){.info = certificate_proof(s, proof), .changes = buf_span(&changes)});
    buf_free(&changes);
    return step;
}
