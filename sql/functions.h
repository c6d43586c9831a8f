/* The server's own functions, and what calling one means for routing. */
#ifndef SQL_FUNCTIONS_H
#define SQL_FUNCTIONS_H

#include "base/cursor.h"
#include "sql/classify.h"

enum sql_function_kind {
    FUNCTION_PURE,
    FUNCTION_GLUED,   /* pure where '(' follows at once; with a blank between the server may take it
                         for a stored function */
    FUNCTION_TABLE,   /* JSON_TABLE(… COLUMNS (…)): pure; without COLUMNS a stored function */
    FUNCTION_SESSION, /* of one connection */
    FUNCTION_SERVER,  /* differs between servers */
    FUNCTION_SEQUENCE,
};

struct sql_function {
    const char *name; /* lower case */
    uint8_t n;
    uint8_t kind;
    uint16_t effects; /* SQL_EFFECT_* */
};

/* NULL: none of the server's own. In any case of letters. */
const struct sql_function *sql_function_find(struct span name);
/* The i-th of the table, which is sorted; NULL behind the last. */
const struct sql_function *sql_function_at(size_t i);

#endif
