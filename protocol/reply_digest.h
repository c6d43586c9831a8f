/* A digest of what a client is told in reply to one command, to tell whether the same command gave
 * the same on another server.
 *
 * Rows and definitions count byte by byte as a client gets them that has no metadata cached. Of an
 * OK packet counts what it says of the statement (rows affected, insert id, status, warnings,
 * text), not what it says of the session: a GTID is never the same twice. Of an error, its number
 * and SQLSTATE. Pure. */
#ifndef PROTOCOL_REPLY_DIGEST_H
#define PROTOCOL_REPLY_DIGEST_H

#include "protocol/reply.h"

/* xxhash's state has no size elsewhere. */
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

struct reply_digest {
    XXH64_state_t state;
};

void reply_digest_begin(struct reply_digest *d);
/* One step that reply_feed made of the bytes at `at`. */
void reply_digest_step(struct reply_digest *d, const struct reply *r, const uint8_t *at,
                       const struct reply_out *step);
uint64_t reply_digest_value(const struct reply_digest *d);

#endif
