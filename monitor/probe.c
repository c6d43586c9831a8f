#include "monitor/probe.h"

#include "base/clock.h"
#include "conf/mysql_tls.h"
#include "monitor/reach.h"

#include <assert.h>
#include <errno.h>
#include <mysql.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Error numbers by what they mean: https://mariadb.com/kb/en/mariadb-error-codes/ */
enum {
    SERVER_SHUTDOWN = 1053,
    NORMAL_SHUTDOWN = 1077,
    QUERY_INTERRUPTED = 1317,
    CONNECTION_KILLED = 1927,
    STATEMENT_TIMEOUT = 1969,
    CLIENT_ERRORS = 2000,
    CLIENT_ERRORS_END = 3000,
    CLIENT_LIBRARY_ERRORS = 5000,
    CLIENT_LIBRARY_ERRORS_END = 6000,
    UNKNOWN_HOST = 2005,
};

struct probe {
    struct probe_target target;
    MYSQL *mysql;         /* NULL: closed */
    pthread_mutex_t lock; /* over fd */
    int fd;               /* for probe_cut; -1: nothing to cut */
};

bool probe_library_init(struct err *e)
{
    return mysql_library_init(0, NULL, NULL) == 0 ||
           err_set(e, ERR_IO, "libmariadb cannot be started");
}

struct probe *probe_new(const struct probe_target *t)
{
    struct probe *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->target = *t;
    p->fd = -1;
    (void)pthread_mutex_init(&p->lock, NULL);
    return p;
}

static void set_fd(struct probe *p, int fd)
{
    (void)pthread_mutex_lock(&p->lock);
    p->fd = fd;
    (void)pthread_mutex_unlock(&p->lock);
}

void probe_cut(struct probe *p)
{
    (void)pthread_mutex_lock(&p->lock);
    if (p->fd >= 0)
        (void)shutdown(p->fd, SHUT_RDWR);
    (void)pthread_mutex_unlock(&p->lock);
}

void probe_close(struct probe *p)
{
    set_fd(p, -1);
    if (p->mysql)
        mysql_close(p->mysql);
    p->mysql = NULL;
}

void probe_free(struct probe *p)
{
    if (!p)
        return;
    probe_close(p);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}

bool probe_is_open(const struct probe *p)
{
    return p->mysql != NULL;
}

static enum probe_result answer(struct probe_answer *a, enum probe_result r, unsigned code,
                                const char *why)
{
    a->result = r;
    a->code = code;
    a->refused = false;
    (void)snprintf(a->why, sizeof a->why, "%s", why);
    return r;
}

static bool from_client_library(unsigned code)
{
    return (code >= CLIENT_ERRORS && code < CLIENT_ERRORS_END) ||
           (code >= CLIENT_LIBRARY_ERRORS && code < CLIENT_LIBRARY_ERRORS_END);
}

/* What libmariadb's error means. `connecting`: no connection stood before. `late`: the time was up,
 * which the library does not say by a number of its own. */
static enum probe_result failure(const struct probe *p, bool connecting, bool late,
                                 struct probe_answer *a)
{
    unsigned code = mysql_errno(p->mysql);
    const char *why = mysql_error(p->mysql);

    if (code == SERVER_SHUTDOWN || code == NORMAL_SHUTDOWN)
        return answer(a, PROBE_CLOSED, code, why);
    if (code == CONNECTION_KILLED || code == QUERY_INTERRUPTED)
        return answer(a, PROBE_LOST, code, why);
    if (code == STATEMENT_TIMEOUT)
        return answer(a, PROBE_TIMEOUT, code, why);
    if (!from_client_library(code))
        return answer(a, PROBE_DENIED, code, why);
    if (late && code != UNKNOWN_HOST)
        return answer(a, PROBE_TIMEOUT, code, connecting ? "no greeting in time" : why);
    return answer(a, connecting ? PROBE_CLOSED : PROBE_LOST, code, why);
}

/* libmariadb counts in seconds. */
static unsigned timeout_s(const struct probe *p)
{
    return (unsigned)((p->target.timeout_ns + CLOCK_NS_PER_S - 1) / CLOCK_NS_PER_S);
}

