/* The exchange that proves who a client is: which plugin its last reply is by, what it was asked
 * for, and which of the account's ways is being tried. Part of a session. */
#ifndef PROXY_SESSION_AUTH_H
#define PROXY_SESSION_AUTH_H

#include "base/buf.h"
#include "protocol/auth/auth_ed25519.h"
#include "proxy/identity.h"
#include "routing/account.h"

struct session;

/* The client's plugin. */
enum auth_by { BY_OTHER, BY_NATIVE, BY_ED25519, BY_SHA2, BY_CLEAR };

/* What an error says of the password, as the server counts it. */
enum auth_used { USED_NO, USED_YES, USED_NO_MENTION };

struct session_auth {
    enum auth_by by;    /* whose reply is kept */
    enum auth_by asked; /* what the client was asked for */
    bool full;          /* caching_sha2_password: asked for the password itself */
    bool key_sent;      /* … and was sent the RSA key to encrypt it with */
    const char *plugin; /* the last one spoken, for the log; "": none */
    bool told;          /* the client said its password itself, be it encrypted */
    bool sha2_only;     /* a client of MySQL 9 or newer: it has no mysql_native_password */
    enum auth_used used;
    size_t way;           /* of the account's, the one being tried */
    uint64_t fingerprint; /* of the catalog by which the first one was tried */
    bool refused;         /* a server refused what the accounts known here let in */
    uint8_t nonce[AUTH_ED25519_NONCE];
    bool has_native; /* a reply by mysql_native_password came before the one that is kept … */
    uint8_t native[AUTH_HASH]; /* … this one */
};

enum { CREDENTIALS_MAX = 16384 };

/* What a log-in packet says, kept until a server has let the session in. */
struct credentials {
    struct buf bytes; /* user, schema, attributes (as servers get them), reply */
    size_t user_len;
    size_t schema_len;
    size_t attributes_len;
    uint8_t zstd_level; /* as sent; 0: it was not */
};

enum auth_answer {
    AUTH_FITS,
    AUTH_FAILS,
    AUTH_ASKED, /* something was sent to the client: step again when it has answered */
};

/* A new log-in of a client that named `plugin` (empty: none) and these connection attributes; its
 * reply is in s->credentials. */
void session_auth_begin(struct session *s, struct span plugin, struct span attributes);
/* Try one way; what the client has shown of its password goes to `secret` where it fits (a span in
 * it is valid until the credentials change). */
enum auth_answer session_auth_try(struct session *s, const struct account_way *w,
                                  struct secret *secret) MUST_CHECK;
/* The client's answer to what it was asked for; goes on to VERIFY unless more is to come. False: no
 * room, or the session has ended. */
bool session_auth_reply(struct session *s, struct span payload) MUST_CHECK;

/* The parts of s->credentials. */
struct span session_login_user(const struct session *s);
struct span session_login_attributes(const struct session *s);
struct span session_login_reply(const struct session *s);
/* Replace the reply. False: no room. */
bool session_keep_reply(struct session *s, struct span reply) MUST_CHECK;

#endif
