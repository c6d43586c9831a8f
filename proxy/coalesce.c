#include "proxy/coalesce.h"

#include "base/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    PAUSE_NS = 300000,
    GATHERS = 2, /* what a pause is to bring at least */
    LOOK_MS = 10,
    FULL_MAX = 8,
};

void coalesce_open(struct coalesce *c)
{
    *c = (struct coalesce){
        .load = open("/proc/loadavg", O_RDONLY | O_CLOEXEC),
        .cores = sysconf(_SC_NPROCESSORS_ONLN),
    };
}

void coalesce_close(struct coalesce *c)
{
    if (c->load >= 0)
        (void)close(c->load);
    c->load = -1;
}

/* "1.86 2.00 1.75 5/231 12345": five are ready to run, with the one that asks; proc(5). */
static bool threads_wait(const struct coalesce *c)
{
    char text[96];
    ssize_t n = c->load >= 0 ? pread(c->load, text, sizeof text - 1, 0) : -1;
    const char *slash;

    if (n <= 0)
        return false;
    text[n] = '\0';
    slash = strchr(text, '/');
    while (slash && slash > text && slash[-1] != ' ')
        slash--;
    return slash && strtol(slash, NULL, 10) > c->cores;
}

/* Whether it has come fast enough since the last look. */
static bool much_comes(const struct coalesce *c, uint64_t ms)
{
    return (uint64_t)c->came * PAUSE_NS >= ms * CLOCK_NS_PER_MS * GATHERS;
}

static void look(struct coalesce *c, uint64_t now_ms)
{
    uint64_t ms = now_ms - c->looked_ms;

    if (ms < LOOK_MS)
        return;
    if (much_comes(c, ms) && threads_wait(c))
        c->full += c->full < FULL_MAX;
    else
        c->full -= c->full > 0;
    c->looked_ms = now_ms;
    c->came = 0;
}

bool coalesce_is_due(struct coalesce *c, uint64_t now_ms)
{
    unsigned events = c->events;

    c->events = 0;
    c->came += events;
    look(c, now_ms);
    return events < COALESCE_MANY && coalesce_is_full(c);
}

void coalesce_pause(void)
{
    const struct timespec t = {.tv_nsec = PAUSE_NS};

    (void)nanosleep(&t, NULL);
}
