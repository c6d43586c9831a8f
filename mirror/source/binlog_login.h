/* Logging in as a replica and setting up its session. The one file of the binlog's reader that
 * knows libmariadb, whose numbers clash with protocol/consts.h. */
#ifndef MIRROR_BINLOG_LOGIN_H
#define MIRROR_BINLOG_LOGIN_H

#include "mirror/source/binlog_stream.h"

struct st_mysql;

struct binlog_login {
    struct st_mysql *mysql;
    int fd; /* its socket: the protocol's next command may be written to it; -1: none */
};

/* Connect and say what a replica says before it asks. Close `l` also when this fails. */
bool binlog_login_open(const struct binlog_source *s, const struct gtid_set *from,
                       struct binlog_login *l, struct err *e) MUST_CHECK;
void binlog_login_close(struct binlog_login *l);

#endif
