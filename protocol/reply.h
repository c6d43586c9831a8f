/* The reply tracker: follows a server's bytes to the end of the reply to one command, says which of
 * them go to the client unchanged, and edits the few that must differ.
 *
 * Server connections always speak DEPRECATE_EOF and SESSION_TRACK (so that the proxy learns of
 * state and GTIDs after result sets, too); a client may speak neither. The differences are small
 * and local:
 *   - the final OK (0xFE) of a result set becomes an EOF packet, and an EOF packet is put in after
 *     the column definitions (not before a packet that only says "cursor opened": there is one EOF
 *     then). Its status flags are those of the result set's end where that stands within REPLY_PEEK
 *     bytes behind the definitions (a server sends them before the rows, but they are the same:
 *     MORE_RESULTS, PS_OUT_PARAMS, NO_INDEX_USED, …), else the session's last known ones. It
 *     tells the warnings of the end where no rows are before that (libmariadb's statements look
 *     nowhere else), else none;
 *   - session-state changes are cut out of OK packets;
 *   - progress reports are left out;
 *   - after an inserted or dropped packet the sequence numbers of those that follow are shifted,
 *     patched in place;
 *   - the statement id in a PREPARE reply is the proxy's own, patched in place.
 * Everything else passes by the buffer: of a row only its header and its first byte are looked at,
 * however long it is.
 *
 * Other capabilities that change the shape of a reply (MariaDB's extended metadata, cached
 * metadata, bulk results) must be the same on both connections.
 *
 * With cached metadata a server leaves the column definitions of an execution's result out where
 * they are those that it sent last for this statement on its connection. What the client was sent
 * last may be another's: then they are put in.
 *
 * Pure: no I/O, no allocation. What goes to the client depends on the server's bytes only, not on
 * how they are cut into reads. The source of the phases:
 * https://mariadb.com/kb/en/result-set-packets/, https://mariadb.com/kb/en/com_stmt_prepare/. */
#ifndef PROTOCOL_REPLY_H
#define PROTOCOL_REPLY_H

#include "protocol/ok.h"
#include "protocol/packet.h"

/* Which shape the reply to a command has. */
enum reply_kind {
    REPLY_NONE,   /* QUIT, STMT_CLOSE, SEND_LONG_DATA: no reply */
    REPLY_RESULT, /* QUERY, STMT_EXECUTE, PROCESS_INFO, BULK_EXECUTE: OK | ERR | result sets | LOCAL
                     INFILE, perhaps several */
    REPLY_ROWS,   /* STMT_FETCH: rows and an end */
    REPLY_FIELDS, /* FIELD_LIST: definitions and an end */
    REPLY_PREPARE, /* STMT_PREPARE */
    REPLY_SINGLE,  /* PING, INIT_DB, RESET_CONNECTION, SET_OPTION, …: one OK, EOF or ERR */
    REPLY_TEXT,    /* STATISTICS: one packet of text (or ERR) */
    REPLY_CURSOR,  /* STMT_EXECUTE of a SELECT that is to open a cursor: as REPLY_RESULT, but an
                      error behind the definitions stands where their EOF would */
};

/* The reply's shape for a command byte; REPLY_SINGLE for those that have no other. */
enum reply_kind reply_kind_of(uint8_t command);

enum reply_event {
    REPLY_MORE,   /* input used up as far as it can be: read more behind what is left */
    REPLY_EDIT,   /* pass, drop, insert; then call again */
    REPLY_OK,     /* the step ends with an OK or EOF packet (of any result): see r->ok */
    REPLY_ERROR,  /* the step ends with an ERR packet: see r->error; it ends the reply */
    REPLY_INFILE, /* the step ends with a request for LOCAL INFILE: the client sends packets up to
                     an empty one (r->shift is to be taken off their sequence numbers), then the
                     reply goes on */
    REPLY_BAD,    /* no valid server sends this; r->why says what. Nothing more may be fed */
};

/* With every event pass, drop and insert are to be carried out, in this order; an OK or ERR packet
 * that the client shall see is among them. */
