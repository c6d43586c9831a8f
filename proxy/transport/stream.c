#include "proxy/transport/outbox.h"
#include "proxy/transport/stream_filter.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

void stream_init(struct stream *s, const struct stream_ops *ops, void *owner,
                 struct buffers *buffers)
{
    *s = (struct stream){.ops = ops, .owner = owner, .buffers = buffers};
}

static int init_handle(struct stream *s, uv_loop_t *loop, bool is_unix)
{
    int rc = is_unix ? uv_pipe_init(loop, &s->uv.pipe, 0) : uv_tcp_init(loop, &s->uv.tcp);

    s->uv.handle.data = s;
    s->open = rc == 0;
    return rc;
}

int stream_open_fd(struct stream *s, uv_loop_t *loop, int fd, bool is_unix)
{
    int rc = init_handle(s, loop, is_unix);

    if (rc == 0)
        rc = is_unix ? uv_pipe_open(&s->uv.pipe, fd) : uv_tcp_open(&s->uv.tcp, fd);
    if (rc != 0)
        (void)close(fd);
    else if (!is_unix)
        (void)uv_tcp_nodelay(&s->uv.tcp, 1);
    return rc;
}

static void forget_connecting(struct stream *s)
{
    free(s->connecting);
    s->connecting = NULL;
}

static void on_connect(uv_connect_t *req, int status)
{
    struct stream *s = req->data;

    forget_connecting(s);
    if (s->closing)
        return;
    if (status == 0 && s->uv.handle.type == UV_TCP) {
        (void)uv_tcp_nodelay(&s->uv.tcp, 1);
        (void)uv_tcp_keepalive(&s->uv.tcp, 1, 30);
    }
    s->ops->connected(s->owner, status);
}

static int connect_address(struct stream *s, const struct sockaddr *address)
{
    return uv_tcp_connect(&s->connecting->connect, &s->uv.tcp, address, on_connect);
}

void stream_finish_close(struct stream *s)
{
    if (!s->handle_closed || s->resolving || !filter_gone(s))
        return;
    forget_connecting(s);
    s->ops->closed(s->owner);
}

static void set_port(struct sockaddr *address, uint16_t port)
{
    if (address->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)address)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
    struct stream *s = req->data;
    int rc = status;

    s->resolving = false;
    if (s->closing) {
        uv_freeaddrinfo(found);
        stream_finish_close(s);
        return;
    }
    if (rc == 0) {
        set_port(found->ai_addr, s->connecting->port);
        rc = connect_address(s, found->ai_addr);
    }
    uv_freeaddrinfo(found);
    if (rc != 0)
        s->ops->connected(s->owner, rc);
}

static int resolve(struct stream *s, uv_loop_t *loop, const char *host)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int rc;

    s->connecting->resolve.data = s;
    rc = uv_getaddrinfo(loop, &s->connecting->resolve, on_resolved, host, NULL, &hints);
    s->resolving = rc == 0;
    return rc;
}

static int connect_tcp(struct stream *s, uv_loop_t *loop, const char *host, uint16_t port)
{
    struct sockaddr_storage address;

    s->connecting->port = port;
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)(void *)&address) == 0 ||
        uv_ip6_addr(host, port, (struct sockaddr_in6 *)(void *)&address) == 0)
        return connect_address(s, (struct sockaddr *)&address);
    return resolve(s, loop, host);
}

int stream_connect(struct stream *s, uv_loop_t *loop, const char *host, uint16_t port)
{
    int rc = init_handle(s, loop, port == 0);

    if (rc != 0)
        return rc;
    s->connecting = calloc(1, sizeof *s->connecting);
    if (!s->connecting)
        return UV_ENOMEM;
    s->connecting->connect.data = s;
    if (port != 0)
        return connect_tcp(s, loop, host, port);
    uv_pipe_connect(&s->connecting->connect, &s->uv.pipe, host, on_connect);
    return 0;
}

