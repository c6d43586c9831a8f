#include "protocol/binlog/binlog_table.h"

#include "protocol/binlog/binlog_column.h"

enum metadata_field {
    META_SIGNEDNESS = 1,
    META_DEFAULT_CHARSET = 2,
    META_COLUMN_CHARSET = 3,
    META_COLUMN_NAME = 4,
    META_SET_VALUES = 5,
    META_ENUM_VALUES = 6,
    META_SIMPLE_KEY = 8,
    META_PREFIX_KEY = 9,
    META_ENUM_SET_DEFAULT_CHARSET = 10,
    META_ENUM_SET_COLUMN_CHARSET = 11,
    META_VISIBILITY = 12,
};

enum { COLLATION_BINARY = 63 };

/* A metadata field counts only the columns it can be about. */
typedef bool (*column_filter)(const struct binlog_column *c);

static bool is_numeric(const struct binlog_column *c)
{
    return c->form == BINLOG_FORM_INT || c->form == BINLOG_FORM_FLOAT ||
           c->form == BINLOG_FORM_DOUBLE || c->form == BINLOG_FORM_DECIMAL ||
           c->form == BINLOG_FORM_YEAR;
}

static bool is_string(const struct binlog_column *c)
{
    return c->form == BINLOG_FORM_STRING || c->form == BINLOG_FORM_COMPRESSED;
}

static bool is_enum(const struct binlog_column *c)
{
    return c->form == BINLOG_FORM_ENUM;
}

static bool is_set(const struct binlog_column *c)
{
    return c->form == BINLOG_FORM_SET;
}

static bool is_enum_or_set(const struct binlog_column *c)
{
    return is_enum(c) || is_set(c);
}

static bool bad(struct err *e, const struct binlog_table *t, const char *why)
{
    return err_set(e, ERR_DATA, "binlog TABLE_MAP of %.*s.%.*s: %s", (int)t->database.n,
                   (const char *)t->database.p, (int)t->name.n, (const char *)t->name.p, why);
}

/* The first column at or behind `from` that the filter takes; n_columns where there is none. */
static uint32_t next_column(const struct binlog_table *t, uint32_t from, column_filter takes)
{
    while (from < t->n_columns && !takes(&t->columns[from]))
        from++;
    return from;
}

/* One bit a column the filter takes, highest bit first. */
static const char *meta_signedness(struct binlog_table *t, struct cursor v)
{
    uint32_t i = next_column(t, 0, is_numeric);

    for (unsigned n = 0; i < t->n_columns; i = next_column(t, i + 1, is_numeric), n++) {
        if (n / 8 >= cursor_left(&v))
            return "signedness cut short";
        t->columns[i].is_unsigned = v.p[n / 8] & 0x80u >> n % 8;
        if (t->columns[i].kind == BINLOG_INT && t->columns[i].is_unsigned)
            t->columns[i].kind = BINLOG_UINT;
    }
    return NULL;
}

static const char *meta_visibility(struct binlog_table *t, struct cursor v)
{
    for (uint32_t i = 0; i < t->n_columns; i++) {
        if (i / 8 >= cursor_left(&v))
            return "visibility cut short";
        t->columns[i].hidden = !(v.p[i / 8] & 0x80u >> i % 8);
    }
    return NULL;
}

/* The default, then (place, collation) of those that differ; places are counted among those the
 * filter takes and rise. */
static const char *meta_default_charset(struct binlog_table *t, struct cursor *v,
                                        column_filter takes)
{
    uint64_t usual = cursor_lenenc(v);
    uint64_t place = cursor_left(v) ? cursor_lenenc(v) : UINT64_MAX;
    uint32_t i = next_column(t, 0, takes);

    for (uint32_t n = 0; i < t->n_columns; i = next_column(t, i + 1, takes), n++) {
        if (n != place) {
            t->columns[i].collation = (uint16_t)usual;
            continue;
        }
        t->columns[i].collation = (uint16_t)cursor_lenenc(v);
        place = cursor_left(v) ? cursor_lenenc(v) : UINT64_MAX;
    }
    return cursor_done(v) && place == UINT64_MAX ? NULL : "odd character sets";
}

static const char *meta_charsets(struct binlog_table *t, struct cursor *v, column_filter takes)
{
    uint32_t i = next_column(t, 0, takes);

    for (; i < t->n_columns; i = next_column(t, i + 1, takes))
        t->columns[i].collation = (uint16_t)cursor_lenenc(v);
    return cursor_done(v) ? NULL : "odd character sets";
}

static const char *meta_names(struct binlog_table *t, struct cursor *v)
{
    for (uint32_t i = 0; i < t->n_columns; i++)
        t->columns[i].name = cursor_lenenc_bytes(v);
    t->full_metadata = true;
    return cursor_done(v) ? NULL : "odd column names";
}

/* For each column: how many, then as many strings. */
static const char *meta_members(struct binlog_table *t, struct cursor *v, column_filter takes)
{
    uint32_t i = next_column(t, 0, takes);

    for (; i < t->n_columns; i = next_column(t, i + 1, takes)) {
        uint64_t n = cursor_lenenc(v);
        const uint8_t *start = v->p;

        if (n > cursor_left(v))
            return "odd ENUM or SET values";
        for (uint64_t k = 0; k < n; k++)
            (void)cursor_lenenc_bytes(v);
        if (!cursor_ok(v))
            break;
        t->columns[i].members = (uint32_t)n;
        t->columns[i].values = (struct span){start, (size_t)(v->p - start)};
    }
    return cursor_done(v) ? NULL : "odd ENUM or SET values";
}

