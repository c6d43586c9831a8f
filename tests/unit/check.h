/* cmocka with what it wants included before it, and spans. */
#ifndef TESTS_UNIT_CHECK_H
#define TESTS_UNIT_CHECK_H

#include "base/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static inline void check_span(struct span s, const char *expected)
{
    assert_int_equal(s.n, strlen(expected));
    if (s.n)
        assert_memory_equal(s.p, expected, s.n);
}

/* A span of a literal's bytes; ROW_BYTES in the initialiser of a static table. */
#define ROW_BYTES(literal)                               \
    {                                                    \
        (const uint8_t *)(literal), sizeof(literal) - 1, \
    }
#define BYTES(literal) ((struct span)ROW_BYTES(literal))

static inline void check_bytes(struct span got, struct span expected)
{
    assert_int_equal(got.n, expected.n);
    if (got.n)
        assert_memory_equal(got.p, expected.p, got.n);
}

#endif
