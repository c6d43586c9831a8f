/* The connection under mirror/binlog_stream: asks for the binlog, then cuts what comes into
 * packets. */
#ifndef MIRROR_BINLOG_LINK_H
#define MIRROR_BINLOG_LINK_H

#include "mirror/source/binlog_stream.h"

struct binlog_link;

/* As binlog_stream_open. */
struct binlog_link *binlog_link_open(const struct binlog_source *s, const struct gtid_set *from,
                                     struct err *e) MUST_CHECK;
/* The next packet's payload, parts of 16 MiB joined, good until the next call: 1; 0 when the
 * deadline passed; -1 with `e`. */
int binlog_link_next(struct binlog_link *l, uint64_t deadline_ns, struct span *payload,
                     struct err *e) MUST_CHECK;
/* Bytes that are here and were not given out. */
size_t binlog_link_waiting(const struct binlog_link *l);
/* Fill `e` from an ERR packet: number, '#' and five characters of SQLSTATE, text; returns false. */
bool binlog_link_refused(struct span payload, struct err *e);
/* Any thread; async-signal-safe. */
void binlog_link_interrupt(struct binlog_link *l);
void binlog_link_close(struct binlog_link *l);

#endif