static bool set_options(struct probe *p)
{
    unsigned seconds = timeout_s(p);
    unsigned protocol =
        p->target.address.port ? (unsigned)MYSQL_PROTOCOL_TCP : (unsigned)MYSQL_PROTOCOL_SOCKET;
    unsigned off = 0;

    p->mysql = mysql_init(NULL);
    if (p->mysql)
        conf_mysql_tls(p->mysql, p->target.tls);
    return p->mysql && !mysql_options(p->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds) &&
           !mysql_options(p->mysql, MYSQL_OPT_READ_TIMEOUT, &seconds) &&
           !mysql_options(p->mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds) &&
           !mysql_options(p->mysql, MYSQL_OPT_PROTOCOL, &protocol) &&
           !mysql_options(p->mysql, MYSQL_OPT_LOCAL_INFILE, &off) &&
           !mysql_options(p->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
}

enum probe_result probe_open(struct probe *p, struct probe_answer *a)
{
    const struct conf_address *at = &p->target.address;
    uint64_t begun = clock_mono_ns();
    enum probe_result r;
    bool late;

    if (p->mysql)
        return answer(a, PROBE_OK, 0, "");
    if (!set_options(p)) {
        probe_close(p);
        return answer(a, PROBE_LOST, 0, "out of memory");
    }
    if (mysql_real_connect(p->mysql, at->port ? at->host : NULL, p->target.user, p->target.password,
                           NULL, at->port, at->port ? NULL : at->host, 0)) {
        set_fd(p, mysql_get_socket(p->mysql));
        return answer(a, PROBE_OK, 0, "");
    }
    /* A tenth less: the library's timer and this clock need not agree. */
    late = clock_mono_ns() - begun >= timeout_s(p) * (CLOCK_NS_PER_S - CLOCK_NS_PER_S / 10);
    r = failure(p, true, late, a);
    if (r == PROBE_CLOSED)
        a->refused = reach_is_refused(at, p->target.timeout_ns);
    probe_close(p);
    return r;
}

uint64_t probe_capabilities(const struct probe *p)
{
    unsigned long low = 0;
    unsigned long extended = 0;

    if (!p->mysql ||
        mariadb_get_infov(p->mysql, MARIADB_CONNECTION_SERVER_CAPABILITIES, &low) != 0 ||
        mariadb_get_infov(p->mysql, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &extended) !=
            0)
        return 0;
    return (low & UINT32_MAX) | (uint64_t)extended << 32;
}

/* Whether the first byte of the answer (or the end of the connection) came in time. */
static bool wait_readable(const struct probe *p, uint64_t deadline)
{
    struct pollfd pfd = {.fd = p->fd, .events = POLLIN};
    uint64_t now = clock_mono_ns();
    int n;

    do {
        uint64_t left = now < deadline ? deadline - now : 0;

        n = poll(&pfd, 1, (int)((left + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS));
        now = clock_mono_ns();
    } while (n < 0 && errno == EINTR);
    return n > 0;
}

static bool give_rows(MYSQL_RES *res, probe_row_fn row, void *ctx)
{
    unsigned columns = mysql_num_fields(res);
    const MYSQL_FIELD *fields = mysql_fetch_fields(res);
    const char **names = calloc(columns ? columns : 1, sizeof *names);
    bool more = names != NULL;

    for (unsigned i = 0; names && i < columns; i++)
        names[i] = fields[i].name;
    for (long n = 0; more && n < PROBE_ROWS_MAX; n++) {
        MYSQL_ROW values = mysql_fetch_row(res);

        if (!values)
            break;
        more = row(ctx, &(struct probe_row){columns, values, mysql_fetch_lengths(res), names});
    }
    free(names);
    return names != NULL;
}

/* Close after a failure that leaves the connection in an unknown state. */
static enum probe_result ended(struct probe *p, bool late, struct probe_answer *a)
{
    enum probe_result r = failure(p, false, late, a);

    if (r != PROBE_DENIED)
        probe_close(p);
    return r;
}

enum probe_result probe_ask(struct probe *p, const char *sql, probe_row_fn row, void *ctx,
                            struct probe_answer *a)
{
    uint64_t deadline = clock_mono_ns() + p->target.timeout_ns;
    MYSQL_RES *res;
    bool ok;

    assert(p->mysql);
    if (mysql_send_query(p->mysql, sql, (unsigned long)strlen(sql)))
        return ended(p, false, a);
    if (!wait_readable(p, deadline)) {
        probe_close(p);
        return answer(a, PROBE_TIMEOUT, 0, "no answer in time");
    }
    if (mysql_read_query_result(p->mysql))
        return ended(p, clock_mono_ns() >= deadline, a);
    res = mysql_store_result(p->mysql);
    if (!res && mysql_errno(p->mysql))
        return ended(p, clock_mono_ns() >= deadline, a);
    ok = !res || !row || give_rows(res, row, ctx);
    mysql_free_result(res);
    return ok ? answer(a, PROBE_OK, 0, "") : answer(a, PROBE_LOST, 0, "out of memory");
}
