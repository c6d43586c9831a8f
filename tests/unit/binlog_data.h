/* For the tests of the binlog's decoders: recorded files, and events made by hand. */
#ifndef TESTS_UNIT_BINLOG_DATA_H
#define TESTS_UNIT_BINLOG_DATA_H

#include "protocol/binlog/binlog_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/compiler.h"

enum { DATA_MAX = 1 << 20, MAGIC = 4 };

/* A whole file of tests/unit/data; freed by the caller. */
static inline struct span data_load(const char *name)
{
    char path[256];
    uint8_t *bytes = malloc(DATA_MAX);
    FILE *f;
    size_t n;

    assert_non_null(bytes);
    (void)snprintf(path, sizeof path, "tests/unit/data/%s", name);
    f = fopen(path, "rb");
    assert_non_null(f);
    n = fread(bytes, 1, DATA_MAX, f);
    (void)fclose(f);
    assert_true(n > 0 && n < DATA_MAX);
    return (struct span){bytes, n};
}

static inline void data_free(struct span s)
{
    free((void *)(uintptr_t)s.p);
}

/* The event at *at of a binlog file, in memory of its own so that a read beyond it is seen; false
 * at the end. */
static inline bool data_next(struct span file, size_t *at, struct span *event)
{
    struct binlog_header h;
    uint8_t *copy;

    if (*at == 0)
        *at = MAGIC;
    if (*at >= file.n)
        return false;
    assert_true(binlog_header_decode((struct span){file.p + *at, file.n - *at}, &h));
    assert_true(h.size >= BINLOG_HEADER && h.size <= file.n - *at);
    copy = malloc(h.size);
    assert_non_null(copy);
    memcpy(copy, file.p + *at, h.size);
    *event = (struct span){copy, h.size};
    *at += h.size;
    return true;
}

static inline void data_begin(struct buf *b, uint8_t type)
{
    *b = buf_with_max(DATA_MAX);
    buf_put_u32(b, 1700000000);
    buf_put_u8(b, type);
    buf_put_u32(b, 7);
    buf_put_zeros(b, 4);
    buf_put_u32(b, 500);
    buf_put_u16(b, 0);
}

/* Fill in the size; with `checksum`, append it. */
static inline void data_end(struct buf *b, bool checksum)
{
    uint32_t size = (uint32_t)b->len + (checksum ? BINLOG_CHECKSUM : 0);

    for (unsigned i = 0; i < 4; i++)
        b->data[9 + i] = (uint8_t)(size >> (8 * i));
    if (checksum)
        buf_put_u32(b, (uint32_t)crc32_z(0, b->data, b->len));
    assert_true(buf_ok(b));
}

/* A FORMAT_DESCRIPTION as MariaDB 10.11 has it. */
static inline void data_format(struct buf *b, bool checksum)
{
    data_begin(b, BINLOG_TYPE_FORMAT_DESCRIPTION);
    buf_put_u16(b, 4);
    buf_put_zeros(b, 54);
    buf_put_u8(b, BINLOG_HEADER);
    for (int type = 1; type <= BINLOG_TYPE_DELETE_ROWS_COMPRESSED; type++) {
        bool v2 = (type >= BINLOG_TYPE_WRITE_ROWS && type <= BINLOG_TYPE_DELETE_ROWS) ||
                  type >= BINLOG_TYPE_WRITE_ROWS_COMPRESSED;
        bool query = type == BINLOG_TYPE_QUERY || type == BINLOG_TYPE_QUERY_COMPRESSED;

        buf_put_u8(b, query ? 13 : type == BINLOG_TYPE_EXECUTE_LOAD_QUERY ? 26 : v2 ? 10 : 8);
    }
    buf_put_u8(b, checksum);
    data_end(b, true);
}

/* A format as if read, without checksums. */
static inline struct binlog_format data_plain_format(void)
{
    struct binlog_format f = {0};
    struct binlog_event ev;
    struct err e;
    struct buf b;

    data_format(&b, false);
    assert_true(binlog_event_decode(buf_span(&b), &f, NULL, &ev, &e));
    buf_free(&b);
    return f;
}

#endif
