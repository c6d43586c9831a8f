/* One value out of a row image. Part of protocol/binlog_row. */
#ifndef PROTOCOL_BINLOG_FIELD_H
#define PROTOCOL_BINLOG_FIELD_H

#include "protocol/binlog/binlog_table.h"

/* Read the column's value, which is neither absent nor NULL. BINARY comes without its padding,
 * COMPRESSED as stored. False with the cursor bad, or at an impossible date (old forms only). */
bool binlog_field_read(struct cursor *at, const struct binlog_column *c,
                       struct binlog_value *v) MUST_CHECK;

#endif
