#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
    char text[sizeof e->text]; /* the arguments may point into e->text */
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    e->kind = kind;
    e->code = 0;
    (void)snprintf(e->text, sizeof e->text, "%s", text);
    return false;
}

/* As much of `more` as there is room for. */
static void append(char *text, size_t size, const char *more)
{
    size_t used = strlen(text);
    size_t n = strnlen(more, size - 1 - used);

    memcpy(text + used, more, n);
    text[used + n] = 0;
}

bool err_wrap(struct err *e, const char *fmt, ...)
{
    char text[sizeof e->text] = ""; /* the arguments may point into e->text */
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    append(text, sizeof text, ": ");
    append(text, sizeof text, e->text);
    memcpy(e->text, text, sizeof text);
    return false;
}

const char *err_system(int number)
{
    const char *text = strerrordesc_np(number);

    return text ? text : "unknown error";
}
