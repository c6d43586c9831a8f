/* What the reply tracker reads from and writes into single packets; protocol/reply.c is the only
 * user. Payloads without headers. */
#ifndef PROTOCOL_REPLY_EDIT_H
#define PROTOCOL_REPLY_EDIT_H

#include "protocol/reply.h"

/* Rewrite an OK packet for a client with `caps`, in place; answers how many bytes of the payload
 * are left (never more than n). `ok` is what ok_decode read from it. */
size_t reply_edit_ok(uint8_t *payload, size_t n, const struct ok *ok, uint64_t caps);

/* What an EOF packet tells. */
struct eof {
    uint16_t warnings;
    uint16_t status;
};

/* Write an EOF packet with its header into r->scratch. */
struct span reply_edit_eof(struct reply *r, uint8_t seq, struct eof eof);

/* The status flags that stay from one statement to the next. */
uint16_t reply_lasting_status(uint16_t status);

/* Keep the first column of a text row whose first bytes these are. */
void reply_capture(struct reply *r, struct span row);

enum peek {
    PEEK_WAIT,   /* more bytes are needed to say */
    PEEK_FAR,    /* the end stands further away than REPLY_PEEK bytes, or is an error behind rows */
    PEEK_ERROR,  /* no rows: the next packet is an error */
    PEEK_CURSOR, /* no rows: the next packet says that a cursor was opened */
    PEEK_END,    /* *eof holds the flags of the result set's end, and its warnings where no rows are
                    before it */
};

static inline bool reply_is_result(const struct reply *r)
{
    return r->kind == REPLY_RESULT || r->kind == REPLY_CURSOR;
}

/* Look from the packet behind the column definitions to the end of the rows. */
enum peek reply_peek(struct span in, uint64_t caps, size_t max_whole, struct eof *eof);

/* Whether the packet ends a series of rows or definitions well. A row of 16 MiB may start with
 * 0xFE, too. */
static inline bool reply_is_end(struct packet_header h, uint8_t first)
{
    return first == 0xFE && h.length < PACKET_MAX_PAYLOAD;
}

#endif
