#include "protocol/binlog/binlog_row.h"

#include "protocol/binlog/binlog_field.h"
#include "protocol/binlog/binlog_inflate.h"

static bool bad(const struct binlog_row_reader *r, struct err *e, const char *why)
{
    return err_set(e, ERR_DATA, "binlog rows of %.*s.%.*s: %s%s", (int)r->table->database.n,
                   (const char *)r->table->database.p, (int)r->table->name.n,
                   (const char *)r->table->name.p, why,
                   r->table->old_temporal ? " (its TIME, DATETIME or TIMESTAMP columns are in the "
                                            "form before MySQL 5.6: ALTER TABLE … FORCE)"
                                          : "");
}

static uint32_t present(const uint8_t *bitmap, uint32_t width)
{
    uint32_t n = 0;

    for (uint32_t i = 0; bitmap && i < width; i++)
        n += (unsigned)bitmap[i / 8] >> i % 8 & 1u;
    return n;
}

/* Whether a column's values may not be used as they stand in the event. */
static bool needs_scratch(const struct binlog_column *c)
{
    return c->pad || c->form == BINLOG_FORM_COMPRESSED;
}

bool binlog_row_begin(struct binlog_row_reader *r, const struct binlog_rows *rows,
                      const struct binlog_table *table, struct buf *scratch, struct err *e)
{
    *r = (struct binlog_row_reader){
        .table = table,
        .rows = *rows,
        .at = cursor_span(rows->rows),
        .scratch = scratch,
        .n_before = present(rows->before, rows->width),
        .n_after = present(rows->after, rows->width),
    };
    if (rows->width != table->n_columns)
        return bad(r, e, "not as many columns as the table map says");
    if (!table->n_columns)
        return bad(r, e, "rows of a table without columns");
    for (uint32_t i = 0; i < table->n_columns && !r->scratch_used; i++)
        r->scratch_used = needs_scratch(&table->columns[i]);
    return true;
}

static bool read_image(struct binlog_row_reader *r, const uint8_t *bitmap, uint32_t n,
                       struct binlog_value *image)
{
    const struct binlog_column *column = r->table->columns;
    const uint8_t *nulls = cursor_take(&r->at, (n + 7) / 8);
    uint32_t width = r->rows.width;
    uint32_t bit = 0;

    if (!cursor_ok(&r->at))
        return false;
    for (uint32_t i = 0; i < width; i++, column++, image++) {
        if (!((unsigned)bitmap[i / 8] >> i % 8 & 1u)) {
            image->kind = BINLOG_ABSENT;
            continue;
        }
        if ((unsigned)nulls[bit / 8] >> bit % 8 & 1u)
            image->kind = BINLOG_NULL;
        else if (!binlog_field_read(&r->at, column, image))
            return false;
        bit++;
    }
    return true;
}

/* Bytes the value takes in the scratch buffer; SIZE_MAX where it is damaged. */
static size_t scratch_size(const struct binlog_column *c, const struct binlog_value *v)
{
    struct binlog_packed p;

    if (v->kind == BINLOG_ABSENT || v->kind == BINLOG_NULL || !needs_scratch(c))
        return 0;
    if (c->form != BINLOG_FORM_COMPRESSED)
        return v->bytes.n < c->pad ? c->pad : 0;
    return binlog_packed_column(v->bytes, &p) ? SIZE_MAX : p.size;
}

static bool image_size(const struct binlog_row_reader *r, const struct binlog_value *image,
                       size_t *total)
{
    for (uint32_t i = 0; image && i < r->rows.width; i++) {
        size_t n = scratch_size(&r->table->columns[i], &image[i]);

        if (n > SIZE_MAX / 2 - *total)
            return false;
        *total += n;
    }
    return true;
}

/* There is room: it was counted and reserved. */
static const char *to_scratch(struct buf *b, const struct binlog_column *c, struct binlog_value *v)
{
    uint8_t *out = b->data + b->len;
    size_t n = scratch_size(c, v);
    struct binlog_packed p;
    const char *why;

    if (c->form == BINLOG_FORM_COMPRESSED) {
        why = binlog_packed_column(v->bytes, &p);
        if (!why && n)
            why = binlog_inflate(&p, out);
        if (why)
            return why;
    } else {
        if (v->bytes.n)
            memcpy(out, v->bytes.p, v->bytes.n);
        memset(out + v->bytes.n, 0, n - v->bytes.n);
    }
    b->len += n;
    v->bytes = (struct span){out, n};
    return NULL;
}

static bool settle_image(struct binlog_row_reader *r, struct binlog_value *image, struct err *e)
{
    for (uint32_t i = 0; image && i < r->rows.width; i++) {
        const struct binlog_column *c = &r->table->columns[i];
        const char *why;

        if (!needs_scratch(c) || image[i].kind == BINLOG_ABSENT || image[i].kind == BINLOG_NULL)
            continue;
        if (c->pad && image[i].bytes.n >= c->pad)
            continue;
        why = to_scratch(r->scratch, c, &image[i]);
        if (why)
            return bad(r, e, why);
    }
    return true;
}

/* Pad and inflate. The buffer grows once, before any value points into it. */
static bool settle(struct binlog_row_reader *r, struct binlog_value *before,
                   struct binlog_value *after, struct err *e)
{
    size_t total = 0;

    if (!image_size(r, before, &total) || !image_size(r, after, &total))
        return bad(r, e, "a compressed value is damaged");
    buf_clear(r->scratch);
    if (!buf_reserve(r->scratch, total))
        return err_set(e, ERR_IO,
                       "binlog rows of %.*s.%.*s: a row's compressed values take %zu bytes, the "
                       "limit is %zu",
                       (int)r->table->database.n, (const char *)r->table->database.p,
                       (int)r->table->name.n, (const char *)r->table->name.p, total,
                       r->scratch->max);
    return settle_image(r, before, e) && settle_image(r, after, e);
}

int binlog_row_next(struct binlog_row_reader *r, struct binlog_value *before,
                    struct binlog_value *after, struct err *e)
{
    const uint8_t *start = r->at.p;

    if (!cursor_left(&r->at))
        return 0;
    if (r->rows.before && !read_image(r, r->rows.before, r->n_before, before))
        return bad(r, e, "the before image is damaged") - 1;
    if (r->rows.after && !read_image(r, r->rows.after, r->n_after, after))
        return bad(r, e, "the after image is damaged") - 1;
    if (r->at.p == start)
        return bad(r, e, "rows without columns") - 1;
    if (r->scratch_used &&
        !settle(r, r->rows.before ? before : NULL, r->rows.after ? after : NULL, e))
        return -1;
    return 1;
}
