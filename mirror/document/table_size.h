/* About how large a table is: the server's estimate. */
#ifndef MIRROR_TABLE_SIZE_H
#define MIRROR_TABLE_SIZE_H

#include "mirror/mapping/mapping.h"
#include "mirror/source/source.h"

struct table_size {
    uint64_t rows, bytes;
};

bool table_size(const struct map_table *t, struct source *s, struct table_size *out,
                struct err *e) MUST_CHECK;

#endif
