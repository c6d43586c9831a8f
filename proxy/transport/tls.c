#include "proxy/transport/tls.h"

#include "base/ref.h"

#include <assert.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum { TICKET_KEYS = 80 }; /* what SSL_CTX_get_tlsext_ticket_keys asks for */

struct tls_context {
    struct ref ref;
    SSL_CTX *ssl;
    enum conf_tls_mode mode; /* towards servers */
    uint8_t fingerprint[TLS_FINGERPRINT];
    uv_mutex_t lock;                   /* of `tickets`: connections of several threads share them */
    SSL_SESSION *tickets[TLS_SERVERS]; /* the newest of each server; NULL: none */
};

struct tls {
    struct tls_context *context;
    SSL *ssl;
    int server;       /* index, where we are the client */
    struct span *in;  /* while a call is under way: what the peer sent */
    struct buf *wire; /* while a call is under way */
    char why[TLS_WHY_MAX];
};

static int bio_read(BIO *bio, char *out, int room)
{
    struct tls *t = BIO_get_data(bio);
    size_t n = t->in && t->in->n < (size_t)room ? t->in->n : (size_t)room;

    BIO_clear_retry_flags(bio);
    if (!t->in || t->in->n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(out, t->in->p, n);
    *t->in = (struct span){t->in->p + n, t->in->n - n};
    return (int)n;
}

static int bio_write(BIO *bio, const char *in, int n)
{
    struct tls *t = BIO_get_data(bio);

    if (!t->wire)
        return -1;
    buf_put(t->wire, in, (size_t)n);
    return buf_ok(t->wire) ? n : -1;
}

static long bio_control(BIO *bio, int what, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method; /* one a process, as long as it lives */

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tillway");
    if (!method)
        return;
    (void)BIO_meth_set_read(method, bio_read);
    (void)BIO_meth_set_write(method, bio_write);
    (void)BIO_meth_set_ctrl(method, bio_control);
}

static bool have_method(void)
{
    static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

    return CRYPTO_THREAD_run_once(&once, make_method) && method;
}

/* Of an error's trace the first entry is the cause. */
static const char *cause(void)
{
    unsigned long code = ERR_peek_error();
    const char *why = code ? ERR_reason_error_string(code) : NULL;

    if (code && ERR_SYSTEM_ERROR(code))
        why = err_system(ERR_GET_REASON(code));
    return why ? why : "unknown error";
}

static bool bad_file(struct err *e, const char *what, const char *path)
{
    (void)err_set(e, ERR_USAGE, "%s %s: %s", what, path, cause());
    ERR_clear_error();
    return false;
}

/* A passphrase is nobody's to type here. */
static int no_passphrase(char *out, int size, int writing, void *ctx)
{
    (void)writing;
    (void)ctx;
    if (size > 0)
        out[0] = 0;
    return -1;
}

static bool load_certificate(struct tls_context *c, const char *certificate, const char *key,
                             struct err *e)
{
    unsigned n = TLS_FINGERPRINT;

    SSL_CTX_set_default_passwd_cb(c->ssl, no_passphrase);
    if (SSL_CTX_use_certificate_chain_file(c->ssl, certificate) != 1)
        return bad_file(e, "certificate", certificate);
    if (SSL_CTX_use_PrivateKey_file(c->ssl, key, SSL_FILETYPE_PEM) != 1)
        return bad_file(e, "key", key);
    if (SSL_CTX_check_private_key(c->ssl) != 1)
        return bad_file(e, "key", key);
    if (X509_digest(SSL_CTX_get0_certificate(c->ssl), EVP_sha256(), c->fingerprint, &n) != 1)
        return bad_file(e, "certificate", certificate);
    return true;
}

static struct tls_context *context_new(const SSL_METHOD *of, struct err *e)
{
    struct tls_context *c = calloc(1, sizeof *c);

    if (!c || !have_method()) {
        free(c);
        (void)err_set(e, ERR_IO, "out of memory");
        return NULL;
    }
    ref_init(&c->ref);
    ERR_clear_error();
    c->ssl = SSL_CTX_new(of);
    if (c->ssl && uv_mutex_init(&c->lock) == 0)
        return c;
    SSL_CTX_free(c->ssl);
    (void)err_set(e, ERR_IO, "TLS cannot be set up: %s", cause());
    free(c);
    return NULL;
}

static void set_modes(SSL_CTX *ssl, enum conf_tls_version least)
{
    (void)SSL_CTX_set_min_proto_version(ssl,
                                        least == CONF_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    (void)SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    (void)SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ssl, 0);
}

/* Tickets alone: nothing is kept here for a session that may come back. */
static void set_resumption(SSL_CTX *ssl)
{
    static const unsigned char id[] = "tillway";

    (void)SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_session_id_context(ssl, id, sizeof id - 1);
}

static bool load_client_authorities(SSL_CTX *ssl, const char *ca, struct err *e)
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca);

    if (!names || SSL_CTX_load_verify_locations(ssl, ca, NULL) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return bad_file(e, "ca", ca);
    }
    SSL_CTX_set_client_CA_list(ssl, names);
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    return true;
}

