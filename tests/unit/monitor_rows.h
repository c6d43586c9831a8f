/* A result row made by hand. */
#ifndef UNIT_MONITOR_ROWS_H
#define UNIT_MONITOR_ROWS_H

#include "monitor/probe.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { ROWS_COLUMNS = 16, ROWS_TEXT = 256 };

struct rows {
    struct probe_row row;
    char texts[ROWS_COLUMNS][ROWS_TEXT];
    char *values[ROWS_COLUMNS];
    unsigned long lengths[ROWS_COLUMNS];
};

static inline void rows_make(struct rows *r, unsigned n, const char *const *names,
                             const char *const *values)
{
    assert(n <= ROWS_COLUMNS);
    memset(r, 0, sizeof *r);
    for (unsigned i = 0; i < n; i++) {
        if (!values[i])
            continue;
        (void)snprintf(r->texts[i], ROWS_TEXT, "%s", values[i]);
        r->values[i] = r->texts[i];
        r->lengths[i] = (unsigned long)strlen(r->texts[i]);
    }
    r->row = (struct probe_row){n, r->values, r->lengths, names};
}

#endif
