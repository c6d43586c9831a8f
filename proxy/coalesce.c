#include "proxy/coalesce.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    PAUSE_NS = 100000,
    MANY = 8,
    CONTENDED_PART = 4, /* it waited for a quarter of the time */
};

void coalesce_open(struct coalesce *c)
{
    *c = (struct coalesce){.stat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)};
}

void coalesce_close(struct coalesce *c)
{
    if (c->stat >= 0)
        (void)close(c->stat);
    c->stat = -1;
}

/* "RUN WAITED SLICES", ns; kernel documentation, scheduler/sched-stats. */
static bool read_waited(int stat, uint64_t *waited_ns)
{
    char text[96];
    char *second;
    char *end;
    ssize_t n = stat >= 0 ? pread(stat, text, sizeof text - 1, 0) : -1;

    if (n <= 0)
        return false;
    text[n] = '\0';
    (void)strtoull(text, &second, 10);
    *waited_ns = strtoull(second, &end, 10);
    return end > second;
}

void coalesce_look(struct coalesce *c, uint64_t now_ns)
{
    uint64_t waited_ns;

    if (!read_waited(c->stat, &waited_ns))
        return;
    c->contended =
        c->looked_ns > 0 && (waited_ns - c->waited_ns) * CONTENDED_PART > now_ns - c->looked_ns;
    c->waited_ns = waited_ns;
    c->looked_ns = now_ns;
}

bool coalesce_is_due(unsigned under_way, unsigned events)
{
    return under_way >= MANY && events < MANY;
}

void coalesce_pause(void)
{
    const struct timespec t = {.tv_nsec = PAUSE_NS};

    (void)nanosleep(&t, NULL);
}
