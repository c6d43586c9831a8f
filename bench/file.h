/* A file in memory. */
#ifndef BENCH_FILE_H
#define BENCH_FILE_H

#include "base/buf.h"

#include <stdio.h>

static inline bool file_read(const char *path, struct buf *out)
{
    const size_t piece = 1 << 20;
    FILE *f = fopen(path, "rb");
    uint8_t *to = NULL;

    while (f && (to = buf_reserve(out, piece)) && !feof(f) && !ferror(f))
        out->len += fread(to, 1, piece, f);
    if (f)
        (void)fclose(f);
    return f && to;
}

#endif
