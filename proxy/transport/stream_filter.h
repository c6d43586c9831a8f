/* The inside of a stream whose bytes are transformed on their way: for stream.c and stream_filter.c
 * alone.
 *
 *   socket ──▶ raw ──▶ TLS ──▶ mid ──▶ compression ──▶ stream.in ──▶ owner
 *   socket ◀── sending ◀── wire ◀── TLS ◀── packed ◀── compression ◀── parts ◀── owner (pinned)
 *
 * Either of the two may be missing, and `mid` then.
 *
 * Each arrow moves what fits; nothing runs ahead of its reader by more than one record, or one
 * compressed frame. The handshake's own answers go out by `wire` as well, between the owner's
 * bytes. */
#ifndef PROXY_STREAM_FILTER_H
#define PROXY_STREAM_FILTER_H

#include "proxy/transport/stream.h"

/* Bytes that nobody took yet, in a lent buffer; `p` NULL while there are none. */
struct chunk {
    uint8_t *p;
    size_t start;
    size_t end;
};

struct filter {
    struct tls *tls;           /* NULL: none */
    struct compress *compress; /* NULL: none */

    struct chunk raw; /* what the socket gave */
    struct chunk mid; /* out of TLS, not yet inflated */
    bool socket_reading;
    bool socket_eof;
    bool more; /* the owner's buffer was full, or a command came too early: there may be more */

    struct span
        parts[STREAM_PARTS]; /* the owner's, pinned; [next] from `offset` on is to be sent */
    int count;
    int next;
    size_t offset;
    struct buf packed; /* compressed frames, gone to TLS or the socket up to … */
    size_t packed_sent;
    struct buf wire;    /* for the socket, in order */
    struct buf sending; /* pinned by a write under way */

    bool closed;
    uv_idle_t again; /* runs once where there is something to tell although the socket is silent */
};

/* stream_filter.c, called by stream.c */
uv_buf_t filter_alloc(struct stream *s);
void filter_on_read(struct stream *s, ssize_t n);
void filter_read(struct stream *s, bool on);
enum stream_sent filter_write(struct stream *s, const struct span *parts, int n);
void filter_close(struct stream *s);
/* Free it, if there is one; false: its last callback is still to come. */
bool filter_gone(struct stream *s) MUST_CHECK;
const char *filter_why(const struct filter *f);

/* stream.c */
void stream_read_socket(struct stream *s, bool on);
void stream_make_room(struct stream *s);
void stream_give_back_empty(struct stream *s);
enum stream_sent stream_fail(struct stream *s, int error);
/* As uv_try_write, of `total` bytes. */
int stream_try_write(struct stream *s, const uv_buf_t *bufs, int count, size_t total);
void stream_finish_close(struct stream *s);

#endif
