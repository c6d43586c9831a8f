/* The shape of a statement: its text without what differs from one execution to the next.
 *
 *  - Words and unquoted names in small letters (of ASCII); quoted names as they are.
 *  - A value (a string, a number with its sign, a parameter) is `?`.
 *  - Parentheses that hold nothing but values, and call no function, are `(...)`; so are many of
 *    them in a row, as INSERT … VALUES has them.
 *  - One blank between words, none behind `(` or in front of `,` `)`; no comments, no last `;`.
 *
 * What the lexer cannot follow counts as a value. Pure, no allocation but in `out`; any thread. */
#ifndef SQL_FINGERPRINT_H
#define SQL_FINGERPRINT_H

#include "base/buf.h"
#include "sql/classify.h"

/* A hash (XXH3) of the shape: the same for the same shape in every process and version. */
uint64_t sql_fingerprint(struct span text, struct sql_mode mode);
/* The same hash, and the shape itself behind what `out` holds; where it does not fit, out->bad. */
uint64_t sql_normalise(struct span text, struct sql_mode mode, struct buf *out);

#endif
