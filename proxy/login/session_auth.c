/* One way of an account after the other, each by the plugin of its own.
 *
 *   login ─▶ try ─┬─ the reply at hand is by the way's plugin ─▶ fits, or the next way
 *                 ├─ it is by another ─▶ ask for the way's plugin ─▶ reply ─▶ try
 *                 └─ it is by caching_sha2_password, and the password is not known:
 *                    ask for the password ─┬─ TLS, unix socket: as it is ─▶ try
 *                                          └─ else: RSA key ─▶ encrypted ─▶ try
 *
 * A password that came as it is serves every way behind it. */
#include "proxy/login/session_auth.h"

#include "conf/accounts.h"
#include "protocol/attributes.h"
#include "protocol/auth/auth_rsa.h"
#include "protocol/auth/auth_sha2.h"
#include "proxy/session/session_steps.h"

#include <pwd.h>
#include <sys/socket.h>

enum { PASSWD_ROOM = 16384 };

static const struct {
    const char *plugin;
    enum auth_by by;
} plugins[] = {
    {AUTH_NATIVE, BY_NATIVE},
    {AUTH_ED25519, BY_ED25519},
    {AUTH_SHA2, BY_SHA2},
    {"mysql_clear_password", BY_CLEAR},
};

static enum auth_by by_of(struct span plugin)
{
    if (plugin.n == 0)
        return BY_NATIVE;
    for (size_t i = 0; i < ARRAY_LEN(plugins); i++)
        if (span_eq(plugin, plugins[i].plugin))
            return plugins[i].by;
    return BY_OTHER;
}

static const char *name_of(enum auth_by by)
{
    for (size_t i = 0; i < ARRAY_LEN(plugins); i++)
        if (plugins[i].by == by)
            return plugins[i].plugin;
    return "";
}

/* Whether nobody listens, so that a password may be said as it is. */
static bool is_private(const struct session *s)
{
    return s->is_unix || stream_is_tls(&s->client);
}

static struct span without_nul(struct span text)
{
    if (text.n && text.p[text.n - 1] == 0)
        text.n--;
    return text;
}

void session_auth_begin(struct session *s, struct span plugin, struct span attributes)
{
    struct session_auth *a = &s->auth;
    struct span version = attribute_of(attributes, "_client_version");
    struct span name = attribute_of(attributes, "_client_name");

    *a = (struct session_auth){.by = by_of(plugin)};
    if (a->by == BY_CLEAR && !is_private(s))
        a->by = BY_OTHER;
    a->plugin = name_of(a->by);
    a->told = a->by == BY_CLEAR;
    if (a->by == BY_CLEAR)
        s->credentials.bytes.len -=
            session_login_reply(s).n - without_nul(session_login_reply(s)).n;
    a->sha2_only = a->by == BY_SHA2 && span_eq(name, "libmysql") && version.n >= 2 &&
                   (version.p[0] == '9' || version.p[1] != '.');
}

/* Should it fail, the session has ended. */
static enum auth_answer say(struct session *s, size_t at)
{
    (void)session_send_packet(s, at, (uint8_t)(s->seq + 1));
    return AUTH_ASKED;
}

static bool make_nonce(struct session *s)
{
    uint8_t random[AUTH_ED25519_NONCE];

    if (!session_random(random, sizeof random))
        return false;
    auth_ed25519_make_nonce(random, s->auth.nonce);
    return true;
}

/* A reply by mysql_native_password is kept beside the one that is asked for: the greeting's nonce
 * stays what it is, so no client is asked for another. Some take a second question for an error. */
static void put_aside(struct session *s)
{
    struct span reply = session_login_reply(s);

    if (s->auth.by != BY_NATIVE || reply.n != AUTH_HASH)
        return;
    s->auth.has_native = true;
    memcpy(s->auth.native, reply.p, AUTH_HASH);
}

/* Ask for a reply by another plugin. */
static enum auth_answer ask(struct session *s, enum auth_by by)
{
    struct span nonce = {s->nonce, AUTH_NONCE};
    size_t at;

