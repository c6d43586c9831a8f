/* The connection phase: greeting, the client's response, authentication switch, COM_CHANGE_USER.
 * https://mariadb.com/kb/en/connection/. Decoders read one packet's payload and point into it. */
#ifndef PROTOCOL_HANDSHAKE_H
#define PROTOCOL_HANDSHAKE_H

#include "base/buf.h"
#include "protocol/auth/auth.h"
#include "protocol/consts.h"

struct greeting {
    struct span version; /* as sent: e.g. "5.5.5-10.11.19-MariaDB" or "11.4.2-MariaDB" */
    uint32_t connection_id;
    uint8_t nonce[AUTH_NONCE];
    uint64_t capabilities; /* CAP_*, MariaDB's extended ones in the upper half */
    uint8_t collation;
    uint16_t status;
    struct span plugin;
};

struct login {
    uint64_t capabilities;
    uint32_t max_packet;
    uint8_t collation;
    struct span user;
    struct span auth;       /* the plugin's reply */
    struct span database;   /* empty: none */
    struct span plugin;     /* empty: none named */
    struct span attributes; /* attributes.h; may be empty */
    uint8_t zstd_level;     /* 0: not sent */
    bool ssl_request;       /* the short packet that asks for TLS; nothing after collation is set */
};

struct change_user {
    struct span user;
    struct span auth;
    struct span database;
    uint16_t collation; /* 0: not sent */
    struct span plugin;
    struct span attributes;
};

/* Payloads only (no packet header). The encoder's `version` etc. must outlive the call only. */
void greeting_encode(struct buf *b, const struct greeting *g);
/* A server's first packet. Where it is an ERR packet (first byte 0xFF) the answer is false, too:
 * error_decode reads it. */
bool greeting_decode(struct span payload, struct greeting *g, const char **why) MUST_CHECK;

void login_encode(struct buf *b, const struct login *l);
/* `offered`: the capabilities of our greeting; what the client asks for beyond them is dropped. */
bool login_decode(struct span payload, uint64_t offered, struct login *l,
                  const char **why) MUST_CHECK;

/* `caps`: the session's. `payload` starts with the command byte. */
bool change_user_decode(struct span payload, uint64_t caps, struct change_user *u,
                        const char **why) MUST_CHECK;

/* 0xFE plugin NUL data, NUL where `nul`. A lone 0xFE (old password) decodes with an empty plugin.
 * The NUL behind a nonce of AUTH_NONCE bytes is not part of `data`. */
void auth_switch_encode(struct buf *b, const char *plugin, struct span data, bool nul);
bool auth_switch_decode(struct span payload, struct span *plugin, struct span *data) MUST_CHECK;

#endif
