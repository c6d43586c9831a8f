#include "proxy/listener.h"

#include "base/log.h"
#include "proxy/door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    ACCEPTS_A_TURN = 64,
    PAUSE_MS = 100 /* between tries while the system refuses; clients wait in the backlog */
};

static bool text_of_peer(const struct sockaddr_storage *a, char *out, size_t size)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)a;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)a;

    if (a->ss_family == AF_INET)
        return inet_ntop(AF_INET, &v4->sin_addr, out, (socklen_t)size) != NULL;
    if (a->ss_family != AF_INET6)
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        return inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], out, (socklen_t)size) != NULL;
    return inet_ntop(AF_INET6, &v6->sin6_addr, out, (socklen_t)size) != NULL;
}

static uint16_t port_of_peer(const struct sockaddr_storage *a)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)a;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)a;

    return ntohs(a->ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
}

static void on_poll(uv_poll_t *poll, int status, int events);

/* 0, or libuv's error. */
static int listen_again(struct listener *l)
{
    int rc = l->has_poll ? 0 : uv_poll_init(&l->worker->loop, &l->poll, l->fd);

    l->has_poll = rc == 0;
    return rc != 0 ? rc : uv_poll_start(&l->poll, UV_READABLE, on_poll);
}

static void on_pause_over(uv_timer_t *timer)
{
    struct listener *l = timer->data;

    if (listen_again(l) != 0)
        (void)uv_timer_start(timer, on_pause_over, PAUSE_MS, 0);
}

/* The client that cannot be accepted keeps the socket readable: without a pause it would be tried
 * again at once, for ever. */
static void pause_accepting(struct listener *l, int error)
{
    if (!l->short_of)
        log_event(LOG_ERROR, "listener.accept", LOG_STR("why", err_system(error)),
                  LOG_STR("then", "clients wait until the system has room for them"));
    l->short_of = true;
    if (l->has_poll)
        (void)uv_poll_stop(&l->poll);
    (void)uv_timer_start(&l->pause, on_pause_over, PAUSE_MS, 0);
}

static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

static bool accept_one(struct listener *l)
{
    struct client_socket c = {
        .listener = l->index, .is_unix = l->is_unix, .consistency = l->consistency};
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof peer;

    c.fd = accept4(l->fd, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (c.fd < 0) {
        if (is_shortage(errno))
            pause_accepting(l, errno);
        return false;
    }
    l->short_of = false;
    if (l->is_unix || !text_of_peer(&peer, c.address, sizeof c.address))
        (void)snprintf(c.address, sizeof c.address, "localhost");
    else
        c.port = port_of_peer(&peer);
    c.tls = tls_context_ref(l->tls);
    door_enter(l->worker, &l->full, &c);
    return true;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct listener *l = poll->data;

    (void)events;
    for (int i = 0; status == 0 && i < ACCEPTS_A_TURN; i++)
        if (!accept_one(l))
            return;
}

/* Whether somebody still answers at the path. */
static bool is_alive(const struct sockaddr_un *a)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool alive = fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof *a) == 0;

    if (fd >= 0)
        (void)close(fd);
    return alive;
}

/* /run is empty after each start of the machine. Its parent must be there. */
static void make_folder(const char *path)
{
    char folder[sizeof((struct sockaddr_un *)NULL)->sun_path];
    char *slash;

    (void)snprintf(folder, sizeof folder, "%s", path);
    slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return;
    *slash = '\0';
    (void)mkdir(folder, 0755); /* the bind that follows tells */
}

int listener_bind_unix(const char *path, struct err *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof a.sun_path) {
        (void)err_set(e, ERR_USAGE, "socket path %s is longer than %zu bytes", path,
                      sizeof a.sun_path - 1);
        return -1;
    }
    memcpy(a.sun_path, path, strlen(path) + 1);
    if (is_alive(&a)) {
        (void)err_set(e, ERR_IO, "another process listens on %s", path);
        return -1;
    }
    make_folder(path);
    (void)unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    (void)err_set(e, ERR_IO, "cannot listen on %s: %s%s", path, err_system(errno),
                  errno == ENOENT ? "; make its folder first" : "");
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static int bind_address(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    one = errno;
    (void)close(fd);
    errno = one;
    return -1;
}