/* Bytes that are still needed move to the front when the room behind them is small. Never while
 * they are pinned by a write of the other side: that side does not read meanwhile. */
void stream_make_room(struct stream *s)
{
    size_t left = stream_left(s);

    if (!s->in) {
        s->in = buffers_take(s->buffers);
        s->start = s->end = 0;
    }
    if (s->start == 0 || s->end < s->buffers->size)
        return;
    memmove(s->in, s->in + s->start, left);
    s->start = 0;
    s->end = left;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct stream *s = handle->data;

    (void)suggested;
    if (s->filter) {
        *buf = filter_alloc(s);
        return;
    }
    stream_make_room(s);
    *buf = s->in ? uv_buf_init((char *)s->in + s->end, (unsigned)(s->buffers->size - s->end))
                 : uv_buf_init(NULL, 0);
}

void stream_give_back_empty(struct stream *s)
{
    if (!s->in || s->start != s->end)
        return;
    buffers_give(s->buffers, s->in);
    s->in = NULL;
    s->start = s->end = 0;
}

static void on_read(uv_stream_t *handle, ssize_t n, const uv_buf_t *buf)
{
    struct stream *s = handle->data;

    (void)buf;
    if (s->filter) {
        filter_on_read(s, n);
    } else if (n > 0) {
        s->end += (size_t)n;
        if (s->end == s->buffers->size)
            stream_read(s, false);
        s->ops->readable(s->owner);
    } else if (n < 0) {
        stream_give_back_empty(s);
        stream_read(s, false);
        s->eof = true;
        s->error = n == UV_EOF ? 0 : (int)n;
        s->ops->readable(s->owner);
    } else {
        stream_give_back_empty(s);
    }
}

void stream_read(struct stream *s, bool on)
{
    if (s->closing || s->reading == on || (on && s->eof))
        return;
    if (on && s->in && stream_left(s) == s->buffers->size)
        return;
    s->reading = on;
    if (s->filter)
        filter_read(s, on);
    else
        stream_read_socket(s, on);
}

void stream_read_socket(struct stream *s, bool on)
{
    if (on)
        (void)uv_read_start(&s->uv.any, on_alloc, on_read);
    else
        (void)uv_read_stop(&s->uv.any);
}

uint8_t *stream_take_buffer(struct stream *s)
{
    uint8_t *in = s->in;

    s->in = NULL;
    s->start = s->end = 0;
    return in;
}

bool stream_full(const struct stream *s)
{
    return s->in && stream_left(s) == s->buffers->size;
}

void stream_consume(struct stream *s, size_t n)
{
    assert(n <= stream_left(s));
    s->start += n;
    stream_give_back_empty(s);
}

/* The owner hears that a write is through, or that it can't be. */
static void told_written(struct stream *s, int status)
{
    if (s->closing)
        return;
    if (status != 0) {
        s->eof = true;
        s->error = status;
    }
    s->ops->drained(s->owner);
}

static void on_written(uv_write_t *req, int status)
{
    struct stream *s = req->data;

    s->writing = false;
    told_written(s, status);
}

const char *stream_why(const struct stream *s)
{
    if (s->error == UV_EPROTO && s->filter)
        return filter_why(s->filter);
    return uv_strerror(s->error);
}

static int rest_of(const struct span *parts, int n, size_t sent, uv_buf_t *rest)
{
    int count = 0;

    for (int i = 0; i < n; i++) {
        size_t skip = sent < parts[i].n ? sent : parts[i].n;

        sent -= skip;
        if (skip < parts[i].n) {
            union {
                const uint8_t *in;
                char *out;
            } at = {parts[i].p + skip};

            rest[count++] = uv_buf_init(at.out, (unsigned)(parts[i].n - skip));
        }
    }
    return count;
}

enum stream_sent stream_fail(struct stream *s, int error)
{
    s->eof = true;
    s->error = error;
    return STREAM_FAILED;
}

