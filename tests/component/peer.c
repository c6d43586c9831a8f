#include "component/peer.h"

#include "base/clock.h"
#include "protocol/packet.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_SIZE = 65536, DUMP_BYTES = 256, IN_MAX = 64 << 20, POUR_MS = 150, FLOW_MS = 20000 };

static struct peer *all;

struct peer *peer_new(int fd, const char *name)
{
    struct peer *p = calloc(1, sizeof *p);
    const int on = 1;

    assert_non_null(p);
    assert_true(fd >= 0);
    p->fd = fd;
    p->in = buf_with_max(IN_MAX);
    p->packet = buf_with_max(IN_MAX);
    p->raw = buf_with_max(IN_MAX);
    (void)snprintf(p->name, sizeof p->name, "%s", name);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    p->next = all;
    all = p;
    return p;
}

void peer_cut(struct peer *p)
{
    if (p->fd >= 0)
        (void)close(p->fd);
    p->fd = -1;
}

void peer_reset(struct peer *p)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    assert_int_equal(setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    peer_cut(p);
}

void peer_hang_up(struct peer *p)
{
    assert_int_equal(shutdown(p->fd, SHUT_WR), 0);
}

void peer_free_all(void)
{
    while (all) {
        struct peer *p = all;

        all = p->next;
        peer_cut(p);
        buf_free(&p->in);
        buf_free(&p->packet);
        buf_free(&p->raw);
        if (p->veil.in)
            p->veil.free(p->veil.ctx);
        free(p);
    }
}

static void dump(const char *what, struct span bytes)
{
    size_t n = bytes.n < DUMP_BYTES ? bytes.n : DUMP_BYTES;

    print_error("  %s, %zu bytes:", what, bytes.n);
    for (size_t i = 0; i < n; i++)
        print_error("%s%02x", i % 32 == 0 ? "\n    " : " ", bytes.p[i]);
    print_error("\n    \"");
    for (size_t i = 0; i < n; i++)
        print_error("%c", bytes.p[i] >= 32 && bytes.p[i] < 127 ? bytes.p[i] : '.');
    print_error("\"\n");
}

_Noreturn void peer_fail(const struct peer *p, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    print_error("%s: %s\n", p->name, text);
    dump("last packet", buf_span(&p->packet));
    dump("came and not taken", buf_span(&p->in));
    fail_msg("%s: %s", p->name, text);
    abort(); /* fail_msg does not come back */
}

/* Whether the descriptor became ready before the deadline. */
static bool ready(const struct peer *p, short events, uint64_t deadline_ns)
{
    struct pollfd fd = {.fd = p->fd, .events = events};
    uint64_t now = clock_mono_ns();
    int ms = deadline_ns > now ? (int)((deadline_ns - now) / CLOCK_NS_PER_MS) + 1 : 0;

    return poll(&fd, 1, ms) == 1;
}

static uint64_t in_ms(uint64_t ms)
{
    return clock_mono_ns() + ms * CLOCK_NS_PER_MS;
}

/* Bytes sent at once; 0: the other side takes none now. What is sent to a closed connection is
 * lost, as on any network. */
static size_t push(struct peer *p, struct span bytes)
{
    ssize_t n = send(p->fd, bytes.p, bytes.n, MSG_NOSIGNAL);

    if (n >= 0)
        return (size_t)n;
    if (errno == EPIPE || errno == ECONNRESET)
        return bytes.n;
    if (errno != EAGAIN)
        peer_fail(p, "cannot send: errno %d", errno);
    return 0;
}

void peer_send(struct peer *p, struct span bytes)
{
    struct buf veiled = buf_with_max(IN_MAX);

    if (p->veil.in)
        p->veil.out(p->veil.ctx, bytes, &veiled);
    peer_send_raw(p, p->veil.in ? buf_span(&veiled) : bytes);
    buf_free(&veiled);
}

void peer_send_raw(struct peer *p, struct span bytes)
{
    uint64_t deadline = in_ms(PEER_STEP_MS);

    while (bytes.n) {
        size_t n;

        if (!ready(p, POLLOUT, deadline))
            peer_fail(p, "%zu bytes to send are not taken", bytes.n);
        n = push(p, (struct span){bytes.p, p->crumbs ? 1 : bytes.n});
        bytes.p += n;
        bytes.n -= n;
    }
}

size_t peer_pour(struct peer *p, struct span bytes)
{
    size_t sent = 0;

    while (sent < bytes.n && ready(p, POLLOUT, in_ms(POUR_MS)))
        sent += push(p, (struct span){bytes.p + sent, bytes.n - sent});
    return sent;
}

void peer_send_packet(struct peer *p, struct span payload)
{
    uint8_t header[PACKET_HEADER];

    assert_true(payload.n <= PACKET_MAX_PAYLOAD);
    packet_header_write(header, (uint32_t)payload.n, ++p->seq);
    peer_send(p, (struct span){header, sizeof header});
    peer_send(p, payload);
}