    if (!(s->caps & CAP_PLUGIN_AUTH)) {
        session_end(s, ER_NOT_SUPPORTED_AUTH_MODE, "08004",
                    "Client does not support authentication protocol requested by server; "
                    "consider upgrading MariaDB client");
        return AUTH_ASKED;
    }
    if (by == BY_ED25519) {
        if (!make_nonce(s))
            return AUTH_FAILS;
        nonce = (struct span){s->auth.nonce, sizeof s->auth.nonce};
    }
    put_aside(s);
    s->auth.asked = by;
    s->auth.full = s->auth.key_sent = false;
    at = packet_begin(&s->out);
    auth_switch_encode(&s->out, name_of(by), nonce, by != BY_ED25519);
    session_enter(s, SESSION_SWITCH);
    return say(s, at);
}

/* Ask for the password itself. */
static enum auth_answer ask_full(struct session *s)
{
    size_t at = packet_begin(&s->out);

    buf_put_u8(&s->out, AUTH_SHA2_MORE);
    buf_put_u8(&s->out, AUTH_SHA2_FULL);
    s->auth.asked = BY_SHA2;
    s->auth.full = true;
    s->auth.key_sent = false;
    session_enter(s, SESSION_SWITCH);
    return say(s, at);
}

static bool may_ask_full(const struct session *s)
{
    return is_private(s) || s->worker->shared->rsa;
}

/* Whether the password opens the way; what only the server can check passes. */
static bool password_fits(const struct account_way *w, struct span password)
{
    switch (w->kind) {
    case WAY_NATIVE:
        return w->empty ? password.n == 0 : password.n > 0 && auth_native_fits(password, w->stage2);
    case WAY_ED25519:
        return auth_ed25519_fits(password, w->key);
    case WAY_SHA2:
        return true;
    default:
        return false;
    }
}

static enum auth_answer judge(bool fits)
{
    return fits ? AUTH_FITS : AUTH_FAILS;
}

static void tell_password(struct secret *secret, struct span password)
{
    secret->kind = password.n ? SECRET_PASSWORD : SECRET_NONE;
    secret->password = password;
}

/* The password of the configuration, where it has one that opens the way. */
static struct span known_password(const struct session *s, const struct account_way *w)
{
    struct span known = conf_account_password(s->worker->conf, session_login_user(s));

    return known.n && password_fits(w, known) ? known : (struct span){NULL, 0};
}

/* The reply that came first is by caching_sha2_password. With the password known it is enough;
 * else the client is asked for the password, or for what the way itself wants: as the server would
 * do, and without a word of the password on the wire. */
static enum auth_answer try_sha2(struct session *s, const struct account_way *w)
{
    struct span known = known_password(s, w);
    size_t at;

    if (known.n && auth_sha2_check(s->nonce, session_login_reply(s), known)) {
        if (!session_keep_reply(s, known))
            return AUTH_FAILS;
        s->auth.by = BY_CLEAR;
        at = packet_begin(&s->out);
        buf_put_u8(&s->out, AUTH_SHA2_MORE);
        buf_put_u8(&s->out, AUTH_SHA2_FAST_OK);
        return say(s, at);
    }
    if (session_login_reply(s).n == 0)
        return judge(w->empty);
    if ((w->kind == WAY_NATIVE && !s->auth.sha2_only) || !may_ask_full(s))
        return w->kind == WAY_SHA2 ? AUTH_FAILS
                                   : ask(s, w->kind == WAY_NATIVE ? BY_NATIVE : BY_ED25519);
    return ask_full(s);
}

static enum auth_answer check_native(struct session *s, const struct account_way *w,
                                     struct span reply, struct secret *secret)
{
    struct span known = known_password(s, w);

    if (w->empty)
        return judge(without_nul(reply).n == 0);
    if (!auth_native_check(s->nonce, reply, w->stage2, secret->stage1))
        return AUTH_FAILS;
    s->auth.plugin = AUTH_NATIVE;
    secret->kind = SECRET_STAGE1;
    if (known.n)
        tell_password(secret, known);
    return AUTH_FITS;
}

static enum auth_answer try_native(struct session *s, const struct account_way *w,
                                   struct secret *secret)
{
    struct span reply = session_login_reply(s);

    if (s->auth.by == BY_NATIVE)
        return check_native(s, w, reply, secret);
    return reply.n == 0 && w->empty ? AUTH_FITS : ask(s, BY_NATIVE);
}

