/* Whether the client is the account it says it is: the account's ways in their order, then what
 * else the account asks for. A user that nobody knows is asked as another account is, and refused.
 */
#include "proxy/session/session_steps.h"

#include "base/log.h"

#include <stdio.h>

enum { CHANGES_MAX = 3 /* failed COM_CHANGE_USERs that are answered */ };

/* Laying on the state of a new login takes the place of a command. */
static const struct command_run log_in_run = {
    .byte = COM_INIT_DB, .log_in = true, .request = {.done = true}};

static enum step refuse_login(struct session *s, uint16_t code, const char *sqlstate,
                              const char *text)
{
    metric_add(&s->worker->shared->metrics, METRIC_LOGINS_REFUSED, 1);
    session_forget_credentials(s);
    if (!s->changing_user) {
        session_end(s, code, sqlstate, text);
        return STEP_WAIT;
    }
    s->changing_user = false;
    s->catalog_asked = 0;
    if (++s->failed_changes > CHANGES_MAX)
        return session_answer_error(s, ER_UNKNOWN_COM_ERROR, "08S01", "Unknown command");
    return session_answer_error(s, code, sqlstate, text);
}

/* The same where it may be somebody who guesses. */
static enum step turn_down(struct session *s, uint16_t code, const char *sqlstate, const char *text)
{
    guard_failed(&s->worker->shared->guard, s->address, &s->worker->conf->limits, worker_now_ns());
    return refuse_login(s, code, sqlstate, text);
}

static enum step too_many_of_user(struct session *s)
{
    struct span user = session_login_user(s);
    char text[500];

    (void)snprintf(text, sizeof text,
                   "User %.*s already has more than 'max_user_connections' active connections",
                   (int)user.n, (const char *)user.p);
    metric_add(&s->worker->shared->metrics, METRIC_TURNED_AWAY, 1);
    return refuse_login(s, ER_TOO_MANY_USER_CONNECTIONS, "42000", text);
}

/* As the server words it; `more` says what the client could not know. */
static enum step deny(struct session *s, const char *more)
{
    static const char *const password[] = {
        [USED_NO] = " (using password: NO)",
        [USED_YES] = " (using password: YES)",
        [USED_NO_MENTION] = "",
    };
    bool no_mention = s->auth.used == USED_NO_MENTION;
    struct span user = session_login_user(s);
    char text[700];

    (void)snprintf(text, sizeof text, "Access denied for user '%.*s'@'%s'%s%s", (int)user.n,
                   (const char *)user.p, s->address, password[s->auth.used], more);
    return turn_down(s, no_mention ? ER_ACCESS_DENIED_NO_PASSWORD_ERROR : ER_ACCESS_DENIED_ERROR,
                     "28000", text);
}

/* No way fits. Where one was not tried at all, the reason is that. */
static enum step refuse(struct session *s, const struct account *shown)
{
    char more[200] = "";

    for (size_t i = 0; shown && i < shown->way_count; i++)
        if (shown->ways[i].kind == WAY_OTHER)
            (void)snprintf(more, sizeof more, ": its plugin %s is not supported here; use %s",
                           shown->ways[i].plugin, AUTH_NATIVE);
    return deny(s, more);
}

/* Perhaps the account is newer than what is known of it. Ask once, wait for the answer: a catalog
 * whose reading had begun before (DDL has them read often) is none. */
static bool ask_for_fresh_accounts(struct session *s)
{
    const struct shared *shared = s->worker->shared;

    if (s->catalog_asked == 0)
        s->catalog_asked = shared->refresh_accounts(shared->monitor);
    return s->catalog_asked == 0 || s->worker->catalog_answers < s->catalog_asked;
}

/* All ways failed. What is known now may not be what they failed by: once more. */
static bool try_again(struct session *s)
{
    bool again = s->auth.fingerprint != s->worker->catalog->fingerprint;

    if (again)
        s->auth.way = 0;
    return again;
}

static bool names(const char *wanted, const char *shown)
{
    return !wanted[0] || strcmp(wanted, shown) == 0;
}

/* REQUIRE is checked behind the password, and refused in the same words. */
static bool tls_fits(const struct session *s, const struct account *a)
{
    struct tls_peer peer;

    if (a->tls == ACCOUNT_TLS_NONE)
        return true;
    if (!stream_tls_peer(&s->client, &peer))
        return false;
    if (a->tls == ACCOUNT_TLS_ANY)
        return true;
    if (a->tls == ACCOUNT_TLS_SPECIFIED && !names(a->tls_cipher, peer.cipher))
        return false;
    if (a->tls == ACCOUNT_TLS_SPECIFIED && !a->tls_issuer[0] && !a->tls_subject[0])
        return true; /* only the cipher is asked for */
    return peer.verified && names(a->tls_issuer, peer.issuer) &&
           names(a->tls_subject, peer.subject);
}

/* NULL: no memory. */
static struct identity *identify(struct session *s, const struct account *a,
                                 const struct account_way *w, const struct secret *secret)
{
    struct identity *i =
        identity_new(session_login_user(s), session_login_attributes(s), secret, s->caps);

    if (!i)
        return NULL;
    i->unchecked = w->kind == WAY_SHA2;
    i->limited = a->limited;
    i->by_attributes = s->worker->conf->pool.by_attributes;
    if (topology_tells_address(s->worker->topology))
        identity_set_address(i, s->address);
    return i;
}

static enum step accept_login(struct session *s, const struct account *a,
                              const struct account_way *w, const struct secret *secret)
{
    struct identity *i;

    if (!tls_fits(s, a))
        return deny(s, "");
    if (a->locked)
        return turn_down(s, ER_ACCOUNT_HAS_BEEN_LOCKED, "HY000",
                         "Access denied, this account is locked");
    if (w->kind == WAY_ED25519 && secret->kind == SECRET_NONE)
        return deny(s, ": the log-in is right, but by ed25519 the proxy does not learn the "
                       "password that the servers want of it; accounts_file must have it");
    i = identify(s, a, w, secret);
    if (!i) {
        session_end(s, ER_UNKNOWN_ERROR, "HY000", "out of memory");
        return STEP_WAIT;
    }
    if (!session_count_user(s, identity_user(i))) {
        identity_unref(i);
        return too_many_of_user(s);
    }
    identity_unref(s->identity);
    s->identity = i;
    session_adopt_login(s);
    s->catalog_asked = 0;
    s->failed_changes = s->bounds.login_packets = 0;
    s->run = log_in_run;
    session_enter(s, SESSION_ROUTE);
    return STEP_MORE;
}

enum step session_verify(struct session *s)
{
    struct span user = session_login_user(s);
    const struct catalog *c = s->worker->catalog;
    const struct account *a = catalog_account(c, user, s->address);
    const struct account *shown = a ? a : catalog_decoy(c, user);
    struct secret secret;

    if (s->client.writing || ((!a || s->auth.refused) && ask_for_fresh_accounts(s)))
        return STEP_WAIT;
    if (s->auth.way == 0)
        s->auth.fingerprint = c->fingerprint;
    for (; shown && s->auth.way < shown->way_count; s->auth.way++) {
        const struct account_way *w = &shown->ways[s->auth.way];
        enum auth_answer answer = session_auth_try(s, w, &secret);

        if (answer == AUTH_ASKED)
            return s->state.now == SESSION_CLOSING ? STEP_WAIT : STEP_MORE;
        if (answer == AUTH_FITS && a)
            return accept_login(s, a, w, &secret);
    }
    if (try_again(s))
        return STEP_MORE;
    if (ask_for_fresh_accounts(s))
        return STEP_WAIT;
    return refuse(s, shown);
}
