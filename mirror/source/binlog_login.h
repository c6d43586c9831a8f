/* Logging in as a replica, setting up its session and asking for the binlog. The one file of the
 * binlog's reader that knows libmariadb, whose numbers clash with protocol/consts.h. */
#ifndef MIRROR_BINLOG_LOGIN_H
#define MIRROR_BINLOG_LOGIN_H

#include "mirror/source/binlog_stream.h"

struct st_mysql;
struct binlog_pump;

struct binlog_login {
    struct st_mysql *mysql;
    struct binlog_pump *pump; /* of an encrypted connection; NULL: it is in the clear */
    int fd;                   /* the binlog is read from here; -1: none. Not to be written to */
};

/* Connect, say what a replica says before it asks, and ask. Close `l` also when this fails. */
bool binlog_login_open(const struct binlog_source *s, const struct gtid_set *from,
                       struct binlog_login *l, struct err *e) MUST_CHECK;
/* Fill `e` after the end of the stream; returns false. */
bool binlog_login_lost(struct binlog_login *l, struct err *e);
/* The next packet of an encrypted connection, good until the next call: the pump's thread only.
 * Blocks until the server was silent for the longer of timeout_ms and three heartbeats. */
bool binlog_login_packet(struct st_mysql *mysql, uint8_t **payload, size_t *n,
                         struct err *e) MUST_CHECK;
void binlog_login_close(struct binlog_login *l);

#endif
