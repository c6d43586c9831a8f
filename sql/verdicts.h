/* What statements mean, remembered by their templates: a text that differs in its values alone from
 * one that was classified before has the same class and the same fingerprint.
 *
 * Remembered are single statements of the kinds in which no value counts (not KILL 5, not SET NAMES
 * 'utf8mb4'), without comments, up to VERDICT_TEXT_MAX bytes; the template is compared byte for
 * byte, and so is all else that an answer depends on. A table of fixed size: of two templates that
 * want the same row the newer one has it. Pure but for its own memory; one thread. */
#ifndef SQL_VERDICTS_H
#define SQL_VERDICTS_H

#include "sql/classify.h"

enum { VERDICT_ROWS = 512, VERDICT_TEXT_MAX = 384, VERDICT_SCHEMA_MAX = 64 };

/* All that an answer depends on. */
struct verdict_key {
    uint64_t hash;
    uint64_t names_version;
    uint16_t n; /* bytes: the lexis and which names there are, the schema's length and it, then the
                   template */
    uint8_t bytes[2 + VERDICT_SCHEMA_MAX + VERDICT_TEXT_MAX];
};

struct verdict_row {
    struct verdict_key key;
    struct sql_class statement;
    uint64_t fingerprint;
};

struct verdicts {
    struct verdict_row rows[VERDICT_ROWS];
};

/* As sql_classify_with, of a text that is not cut. Answers the fingerprint of a read (see
 * sql/fingerprint.h), 0 where it was not made. */
uint64_t verdicts_classify(struct verdicts *v, struct span text, struct sql_mode mode,
                           const struct sql_names *names, struct sql_class *out);

#endif
