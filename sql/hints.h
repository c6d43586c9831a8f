/* What a statement's comments ask of the proxy. */
#ifndef SQL_HINTS_H
#define SQL_HINTS_H

#include "base/cursor.h"

#include <stdbool.h>
#include <stdint.h>

/* What comments ask for: tillway: primary | replica | server=NAME | consistency=… | timeout=2s.
 * Never does one make a replica run what is not a read. */
enum sql_hint_consistency { SQL_HINT_NONE, SQL_HINT_SESSION, SQL_HINT_EVENTUAL, SQL_HINT_GLOBAL };

struct sql_hints {
    bool primary;
    bool replica;
    enum sql_hint_consistency consistency;
    uint32_t timeout_ms; /* 0: none */
    struct span server;  /* points into the text */
};

#endif
