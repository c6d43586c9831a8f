/* Connection attributes: the keys and values that a client says of itself when it logs in, as
 * struct login and struct change_user have them (the raw block, without its length).
 * https://mariadb.com/kb/en/performance-schema-session_connect_attrs-table/ */
#ifndef PROTOCOL_ATTRIBUTES_H
#define PROTOCOL_ATTRIBUTES_H

#include "base/buf.h"

/* Where the client of a proxy is, as MySQL Router names it. */
#define ATTRIBUTE_CLIENT_IP "_client_ip"

enum { ATTRIBUTES_MAX = 4096 };

/* The value of that key; empty: not there. */
struct span attribute_of(struct span attributes, const char *wanted);
/* Append the block with the client's address in front, where no limit of the server's cuts it off.
 * An address that the client itself claims is left out, and so are all pairs from the first one on
 * that is malformed or passes ATTRIBUTES_MAX bytes. */
void attributes_introduce(struct buf *to, struct span attributes, const char *address);

#endif