static enum auth_answer try_ed25519(struct session *s, const struct account_way *w,
                                    struct secret *secret)
{
    if (s->auth.by != BY_ED25519)
        return ask(s, BY_ED25519);
    tell_password(secret, known_password(s, w));
    return judge(auth_ed25519_check(s->auth.nonce, session_login_reply(s), w->key));
}

static bool peer_of(struct session *s, struct ucred *peer)
{
    socklen_t size = sizeof *peer;
    uv_os_fd_t fd;

    return s->is_unix && uv_fileno(&s->client.uv.handle, &fd) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &size) == 0;
}

/* The process at the other end of the unix socket runs as the user of that name, or as the one that
 * the account names. */
static enum auth_answer try_socket(struct session *s, const struct account_way *w,
                                   struct secret *secret)
{
    struct span user = session_login_user(s);
    char room[PASSWD_ROOM];
    struct passwd found;
    struct passwd *at = NULL;
    struct ucred peer;

    if (!peer_of(s, &peer) || getpwuid_r(peer.uid, &found, room, sizeof room, &at) != 0 || !at)
        return AUTH_FAILS;
    tell_password(secret, conf_account_password(s->worker->conf, user));
    if (w->text[0] ? strcmp(w->text, at->pw_name) != 0 : !span_eq(user, at->pw_name))
        return AUTH_FAILS;
    s->auth.plugin = "unix_socket";
    return AUTH_FITS;
}

static void note_use(struct session *s, const struct account_way *w)
{
    if (w->kind == WAY_SOCKET)
        s->auth.used = USED_NO_MENTION;
    else if (session_login_reply(s).n > 0)
        s->auth.used = USED_YES;
}

enum auth_answer session_auth_try(struct session *s, const struct account_way *w,
                                  struct secret *secret)
{
    *secret = (struct secret){.kind = SECRET_NONE};
    note_use(s, w);
    if (w->kind == WAY_OTHER)
        return AUTH_FAILS;
    if (w->kind == WAY_SOCKET)
        return try_socket(s, w, secret);
    if (s->auth.by == BY_CLEAR) {
        tell_password(secret, session_login_reply(s));
        return judge(password_fits(w, session_login_reply(s)));
    }
    if (w->kind == WAY_NATIVE && s->auth.has_native)
        return check_native(s, w, (struct span){s->auth.native, AUTH_HASH}, secret);
    if (s->auth.by == BY_SHA2)
        return try_sha2(s, w);
    if (w->kind == WAY_NATIVE)
        return try_native(s, w, secret);
    return w->kind == WAY_SHA2 ? ask(s, BY_SHA2) : try_ed25519(s, w, secret);
}

static bool send_key(struct session *s)
{
    size_t at = packet_begin(&s->out);

    buf_put_u8(&s->out, AUTH_SHA2_MORE);
    buf_put_span(&s->out, auth_rsa_pem(s->worker->shared->rsa));
    s->auth.key_sent = true;
    return session_send_packet(s, at, (uint8_t)(s->seq + 1));
}

/* The password, as it is or encrypted. What is neither opens nothing. */
static bool take_password(struct session *s, struct span payload)
{
    struct buf password = buf_with_max(AUTH_RSA_BYTES);
    const struct auth_rsa *rsa = s->worker->shared->rsa;
    bool ok;

    s->auth.by = BY_CLEAR;
    s->auth.told = true;
    if (rsa && auth_rsa_decrypt(rsa, s->nonce, payload, &password)) {
        payload = buf_span(&password);
    } else if (is_private(s) && payload.n && payload.p[payload.n - 1] == 0) {
        payload.n--;
    } else {
        s->auth.by = BY_OTHER;
        s->auth.way++;
    }
    ok = session_keep_reply(s, payload);
    if (password.data)
        explicit_bzero(password.data, password.len);
    buf_free(&password);
    return ok;
}

bool session_auth_reply(struct session *s, struct span payload)
{
    struct session_auth *a = &s->auth;

    if (!a->full) {
        a->by = a->asked;
        a->plugin = name_of(a->by);
        session_enter(s, SESSION_VERIFY);
        return session_keep_reply(s, payload);
    }
    if (payload.n == 1 && payload.p[0] == AUTH_SHA2_ASK_KEY && !a->key_sent &&
        s->worker->shared->rsa)
        return send_key(s);
    a->full = false;
    session_enter(s, SESSION_VERIFY);
    return take_password(s, payload);
}
