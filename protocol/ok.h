/* OK, ERR and EOF packets and the session-state changes inside OK.
 * https://mariadb.com/kb/en/ok_packet/, https://mariadb.com/kb/en/err_packet/. Payloads without
 * header. */
#ifndef PROTOCOL_OK_H
#define PROTOCOL_OK_H

#include "base/buf.h"
#include "protocol/consts.h"

struct ok {
    uint8_t header; /* 0x00, or 0xFE where it ends a result set under DEPRECATE_EOF */
    uint64_t affected_rows;
    uint64_t last_insert_id;
    uint16_t status;
    uint16_t warnings;
    struct span info;    /* text for people, without length */
    struct span changes; /* the session-state block without its length; empty: none */
};

struct server_error {
    uint16_t code;
    char sqlstate[6]; /* NUL-terminated; "HY000" where the packet had none */
    struct span message;
};

/* `caps`: what was negotiated on the connection the packet came from (SESSION_TRACK decides the
 * layout). */
bool ok_decode(struct span payload, uint64_t caps, struct ok *ok) MUST_CHECK;
/* Written for a connection with `caps`: without SESSION_TRACK neither the changes nor
 * STATUS_SESSION_STATE_CHANGED are, else that flag is set where there are changes, and a block of
 * changes stands there where it is set; with header 0xFE and no DEPRECATE_EOF it becomes an EOF
 * packet.
 */
void ok_encode(struct buf *b, const struct ok *ok, uint64_t caps);

bool error_decode(struct span payload, struct server_error *e) MUST_CHECK;
/* `sqlstate` of five characters. Message text is cut at 512 bytes. */
void error_encode(struct buf *b, uint16_t code, const char *sqlstate, const char *message);

/* Walk the session-state block. */
enum change_kind {
    CHANGE_VARIABLE =
        0,             /* name, value (value.p NULL: SQL NULL cannot occur, NULL comes as empty) */
    CHANGE_SCHEMA = 1, /* value */
    CHANGE_STATE = 2,  /* value "1": something that variables do not tell */
    CHANGE_GTIDS = 3,  /* MySQL's; not sent by MariaDB */
    CHANGE_TX_CHARACTERISTICS = 4, /* value: statements that restart the transaction */
    CHANGE_TX_STATE = 5,           /* value: eight characters */
};

struct change {
    uint8_t kind;
    struct span name;
    struct span value;
};

/* A CHANGE_VARIABLE entry may hold several name/value pairs: each comes as a change of its own. */
struct change_iter {
    struct cursor block;
    struct cursor entry;
    uint8_t kind;
};

struct change_iter change_iter_of(struct span changes);
/* 1: *c filled; 0: end; -1: malformed. */
int change_next(struct change_iter *it, struct change *c);

#endif
