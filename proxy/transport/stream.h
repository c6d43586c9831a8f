/* One connected socket: a read buffer with two offsets, and writes that are never queued.
 *
 * Reading: bytes arrive in [start, end) of `in`; the owner looks at them in place and calls
 * stream_consume. Reading stops by itself while the buffer is full. Writing: stream_write hands the
 * kernel what it takes at once. If it did not take all, the rest is pinned: the owner must not
 * change those bytes, nor write again, until `drained` is called. So a slow receiver stops its
 * sender, and nothing piles up. Something small counts as taken, and goes out with others at the
 * end of the loop's turn, before anything else of this stream (outbox.h); if the peer does not take
 * it, the next write waits. Closing: stream_close at any time, once or more; memory may go in
 * `closed`, which comes last.
 *
 * Once stream_start_tls was called all of this holds for what is inside of TLS: the owner sees no
 * difference. What goes to the kernel then is at most one record, enciphered from the pinned bytes
 * as the peer takes them.
 *
 * One worker thread. Callbacks come from the loop, never from inside a call of this module. */
#ifndef PROXY_STREAM_H
#define PROXY_STREAM_H

#include "base/cursor.h"
#include "proxy/transport/buffers.h"
#include "proxy/transport/tls.h"

#include <uv.h>

struct stream_ops {
    void (*connected)(void *owner,
                      int status); /* status 0 or a UV_E… number; only after stream_connect */
    void (*readable)(void *owner); /* bytes came, or `eof` was set */
    void (*drained)(void *owner);  /* pinned bytes are free again, or `eof` was set */
    void (*closed)(void *owner);
};

enum { STREAM_PARTS = 24 };

/* What only connecting needs. */
struct stream_connecting {
    uv_connect_t connect;
    uv_getaddrinfo_t resolve;
    uint16_t port; /* to connect to once the name is resolved */
};

struct stream {
    union {
        uv_handle_t handle;
        uv_stream_t any;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    uv_write_t write_req;
    struct stream_connecting *connecting; /* NULL: it is over, or never was */
    const struct stream_ops *ops;
    void *owner;
    struct buffers *buffers;
    struct filter *filter; /* NULL: bytes pass as they are; stream_filter.c */

    /* read only for others */
    uint8_t *in; /* NULL while empty */
    size_t start;
    size_t end;
    bool reading;
    bool writing; /* a write is pinned */
    bool posted;  /* a write stands in the outbox */
    bool eof;     /* the peer closed, or the connection failed: `error` */
    bool closing;
    bool open;      /* the handle was initialised: `closed` will come */
    bool resolving; /* a host name is being looked up, on a thread of libuv's */
    bool handle_closed;
    int error; /* UV_E… number, 0 for an orderly close */
};

/* Why the connection failed, in words; where `error` is UV_EPROTO, what TLS had against it. */
const char *stream_why(const struct stream *s);

void stream_init(struct stream *s, const struct stream_ops *ops, void *owner,
                 struct buffers *buffers);
/* Take over a connected descriptor (closed on failure, too). 0 or a UV_E… number. */
int stream_open_fd(struct stream *s, uv_loop_t *loop, int fd, bool is_unix) MUST_CHECK;
/* Connect to host:port (a name is looked up) or, where port is 0, to the unix socket `host`. 0 or
 * UV_E…; what goes wrong later is told by `connected`. */
int stream_connect(struct stream *s, uv_loop_t *loop, const char *host, uint16_t port) MUST_CHECK;

void stream_read(struct stream *s, bool on);

static inline size_t stream_left(const struct stream *s)
{
    return s->end - s->start;
}

static inline uint8_t *stream_data(const struct stream *s)
{
    return s->in ? s->in + s->start : NULL;
}

/* Whether the buffer can take no more although nothing was consumed: the unit in it is larger than
 * the buffer. */
bool stream_full(const struct stream *s);
void stream_consume(struct stream *s, size_t n);
/* The buffer, which is the caller's then, to be given to `buffers`: another stream still writes
 * bytes of it, and this one is closed next. NULL: it has none. */
uint8_t *stream_take_buffer(struct stream *s);

enum stream_sent { STREAM_SENT, STREAM_BLOCKED, STREAM_FAILED };

/* Write the parts in order; at most STREAM_PARTS. Not while `writing`. */
enum stream_sent stream_write(struct stream *s, const struct span *parts, int n) MUST_CHECK;

/* Whether all that was written is the kernel's, which is seen to now. False: `drained` will tell.
 */
bool stream_settle(struct stream *s);
/* For the outbox: what is left of the write that stood in it, or `broken`: the peer is gone. */
void stream_posted(struct stream *s, const uint8_t *rest, size_t n, bool broken);

/* From now on all is TLS, with the peer's bytes that are at hand already; stream_write waits for
 * the handshake. Not while `writing`. False: no memory. */
bool stream_start_tls(struct stream *s,
                      struct tls *tls) MUST_CHECK; /* takes `tls` over; NULL fails */
/* From now on all is the compressed protocol, inside of TLS where that has begun. Not while
 * `writing`. False: no memory. */
bool stream_start_compression(struct stream *s, enum compress_by by, int level) MUST_CHECK;
/* The peer's next command is taken up: what is written from now on answers it. Only compression
 * needs to know. */
void stream_next_command(struct stream *s);
/* The handshake is through. */
bool stream_is_tls(const struct stream *s);
/* What the peer showed; false, and all empty, where it is not TLS. */
bool stream_tls_peer(const struct stream *s, struct tls_peer *out);
/* SHA-256 of our own certificate, TLS_FINGERPRINT bytes; NULL where it is not TLS. */
const uint8_t *stream_tls_fingerprint(const struct stream *s);

void stream_close(struct stream *s);

#endif
