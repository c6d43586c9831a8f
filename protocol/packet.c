#include "protocol/packet.h"

#include <assert.h>

int packet_whole(struct span in, size_t limit, struct packet_header *h, struct span *payload,
                 size_t *used)
{
    if (in.n < PACKET_HEADER)
        return 0;
    *h = packet_header_at(in.p);
    if (h->length > limit)
        return -1;
    if (h->length > in.n - PACKET_HEADER)
        return 0;
    *payload = (struct span){in.p + PACKET_HEADER, h->length};
    *used = PACKET_HEADER + (size_t)h->length;
    return 1;
}

uint8_t packet_number_all(uint8_t *packets, size_t n, uint8_t seq)
{
    for (size_t at = 0; at < n; at += PACKET_HEADER + (size_t)packet_header_at(packets + at).length)
        packets[at + 3] = seq++;
    return seq;
}

size_t packet_begin(struct buf *b)
{
    size_t at = b->len;

    buf_put_zeros(b, PACKET_HEADER);
    return at;
}

void packet_end(struct buf *b, size_t at, uint8_t seq)
{
    size_t length;

    if (!buf_ok(b))
        return;
    assert(at <= b->len && b->len - at >= PACKET_HEADER);
    length = b->len - at - PACKET_HEADER;
    assert(length < PACKET_MAX_PAYLOAD);
    packet_header_write(b->data + at, (uint32_t)length, seq);
}
