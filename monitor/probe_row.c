#include "monitor/probe_row.h"

#include <stdint.h>
#include <strings.h>
#include <xxhash.h>

int probe_column(const struct probe_row *row, const char *name)
{
    for (unsigned i = 0; i < row->columns; i++)
        if (strcasecmp(row->names[i], name) == 0)
            return (int)i;
    return -1;
}

const char *probe_value_at(const struct probe_row *row, unsigned i)
{
    return i < row->columns && row->values[i] ? row->values[i] : "";
}

const char *probe_value(const struct probe_row *row, const char *name)
{
    int i = probe_column(row, name);

    return i >= 0 ? probe_value_at(row, (unsigned)i) : "";
}

void probe_row_hash(const struct probe_row *row, struct XXH3_state_s *hash)
{
    for (unsigned i = 0; i < row->columns; i++) {
        uint64_t n = row->values[i] ? row->lengths[i] : UINT64_MAX;

        (void)XXH3_64bits_update(hash, &n, sizeof n);
        if (row->values[i])
            (void)XXH3_64bits_update(hash, row->values[i], row->lengths[i]);
    }
}
