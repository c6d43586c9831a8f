/* Time. Monotonic nanoseconds for deadlines and intervals; wall time only for people. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_NS_PER_MS 1000000ULL
#define CLOCK_NS_PER_S  1000000000ULL

/* CLOCK_MONOTONIC, nanoseconds. Any thread. */
uint64_t clock_mono_ns(void);
/* CLOCK_REALTIME, milliseconds since 1970. Any thread. */
uint64_t clock_wall_ms(void);
/* "2026-03-01T14:05:00.123Z" of clock_wall_ms's value into out (at least 25 bytes). */
void clock_iso8601(uint64_t wall_ms, char *out, size_t out_size);

#endif
