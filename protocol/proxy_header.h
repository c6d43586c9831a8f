/* The PROXY protocol's header, versions 1 (text) and 2 (binary): who the connection's client really
 * is, in front of everything else. https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt */
#ifndef PROTOCOL_PROXY_HEADER_H
#define PROTOCOL_PROXY_HEADER_H

#include "base/buf.h"

enum { PROXY_ADDRESS_MAX = 64, PROXY_HEADER_MAX = 2048 };

enum proxy_found {
    PROXY_ABSENT,  /* these bytes are no header */
    PROXY_MORE,    /* they may be one, or are one that has not come whole */
    PROXY_LOCAL,   /* a header that tells of nobody: the connection's own address counts */
    PROXY_CLIENT,  /* `address` is filled */
    PROXY_INVALID, /* they begin as one and are none; `why` */
};

struct proxy_header {
    char address[PROXY_ADDRESS_MAX]; /* text; IPv4 in IPv6 as IPv4; "localhost" for a unix socket */
    size_t used;                     /* LOCAL, CLIENT: bytes of the header */
    const char *why;
};

enum proxy_found proxy_header_decode(struct span in, struct proxy_header *h);
/* Version 2 for a client of this address (as above; anything else is LOCAL). Ports are 0. */
void proxy_header_encode(struct buf *b, const char *address);

#endif
