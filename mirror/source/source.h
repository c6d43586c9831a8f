/* A connection for queries to the server the mirror reads from.
 *
 * Its session prints times in UTC and text in UTF-8. The one file behind it knows libmariadb. One
 * thread, but for source_interrupt. */
#ifndef MIRROR_SOURCE_H
#define MIRROR_SOURCE_H

#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"
#include "mirror/document/rows.h"

#include <stdint.h>

struct source_address {
    const char *host; /* used when `socket` is NULL */
    uint16_t port;
    const char *socket; /* path of a unix socket, or NULL */
    const char *user;
    const char *password;
    const struct conf_servers_tls *tls;
    unsigned connect_ms;
    unsigned query_ms; /* a statement's deadline */
};

/* Server error numbers that callers branch on (`e->code`). */
enum {
    SOURCE_ERR_TABLE_CHANGED = 1412, /* ALTER or TRUNCATE since the snapshot: take a new one */
    SOURCE_ERR_NO_COLUMN = 1054,
    SOURCE_ERR_NO_TABLE = 1146,
};

/* Whether a statement failed since a table was altered behind an older snapshot. */
static inline bool source_altered(const struct err *e)
{
    return e->code == SOURCE_ERR_TABLE_CHANGED || e->code == SOURCE_ERR_NO_TABLE ||
           e->code == SOURCE_ERR_NO_COLUMN;
}

struct source;

/* Once per process, before the first thread that opens one. */
bool source_library_init(void);

/* NULL with `e`: ERR_SERVER with its number in `code`, ERR_IO where it can't be reached. */
struct source *source_open(const struct source_address *a, struct err *e) MUST_CHECK;
void source_close(struct source *s);
/* Make a running or the next statement fail at once. Any thread, until close. */
void source_interrupt(struct source *s);

/* A count that begins at 0; snapshot.c's. */
unsigned *source_alone(struct source *s);

/* A statement without rows. */
bool source_exec(struct source *s, const char *sql, struct err *e) MUST_CHECK;
/* The same in two steps, so that several connections are at work at once: whoever has sent, asks
 * for what came of it, before anything else. */
bool source_send(struct source *s, const char *sql, struct err *e) MUST_CHECK;
bool source_done(struct source *s, struct err *e) MUST_CHECK;
/* A SELECT; the whole result stands in memory, with each row's cells where they are. The caller
 * frees it with rows_free. NULL with `e`. */
struct rows *source_query(struct source *s, struct span sql, struct err *e) MUST_CHECK;
/* The same; the rows come in the order of their first n columns, which are numbers, NULLs first,
 * whatever order the server has them in. */
struct rows *source_query_by(struct source *s, struct span sql, int n, struct err *e) MUST_CHECK;
/* The first cell of the first row, appended to `out`; nothing for NULL or no row. */
bool source_value(struct source *s, const char *sql, struct buf *out, struct err *e) MUST_CHECK;

#endif
