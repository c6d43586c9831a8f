/* Networks of client addresses: 10.0.0.0/8, 2001:db8::/32, one address, or "localhost" for unix
 * sockets. Pure. */
#ifndef CONF_NETWORK_H
#define CONF_NETWORK_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf_network {
    uint8_t address[16]; /* IPv4 stands in IPv6, ::ffff:0:0/96 */
    uint8_t bits;        /* of it that count */
    bool local;          /* unix sockets instead */
};

struct conf_networks {
    size_t count;
    struct conf_network *all;
};

/* NULL where it is fine, else what is wrong, to end a sentence. */
const char *conf_network_parse(const char *text, struct conf_network *out) MUST_CHECK;
/* Whether one of them has the address (text; "localhost": a unix socket). */
bool conf_networks_have(const struct conf_networks *n, const char *address);

#endif