struct tls_context *tls_context_server(const struct conf_listener_tls *conf, struct err *e)
{
    struct tls_context *c = context_new(TLS_server_method(), e);

    if (!c)
        return NULL;
    set_modes(c->ssl, conf->min_version);
    (void)SSL_CTX_set_options(c->ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
    set_resumption(c->ssl);
    if (load_certificate(c, conf->certificate, conf->key, e) &&
        (conf->ca[0] == 0 || load_client_authorities(c->ssl, conf->ca, e)))
        return c;
    tls_context_unref(c);
    return NULL;
}

static bool load_server_authorities(SSL_CTX *ssl, const char *ca, struct err *e)
{
    if (ca[0] ? SSL_CTX_load_verify_locations(ssl, ca, NULL) != 1
              : SSL_CTX_set_default_verify_paths(ssl) != 1)
        return bad_file(e, "ca", ca[0] ? ca : "of the system");
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    return true;
}

/* A server sent a ticket. The handshake behind it was verified. */
static int keep_ticket(SSL *ssl, SSL_SESSION *ticket)
{
    const struct tls *t = SSL_get_app_data(ssl);
    SSL_SESSION *old;

    uv_mutex_lock(&t->context->lock);
    old = t->context->tickets[t->server];
    t->context->tickets[t->server] = ticket;
    uv_mutex_unlock(&t->context->lock);
    SSL_SESSION_free(old);
    return 1; /* the reference is ours */
}

/* A connection that shows a ticket spares both sides the certificate's arithmetic. */
static void set_client_resumption(SSL_CTX *ssl)
{
    (void)SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ssl, keep_ticket);
}

struct tls_context *tls_context_client(const struct conf_servers_tls *conf, struct err *e)
{
    struct tls_context *c = context_new(TLS_client_method(), e);

    if (!c)
        return NULL;
    c->mode = conf->mode;
    set_modes(c->ssl, CONF_TLS_1_2);
    set_client_resumption(c->ssl);
    if ((conf->certificate[0] == 0 || load_certificate(c, conf->certificate, conf->key, e)) &&
        (conf->mode < CONF_TLS_VERIFY_CA || load_server_authorities(c->ssl, conf->ca, e)))
        return c;
    tls_context_unref(c);
    return NULL;
}

struct tls_context *tls_context_ref(struct tls_context *c)
{
    if (c)
        ref_get(&c->ref);
    return c;
}

void tls_context_unref(struct tls_context *c)
{
    if (!c || !ref_put(&c->ref))
        return;
    for (int i = 0; i < TLS_SERVERS; i++)
        SSL_SESSION_free(c->tickets[i]);
    SSL_CTX_free(c->ssl);
    uv_mutex_destroy(&c->lock);
    free(c);
}

/* Not where clients are verified: a ticket vouches for a certificate that the new authorities may
 * not have issued. */
void tls_context_succeed(struct tls_context *c, const struct tls_context *old)
{
    uint8_t keys[TICKET_KEYS];

    if (SSL_CTX_get_verify_mode(c->ssl) != SSL_VERIFY_NONE ||
        SSL_CTX_get_verify_mode(old->ssl) != SSL_VERIFY_NONE)
        return;
    if (SSL_CTX_get_tlsext_ticket_keys(old->ssl, keys, sizeof keys) == 1)
        (void)SSL_CTX_set_tlsext_ticket_keys(c->ssl, keys, sizeof keys);
    OPENSSL_cleanse(keys, sizeof keys);
}

static struct tls *tls_new(struct tls_context *c)
{
    struct tls *t = calloc(1, sizeof *t);
    BIO *bio = BIO_new(method);

    if (t)
        t->ssl = SSL_new(c->ssl);
    if (!t || !t->ssl || !bio) {
        BIO_free(bio);
        if (t)
            SSL_free(t->ssl);
        free(t);
        return NULL;
    }
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio);
    t->context = tls_context_ref(c);
    return t;
}

struct tls *tls_accept(struct tls_context *c)
{
    struct tls *t = tls_new(c);

    if (t)
        SSL_set_accept_state(t->ssl);
    return t;
}

