#include "mirror/source/binlog_pump.h"

#include "mirror/source/binlog_login.h"
#include "protocol/packet.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READER, WRITER };

struct binlog_pump {
    pthread_t thread;
    struct st_mysql *mysql; /* the thread's while it runs */
    bool joined;
    int pair[2];
    struct err e; /* the thread's; why it ended */
};

static bool send_all(struct binlog_pump *p, struct iovec *parts, size_t n)
{
    while (n > 0) {
        struct msghdr m = {.msg_iov = parts, .msg_iovlen = n};
        ssize_t sent = sendmsg(p->pair[WRITER], &m, MSG_NOSIGNAL);

        if (sent < 0 && errno != EINTR)
            return err_set(&p->e, ERR_IO, "handing on the binlog: %s", err_system(errno));
        for (size_t left = sent > 0 ? (size_t)sent : 0; n > 0; parts++, n--) {
            if (left < parts->iov_len) {
                parts->iov_base = (uint8_t *)parts->iov_base + left;
                parts->iov_len -= left;
                break;
            }
            left -= parts->iov_len;
        }
    }
    return true;
}

/* A payload that libmariadb has joined goes on as the packets that it was. */
static bool hand_on(struct binlog_pump *p, uint8_t *payload, size_t n)
{
    uint8_t head[PACKET_HEADER];
    uint8_t seq = 0;
    size_t part;

    do {
        part = n < PACKET_MAX_PAYLOAD ? n : PACKET_MAX_PAYLOAD;
        packet_header_write(head, (uint32_t)part, seq++);
        if (!send_all(p, (struct iovec[]){{head, sizeof head}, {payload, part}}, 2))
            return false;
        payload += part;
        n -= part;
    } while (part == PACKET_MAX_PAYLOAD);
    return true;
}

static void *pump_run(void *arg)
{
    struct binlog_pump *p = arg;
    uint8_t *payload;
    size_t n;

    while (binlog_login_packet(p->mysql, &payload, &n, &p->e) && hand_on(p, payload, n))
        ;
    (void)shutdown(p->pair[WRITER], SHUT_RDWR);
    return NULL;
}

struct binlog_pump *binlog_pump_start(struct st_mysql *mysql, struct err *e)
{
    struct binlog_pump *p = calloc(1, sizeof *p);

    if (!p) {
        (void)err_set(e, ERR_IO, "no memory for a connection");
        return NULL;
    }
    p->mysql = mysql;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p->pair) != 0) {
        (void)err_set(e, ERR_IO, "socketpair: %s", err_system(errno));
        free(p);
        return NULL;
    }
    if (pthread_create(&p->thread, NULL, pump_run, p) == 0)
        return p;
    (void)err_set(e, ERR_IO, "no thread to read the binlog");
    p->joined = true;
    binlog_pump_stop(p);
    return NULL;
}

int binlog_pump_fd(const struct binlog_pump *p)
{
    return p->pair[READER];
}

static void join(struct binlog_pump *p)
{
    if (!p->joined)
        (void)pthread_join(p->thread, NULL);
    p->joined = true;
}

bool binlog_pump_failed(struct binlog_pump *p, struct err *e)
{
    join(p);
    *e = p->e;
    return false;
}

void binlog_pump_stop(struct binlog_pump *p)
{
    (void)shutdown(p->pair[READER], SHUT_RDWR);
    join(p);
    (void)close(p->pair[READER]);
    (void)close(p->pair[WRITER]);
    free(p);
}
