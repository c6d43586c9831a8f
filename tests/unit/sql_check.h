/* Classifying in tests: from a heap copy of exactly the text, so that a read beyond it is seen. */
#ifndef TESTS_UNIT_SQL_CHECK_H
#define TESTS_UNIT_SQL_CHECK_H

#include "sql/classify.h"
#include "tests/unit/check.h"
#include "tests/unit/sql_same.h"

#include <stdio.h>
#include <stdlib.h>

/* What points into `copy`, whose memory will be gone, points into `text` from then on. */
static inline void move_into(struct span *s, const uint8_t *copy, struct span text)
{
    if (!s->n)
        return;
    assert_true(s->p >= copy && s->n <= text.n);
    s->p = text.p + (s->p - copy);
}

static inline struct sql_class classified(struct span text, struct sql_mode mode, bool cut)
{
    uint8_t *copy = malloc(text.n ? text.n : 1);
    struct sql_class c;

    assert_non_null(copy);
    if (text.n)
        memcpy(copy, text.p, text.n);
    sql_classify((struct span){copy, text.n}, mode, cut, &c);
    move_into(&c.function, copy, text);
    move_into(&c.kill.user, copy, text);
    move_into(&c.kill.host, copy, text);
    check_template((struct span){copy, text.n}, mode);
    free(copy);
    return c;
}

static inline struct sql_class classified_text(const char *text)
{
    return classified(span_of(text), (struct sql_mode){.utf8 = true}, false);
}

static inline void check_reason(const char *text, const struct sql_class *c, enum sql_reason reason)
{
    if (c->reason != reason)
        print_error("%s\n    expected: %s\n    got: %s\n", text, sql_reason_text(reason),
                    sql_reason_text(c->reason));
    assert_int_equal(c->reason, reason);
}

#endif
