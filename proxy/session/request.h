/* Which of a client's bytes belong to the command under way: one packet, the packets that continue
 * a payload of 16 MiB, or, after LOCAL INFILE was asked for, all up to an empty packet. Pure. */
#ifndef PROXY_REQUEST_H
#define PROXY_REQUEST_H

#include "protocol/packet.h"

struct request {
    size_t body_left; /* payload bytes of the current packet still to come */
    bool continues;   /* another packet belongs to it */
    bool infile;      /* ends with an empty packet */
    bool done;
    bool renumber; /* compressed clients count their frames; what they write on packets is nobody's
                      matter: all but the first are numbered anew */
    bool numbered; /* the first was seen */
    uint8_t seq;   /* of the last packet seen, as the client sent it */
    uint8_t shift; /* a file's packets: taken off their sequence numbers, see protocol/reply.h */
};

/* A new command, of which nothing was taken yet. */
void request_begin(struct request *r);
/* The client is about to send a file. */
void request_begin_infile(struct request *r, uint8_t shift);
/* How many of the n bytes at the front belong to it; sets `done` with the last. A header that is
 * not whole is left for later. */
size_t request_take(struct request *r, uint8_t *p, size_t n);

#endif
