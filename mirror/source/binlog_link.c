#include "mirror/source/binlog_link.h"

#include "base/clock.h"
#include "mirror/source/binlog_login.h"
#include "protocol/packet.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_CHUNK = 256 * 1024, /* bytes */
    KEEP_BUFFER = 1 << 20,   /* larger ones are given back */
};

struct binlog_link {
    struct binlog_login login;
    atomic_bool stopped;
    int stop;           /* eventfd: readable once stopped */
    size_t max_payload; /* bytes */
    uint64_t silence_ns;
    uint64_t heard_ns; /* when bytes came last; clock_mono_ns */
    struct buf in;     /* received; `done` bytes of it are dealt with */
    size_t done;
    struct buf joined; /* a payload of several packets */
    bool joining;
};

bool binlog_link_refused(struct span payload, struct err *e)
{
    struct cursor c = cursor_span(payload);
    uint16_t number;
    struct span text;

    cursor_skip(&c, 1);
    number = cursor_u16(&c);
    if (cursor_left(&c) >= 6 && *c.p == '#')
        cursor_skip(&c, 6);
    text = cursor_rest(&c);
    (void)err_set(e, ERR_SERVER, "reading the binlog: %.*s (%u)", (int)text.n, (const char *)text.p,
                  number);
    e->code = number;
    return false;
}

struct binlog_link *binlog_link_open(const struct binlog_source *s, const struct gtid_set *from,
                                     struct err *e)
{
    struct binlog_link *l = calloc(1, sizeof *l);

    if (!l) {
        (void)err_set(e, ERR_IO, "no memory for a connection");
        return NULL;
    }
    l->max_payload = s->max_event + 1; /* an event stands behind a status byte */
    l->in = buf_with_max(PACKET_HEADER + PACKET_MAX_PAYLOAD + READ_CHUNK);
    l->joined = buf_with_max(l->max_payload);
    l->silence_ns = CLOCK_NS_PER_MS * s->heartbeat_ms * BINLOG_MISSED_HEARTBEATS;
    l->heard_ns = clock_mono_ns();
    l->login.fd = -1;
    atomic_init(&l->stopped, false);
    l->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->stop < 0) {
        (void)err_set(e, ERR_IO, "eventfd: %s", strerrordesc_np(errno));
    } else if (binlog_login_open(s, from, &l->login, e)) {
        if (l->login.pump) /* it sees to silence, for its packets come whole, large ones late */
            l->silence_ns = UINT64_MAX / 2;
        return l;
    }
    binlog_link_close(l);
    return NULL;
}

void binlog_link_close(struct binlog_link *l)
{
    if (!l)
        return;
    binlog_login_close(&l->login);
    if (l->stop >= 0)
        (void)close(l->stop);
    buf_free(&l->in);
    buf_free(&l->joined);
    free(l);
}

void binlog_link_interrupt(struct binlog_link *l)
{
    uint64_t one = 1;
    int saved = errno;
    ssize_t n;

    atomic_store(&l->stopped, true);
    n = write(l->stop, &one, sizeof one);
    (void)n; /* full: it has been said before */
    errno = saved;
}

/* Wait for bytes until the deadline: 1 there are some, 2 look again, 0 the deadline, -1. */
static int wait_readable(struct binlog_link *l, uint64_t deadline_ns, struct err *e)
{
    struct pollfd fds[2] = {{l->stop, POLLIN, 0}, {l->login.fd, POLLIN, 0}};
    uint64_t silence = l->heard_ns + l->silence_ns;
    uint64_t until = deadline_ns < silence ? deadline_ns : silence;
    uint64_t now = clock_mono_ns();
    uint64_t left = until > now ? until - now : 0;
    struct timespec t = {(time_t)(left / CLOCK_NS_PER_S), (long)(left % CLOCK_NS_PER_S)};
    int n = ppoll(fds, ARRAY_LEN(fds), &t, NULL);

    if (n < 0 && errno != EINTR)
        return err_set(e, ERR_IO, "poll: %s", strerrordesc_np(errno)) - 1;
    if (n > 0)
        return fds[1].revents ? 1 : 2;
    now = clock_mono_ns();
    if (now >= silence)
        return err_set(e, ERR_IO, "nothing from the server for %llu ms, not even a heartbeat",
                       (unsigned long long)(l->silence_ns / CLOCK_NS_PER_MS)) -
               1;
    return now >= deadline_ns ? 0 : 2;
}

size_t binlog_link_waiting(const struct binlog_link *l)
{
    int unread = 0;

    (void)ioctl(l->login.fd, FIONREAD, &unread);
    return l->in.len - l->done + (size_t)unread;
}

/* What is there now; false with `e` at the connection's end. */
static bool receive(struct binlog_link *l, struct err *e)
{
    uint8_t *room;
    ssize_t n;

    buf_consume(&l->in, l->done);
    l->done = 0;
    if (l->in.len == 0 && l->in.cap > KEEP_BUFFER)
        buf_free(&l->in);
    room = buf_reserve(&l->in, READ_CHUNK);
    if (!room)
        return err_set(e, ERR_IO, "no memory to receive the binlog");
    n = recv(l->login.fd, room, READ_CHUNK, MSG_DONTWAIT);
    if (n > 0) {
        l->in.len += (size_t)n;
        l->heard_ns = clock_mono_ns();
        return true;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n == 0)
        return binlog_login_lost(&l->login, e);
    return err_set(e, ERR_IO, "receiving the binlog: %s", strerrordesc_np(errno));
}

/* A payload that is whole in `in`, or now is in `joined`: 1. 0: more is needed. -1. */
static int take_payload(struct binlog_link *l, struct span *payload, struct err *e)
{
    while (l->in.len - l->done >= PACKET_HEADER) {
        struct packet_header h = packet_header_at(l->in.data + l->done);
        struct span part = {l->in.data + l->done + PACKET_HEADER, h.length};

        if (h.length > l->in.len - l->done - PACKET_HEADER)
            return 0;
        l->done += PACKET_HEADER + h.length;
        if (!l->joining && h.length < PACKET_MAX_PAYLOAD) {
            *payload = part;
            return 1;
        }
        buf_put_span(&l->joined, part);
        if (!buf_ok(&l->joined))
            return err_set(e, ERR_IO, "a binlog event of more than %zu bytes, or no memory for it",
                           l->max_payload - 1) -
                   1;
        l->joining = h.length == PACKET_MAX_PAYLOAD;
        if (!l->joining) {
            *payload = buf_span(&l->joined);
            return 1;
        }
    }
    return 0;
}

static void drop_joined(struct binlog_link *l)
{
    if (l->joining)
        return;
    if (l->joined.cap > KEEP_BUFFER)
        buf_free(&l->joined);
    buf_clear(&l->joined);
}

int binlog_link_next(struct binlog_link *l, uint64_t deadline_ns, struct span *payload,
                     struct err *e)
{
    drop_joined(l);
    for (;;) {
        int got;

        if (atomic_load(&l->stopped))
            return err_set(e, ERR_STOPPED, "stopped") - 1;
        got = take_payload(l, payload, e);

        if (got)
            return got;
        got = wait_readable(l, deadline_ns, e);
        if (got <= 0)
            return got;
        if (got == 1 && !receive(l, e))
            return -1;
    }
}
