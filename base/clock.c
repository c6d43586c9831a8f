#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t nanoseconds(clockid_t id)
{
    struct timespec ts;

    (void)clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * CLOCK_NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
    return nanoseconds(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ms(void)
{
    return nanoseconds(CLOCK_REALTIME) / CLOCK_NS_PER_MS;
}

void clock_iso8601(uint64_t wall_ms, char *out, size_t out_size)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm = {0};
    char day[32];

    (void)gmtime_r(&seconds, &tm);
    (void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(out, out_size, "%s.%03uZ", day, (unsigned)(wall_ms % 1000));
}
