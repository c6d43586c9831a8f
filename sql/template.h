/* A statement's template: its text with every value in it made 0 or empty, so that statements which
 * differ in their values alone have one.
 *
 *     SELECT name FROM Product WHERE id=42 AND price<19.99 AND kind='it''s'
 *     SELECT name FROM Product WHERE id=0 AND price<0.0 AND kind=''
 *
 * It is a statement itself, has the same tokens (sql/lexer.h) with the same texts but for those of
 * numbers and strings, and is never longer. What is in doubt stays as it is: 1e5, 0x1f, .5, x'00'.
 * Pure; any thread. */
#ifndef SQL_TEMPLATE_H
#define SQL_TEMPLATE_H

#include "base/cursor.h"
#include "sql/mode.h"

/* Into `out`, which has room for the text; its length. 0: it has none, for it has comments, bytes
 * whose character set is not known, or quotes that do not end. */
size_t sql_template(struct span text, struct sql_mode mode, uint8_t *out) MUST_CHECK;

#endif
