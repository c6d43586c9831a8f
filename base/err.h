/* An error that a person will read: a static kind to branch on and a text that says what to do
 * next. Functions that can fail return false (or NULL) and fill the `struct err` they were handed;
 * they never print. A text longer than the field is cut, never overrun. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/compiler.h"

#include <stdbool.h>

enum err_kind {
    ERR_NONE = 0,
    ERR_USAGE,   /* the user's words are off: exit code 2 */
    ERR_IO,      /* the system refused: file, socket, memory */
    ERR_SERVER,  /* a server answered with an error */
    ERR_DATA,    /* bytes that no valid peer sends */
    ERR_TIMEOUT, /* a deadline passed */
    ERR_STOPPED, /* asked to stop meanwhile */
};

struct err {
    enum err_kind kind;
    int code; /* the server's or the system's number where there is one, else 0 */
    char text[512];
};

/* Fill `e` and return false, so that `return err_set(...)` ends a failing function. */
bool err_set(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Put "prefix: " in front of the text `e` already has; returns false. */
bool err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* What an errno value means, in words; static, any thread. */
const char *err_system(int number);

#endif
