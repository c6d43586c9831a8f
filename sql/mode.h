/* What of a session's settings changes how its texts are read. */
#ifndef SQL_MODE_H
#define SQL_MODE_H

#include "base/cursor.h"

#include <stdbool.h>

/* Client character sets in which the second byte of a character may look like a backslash or the
 * quote of a name (0x5C, 0x60); in the others each quote and backslash is itself. */
enum sql_pairs { PAIRS_NONE, PAIRS_GBK, PAIRS_SJIS /* cp932, too */, PAIRS_BIG5 };

/* How the session's settings change the lexis. */
struct sql_mode {
    bool ansi_quotes;          /* "x" is a name */
    bool no_backslash_escapes; /* a backslash is itself */
    enum sql_pairs pairs;
    bool unsafe_charset; /* what the bytes from 0x80 on are is not known: none may be in the text */
    bool oracle;         /* sql_mode=ORACLE */
    bool utf8; /* character_set_client is utf8mb3 or utf8mb4: bytes from 0x80 may stand in names.
                  Else an unquoted one is unreadable: 0xA0 is a blank in latin1. */
};

enum sql_pairs sql_pairs_of(struct span charset);
/* Character sets of more than one byte but for UTF-8. */
bool sql_charset_is_unsafe(struct span name);

#endif
