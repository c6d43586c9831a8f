#include "monitor/drain.h"

#include "base/log.h"
#include "monitor/shared.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_MAX = 300 };

#define TELL_NS CLOCK_NS_PER_S

static const char *name_of(const struct monitor *m, int server)
{
    return m->conf->servers[server].name;
}

static void tell(struct monitor *m, const char *text, enum answer_line line)
{
    const struct drain d = m->drain;

    if (line != ANSWER_MORE)
        m->drain = (struct drain){.line = NULL};
    d.line(d.ctx, text, line);
}

/* Tell it, and write it into the log. */
static void say(struct monitor *m, enum answer_line line, uint64_t now_ns, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

static void say(struct monitor *m, enum answer_line line, uint64_t now_ns, const char *fmt, ...)
{
    const struct drain *d = &m->drain;
    char text[LINE_MAX];
    int n = snprintf(text, sizeof text, "drain of %.64s, %llu ms: ", name_of(m, d->server),
                     (unsigned long long)((now_ns - d->begun_ns) / CLOCK_NS_PER_MS));
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
    va_end(ap);
    log_event(LOG_INFO, "drain.step", LOG_STR("what", text));
    tell(m, text, line);
}

void drain_begin(struct monitor *m, int server, uint64_t wait_ns, answer_fn line, void *ctx)
{
    uint64_t now_ns = clock_mono_ns();

    m->drain = (struct drain){.line = line,
                              .ctx = ctx,
                              .server = server,
                              .begun_ns = now_ns,
                              .until_ns = now_ns + wait_ns,
                              .told = -1};
    m->board->resting |= UINT32_C(1) << server;
    shared_changed(m);
    say(m, ANSWER_MORE, now_ns, "no more statements go there, and it is left as it is");
}

/* Why it came to nothing, or NULL. */
static const char *spoiled(const struct monitor *m)
{
    if (!(m->board->resting & UINT32_C(1) << m->drain.server))
        return "its maintenance was ended";
    if (m->publisher.now->galera) /* another node takes the writes as soon as it can */
        return NULL;
    return m->publisher.now->primary == m->drain.server ? "it has become the primary" : NULL;
}

static void tell_count(struct monitor *m, int count, uint64_t now_ns)
{
    struct drain *d = &m->drain;

    if (count == d->told || (d->told >= 0 && now_ns - d->told_ns < TELL_NS))
        return;
    d->told = count;
    d->told_ns = now_ns;
    say(m, ANSWER_MORE, now_ns, "%d connections of sessions are left", count);
}

void drain_look(struct monitor *m, uint64_t now_ns)
{
    struct drain *d = &m->drain;
    const char *why = d->line ? spoiled(m) : NULL;
    int count = 0;
    bool known;

    if (!d->line)
        return;
    known = m->sink.connections(m->sink.ctx, d->server, &count);
    if (why) {
        say(m, ANSWER_FAILED, now_ns, "%s", why);
    } else if (known && count == 0) {
        say(m, ANSWER_MORE, now_ns, "nothing is left there: it is in maintenance");
        tell(m, "done", ANSWER_DONE);
    } else if (now_ns >= d->until_ns) {
        say(m, ANSWER_FAILED, now_ns,
            "%d connections of sessions are left, which end as they would; it stays in maintenance",
            count);
    } else if (known) {
        tell_count(m, count, now_ns);
    }
}

void drain_stop(struct monitor *m)
{
    if (drain_is_on(&m->drain))
        tell(m, "the monitor stops", ANSWER_FAILED);
}

void drain_plan(struct monitor *m, int server, uint64_t wait_ns, answer_fn line, void *ctx)
{
    char text[2 * LINE_MAX];
    int count = 0;

    (void)m->sink.connections(m->sink.ctx, server, &count); /* known or not: it is a plan */
    (void)snprintf(text, sizeof text,
                   "1. no more statements go to %s, and it is left as it is\n"
                   "2. what runs there ends, and connections close: %d now, idle ones among them; "
                   "for at most %llu s\n"
                   "3. nothing is left there: it is in maintenance",
                   name_of(m, server), count, (unsigned long long)(wait_ns / CLOCK_NS_PER_S));
    line(ctx, text, ANSWER_DONE);
}