/* Read what is there; false: the end. */
static bool pull(struct peer *p)
{
    struct buf *to = p->veil.in ? &p->raw : &p->in;
    uint8_t *room = buf_reserve(to, READ_SIZE);
    ssize_t n;

    assert_non_null(room);
    n = recv(p->fd, room, READ_SIZE, 0);
    if (n > 0)
        to->len += (size_t)n;
    if (n > 0 && p->veil.in)
        p->veil.in(p->veil.ctx, &p->raw, &p->in);
    return n > 0 || (n < 0 && errno == EAGAIN);
}

static void await(struct peer *p, size_t n)
{
    uint64_t deadline = in_ms(PEER_STEP_MS);

    while (p->in.len < n) {
        if (!ready(p, POLLIN, deadline))
            peer_fail(p, "waited in vain for %zu bytes", n);
        if (!pull(p))
            peer_fail(p, "closed while waiting for %zu bytes", n);
    }
}

/* Move n bytes that are there to `packet`. */
static struct span take(struct peer *p, size_t n)
{
    buf_clear(&p->packet);
    if (n)
        buf_put(&p->packet, p->in.data, n);
    buf_consume(&p->in, n);
    return buf_span(&p->packet);
}

struct span peer_hears_bytes(struct peer *p, size_t n)
{
    await(p, n);
    return take(p, n);
}

struct span peer_hears_packet(struct peer *p)
{
    struct packet_header h;

    await(p, PACKET_HEADER);
    h = packet_header_at(p->in.data);
    if (h.seq != (uint8_t)(p->seq + 1))
        peer_fail(p, "sequence number %u where %u must stand", h.seq, (uint8_t)(p->seq + 1));
    await(p, PACKET_HEADER + (size_t)h.length);
    buf_consume(&p->in, PACKET_HEADER);
    p->seq = h.seq;
    return take(p, h.length);
}

uint8_t peer_peeks(struct peer *p)
{
    await(p, PACKET_HEADER + 1);
    return p->in.data[PACKET_HEADER];
}

struct span peer_hears_first(struct peer *p)
{
    p->seq = UINT8_MAX;
    return peer_hears_packet(p);
}

void peer_hears_end(struct peer *p)
{
    uint64_t deadline = in_ms(PEER_STEP_MS);

    do {
        if (p->in.len)
            peer_fail(p, "something came where the end must");
        if (!ready(p, POLLIN, deadline))
            peer_fail(p, "was not closed");
    } while (pull(p));
}

void peer_hears_nothing(struct peer *p, int ms)
{
    bool end = false;

    if (p->in.len == 0 && ready(p, POLLIN, in_ms((uint64_t)ms)))
        end = !pull(p);
    if (p->in.len || end)
        peer_fail(p, end ? "closed where nothing must come" : "something came where nothing must");
}

/* Take up to `bite` bytes and compare them; how many. */
static size_t compare(struct peer *p, struct span expected, size_t bite)
{
    size_t n;

    if (p->in.len == 0 && !pull(p))
        peer_fail(p, "closed with %zu bytes still to come", expected.n);
    n = p->in.len < bite ? p->in.len : bite;
    if (n > expected.n)
        peer_fail(p, "%zu bytes too many", n - expected.n);
    if (n && memcmp(p->in.data, expected.p, n) != 0)
        peer_fail(p, "other bytes than expected, %zu before the end", expected.n);
    buf_consume(&p->in, n);
    return n;
}

void peer_flow(struct peer *from, struct span bytes, struct peer *to, struct span expected,
               bool slow)
{
    uint64_t deadline = in_ms(FLOW_MS);
    size_t bite = slow ? 300000 : READ_SIZE;

    while (bytes.n || expected.n) {
        struct pollfd fds[2] = {{.fd = to->fd, .events = POLLIN},
                                {.fd = from->fd, .events = POLLOUT}};
        size_t n;

        if (clock_mono_ns() > deadline)
            peer_fail(to, "%zu bytes did not come; %zu were not taken", expected.n, bytes.n);
        (void)poll(fds, bytes.n ? 2 : 1, to->in.len ? 0 : 100);
        if (bytes.n && fds[1].revents) {
            n = push(from, bytes);
            bytes.p += n;
            bytes.n -= n;
        }
        if (slow)
            (void)usleep(500);
        if (fds[0].revents || to->in.len) {
            n = compare(to, expected, bite);
            expected.p += n;
            expected.n -= n;
        }
    }
}

struct buf peer_execution(uint32_t id)
{
    struct buf b = buf_with_max(16);

    buf_put_u32(&b, id);
    buf_put_u8(&b, 0);
    buf_put_u32(&b, 1);
    return b;
}
