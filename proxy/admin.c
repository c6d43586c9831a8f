#include "proxy/admin.h"

#include "base/log.h"
#include "proxy/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 256, ANSWER_MAX = 64 << 20 };
enum { EOT = 4, NAK = 21 }; /* what an answer's last line begins with */

struct admin {
    uv_pipe_t server;
    struct daemon *daemon;
    char path[108];
};

/* One question and its answer, which is written as it grows; freed when its pipe is closed. The
 * control thread's own but for what is under the lock: others answer. */
struct question {
    struct message message; /* there is more to write */
    uv_pipe_t pipe;
    uv_write_t write;
    struct daemon *daemon;
    char line[LINE_MAX_BYTES];
    size_t len;
    struct buf written; /* being written; empty: nothing is */
    bool left;          /* whoever asked does not listen any more */
    pthread_mutex_t lock;
    struct buf answer; /* under lock */
    int waiting;       /* under lock: workers that have not answered */
    bool complete;     /* under lock: nothing is added to the answer any more */
    bool called;       /* under lock: the message is on its way */
};

static void on_closed(uv_handle_t *h)
{
    struct question *q = h->data;

    (void)pthread_mutex_destroy(&q->lock);
    buf_free(&q->answer);
    buf_free(&q->written);
    free(q);
}

static void write_more(struct question *q);

static void on_written(uv_write_t *w, int status)
{
    struct question *q = w->data;

    q->left = q->left || status != 0;
    buf_clear(&q->written);
    write_more(q);
}

static void write_more(struct question *q)
{
    struct buf spare = q->written;
    uv_buf_t b;
    bool over;

    if (spare.len)
        return;
    (void)pthread_mutex_lock(&q->lock);
    q->written = q->answer;
    q->answer = spare;
    over = q->complete && !q->called;
    (void)pthread_mutex_unlock(&q->lock);
    if (q->written.len && !q->left) {
        b = uv_buf_init((char *)q->written.data, (unsigned)q->written.len);
        q->write.data = q;
        q->left = uv_write(&q->write, (uv_stream_t *)&q->pipe, &b, 1, on_written) != 0;
        if (!q->left)
            return;
    }
    buf_clear(&q->written);
    if (over)
        uv_close((uv_handle_t *)&q->pipe, on_closed);
}

/* The answer's last line; `why_not` is NULL where all is well. Under the lock. */
static void conclude(struct question *q, const char *why_not)
{
    buf_put_u8(&q->answer, why_not ? NAK : EOT);
    buf_printf(&q->answer, "%s\n", why_not ? why_not : "");
    q->complete = true;
}

/* The control thread has the whole answer. */
static void send_answer(struct question *q, const char *why_not)
{
    (void)pthread_mutex_lock(&q->lock);
    conclude(q, why_not);
    (void)pthread_mutex_unlock(&q->lock);
    write_more(q);
}

static void on_more(struct message *m, void *receiver)
{
    struct question *q = (struct question *)(void *)m;

    (void)receiver;
    (void)pthread_mutex_lock(&q->lock);
    q->called = false;
    (void)pthread_mutex_unlock(&q->lock);
    write_more(q);
}

/* Have the control thread write what there is. Under the lock, of which it lets go. */
static void call(struct question *q)
{
    bool is_on_its_way = q->called;

    q->called = true;
    (void)pthread_mutex_unlock(&q->lock);
    if (!is_on_its_way && !mailbox_send(daemon_mailbox(q->daemon), &q->message))
        return; /* the daemon ends: so does the pipe */
}

/* A worker's thread. */
static void on_lines(void *ctx, struct buf *lines)
{
    struct question *q = ctx;

    (void)pthread_mutex_lock(&q->lock);
    buf_put_span(&q->answer, buf_span(lines));
    if (--q->waiting == 0)
        conclude(q, NULL);
    call(q);
}

static void ask_workers(struct question *q)
{
    struct shared *shared = daemon_shared(q->daemon);
    bool none = false;

    buf_put_str(&q->answer, "id\tuser\taddress\tschema\tstate\tstatements\tconnections\tpinned\n");
    (void)pthread_mutex_lock(&q->lock);
    q->waiting = 1; /* this thread */
    (void)pthread_mutex_unlock(&q->lock);
    for (int i = 0; i < shared->worker_count; i++) {
        (void)pthread_mutex_lock(&q->lock);
        q->waiting++;
        (void)pthread_mutex_unlock(&q->lock);
        if (worker_send_list(&shared->workers[i], on_lines, q))
            continue;
        (void)pthread_mutex_lock(&q->lock);
        q->waiting--;
        (void)pthread_mutex_unlock(&q->lock);
    }
    (void)pthread_mutex_lock(&q->lock);
    none = --q->waiting == 0;
    (void)pthread_mutex_unlock(&q->lock);
    if (none)
        send_answer(q, NULL);
}

/* Any thread. */
static void on_cluster_line(void *ctx, const char *text, enum answer_line line)
{
    struct question *q = ctx;

    (void)pthread_mutex_lock(&q->lock);
    if (text[0] && line != ANSWER_FAILED)
        buf_printf(&q->answer, "%s\n", text);
    if (line != ANSWER_MORE)
        conclude(q, line == ANSWER_FAILED ? text : NULL);
    call(q);
}