/* The name it must be for, and by which it may choose its certificate. */
static bool expect_host(struct tls *t, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);
    bool numeric = X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    union {
        const char *in;
        void *out;
    } name = {host}; /* the call takes no const, and copies */

    ERR_clear_error();
    if (t->context->mode < CONF_TLS_VERIFY_IDENTITY)
        (void)X509_VERIFY_PARAM_set1_ip(param, NULL, 0);
    else if (!numeric && SSL_set1_host(t->ssl, host) != 1)
        return false;
    return numeric || SSL_set_tlsext_host_name(t->ssl, name.out) == 1;
}

/* Where the server does not know it any more, there is a whole handshake. False: no memory. */
static bool show_ticket(struct tls *t)
{
    SSL_SESSION *ticket;
    bool fine;

    uv_mutex_lock(&t->context->lock);
    ticket = t->context->tickets[t->server];
    fine = !ticket || SSL_set_session(t->ssl, ticket) == 1;
    uv_mutex_unlock(&t->context->lock);
    return fine;
}

struct tls *tls_connect(struct tls_context *c, int server, const char *host)
{
    struct tls *t = tls_new(c);

    assert(server >= 0 && server < TLS_SERVERS);
    if (!t)
        return NULL;
    t->server = server;
    SSL_set_connect_state(t->ssl);
    if (SSL_set_app_data(t->ssl, t) == 1 && expect_host(t, host) && show_ticket(t))
        return t;
    tls_free(t);
    return NULL;
}

bool tls_is_required(const struct tls *t)
{
    return t->context->mode >= CONF_TLS_REQUIRE;
}

void tls_close(struct tls *t, struct buf *wire)
{
    if (!SSL_is_init_finished(t->ssl) || t->why[0])
        return;
    t->wire = wire;
    (void)SSL_shutdown(t->ssl);
    t->wire = NULL;
    ERR_clear_error();
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);
    tls_context_unref(t->context);
    free(t);
}

bool tls_is_ready(const struct tls *t)
{
    return SSL_is_init_finished(t->ssl) && !t->why[0];
}

static void explain(struct tls *t)
{
    long verified = SSL_get_verify_result(t->ssl);

    (void)snprintf(t->why, sizeof t->why, "TLS: %s%s%s", cause(), verified == X509_V_OK ? "" : ": ",
                   verified == X509_V_OK ? "" : X509_verify_cert_error_string(verified));
}

static enum tls_result result_of(struct tls *t, int rc)
{
    int error = SSL_get_error(t->ssl, rc);
    enum tls_result result = TLS_FAILED;

    if (rc > 0 || error == SSL_ERROR_WANT_READ)
        result = TLS_FINE;
    else if (error == SSL_ERROR_ZERO_RETURN)
        result = TLS_ENDED;
    else
        explain(t);
    ERR_clear_error();
    return result;
}

enum tls_result tls_read(struct tls *t, struct span *in, uint8_t *out, size_t room, size_t *made,
                         struct buf *wire)
{
    int rc = 1;

    assert(!t->why[0]);
    t->in = in;
    t->wire = wire;
    *made = 0;
    while (rc > 0 && *made < room) {
        size_t left = room - *made < INT32_MAX ? room - *made : INT32_MAX;

        rc = SSL_read(t->ssl, out + *made, (int)left);
        if (rc > 0)
            *made += (size_t)rc;
    }
    t->in = NULL;
    t->wire = NULL;
    return result_of(t, rc);
}

enum tls_result tls_write(struct tls *t, struct span plain, struct buf *wire)
{
    int rc;

    assert(tls_is_ready(t) && plain.n > 0 && plain.n <= TLS_RECORD);
    t->wire = wire;
    rc = SSL_write(t->ssl, plain.p, (int)plain.n);
    t->wire = NULL;
    return rc == (int)plain.n ? TLS_FINE : result_of(t, rc);
}

const char *tls_why(const struct tls *t)
{
    return t->why;
}

static void name_text(const X509_NAME *name, char *out, size_t size)
{
    if (!name || !X509_NAME_oneline(name, out, (int)size))
        out[0] = 0;
}

void tls_describe(const struct tls *t, struct tls_peer *out)
{
    const X509 *certificate = SSL_get0_peer_certificate(t->ssl);

    *out = (struct tls_peer){.cipher = SSL_get_cipher_name(t->ssl),
                             .version = SSL_get_version(t->ssl),
                             .resumed = SSL_session_reused(t->ssl) == 1};
    if (!certificate)
        return;
    out->verified = SSL_get_verify_result(t->ssl) == X509_V_OK;
    name_text(X509_get_subject_name(certificate), out->subject, sizeof out->subject);
    name_text(X509_get_issuer_name(certificate), out->issuer, sizeof out->issuer);
}

const uint8_t *tls_fingerprint(const struct tls *t)
{
    return t->context->fingerprint;
}
