#include "monitor/reach.h"

#include "base/clock.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The error that connecting ends with; ETIMEDOUT where it does not end in time. */
static int outcome(int fd, uint64_t timeout_ns)
{
    struct pollfd pfd = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof error;

    if (poll(&pfd, 1, (int)(timeout_ns / CLOCK_NS_PER_MS)) <= 0)
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

static int try_connect(int family, const struct sockaddr *to, socklen_t size, uint64_t timeout_ns)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = 0;

    if (fd < 0)
        return errno;
    if (connect(fd, to, size) != 0)
        error = errno == EINPROGRESS ? outcome(fd, timeout_ns) : errno;
    (void)close(fd);
    return error;
}

static bool socket_is_refused(const char *path, uint64_t timeout_ns)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int error;

    if (strlen(path) >= sizeof to.sun_path)
        return false;
    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    error = try_connect(AF_UNIX, (const struct sockaddr *)&to, sizeof to, timeout_ns);
    return error == ECONNREFUSED || error == ENOENT;
}

/* A name may have several addresses: all of them must refuse. */
bool reach_is_refused(const struct conf_address *at, uint64_t timeout_ns)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all;
    bool refused = true;
    char port[8];

    if (!at->port)
        return socket_is_refused(at->host, timeout_ns);
    (void)snprintf(port, sizeof port, "%u", (unsigned)at->port);
    if (getaddrinfo(at->host, port, &hints, &all) != 0)
        return false;
    for (const struct addrinfo *a = all; a && refused; a = a->ai_next)
        refused = try_connect(a->ai_family, a->ai_addr, a->ai_addrlen, timeout_ns) == ECONNREFUSED;
    freeaddrinfo(all);
    return refused;
}
