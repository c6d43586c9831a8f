/* A small text result set of the proxy's own: columns of text in utf8mb4, row by row.
 * https://mariadb.com/kb/en/result-set-packets/ */
#ifndef PROTOCOL_ROWS_H
#define PROTOCOL_ROWS_H

#include "base/buf.h"
#include "protocol/consts.h"

struct rows {
    struct buf *out;
    uint64_t caps; /* of the connection that it goes to */
    uint16_t status;
    uint8_t seq; /* of the next packet */
};

/* Append the head: the columns' names. The first packet is number 1. */
struct rows rows_begin(struct buf *out, uint64_t caps, uint16_t status, const char *const *names,
                       int count);
/* One row, as many texts as there are columns. */
void rows_put(struct rows *r, const char *const *texts, int count);
void rows_end(struct rows *r);

#endif
