/* Character sets of MariaDB: what a collation's number says, and text turned into UTF-8. */
#ifndef PROTOCOL_CHARSET_H
#define PROTOCOL_CHARSET_H

#include "base/buf.h"

/* The character set of a collation's number as information_schema.COLLATIONS has it, e.g. "latin1";
 * NULL for a number without one. 63 is "binary". */
const char *charset_name(uint16_t collation);

/* Append `text` as UTF-8, as the server converts it: bytes that mean nothing become '?'. Text that
 * is UTF-8, binary or of an unknown collation is appended as it is. False where this system cannot
 * convert the character set (rare ones of the East need glibc's gconv); nothing is appended then.
 */
bool charset_to_utf8(uint16_t collation, struct span text, struct buf *out) MUST_CHECK;

#endif