static const char *meta_key(struct binlog_table *t, struct cursor *v, bool prefixes)
{
    t->n_key = 0;
    while (cursor_left(v)) {
        uint64_t i = cursor_lenenc(v);
        uint64_t prefix = prefixes ? cursor_lenenc(v) : 0;

        if (!cursor_ok(v) || i >= t->n_columns || t->n_key == t->n_columns)
            return "odd primary key";
        t->columns[i].key_part = (uint16_t)(t->n_key + 1);
        t->columns[i].key_prefix = (uint32_t)prefix;
        t->key[t->n_key++] = (uint16_t)i;
    }
    return NULL;
}

/* Fields that we don't know are passed over: newer servers may add some. */
static const char *meta_field(struct binlog_table *t, uint8_t field, struct cursor v)
{
    switch (field) {
    case META_SIGNEDNESS:
        return meta_signedness(t, v);
    case META_DEFAULT_CHARSET:
        return meta_default_charset(t, &v, is_string);
    case META_COLUMN_CHARSET:
        return meta_charsets(t, &v, is_string);
    case META_COLUMN_NAME:
        return meta_names(t, &v);
    case META_SET_VALUES:
        return meta_members(t, &v, is_set);
    case META_ENUM_VALUES:
        return meta_members(t, &v, is_enum);
    case META_SIMPLE_KEY:
        return meta_key(t, &v, false);
    case META_PREFIX_KEY:
        return meta_key(t, &v, true);
    case META_ENUM_SET_DEFAULT_CHARSET:
        return meta_default_charset(t, &v, is_enum_or_set);
    case META_ENUM_SET_COLUMN_CHARSET:
        return meta_charsets(t, &v, is_enum_or_set);
    case META_VISIBILITY:
        return meta_visibility(t, v);
    default:
        return NULL;
    }
}

/* What strings are is known only when all metadata has been read. */
static void settle_strings(struct binlog_table *t)
{
    for (uint32_t i = next_column(t, 0, is_string); i < t->n_columns;
         i = next_column(t, i + 1, is_string)) {
        struct binlog_column *c = &t->columns[i];

        if (c->kind == BINLOG_BYTES && c->collation && c->collation != COLLATION_BINARY)
            c->kind = BINLOG_TEXT;
        if (c->type != BINLOG_TYPE_STRING || c->collation != COLLATION_BINARY)
            c->pad = 0;
    }
}

static bool read_metadata(struct binlog_table *t, struct cursor *c, struct err *e)
{
    while (cursor_left(c)) {
        uint8_t field = cursor_u8(c);
        struct span value = cursor_lenenc_bytes(c);
        const char *why =
            cursor_ok(c) ? meta_field(t, field, cursor_span(value)) : "metadata cut short";

        if (why)
            return bad(e, t, why);
    }
    settle_strings(t);
    return true;
}

static bool read_columns(struct binlog_table *t, struct cursor *c, struct err *e)
{
    const uint8_t *types = cursor_take(c, t->n_columns);
    struct cursor meta = cursor_span(cursor_lenenc_bytes(c));
    const uint8_t *nullable = cursor_take(c, (t->n_columns + 7) / 8);

    if (!cursor_ok(c))
        return bad(e, t, "cut short");
    for (uint32_t i = 0; i < t->n_columns; i++) {
        struct binlog_column *column = &t->columns[i];
        const char *why;

        *column = (struct binlog_column){.type = types[i]};
        column->nullable = (unsigned)nullable[i / 8] >> i % 8 & 1u;
        why = binlog_column_set_type(column, &meta);
        if (why)
            return bad(e, t, why);
        t->old_temporal = t->old_temporal || column->form >= BINLOG_FORM_OLD_TIME;
    }
    return cursor_done(&meta) || bad(e, t, "types and their metadata don't agree");
}

static bool read_head(struct cursor *c, struct binlog_table *t, struct err *e)
{
    uint64_t n;

    t->id = cursor_u48(c);
    cursor_skip(c, 2);
    t->database = cursor_bytes(c, cursor_u8(c));
    cursor_skip(c, 1);
    t->name = cursor_bytes(c, cursor_u8(c));
    cursor_skip(c, 1);
    n = cursor_lenenc(c);
    if (!cursor_ok(c))
        return bad(e, t, "cut short");
    if (n > BINLOG_COLUMNS_MAX)
        return bad(e, t, "too many columns");
    t->n_columns = (uint32_t)n;
    return true;
}

bool binlog_table_peek(struct span table_map, uint64_t *id, uint32_t *n_columns, struct err *e)
{
    struct cursor c = cursor_span(table_map);
    struct binlog_table t = {0};

    if (!read_head(&c, &t, e))
        return false;
    *id = t.id;
    *n_columns = t.n_columns;
    return true;
}

bool binlog_table_decode(struct span table_map, struct binlog_table *t, uint32_t room,
                         struct err *e)
{
    struct cursor c = cursor_span(table_map);
    struct binlog_table fresh = {.columns = t->columns, .key = t->key};

    *t = fresh;
    if (!read_head(&c, t, e))
        return false;
    if (t->n_columns > room)
        return bad(e, t, "more columns than there is room for");
    return read_columns(t, &c, e) && read_metadata(t, &c, e);
}

int binlog_table_column(const struct binlog_table *t, struct span name)
{
    for (uint32_t i = 0; i < t->n_columns; i++) {
        struct span have = t->columns[i].name;

        if (span_same(have, name))
            return (int)i;
    }
    return -1;
}
