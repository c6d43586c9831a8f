/* One SQL value as BSON. MariaDB prints every value; what becomes of the text:
 *
 *   integers, YEAR        int64 (BIGINT UNSIGNED over 2^63-1: Decimal128)
 *   DECIMAL               Decimal128, every digit and the scale kept; over 34 digits: text
 *   FLOAT, DOUBLE         double; a FLOAT as MariaDB prints it, with six digits (type: double casts
 * it in SQL, which gives all it has) DATE                  date, midnight UTC DATETIME, TIMESTAMP
 * date, as UTC; MongoDB keeps milliseconds, what is finer is cut off zero dates            null,
 * also those with a zero month or day TIME, JSON, ENUM, SET and all character types: text (UTF-8)
 *   BIT, BINARY, BLOB, GEOMETRY  binary
 *   NULL                  null
 */
#ifndef MIRROR_VALUE_H
#define MIRROR_VALUE_H

#include "base/buf.h"
#include "base/err.h"
#include "mirror/mapping/mapping_kind.h"

#include <bson/bson.h>

enum value_kind {
    VALUE_TEXT,
    VALUE_INT,
    VALUE_DECIMAL,
    VALUE_DOUBLE,
    VALUE_DATE, /* dates and moments */
    VALUE_BINARY,
    VALUE_BOOL,
};

/* How many digits numbers of a column have at most, and how many of them behind the point. */
struct value_shape {
    unsigned digits, decimals;
};

/* What the mapping's type makes of a result's column. */
enum value_kind value_kind_of(enum map_type type, enum value_kind of_column);

/* Append a value; `text.p` NULL is NULL. False with `e` (ERR_DATA) where the text is none of its
 * kind, or the document would be over BSON's size. */
bool value_append(bson_t *out, const char *name, enum value_kind kind, struct span text,
                  struct err *e) MUST_CHECK;

/* The text a key had in SQL, from its BSON value (what value_append made); false for other types.
 * `out` is appended to. */
bool value_text(const bson_iter_t *it, struct buf *out);

/* "2024-02-29[ 13:14:15[.678901]]" to milliseconds since 1970 UTC; false for zero dates and what is
 * no date. */
bool value_parse_moment(struct span text, int64_t *ms);

#endif
