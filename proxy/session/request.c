#include "proxy/session/request.h"

void request_begin(struct request *r)
{
    *r = (struct request){.continues = true};
}

void request_begin_infile(struct request *r, uint8_t shift)
{
    *r = (struct request){
        .continues = true, .infile = true, .seq = r->seq, .shift = shift, .renumber = r->renumber};
}

static void take_header(struct request *r, uint8_t *p)
{
    struct packet_header h = packet_header_at(p);

    r->seq = r->renumber && r->numbered ? (uint8_t)(r->seq + 1) : h.seq;
    r->numbered = true;
    p[3] = (uint8_t)(r->seq - r->shift);
    r->body_left = h.length;
    r->continues = r->infile ? h.length != 0 : h.length == PACKET_MAX_PAYLOAD;
}

size_t request_take(struct request *r, uint8_t *p, size_t n)
{
    size_t taken = 0;

    while (!r->done) {
        size_t body = r->body_left < n - taken ? r->body_left : n - taken;

        taken += body;
        r->body_left -= body;
        if (r->body_left > 0)
            break;
        if (!r->continues) {
            r->done = true;
            break;
        }
        if (n - taken < PACKET_HEADER)
            break;
        take_header(r, p + taken);
        taken += PACKET_HEADER;
    }
    return taken;
}
