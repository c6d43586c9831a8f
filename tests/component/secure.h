/* The TLS of a peer: its end of OpenSSL, and certificates made for the test. */
#ifndef COMPONENT_SECURE_H
#define COMPONENT_SECURE_H

#include "component/rig.h"

/* A self-signed certificate with its key in a file that is gone with the test; the path. */
const char *secure_file(void);
/* Clients are offered TLS with that certificate. */
void secure_offer(struct rig *r);

enum secure_version { SECURE_1_2, SECURE_1_3 };

/* After the greeting: ask for TLS, shake hands, and speak TLS from now on. */
void secure_begins(struct peer *p, enum secure_version version);
/* The short packet alone. */
void secure_asks(struct peer *p);
/* The first flight of a handshake as bytes; the peer is not veiled by it. */
struct buf secure_hello(void);
/* Ask for a new handshake inside of the connection (TLS 1.2) and hear that there will be none. */
void secure_is_refused_anew(struct peer *p);
/* Say farewell as TLS does. */
void secure_farewell(struct peer *p);

#endif