struct reply_out {
    size_t pass;        /* bytes at the front that go on (edited in place where need be) */
    size_t drop;        /* bytes behind them that do not */
    struct span insert; /* bytes that go in their place; valid until the next reply_feed */
    size_t last;        /* REPLY_OK, REPLY_ERROR: where that packet begins */
    struct {
        size_t at, n; /* of those that pass, the bytes of column definitions */
        bool whole;   /* with them the result set's definitions are complete */
        bool put_in;  /* `insert` is all of them */
    } columns;        /* where reply.tells_columns */
    enum reply_event event;
    bool done; /* the reply is complete with this step */
};

enum { REPLY_CELL = 1024, REPLY_INSERT = 9, REPLY_PEEK = 4096 };

struct reply {
    /* set by reply_begin, read only */
    enum reply_kind kind;
    uint64_t server_caps;
    uint64_t client_caps;
    uint32_t client_stmt_id; /* REPLY_PREPARE: written over the server's */
    /* OK packets with session-state changes do not go on: the caller says them with those changes
     * that the client wants, as packet `seq`, at REPLY_OK. May be set before each reply_feed. */
    bool retells;
    bool retells_all; /* with those without changes, for there are some left to tell */
    /* Of PREPARE and executions, with cached metadata. May be set before each reply_feed. */
    bool tells_columns; /* reply_out.columns is wanted */
    bool has_columns;   /* the client has what the server leaves out */
    /* … else this is put in, whole packets, which are numbered in place; none: REPLY_BAD */
    uint8_t *columns;
    size_t columns_n;

    /* what was learnt; read only for others */
    bool retold;  /* the last OK was dropped, see `retells` */
    bool started; /* a byte of the reply was seen */
    struct ok ok; /* the last OK as the server sent it; spans valid until the buffer changes */
    struct server_error error; /* the same */
    uint32_t stmt_id;          /* REPLY_PREPARE: the server's */
    uint16_t stmt_params;
    uint16_t stmt_columns;
    uint16_t stmt_warnings;
    bool has_set;  /* a result set has begun, whatever ended it */
    uint64_t rows; /* of the current or last result set */
    /* First column of the result set's first row (text protocol), cut, NUL-terminated; for the
     * proxy's own questions. */
    char cell[REPLY_CELL];
    bool cell_null;
    uint16_t cell_len;
    const char *why;
    uint8_t shift; /* added to the server's sequence numbers */
    uint8_t seq;   /* of the last packet that went on, or shall */

    /* private */
    uint8_t phase;
    uint8_t next_seq;   /* of the server's next packet, where `in_sequence` */
    bool in_sequence;   /* a packet came before it, and none of the client's between */
    bool eof_due;       /* an EOF is to be put in behind the definitions */
    bool in_columns;    /* amid column definitions that are told of */
    bool columns_next;  /* REPLY_PREPARE: those that come are the columns' */
    bool continued;     /* the next packet continues a 16 MiB payload */
    uint16_t status;    /* for inserted EOFs: the last status seen */
    uint64_t defs_left; /* column definitions still to come */
    uint64_t defs_next; /* REPLY_PREPARE: those of the columns, after the parameters' */
    size_t body_left;   /* payload bytes of the current packet that just pass */
    uint8_t scratch[REPLY_INSERT];
};

/* `status`: the session's last known status flags, for the EOF packets put in. */
void reply_begin(struct reply *r, enum reply_kind kind, uint64_t server_caps, uint64_t client_caps,
                 uint16_t status);

/* Look at n bytes and edit them in place where need be. The caller carries out pass, drop and
 * insert, removes pass + drop bytes from the front and calls again with the rest (also if none are
 * left) until `done` or REPLY_MORE. With REPLY_MORE, pass may be smaller than n: the bytes left are
 * a piece of what must be seen whole: a header and one byte, the first REPLY_CELL + 9 bytes of a
 * first row, an OK, ERR or PREPARE head, or for a client without DEPRECATE_EOF up to REPLY_PEEK
 * bytes behind the definitions. So the caller's buffer must hold REPLY_PEEK + max_whole + 4 bytes.
 * A packet that must be whole and is longer than `max_whole` bytes is REPLY_BAD. */
void reply_feed(struct reply *r, uint8_t *buf, size_t n, size_t max_whole, struct reply_out *out);

#endif
