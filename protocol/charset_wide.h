/* The multi-byte character sets of the East, and writing UTF-8. Part of protocol/charset. */
#ifndef PROTOCOL_CHARSET_WIDE_H
#define PROTOCOL_CHARSET_WIDE_H

#include "base/buf.h"
#include "protocol/charset_table.h"

/* Append one character; surrogates and what is beyond Unicode become '?'. */
void charset_put_utf8(uint32_t character, struct buf *out);

/* CHARSET_BIG5 … CHARSET_UJIS, by the C library and a table of where MariaDB differs. False where
 * the library has no such converter; nothing is appended then. */
bool charset_wide_to_utf8(enum charset set, struct span text, struct buf *out) MUST_CHECK;

#endif
