/* A connection on which a MariaDB server sends its binlog, by GTID.
 *
 * It looks like a replica to the server (SHOW SLAVE HOSTS), but never acknowledges
 * semi-sync: it is not a safe copy. Heartbeats prove that a silent connection lives. One thread,
 * but for binlog_stream_interrupt. */
#ifndef MIRROR_BINLOG_STREAM_H
#define MIRROR_BINLOG_STREAM_H

#include "protocol/binlog/binlog_event.h"

struct conf_servers_tls;

struct binlog_source {
    const char *host; /* used when `socket` is NULL */
    uint16_t port;
    const char *socket; /* path of a unix socket, or NULL */
    const char *user;   /* REPLICATION SLAVE (from 10.5: REPLICATION REPLICA) */
    const char *password;
    const struct conf_servers_tls *tls; /* NULL: in the clear */
    uint32_t server_id;                 /* unique among all that replicate from the server; not 0 */
    unsigned heartbeat_ms;              /* the server's heartbeat on silence */
    unsigned timeout_ms;                /* connecting, each set-up statement */
    size_t max_event;                   /* bytes of an event, also inflated; 0: 1 GiB + 1 MiB */
};

/* A connection is lost after so many of them. */
enum { BINLOG_MISSED_HEARTBEATS = 3 };

enum binlog_next {
    BINLOG_EVENT,  /* `out` is filled */
    BINLOG_IDLE,   /* the deadline passed; the connection lives */
    BINLOG_FAILED, /* see `e`; only binlog_stream_position and close make sense now */
};

/* Where the reader is. */
struct binlog_position {
    char file[512];
    uint64_t end;         /* of the last event, bytes in `file` */
    struct gtid_set done; /* after the last complete group: where to begin anew */
    uint32_t timestamp;   /* of the last event or heartbeat that has one; seconds since 1970 */
};

struct binlog_stream;

/* What `e->code` says when open or next fails: the server's number with ERR_SERVER. 1236: the
 * position is purged or unknown there, or diverged (`e->text` says which). 4052: another reader
 * with our server_id took over. 1045: the account or its rights. ERR_IO: the connection is lost;
 * try again. ERR_STOPPED: interrupted. */
enum { BINLOG_ERR_GONE = 1236, BINLOG_ERR_DUPLICATE_ID = 4052 };

/* Connect and ask for everything after `from` (empty: from the first binlog there is). Blocks at
 * most about timeout_ms a step. NULL with `e`. */
struct binlog_stream *binlog_stream_open(const struct binlog_source *s, const struct gtid_set *from,
                                         struct err *e) MUST_CHECK;
/* The next event, heartbeats and artificial events included; spans are good until the next call.
 * deadline_ns: clock_mono_ns. */
enum binlog_next binlog_stream_next(struct binlog_stream *s, uint64_t deadline_ns,
                                    struct binlog_event *out, struct err *e) MUST_CHECK;
/* Bytes that have come and were not taken. */
size_t binlog_stream_waiting(const struct binlog_stream *s);
/* As of the event that binlog_stream_next gave last. */
const struct binlog_position *binlog_stream_position(const struct binlog_stream *s);
/* Make a running or the next binlog_stream_next fail with ERR_STOPPED at once. Any thread, until
 * close; async-signal-safe. */
void binlog_stream_interrupt(struct binlog_stream *s);
void binlog_stream_close(struct binlog_stream *s);

#endif
