/* One row of what a server answered to a probe's question. */
#ifndef MONITOR_PROBE_ROW_H
#define MONITOR_PROBE_ROW_H

#include <stdbool.h>

struct XXH3_state_s;

/* Valid during the call. A NULL is a NULL pointer; texts end with a NUL byte that is not
 * counted. */
struct probe_row {
    unsigned columns;
    char *const *values;
    const unsigned long *lengths;
    const char *const *names;
};
/* Return false to stop reading (the question then counts as PROBE_OK). */
typedef bool (*probe_row_fn)(void *ctx, const struct probe_row *row);

/* The index of a column, or -1. */
int probe_column(const struct probe_row *row, const char *name);
/* The value of a column by name; "" where it is NULL or missing. */
const char *probe_value(const struct probe_row *row, const char *name);
/* The same by its index. */
const char *probe_value_at(const struct probe_row *row, unsigned i);
/* Add the row to a hash: rows that differ, NULLs and lengths included, hash differently. */
void probe_row_hash(const struct probe_row *row, struct XXH3_state_s *hash);

#endif
