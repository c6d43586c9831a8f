#include "component/secure.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FLIGHT_MAX = 1 << 16, REQUEST = 32 };

struct secure {
    SSL_CTX *context;
    SSL *ssl;
    BIO *in;
    BIO *out;
};

static X509 *self_signed(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);

    assert_int_equal(X509_set_version(certificate, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 86400));
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"tillway", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(certificate, name), 1);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

static char path[64];

static void remove_file(void)
{
    (void)unlink(path);
}

const char *secure_file(void)
{
    EVP_PKEY *key;
    X509 *certificate;
    FILE *f;
    int fd;

    if (path[0])
        return path;
    (void)snprintf(path, sizeof path, "/tmp/tillway-secure-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)atexit(remove_file);
    f = fdopen(fd, "w");
    key = EVP_EC_gen("P-256");
    assert_true(f && key);
    certificate = self_signed(key);
    assert_int_equal(PEM_write_X509(f, certificate), 1);
    assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    (void)fclose(f);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return path;
}

void secure_offer(struct rig *r)
{
    const struct conf_listener_tls conf = {
        .present = true, .certificate = secure_file(), .key = secure_file(), .ca = ""};
    struct err e;

    r->tls = tls_context_server(&conf, &e);
    if (!r->tls)
        fail_msg("%s", e.text);
}

static struct secure *secure_new(enum secure_version version)
{
    struct secure *s = calloc(1, sizeof *s);
    int number = version == SECURE_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

    assert_non_null(s);
    s->context = SSL_CTX_new(TLS_client_method());
    assert_non_null(s->context);
    assert_int_equal(SSL_CTX_set_min_proto_version(s->context, number), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(s->context, number), 1);
    s->ssl = SSL_new(s->context);
    s->in = BIO_new(BIO_s_mem());
    s->out = BIO_new(BIO_s_mem());
    assert_true(s->ssl && s->in && s->out);
    SSL_set_bio(s->ssl, s->in, s->out);
    SSL_set_connect_state(s->ssl);
    return s;
}

static void secure_free(void *ctx)
{
    struct secure *s = ctx;

    SSL_free(s->ssl);
    SSL_CTX_free(s->context);
    free(s);
}

static void take_flight(struct secure *s, struct buf *bytes)
{
    uint8_t *room = buf_reserve(bytes, FLIGHT_MAX);
    int n;

    assert_non_null(room);
    while ((n = BIO_read(s->out, room, FLIGHT_MAX)) > 0) {
        bytes->len += (size_t)n;
        room = buf_reserve(bytes, FLIGHT_MAX);
        assert_non_null(room);
    }
}

static void veil_out(void *ctx, struct span words, struct buf *bytes)
{
    struct secure *s = ctx;

    if (words.n)
        assert_int_equal(SSL_write(s->ssl, words.p, (int)words.n), (int)words.n);
    take_flight(s, bytes);
}

static void veil_in(void *ctx, struct buf *bytes, struct buf *words)
{
    struct secure *s = ctx;
    int n;

    assert_int_equal(BIO_write(s->in, bytes->data, (int)bytes->len), (int)bytes->len);
    buf_clear(bytes);
    do {
        uint8_t *room = buf_reserve(words, FLIGHT_MAX);

        assert_non_null(room);
        n = SSL_read(s->ssl, room, FLIGHT_MAX);
        words->len += n > 0 ? (size_t)n : 0;
    } while (n > 0);
}

static void send_flight(struct peer *p, struct secure *s)
{
    struct buf flight = buf_with_max(FLIGHT_MAX * 2);

    take_flight(s, &flight);
    peer_send(p, buf_span(&flight));
    buf_free(&flight);
}

/* The next record of the other side. */
static void hear_record(struct peer *p, struct secure *s)
{
    struct span head = peer_hears_bytes(p, 5);
    size_t n = (size_t)head.p[3] << 8 | head.p[4];

    assert_int_equal(BIO_write(s->in, head.p, 5), 5);
    assert_int_equal(BIO_write(s->in, peer_hears_bytes(p, n).p, (int)n), (int)n);
}

void secure_asks(struct peer *p)
{
    uint8_t request[REQUEST] = {0};
    uint64_t caps = CLIENT_CAPS | CAP_SSL;

    assert_true(p->caps & CAP_SSL);
    for (int i = 0; i < 4; i++)
        request[i] = (uint8_t)(caps >> 8 * i);
    request[8] = 45;
    peer_send_packet(p, (struct span){request, sizeof request});
}

void secure_begins(struct peer *p, enum secure_version version)
{
    struct secure *s = secure_new(version);

    secure_asks(p);
    while (SSL_do_handshake(s->ssl) != 1) {
        if (SSL_get_error(s->ssl, -1) != SSL_ERROR_WANT_READ)
            peer_fail(p, "the handshake failed");
        send_flight(p, s);
        hear_record(p, s);
    }
    send_flight(p, s);
    assert_int_equal(p->in.len, 0); /* tickets come with the first word, or after */
    p->veil = (struct peer_veil){s, veil_out, veil_in, secure_free};
}

struct buf secure_hello(void)
{
    struct secure *s = secure_new(SECURE_1_3);
    struct buf flight = buf_with_max(FLIGHT_MAX * 2);

    assert_int_equal(SSL_do_handshake(s->ssl), -1);
    take_flight(s, &flight);
    secure_free(s);
    return flight;
}

void secure_is_refused_anew(struct peer *p)
{
    struct peer_veil veil = p->veil;
    struct secure *s = veil.ctx;

    p->veil = (struct peer_veil){NULL, NULL, NULL, NULL};
    assert_int_equal(SSL_renegotiate(s->ssl), 1);
    assert_int_equal(SSL_do_handshake(s->ssl), -1);
    send_flight(p, s);
    hear_record(p, s);
    ERR_clear_error();
    assert_int_equal(SSL_do_handshake(s->ssl), -1);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    p->veil = veil;
}

void secure_farewell(struct peer *p)
{
    struct secure *s = p->veil.ctx;

    assert_int_equal(SSL_shutdown(s->ssl), 0);
    peer_send(p, (struct span){NULL, 0});
}
