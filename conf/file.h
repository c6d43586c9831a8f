/* Small files, whole: the configuration and the secrets beside it. */
#ifndef CONF_FILE_H
#define CONF_FILE_H

#include "base/buf.h"
#include "base/err.h"

enum { CONF_FILE_MAX = 1 << 20, CONF_SECRET_MAX = 4096 };

/* Append a regular file's content; the buffer's cap is the limit. `secret`: refused where group or
 * others have any right on it. Errors are ERR_IO and name the path. */
bool conf_file_read(const char *path, bool secret, struct buf *out, struct err *e) MUST_CHECK;

#endif
