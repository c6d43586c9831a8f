/* Framing: 3 bytes of payload length, 1 byte of sequence number, payload. A payload of 0xFFFFFF
 * bytes goes on in the next packet. https://mariadb.com/kb/en/0-packet/ */
#ifndef PROTOCOL_PACKET_H
#define PROTOCOL_PACKET_H

#include "base/buf.h"
#include "protocol/consts.h"

#include <stdbool.h>
#include <stdint.h>

struct packet_header {
    uint32_t length; /* payload bytes, 0..0xFFFFFF */
    uint8_t seq;
};

/* Written so that compilers make one load of it: the loop over rows waits for nothing else. */
static inline struct packet_header packet_header_at(const uint8_t *p)
{
    uint32_t word =
        (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;

    return (struct packet_header){word & PACKET_MAX_PAYLOAD, (uint8_t)(word >> 24)};
}

static inline void packet_header_write(uint8_t *p, uint32_t length, uint8_t seq)
{
    p[0] = (uint8_t)length;
    p[1] = (uint8_t)(length >> 8);
    p[2] = (uint8_t)(length >> 16);
    p[3] = seq;
}

/* What stands behind the header and the command's byte of a whole packet. */
static inline struct span packet_argument(struct span packet)
{
    return (struct span){packet.p + PACKET_HEADER + 1, packet.n - PACKET_HEADER - 1};
}

/* The whole first packet of a buffer. Answers 1 with `payload` and `h` filled and `used` bytes to
 * drop, 0 if more bytes are needed, -1 if the packet is longer than `limit` bytes of payload. */
int packet_whole(struct span in, size_t limit, struct packet_header *h, struct span *payload,
                 size_t *used);

/* Number whole packets, n bytes with their headers, from `seq` on; answers the number behind the
 * last. */
uint8_t packet_number_all(uint8_t *packets, size_t n, uint8_t seq);

/* Start a packet in `b`: leaves four bytes and returns where; packet_end fills them in. The payload
 * must be below PACKET_MAX_PAYLOAD bytes. */
size_t packet_begin(struct buf *b);
void packet_end(struct buf *b, size_t at, uint8_t seq);

#endif
