/* The rows of a rows event, one after the other: before and after images as typed values.
 *
 * With binlog_row_image=MINIMAL (seen with 10.11) columns are absent not only from UPDATE and
 * DELETE: an INSERT's image lacks those that took a constant DEFAULT, and virtual columns, and an
 * UPDATE's lacks virtual columns that changed with others. Absent then means "ask the server", not
 * NULL. */
#ifndef PROTOCOL_BINLOG_ROW_H
#define PROTOCOL_BINLOG_ROW_H

#include "protocol/binlog/binlog_event.h"
#include "protocol/binlog/binlog_table.h"

/* One pass over a rows event. Plain value; holds no memory of its own. */
struct binlog_row_reader {
    const struct binlog_table *table;
    struct binlog_rows rows;
    struct cursor at;
    struct buf *scratch;
    uint32_t n_before; /* columns present in the images */
    uint32_t n_after;
    bool scratch_used;
};

/* `table` is the event's table map, `scratch` takes padded BINARY and inflated COMPRESSED values
 * (its cap is the limit of one row's). False where the event does not fit the table. */
bool binlog_row_begin(struct binlog_row_reader *r, const struct binlog_rows *rows,
                      const struct binlog_table *table, struct buf *scratch,
                      struct err *e) MUST_CHECK;

/* The next row: 1 with the images filled, 0 at the end, -1 with `e` set. Each image has
 * table->n_columns values; `before` is filled for UPDATE and DELETE, `after` for INSERT and UPDATE,
 * the other is not touched (and may be NULL). Spans point into the event or into `scratch` and are
 * good until the next call. */
int binlog_row_next(struct binlog_row_reader *r, struct binlog_value *before,
                    struct binlog_value *after, struct err *e) MUST_CHECK;

#endif