int stream_try_write(struct stream *s, const uv_buf_t *bufs, int count, size_t total)
{
    struct outbox *o = s->buffers->outbox;

    if (s->posted)
        outbox_flush(o);
    s->posted = o && !s->connecting && uv_stream_get_write_queue_size(&s->uv.any) == 0 &&
                outbox_post(o, s, bufs, count, total);
    return s->posted ? (int)total : uv_try_write(&s->uv.any, bufs, (unsigned)count);
}

/* What the peer did not take of something small. */
struct late {
    uv_write_t req;
    uint8_t bytes[];
};

static void on_late_written(uv_write_t *req, int status)
{
    struct stream *s = req->data;

    free(CONTAINER_OF(req, struct late, req));
    told_written(s, status);
}

static bool write_late(struct stream *s, const uint8_t *bytes, size_t n)
{
    struct late *l = malloc(sizeof *l + n);
    uv_buf_t buf;

    if (!l)
        return false;
    memcpy(l->bytes, bytes, n);
    l->req.data = s;
    buf = uv_buf_init((char *)l->bytes, (unsigned)n);
    if (uv_write(&l->req, &s->uv.any, &buf, 1, on_late_written) == 0)
        return true;
    free(l);
    return false;
}

/* Where it can't be written any more the connection ends, which the reading side finds out. */
void stream_posted(struct stream *s, const uint8_t *rest, size_t n, bool broken)
{
    uv_os_fd_t fd;

    s->posted = false;
    if (n == 0 || (!broken && write_late(s, rest, n)))
        return;
    if (uv_fileno(&s->uv.handle, &fd) == 0)
        (void)shutdown(fd, SHUT_RDWR);
}

bool stream_settle(struct stream *s)
{
    if (s->posted)
        outbox_flush(s->buffers->outbox);
    return !s->writing && uv_stream_get_write_queue_size(&s->uv.any) == 0;
}

enum stream_sent stream_write(struct stream *s, const struct span *parts, int n)
{
    uv_buf_t bufs[STREAM_PARTS];
    size_t total = 0;
    int count;
    int rc;

    assert(!s->writing && n <= STREAM_PARTS);
    if (s->closing || s->error)
        return STREAM_FAILED;
    for (int i = 0; i < n; i++)
        total += parts[i].n;
    if (total == 0)
        return STREAM_SENT;
    if (s->filter)
        return filter_write(s, parts, n);
    count = rest_of(parts, n, 0, bufs);
    rc = stream_try_write(s, bufs, count, total);
    if (rc < 0 && rc != UV_EAGAIN)
        return stream_fail(s, rc);
    if (rc > 0 && (size_t)rc == total)
        return STREAM_SENT;
    count = rest_of(parts, n, rc > 0 ? (size_t)rc : 0, bufs);
    s->write_req.data = s;
    rc = uv_write(&s->write_req, &s->uv.any, bufs, (unsigned)count, on_written);
    if (rc != 0)
        return stream_fail(s, rc);
    s->writing = true;
    return STREAM_BLOCKED;
}

static void on_closed(uv_handle_t *handle)
{
    struct stream *s = handle->data;

    if (s->in)
        buffers_give(s->buffers, s->in);
    s->in = NULL;
    s->start = s->end = 0;
    s->handle_closed = true;
    stream_finish_close(s);
}

void stream_close(struct stream *s)
{
    if (s->closing)
        return;
    s->closing = true;
    s->eof = true;
    if (s->resolving)
        (void)uv_cancel((uv_req_t *)&s->connecting->resolve); /* its callback comes all the same */
    if (s->filter)
        filter_close(s);
    if (s->posted)
        outbox_flush(s->buffers->outbox);
    if (s->open)
        uv_close(&s->uv.handle, on_closed);
    else
        s->ops->closed(s->owner);
}
