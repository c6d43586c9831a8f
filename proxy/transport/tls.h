/* TLS of one connection as a transformer of bytes, and the certificates and settings it comes from.
 * No socket here: what the peer sent goes in, what is to be sent comes out in a buffer.
 * RFC 5246, RFC 8446. The one user of openssl/ssl.h. */
#ifndef PROXY_TLS_H
#define PROXY_TLS_H

#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"

enum {
    TLS_FINGERPRINT = 32,
    TLS_NAME_MAX = 1024,
    TLS_WHY_MAX = 256,
    TLS_RECORD = 16384,
    TLS_SERVERS = CONF_SERVERS_MAX,
};

/* Certificate, key and settings; immutable (but for the tickets that servers gave), ref-counted,
 * any thread. A session ticket that one connection got resumes on any other connection of the same
 * context. */
struct tls_context;

/* NULL with `e` set where a file is missing, broken, or does not fit the others. */
struct tls_context *tls_context_server(const struct conf_listener_tls *conf,
                                       struct err *e) MUST_CHECK;
/* For connections to servers; not where conf->mode is off. */
struct tls_context *tls_context_client(const struct conf_servers_tls *conf,
                                       struct err *e) MUST_CHECK;
struct tls_context *tls_context_ref(struct tls_context *c); /* NULL allowed */
void tls_context_unref(struct tls_context *c);              /* NULL allowed */
/* A context that is to take the place of `old` (the same listener's, reloaded) goes on accepting
 * its session tickets. */
void tls_context_succeed(struct tls_context *c, const struct tls_context *old);

/* One connection; used by one thread. Holds a reference to its context. */
struct tls;

struct tls *tls_accept(struct tls_context *c); /* we are the server; NULL: no memory */
/* We are the client of server `server` (below TLS_SERVERS) at `host`, a name or an address, which
 * is verified as the context says. A ticket that it gave to an earlier connection is shown. */
struct tls *tls_connect(struct tls_context *c, int server, const char *host);
/* Whether a server that offers no TLS will not do. */
bool tls_is_required(const struct tls *t);
/* Says farewell where that is due. */
void tls_close(struct tls *t, struct buf *wire);
void tls_free(struct tls *t); /* NULL allowed */

/* The handshake is through: tls_write may be called. */
bool tls_is_ready(const struct tls *t);

enum tls_result {
    TLS_FINE,
    TLS_ENDED,  /* the peer said farewell: nothing more will come */
    TLS_FAILED, /* tls_why; `wire` may hold an alert that tells the peer */
};

/* Take what the peer sent off the front of `in` and put what it says into `out`: at most `room`
 * bytes, `made` of them. With `made` < `room` all of `in` was taken. What is to be sent is appended
 * to `wire`. */
enum tls_result tls_read(struct tls *t, struct span *in, uint8_t *out, size_t room, size_t *made,
                         struct buf *wire) MUST_CHECK;
/* Append at most TLS_RECORD bytes, enciphered, to `wire`. */
enum tls_result tls_write(struct tls *t, struct span plain, struct buf *wire) MUST_CHECK;
/* Why it failed, in words. */
const char *tls_why(const struct tls *t);

/* What an account's REQUIRE clause may ask for. Names in the form that MariaDB compares
 * ("/C=DK/O=Shop/CN=till"); "" where the peer sent no certificate. */
struct tls_peer {
    const char *cipher;  /* as OpenSSL names it */
    const char *version; /* "TLSv1.3" */
    bool resumed;        /* by a ticket of an earlier connection */
    bool verified;       /* sent a certificate, issued by one of our authorities */
    char subject[TLS_NAME_MAX];
    char issuer[TLS_NAME_MAX];
};
/* Once ready. The two texts that are pointers live as long as the connection. */
void tls_describe(const struct tls *t, struct tls_peer *out);
/* SHA-256 of our own certificate. */
const uint8_t *tls_fingerprint(const struct tls *t);

#endif
