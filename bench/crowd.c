/* Point selects of many clients, from one thread: what thousands of tills that mostly wait cost,
 * without a thread for each of them in the measurement.
 *
 *   bench_crowd PORT USER PASSWORD DATABASE CLIENTS SECONDS
 *
 * Each client has a connection of its own and asks again as soon as it is answered: a row of
 * sbtest1 by its key, text protocol. Prints queries, queries a second, and latencies in ms. Time
 * counts once all are logged in. */
#include "base/clock.h"
#include "protocol/handshake.h"
#include "protocol/reply.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* What each asks to have, as sysbench does. */
static const uint64_t capabilities = CAP_CLIENT_MYSQL | CAP_LONG_FLAG | CAP_CONNECT_WITH_DB |
                                     CAP_PROTOCOL_41 | CAP_TRANSACTIONS | CAP_SECURE_CONNECTION |
                                     CAP_PLUGIN_AUTH | CAP_SESSION_TRACK | CAP_DEPRECATE_EOF;

enum { ROWS = 100000, UTF8MB4 = 45, ROOM = 4096, AT_ONCE = 256, LATENCIES = 1 << 24 };

struct client {
    int fd;
    uint64_t caps;
    uint64_t asked_ns;
    struct reply reply;
    size_t len;
    uint8_t in[ROOM];
};

struct crowd {
    struct client *clients;
    int count, epoll;
    uint32_t random;
    uint32_t *us; /* of each query */
    size_t queries;
};

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench_crowd: %s: %s\n", what, why);
    exit(1);
}

static int connect_to(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        fail("connect", strerror(errno));
    return fd;
}

static void receive(struct client *c)
{
    ssize_t n = recv(c->fd, c->in + c->len, ROOM - c->len, 0);

    if (n <= 0)
        fail("receive", n < 0 ? strerror(errno) : "the connection was closed");
    c->len += (size_t)n;
}

/* The next packet, alone in the buffer: nobody speaks out of turn before a log-in is through. */
static struct span next_packet(struct client *c)
{
    struct packet_header h;
    struct span payload;
    size_t used;
    int whole;

    c->len = 0;
    do {
        receive(c);
        whole =
            packet_whole((struct span){c->in, c->len}, ROOM - PACKET_HEADER, &h, &payload, &used);
    } while (whole == 0);
    if (whole < 0)
        fail("log in", "a packet is too long");
    return payload;
}

static void answer_greeting(struct client *c, const struct greeting *g, char **argv)
{
    struct buf out = buf_with_max(ROOM);
    size_t at = packet_begin(&out);
    uint8_t stage1[AUTH_HASH];
    uint8_t reply[AUTH_HASH];
    struct login login = {.capabilities = c->caps,
                          .max_packet = PACKET_MAX_PAYLOAD,
                          .collation = UTF8MB4,
                          .user = span_of(argv[2]),
                          .auth = {reply, sizeof reply},
                          .database = span_of(argv[4]),
                          .plugin = span_of(AUTH_NATIVE)};

    auth_stage1(span_of(argv[3]), stage1);
    auth_native_reply(g->nonce, stage1, reply);
    login_encode(&out, &login);
    packet_end(&out, at, 1);
    if (!buf_ok(&out) || send(c->fd, out.data, out.len, 0) != (ssize_t)out.len)
        fail("log in", strerror(errno));
    buf_free(&out);
}

static void log_in(struct crowd *w, struct client *c, char **argv)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    struct greeting g;
    struct span payload;
    const char *why = "";

    c->fd = connect_to(argv[1]);
    if (!greeting_decode(next_packet(c), &g, &why))
        fail("greeting", why);
    c->caps = capabilities & g.capabilities;
    answer_greeting(c, &g, argv);
    payload = next_packet(c);
    if (payload.n == 0 || payload.p[0] != 0)
        fail("log in", "refused, or by another plugin than " AUTH_NATIVE);
    c->len = 0;
    if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, c->fd, &e) != 0)
        fail("epoll", strerror(errno));
}

static void ask(struct crowd *w, struct client *c)
{
    uint8_t packet[128];
    int n;

    w->random = w->random * 1664525 + 1013904223;
    n = snprintf((char *)packet + PACKET_HEADER + 1, sizeof packet - PACKET_HEADER - 1,
                 "SELECT c FROM sbtest1 WHERE id=%u", w->random / 7 % ROWS + 1);
    packet[PACKET_HEADER] = COM_QUERY;
    packet_header_write(packet, (uint32_t)n + 1, 0);
    reply_begin(&c->reply, REPLY_RESULT, c->caps, c->caps, 0);
    c->asked_ns = clock_mono_ns();
    if (send(c->fd, packet, (size_t)n + PACKET_HEADER + 1, 0) != n + PACKET_HEADER + 1)
        fail("send", strerror(errno));
}

/* Whether the reply is whole. */
static bool take(struct client *c)
{
    struct reply_out step;
    size_t at = 0;

    do {
        reply_feed(&c->reply, c->in + at, c->len - at, ROOM / 2, &step);
        at += step.pass + step.drop;
        if (step.event == REPLY_BAD || step.event == REPLY_ERROR)
            fail("reply", step.event == REPLY_BAD ? c->reply.why : "an error packet");
    } while (!step.done && step.event != REPLY_MORE);
    c->len -= at;
    memmove(c->in, c->in + at, c->len);
    return step.done;
}

static void listen_to(struct crowd *w, struct client *c)
{
    receive(c);
    if (!take(c))
        return;
    if (w->queries < LATENCIES)
        w->us[w->queries++] = (uint32_t)((clock_mono_ns() - c->asked_ns) / 1000);
    ask(w, c);
}

static void run(struct crowd *w, uint64_t until_ns)
{
    struct epoll_event events[AT_ONCE];

    for (int i = 0; i < w->count; i++)
        ask(w, &w->clients[i]);
    while (clock_mono_ns() < until_ns) {
        int n = epoll_wait(w->epoll, events, AT_ONCE, 1000);

        for (int i = 0; i < n; i++)
            listen_to(w, events[i].data.ptr);
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void print(struct crowd *w, double seconds)
{
    static const double wanted[] = {50, 95, 99, 99.9};

    if (!w->queries)
        fail("run", "nothing was answered");
    qsort(w->us, w->queries, sizeof *w->us, by_size);
    printf("queries %zu\nqps %.1f\n", w->queries, (double)w->queries / seconds);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        printf("p%g %.3f\n", wanted[i],
               w->us[(size_t)((double)(w->queries - 1) * wanted[i] / 100)] / 1e3);
}

int main(int argc, char **argv)
{
    struct crowd w = {.random = 1, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    uint64_t begun_ns;

    if (argc != 7)
        fail("usage", "PORT USER PASSWORD DATABASE CLIENTS SECONDS");
    w.count = (int)strtol(argv[5], NULL, 10);
    w.clients = calloc((size_t)w.count, sizeof *w.clients);
    w.us = malloc(LATENCIES * sizeof *w.us);
    if (!w.clients || !w.us)
        fail("memory", strerror(ENOMEM));
    for (int i = 0; i < w.count; i++)
        log_in(&w, &w.clients[i], argv);
    printf("ready\n");
    (void)fflush(stdout);
    begun_ns = clock_mono_ns();
    run(&w, begun_ns + strtoull(argv[6], NULL, 10) * CLOCK_NS_PER_S);
    print(&w, (double)(clock_mono_ns() - begun_ns) / 1e9);
    for (int i = 0; i < w.count; i++)
        (void)close(w.clients[i].fd);
    free(w.clients);
    free(w.us);
    return 0;
}
