#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A value is cut, so that a line is never lost; a byte of it may need six. */
enum { LINE_MAX_BYTES = 65536, VALUE_MAX_BYTES = 1024, PATH_MAX_BYTES = 4096 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};

/* Written under `lock` by set-up and reload; the three atomics are read by any thread. */
static struct {
    pthread_mutex_t lock;
    atomic_int fd;
    atomic_int level;
    atomic_int format;
    char path[PATH_MAX_BYTES];
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = STDERR_FILENO, .level = LOG_INFO};

/* What the file did not take: the disk is full, say. */
static atomic_uint lost_lines; /* since the last that was told */
static atomic_bool torn;       /* the file ends in a part of a line */

static int open_file(const char *path)
{
    if (strcmp(path, "stderr") == 0)
        return STDERR_FILENO;
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

/* The new file takes the old one's number, so that a thread that writes meanwhile is never left
 * with a closed descriptor. For the same reason a file stays open when stderr takes over. */
static void replace_fd(int fd)
{
    int old = atomic_load(&sink.fd);

    if (fd == old)
        return;
    if (old == STDERR_FILENO || fd == STDERR_FILENO) {
        atomic_store(&sink.fd, fd);
        return;
    }
    (void)dup3(fd, old, O_CLOEXEC);
    (void)close(fd);
}

bool log_setup(enum log_level level, enum log_format format, const char *file, struct err *e)
{
    int fd = open_file(file);

    if (fd < 0)
        return err_set(e, ERR_IO, "cannot open log file %s: %s", file, strerrordesc_np(errno));
    (void)pthread_mutex_lock(&sink.lock);
    replace_fd(fd);
    atomic_store(&sink.level, (int)level);
    atomic_store(&sink.format, (int)format);
    (void)snprintf(sink.path, sizeof sink.path, "%s", file);
    (void)pthread_mutex_unlock(&sink.lock);
    return true;
}

void log_reopen(void)
{
    int fd;

    (void)pthread_mutex_lock(&sink.lock);
    fd = sink.path[0] ? open_file(sink.path) : -1;
    if (fd >= 0)
        replace_fd(fd);
    (void)pthread_mutex_unlock(&sink.lock);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&sink.level, memory_order_relaxed);
}

/* Bytes of the UTF-8 character at c; 0 where there is none (the text comes from the network). */
static size_t utf8_length(const unsigned char *c)
{
    size_t n = 1;

    if (*c < 0x80)
        return 1;
    if (*c < 0xC2 || *c > 0xF4 || (*c == 0xE0 && c[1] < 0xA0) || (*c == 0xED && c[1] > 0x9F) ||
        (*c == 0xF0 && c[1] < 0x90) || (*c == 0xF4 && c[1] > 0x8F))
        return 0;
    n += (size_t)(*c >= 0xE0) + (size_t)(*c >= 0xF0);
    for (size_t i = 1; i <= n; i++)
        if ((c[i] & 0xC0) != 0x80)
            return 0;
    return n + 1;
}

static void put_json_string(struct buf *line, const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    const unsigned char *first = c;

    buf_put_u8(line, '"');
    while (*c && c - first < VALUE_MAX_BYTES) {
        size_t n = utf8_length(c);

        if (*c == '"' || *c == '\\')
            buf_printf(line, "\\%c", *c);
        else if (*c < 0x20 || *c == 0x7F || n == 0)
            buf_printf(line, "\\u%04x", *c);
        else
            buf_put(line, c, n);
        c += n ? n : 1;
    }
    buf_put_str(line, *c ? "...\"" : "\"");
}

/* A value with blanks, quotes or bytes beyond ASCII is quoted as in JSON, so that a line splits
 * again. */
static void put_text_value(struct buf *line, const char *text)
{
    size_t n = 0;

    while (text[n] > ' ' && text[n] < 0x7F && text[n] != '"' && text[n] != '=')
        n++;
    if (n > 0 && n < VALUE_MAX_BYTES && text[n] == 0)
        buf_put_str(line, text);
    else
        put_json_string(line, text);
}

static void put_text_line(struct buf *line, const char *when, const char *level, const char *event)
{
    buf_printf(line, "%s %-5s %s", when, level, event);
}

static void put_json_line(struct buf *line, const char *when, const char *level, const char *event)
{
    buf_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", when, level, event);
}

static void put_field(struct buf *line, const struct log_field *f, bool json)
{
    buf_printf(line, json ? ",\"%s\":" : " %s=", f->key);
    if (!f->text)
        buf_printf(line, "%lld", (long long)f->number);
    else if (json)
        put_json_string(line, f->text);
    else
        put_text_value(line, f->text);
}

static void put_line(struct buf *line, enum log_level level, const char *event,
                     const struct log_field *fields, int n)
{
    bool json = atomic_load(&sink.format) == LOG_JSON;
    char when[32];

    clock_iso8601(clock_wall_ms(), when, sizeof when);
    (json ? put_json_line : put_text_line)(line, when, level_names[level], event);
    for (int i = 0; i < n; i++)
        put_field(line, &fields[i], json);
    buf_put_str(line, json ? "}\n" : "\n");
}

/* One write(2), with the end of a torn line in front of it. */
static bool write_line(const struct buf *line)
{
    int fd = atomic_load(&sink.fd);
    ssize_t n;

    if (atomic_exchange(&torn, false) && write(fd, "\n", 1) != 1)
        atomic_store(&torn, true);
    n = write(fd, line->data, line->len);
    if (n > 0 && (size_t)n < line->len)
        atomic_store(&torn, true);
    return n >= 0 && (size_t)n == line->len;
}

/* Say how many lines are missing, where the file takes some again. */
static void tell_lost(void)
{
    unsigned n = atomic_exchange(&lost_lines, 0);
    struct log_field count = LOG_NUM("lines", n);
    struct buf line = buf_with_max(LINE_MAX_BYTES);

    if (n == 0)
        return;
    put_line(&line, LOG_ERROR, "log.lost", &count, 1);
    if (!buf_ok(&line) || !write_line(&line))
        (void)atomic_fetch_add(&lost_lines, n);
    buf_free(&line);
}

void log_event_fields(enum log_level level, const char *event, const struct log_field *fields,
                      int n)
{
    struct buf line = buf_with_max(LINE_MAX_BYTES);

    put_line(&line, level, event, fields, n);
    if (!buf_ok(&line)) {
        buf_clear(&line);
        put_line(&line, level, event, fields, 0);
    }
    tell_lost();
    if (!buf_ok(&line) || !write_line(&line))
        (void)atomic_fetch_add(&lost_lines, 1);
    buf_free(&line);
}

bool log_limit_passes(struct log_limit *l, uint64_t now_ns)
{
    if (now_ns - l->since_ns >= CLOCK_NS_PER_S) {
        l->since_ns = now_ns;
        l->written = 0;
    }
    if (l->written < LOG_LIMIT_LINES) {
        l->written++;
        return true;
    }
    l->left_out++;
    return false;
}

void log_limit_tell(struct log_limit *l, const char *event, uint64_t now_ns)
{
    if (l->left_out == 0 || now_ns - l->since_ns < CLOCK_NS_PER_S)
        return;
    log_event(LOG_WARN, "log.left_out", LOG_STR("event", event), LOG_NUM("lines", l->left_out));
    l->left_out = 0;
}
