/* What a TABLE_MAP's type bytes say of how a column's values stand in a row. Part of
 * protocol/binlog_table. */
#ifndef PROTOCOL_BINLOG_COLUMN_H
#define PROTOCOL_BINLOG_COLUMN_H

#include "protocol/binlog/binlog_table.h"

enum { BINLOG_TYPE_STRING = 254 }; /* CHAR and BINARY */

/* From c->type and its metadata, which is consumed: form, kind, width, decimals, precision; for
 * ENUM and SET the real type. NULL, or what is odd. A cut metadata shows in the cursor. */
const char *binlog_column_set_type(struct binlog_column *c, struct cursor *meta) MUST_CHECK;

#endif
