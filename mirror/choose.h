/* Which of the servers the mirror reads from: a replica if it can, else the primary. */
#ifndef MIRROR_CHOOSE_H
#define MIRROR_CHOOSE_H

#include "conf/conf.h"
#include "mirror/source/binlog_stream.h"
#include "mirror/source/source.h"

struct choice {
    int server; /* in conf->servers */
    struct source *source;
    struct gtid_set position; /* of its binlog */
};

/* Connect to the best server whose binlog has got as far as `need` (NULL: any) and is not in
 * `except` (a bit a server). False with `e`: none; ERR_USAGE where those that answer are set up
 * wrongly. */
bool choose_source(const struct conf *c, const struct gtid_set *need, uint32_t except,
                   struct choice *out, struct err *e) MUST_CHECK;
/* Connect to the one server that takes writes, for asking where it stands; NULL: none answers. */
struct source *choose_primary(const struct conf *c);

/* One more connection to a server. */
struct source *choose_another(const struct conf *c, int server, struct err *e) MUST_CHECK;
/* A server's address for the binlog's connection. */
struct binlog_source choose_binlog(const struct conf *c, int server);

#endif
