/* SQL-level PREPARE and EXECUTE, and the text in them. Pure; any thread. */
#ifndef SQL_PREPARED_H
#define SQL_PREPARED_H

#include "sql/mode.h"

enum sql_prepared_kind { SQL_PREPARED_OTHER, SQL_PREPARES, SQL_EXECUTES };

/* The spans point into the text. */
struct sql_prepared {
    enum sql_prepared_kind kind;
    struct span name; /* without quotes; p NULL: none, as of EXECUTE IMMEDIATE */
    struct span text; /* without quotes; p NULL: none, or it is no literal without escapes */
};

/* One statement alone; whatever else it is, or cannot be followed, is OTHER. */
struct sql_prepared sql_prepared_read(struct span text, struct sql_mode mode);

#endif
