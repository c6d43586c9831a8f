/* Two bytes of length, a TABLE_MAP's body of that length, the rows event's operation and bitmaps,
 * rows: each row read, each value written as text and compared. */
#include "protocol/binlog/binlog_row.h"

#include <assert.h>
#include <stdlib.h>

enum { ROOM = 64, SCRATCH_MAX = 1 << 16, TEXT_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void look_at(const struct binlog_value *image, const struct binlog_table *t)
{
    struct buf text = buf_with_max(TEXT_MAX);

    for (uint32_t i = 0; i < t->n_columns; i++) {
        buf_clear(&text);
        binlog_value_text(&image[i], &t->columns[i], &text);
        assert(binlog_value_equal(&image[i], &image[i]));
        assert(!t->columns[i].pad || image[i].kind != BINLOG_BYTES ||
               image[i].bytes.n >= t->columns[i].pad);
    }
    buf_free(&text);
}

static void read_rows(const struct binlog_rows *rows, const struct binlog_table *t)
{
    struct buf scratch = buf_with_max(SCRATCH_MAX);
    struct binlog_value before[ROOM];
    struct binlog_value after[ROOM];
    struct binlog_row_reader r;
    struct err e;
    int got = binlog_row_begin(&r, rows, t, &scratch, &e) ? 1 : -1;

    while (got == 1) {
        got = binlog_row_next(&r, before, after, &e);
        if (got == 1 && rows->before)
            look_at(before, t);
        if (got == 1 && rows->after)
            look_at(after, t);
    }
    assert(got == 0 || e.text[0]);
    assert(scratch.cap <= SCRATCH_MAX);
    buf_free(&scratch);
}

static void read_event(struct cursor *c, const struct binlog_table *t)
{
    struct binlog_rows rows = {.op = cursor_u8(c) % 3, .width = t->n_columns};
    size_t bitmap = (t->n_columns + 7) / 8;

    if (rows.op != BINLOG_INSERT)
        rows.before = cursor_take(c, bitmap);
    if (rows.op != BINLOG_DELETE)
        rows.after = cursor_take(c, bitmap);
    if (!cursor_ok(c))
        return;
    rows.rows = cursor_rest(c);
    read_rows(&rows, t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct binlog_column columns[ROOM];
    static uint16_t key[ROOM];
    struct binlog_table t = {.columns = columns, .key = key};
    struct cursor c = cursor_of(data, n);
    uint16_t length = cursor_u16(&c);
    struct span map = cursor_bytes(&c, length < cursor_left(&c) ? length : cursor_left(&c));
    struct err e;

    if (!binlog_table_decode(map, &t, ROOM, &e)) {
        assert(e.kind == ERR_DATA && e.text[0]);
        return 0;
    }
    read_event(&c, &t);
    return 0;
}
