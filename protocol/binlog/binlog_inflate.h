/* zlib as MariaDB uses it: whole compressed events, and the values of COMPRESSED columns. Both
 * begin with a byte that says how many bytes of length, big-endian, follow. No memory but the
 * output. */
#ifndef PROTOCOL_BINLOG_INFLATE_H
#define PROTOCOL_BINLOG_INFLATE_H

#include "base/buf.h"

/* A compressed thing taken apart. */
struct binlog_packed {
    struct span data;
    size_t size;  /* bytes when inflated */
    bool stored;  /* not compressed: data is the value */
    bool deflate; /* without zlib's header and checksum */
};

/* The compressed part of an event; NULL, or why not. */
const char *binlog_packed_event(struct span in, struct binlog_packed *p) MUST_CHECK;
/* The bytes of a COMPRESSED column's value, which are empty for an empty one; NULL, or why not. */
const char *binlog_packed_column(struct span in, struct binlog_packed *p) MUST_CHECK;
/* Inflate to exactly p->size bytes at `out`; NULL, or why not. */
const char *binlog_inflate(const struct binlog_packed *p, uint8_t *out) MUST_CHECK;

#endif
