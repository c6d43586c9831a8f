/* One line per event: time, level, event name, the connection's id, a text, and key=value pairs.
 *
 * Text:  2026-03-01T14:05:00.123Z info  session.open id=12 user=till address=10.0.0.7
 * JSON:  {"time":"…","level":"info","event":"session.open","id":12,"user":"till",…}
 *
 * Each line is one write(2), so lines of several threads and processes never mix. Lines that the
 * file does not take (a full disk) are counted, and a line log.lost says how many once it takes
 * some again; nobody waits for it. Any thread. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/compiler.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

struct log_field {
    const char *key;
    const char *text; /* NULL: the number counts */
    int64_t number;
};

/* A text; NULL is written as "". */
static inline struct log_field log_text(const char *key, const char *text)
{
    return (struct log_field){key, text ? text : "", 0};
}

#define LOG_STR(k, v) log_text((k), (v))
#define LOG_NUM(k, v) ((struct log_field){(k), NULL, (int64_t)(v)})

/* Choose level, format and file ("stderr" or a path, appended to). May be called again (reload). */
bool log_setup(enum log_level level, enum log_format format, const char *file,
               struct err *e) MUST_CHECK;
/* Close and open the file anew (after rotation). */
void log_reopen(void);
bool log_enabled(enum log_level level);
void log_event_fields(enum log_level level, const char *event, const struct log_field *fields,
                      int n);

/* log_event(LOG_INFO, "session.open", LOG_NUM("id", 12), LOG_STR("user", user)); at least one
 * field. */
/* NOLINTNEXTLINE(readability-identifier-naming): it reads as the function it wraps */
#define log_event(level, event, ...)                                                      \
    do {                                                                                  \
        if (log_enabled(level)) {                                                         \
            const struct log_field log_fields_[] = {__VA_ARGS__};                         \
            log_event_fields((level), (event), log_fields_, (int)ARRAY_LEN(log_fields_)); \
        }                                                                                 \
    } while (0)

/* So that a flood of what strangers cause does not fill the disk: LOG_LIMIT_LINES a second of one
 * kind are written, and then one line says how many were not. One thread; all zero to begin with;
 * times of clock_mono_ns. */
struct log_limit {
    uint64_t since_ns; /* when the second under way began */
    unsigned written;
    unsigned long long left_out;
};

enum { LOG_LIMIT_LINES = 20 };

/* Whether the next line may be written; it counts. */
bool log_limit_passes(struct log_limit *l, uint64_t now_ns) MUST_CHECK;
/* Log what was left out of the lines named `event`, if anything was and the second is over. */
void log_limit_tell(struct log_limit *l, const char *event, uint64_t now_ns);

#endif
