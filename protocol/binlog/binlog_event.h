/* One binlog event, as a MariaDB server sends it to a replica: header, checksum, body.
 * https://mariadb.com/kb/en/replication-protocol/. Version 4 (19 bytes of header) only.
 *
 * Decoding is pure. Spans point into the bytes handed in, or into `inflated` for compressed events;
 * they are good as long as those are. */
#ifndef PROTOCOL_BINLOG_EVENT_H
#define PROTOCOL_BINLOG_EVENT_H

#include "base/buf.h"
#include "base/err.h"
#include "protocol/binlog/binlog_type.h"
#include "protocol/gtid.h"

enum { BINLOG_HEADER = 19, BINLOG_CHECKSUM = 4 };

/* What a body was decoded into. Several types share one: all rows events are BINLOG_ROWS. */
enum binlog_body {
    BINLOG_IGNORED, /* nothing for a reader of changes: annotations, checkpoints, intvars, … */
    BINLOG_FORMAT,
    BINLOG_ROTATE,
    BINLOG_GTID,
    BINLOG_GTID_LIST,
    BINLOG_XID,
    BINLOG_XA_PREPARE,
    BINLOG_QUERY, /* also EXECUTE_LOAD_QUERY: LOAD DATA in statement format */
    BINLOG_TABLE_MAP,
    BINLOG_ROWS,
    BINLOG_HEARTBEAT,
    BINLOG_ANNOTATE,
    BINLOG_INCIDENT, /* the server lost events: what follows does not join on */
};

#define BINLOG_FLAG_ARTIFICIAL 0x0020u /* made for this connection, not in the file */
#define BINLOG_FLAG_IGNORABLE  0x0080u

struct binlog_header {
    uint32_t timestamp; /* seconds since 1970; 0 in artificial events */
    uint8_t type;       /* enum binlog_type, or one we don't know */
    uint32_t server_id;
    uint32_t size;    /* bytes of the whole event */
    uint32_t end_pos; /* where it ends in the file, modulo 2^32; 0 in some artificial events */
    uint16_t flags;   /* BINLOG_FLAG_* */
};

/* What the last FORMAT_DESCRIPTION event says of those behind it. All zero: none seen yet. */
struct binlog_format {
    uint16_t version;
    bool checksum;            /* each event ends with a CRC32, which is verified */
    uint8_t post_header[256]; /* bytes, by event type; 0: not listed */
};

/* GTID event flags. */
#define BINLOG_GTID_STANDALONE    0x01u /* one event follows and no COMMIT */
#define BINLOG_GTID_HAS_COMMIT_ID 0x02u
#define BINLOG_GTID_TRANSACTIONAL 0x04u
#define BINLOG_GTID_DDL           0x20u
#define BINLOG_GTID_PREPARED_XA   0x40u /* this group is an XA PREPARE: not committed yet */
#define BINLOG_GTID_COMPLETED_XA  0x80u /* XA COMMIT or XA ROLLBACK of an earlier one */

enum { BINLOG_XA_ID_MAX = 128 };

/* An XA transaction's name. Empty data: none. */
struct binlog_xa {
    uint32_t format;
    uint8_t gtrid; /* bytes of data that are the global id, the rest is the branch */
    struct span data;
};

struct binlog_gtid_event {
    struct gtid gtid;
    uint8_t flags; /* BINLOG_GTID_* */
    uint64_t commit_id;
    struct binlog_xa xa;
};

struct binlog_query {
    uint32_t thread_id;
    uint16_t error;
    struct span schema; /* the default database; may be empty */
    struct span text;   /* in the client's character set */
};

enum binlog_op { BINLOG_INSERT, BINLOG_UPDATE, BINLOG_DELETE };

#define BINLOG_ROWS_STATEMENT_END 0x0001u   /* the table maps seen so far end here */
#define BINLOG_TABLE_ID_NONE      0xFFFFFFu /* a rows event without rows, for its flag only */

struct binlog_rows {
    uint64_t table_id;
    uint16_t flags;
    enum binlog_op op;
    uint32_t width;        /* columns */
    const uint8_t *before; /* bitmap: columns in the before image; NULL for BINLOG_INSERT */
    const uint8_t *after;  /* bitmap: columns in the after image; NULL for BINLOG_DELETE */
    struct span rows;      /* see protocol/binlog/binlog_row.h */
};

struct binlog_event {
    struct binlog_header head;
    enum binlog_body body;
    union {
        struct binlog_format format;
        struct {
            uint64_t position;
            struct span file;
            bool artificial; /* says where we are; the file has not ended */
        } rotate;
        struct binlog_gtid_event gtid;
        struct {
            uint32_t count;
            struct span entries; /* count × (domain 4, server 4, sequence 8) */
        } gtid_list;
        uint64_t xid;
        struct {
            bool one_phase; /* XA COMMIT … ONE PHASE: this commits */
            struct binlog_xa xa;
        } xa_prepare;
        struct binlog_query query;
        struct span table_map; /* for binlog_table_decode */
        struct binlog_rows rows;
        struct span heartbeat; /* the file's name */
        struct span annotate;  /* the statement's text */
        struct {
            uint16_t number;
            struct span text;
        } incident;
    };
};

/* The header alone; false with fewer than BINLOG_HEADER bytes. */
bool binlog_header_decode(struct span raw, struct binlog_header *h) MUST_CHECK;

/* Decode one whole event. A FORMAT_DESCRIPTION also fills `f`, which the next calls need.
 * Compressed events are inflated into `inflated`, overwriting it, up to its cap. False with `e`
 * (ERR_DATA; over the cap: ERR_IO) set where the bytes are malformed, the checksum is wrong, or a
 * type is neither known nor marked ignorable. */
bool binlog_event_decode(struct span raw, struct binlog_format *f, struct buf *inflated,
                         struct binlog_event *out, struct err *e) MUST_CHECK;

/* The GTID_LIST's i-th entry. */
struct gtid binlog_gtid_list_at(const struct binlog_event *ev, uint32_t i);

#endif