static int bind_tcp(const struct conf_address *address, struct err *e)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char port[8];
    int rc;
    int fd;

    (void)snprintf(port, sizeof port, "%u", address->port);
    rc = getaddrinfo(address->host, port, &hints, &found);
    if (rc != 0) {
        (void)err_set(e, ERR_IO, "cannot listen on %s: %s", address->text, gai_strerror(rc));
        return -1;
    }
    fd = bind_address(found);
    if (fd < 0)
        (void)err_set(e, ERR_IO, "cannot listen on %s: %s", address->text, err_system(errno));
    freeaddrinfo(found);
    return fd;
}

bool listener_open(struct listener *l, const struct conf_listener *conf, struct err *e)
{
    l->is_unix = conf->address.port == 0;
    l->consistency = (enum consistency)conf->consistency;
    l->fd = l->is_unix ? listener_bind_unix(conf->address.host, e) : bind_tcp(&conf->address, e);
    if (l->fd < 0)
        return false;
    if (l->is_unix)
        (void)snprintf(l->path, sizeof l->path, "%s", conf->address.host);
    log_event(LOG_INFO, "listener.open", LOG_STR("address", conf->address.text));
    return true;
}

static void offer_tls(struct listener *l, struct tls_context *tls)
{
    if (tls && l->tls)
        tls_context_succeed(tls, l->tls);
    tls_context_unref(l->tls);
    l->tls = tls;
}

/* What the worker is told of a listener of its. */
struct listener_message {
    struct message message;
    struct listener *listener;
    struct tls_context *tls;
};

static bool tell_worker(struct listener *l, struct tls_context *tls,
                        void (*run)(struct message *m, void *receiver))
{
    struct listener_message *x = malloc(sizeof *x);

    if (!x)
        return false;
    *x = (struct listener_message){.message.run = run, .listener = l, .tls = tls};
    if (mailbox_send(&l->worker->mailbox, &x->message))
        return true;
    free(x);
    return false;
}

static void on_tls(struct message *m, void *receiver)
{
    struct listener_message *x = (struct listener_message *)(void *)m;

    (void)receiver;
    offer_tls(x->listener, x->tls);
    free(x);
}

void listener_set_tls(struct listener *l, struct tls_context *tls)
{
    if (!l->worker)
        offer_tls(l, tls);
    else if (!tell_worker(l, tls, on_tls))
        tls_context_unref(tls);
}

static void on_handed(struct message *m, void *receiver)
{
    struct listener_message *x = (struct listener_message *)(void *)m;
    struct listener *l = x->listener;
    struct worker *w = receiver;
    int rc;

    free(x);
    l->next = w->listeners;
    w->listeners = l;
    (void)uv_timer_init(&w->loop, &l->pause); /* never fails */
    l->poll.data = l->pause.data = l;
    rc = listen_again(l);
    if (rc != 0)
        pause_accepting(l, -rc);
}

bool listener_hand_to(struct listener *l, struct worker *w)
{
    l->worker = w;
    return tell_worker(l, NULL, on_handed);
}

static void on_closed(uv_handle_t *h)
{
    struct listener *l = h->data;

    if (--l->open_handles > 0)
        return;
    offer_tls(l, NULL);
    (void)close(l->fd);
    if (l->path[0])
        (void)unlink(l->path);
}

static void close_one(struct listener *l)
{
    l->open_handles = l->has_poll ? 2 : 1;
    uv_close((uv_handle_t *)&l->pause, on_closed);
    if (l->has_poll)
        uv_close((uv_handle_t *)&l->poll, on_closed);
}

void listener_close_all(struct worker *w)
{
    for (struct listener *l = w->listeners; l; l = l->next)
        close_one(l);
    w->listeners = NULL;
}
