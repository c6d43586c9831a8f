/* One line per event: time, level, event name, the connection's id, a text, and key=value pairs.
 *
 * Text:  2026-03-01T14:05:00.123Z info  session.open id=12 user=till address=10.0.0.7
 * JSON:  {"time":"…","level":"info","event":"session.open","id":12,"user":"till",…}
 *
 * Each line is one write(2), so lines of several threads and processes never mix. Any thread. */
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

#endif