static void print_stats(struct daemon *d, const struct topology *t, struct buf *out)
{
    const struct shared *shared = daemon_shared(d);

    metrics_print(&shared->metrics, t, shared->loads, out);
    if (!daemon_rules(d))
        return;
    buf_put_str(out, "\nstatements by rule\n");
    rules_print(daemon_rules(d), out);
}

static void print_stats_json(struct daemon *d, const struct topology *t, struct buf *out)
{
    buf_put_u8(out, '{');
    metrics_print_json(&daemon_shared(d)->metrics, t, out);
    buf_put_str(out, ",\"rules\":[");
    if (daemon_rules(d))
        rules_print_json(daemon_rules(d), out);
    buf_put_str(out, "]}\n");
}

static void answer(struct question *q)
{
    struct topology *t = daemon_topology(q->daemon);
    const char *why_not = NULL;

    (void)uv_read_stop((uv_stream_t *)&q->pipe);
    if (strcmp(q->line, "sessions") == 0) {
        ask_workers(q);
        return;
    }
    if (strncmp(q->line, "cluster ", 8) == 0) {
        const struct daemon_hooks *hooks = daemon_hooks(q->daemon);

        hooks->cluster(hooks->ctx, q->line + 8, on_cluster_line, q);
        return;
    }
    if (strcmp(q->line, "stats") == 0)
        print_stats(q->daemon, t, &q->answer);
    else if (strcmp(q->line, "stats json") == 0)
        print_stats_json(q->daemon, t, &q->answer);
    else
        why_not = "unknown question; known: stats, stats json, sessions, cluster …";
    send_answer(q, why_not);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    struct question *q = h->data;

    (void)suggested;
    *b = uv_buf_init(q->line + q->len, (unsigned)(sizeof q->line - 1 - q->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct question *q = stream->data;
    char *end;

    (void)b;
    if (n < 0) {
        uv_close((uv_handle_t *)&q->pipe, on_closed);
        return;
    }
    q->len += (size_t)n;
    q->line[q->len] = 0;
    end = strchr(q->line, '\n');
    if (end) {
        *end = 0;
        answer(q);
    }
}

static void on_connection(uv_stream_t *server, int status)
{
    struct admin *a = server->data;
    struct question *q = status == 0 ? calloc(1, sizeof *q) : NULL;

    if (!q)
        return;
    q->daemon = a->daemon;
    q->message.run = on_more;
    q->answer = buf_with_max(ANSWER_MAX);
    q->written = buf_with_max(ANSWER_MAX);
    (void)pthread_mutex_init(&q->lock, NULL);
    (void)uv_pipe_init(server->loop, &q->pipe, 0);
    q->pipe.data = q;
    if (uv_accept(server, (uv_stream_t *)&q->pipe) != 0 ||
        uv_read_start((uv_stream_t *)&q->pipe, on_alloc, on_read) != 0)
        uv_close((uv_handle_t *)&q->pipe, on_closed);
}

struct admin *admin_open(struct daemon *d, uv_loop_t *loop, const char *path, struct err *e)
{
    struct admin *a = calloc(1, sizeof *a);
    int fd = a ? listener_bind_unix(path, e) : -1;

    if (fd < 0) {
        free(a);
        return NULL;
    }
    (void)chmod(path, 0600);
    a->daemon = d;
    a->server.data = a;
    (void)snprintf(a->path, sizeof a->path, "%s", path);
    (void)uv_pipe_init(loop, &a->server, 0);
    if (uv_pipe_open(&a->server, fd) == 0 &&
        uv_listen((uv_stream_t *)&a->server, 16, on_connection) == 0)
        return a;
    (void)err_set(e, ERR_IO, "cannot listen on %s", path);
    free(a);
    return NULL;
}

static void on_server_closed(uv_handle_t *h)
{
    struct admin *a = h->data;

    (void)unlink(a->path);
    free(a);
}

void admin_close(struct admin *a)
{
    uv_close((uv_handle_t *)&a->server, on_server_closed);
}

static int connect_to(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* The last line of the answer, without its end; false where it says that nothing came of it. */
static bool read_last(const char *line, ssize_t n, struct err *e)
{
    return line[0] == EOT || err_set(e, ERR_SERVER, "%.*s", (int)(n - 2), line + 1);
}

/* To stdout, but for its last line. Closes fd. */
static bool copy_answer(int fd, struct err *e)
{
    FILE *in = fdopen(fd, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t n = 0;
    bool ended = false;
    bool well = false;

    while (in && !ended && (n = getline(&line, &room, in)) > 0) {
        ended = line[0] == EOT || line[0] == NAK;
        if (!ended) {
            (void)fwrite(line, 1, (size_t)n, stdout);
            (void)fflush(stdout); /* it may take a while until the rest comes */
        }
    }
    well = ended ? read_last(line, n, e)
                 : err_set(e, ERR_IO, "the daemon ended before it had answered");
    free(line);
    (void)(in ? fclose(in) : close(fd));
    return well;
}

bool admin_ask(const char *path, const char *line, struct err *e)
{
    int fd;

    if (path[0] == 0)
        return err_set(e, ERR_USAGE,
                       "the configuration has no admin socket; add 'admin: {socket: "
                       "/run/tillway/admin.sock}'");
    fd = connect_to(path);
    if (fd < 0)
        return err_set(e, ERR_IO,
                       "cannot reach %s: %s; is 'tillway run' up with this configuration?", path,
                       err_system(errno));
    (void)!write(fd, line, strlen(line));
    (void)!write(fd, "\n", 1);
    return copy_answer(fd, e);
}
