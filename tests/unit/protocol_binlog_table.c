#include "unit/binlog_data.h"

#include "protocol/binlog/binlog_table.h"

enum { ROOM = 8 };

struct made {
    struct buf b;
    struct binlog_table t;
    struct binlog_column columns[ROOM];
    uint16_t key[ROOM];
    struct err e;
};

/* Table d.t of the given types, their metadata, and the bytes of optional metadata behind. */
static bool make(struct made *m, struct span types, struct span meta, struct span optional)
{
    m->b = buf_with_max(DATA_MAX);
    buf_put_u32(&m->b, 18);
    buf_put_u16(&m->b, 0);
    buf_put_u16(&m->b, 1);
    buf_put(&m->b,
            "\x01"
            "d\0\x01"
            "t\0",
            6);
    buf_put_lenenc(&m->b, types.n);
    buf_put_span(&m->b, types);
    buf_put_lenenc_bytes(&m->b, meta);
    for (size_t i = 0; i < (types.n + 7) / 8; i++)
        buf_put_u8(&m->b, 0x02);
    buf_put_span(&m->b, optional);
    assert_true(buf_ok(&m->b));
    m->t = (struct binlog_table){.columns = m->columns, .key = m->key};
    return binlog_table_decode(buf_span(&m->b), &m->t, ROOM, &m->e);
}

#define LITERAL(text)                             \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }
#define BYTES(text) ((struct span)LITERAL(text))

/* CREATE TABLE t_key (a VARCHAR(50), b INT, c INT, d TEXT, PRIMARY KEY (d(10), a(5), b)): recorded.
 */
static void test_key_with_prefixes(void **state)
{
    struct made m;

    (void)state;
    assert_true(make(&m, BYTES("\x0f\x03\x03\xfc"), BYTES("\xc8\x00\x02"),
                     BYTES("\x01\x01\x00\x02\x01\x2d\x04\x08\x01"
                           "a\x01"
                           "b\x01"
                           "c\x01"
                           "d\x09\x06\x03\x0a\x00\x05\x01\x00")));
    assert_int_equal(m.t.id, 18);
    assert_true(span_eq(m.t.database, "d"));
    assert_true(span_eq(m.t.name, "t"));
    assert_int_equal(m.t.n_columns, 4);
    assert_true(m.t.full_metadata);
    assert_int_equal(m.t.n_key, 3);
    assert_int_equal(m.key[0], 3);
    assert_int_equal(m.key[1], 0);
    assert_int_equal(m.key[2], 1);
    assert_int_equal(m.columns[3].key_part, 1);
    assert_int_equal(m.columns[3].key_prefix, 10);
    assert_int_equal(m.columns[1].key_prefix, 0);
    assert_int_equal(m.columns[0].kind, BINLOG_TEXT);
    assert_int_equal(m.columns[0].collation, 45);
    assert_true(m.columns[1].nullable);
    assert_false(m.columns[0].nullable);
    assert_int_equal(binlog_table_column(&m.t, span_of("c")), 2);
    assert_int_equal(binlog_table_column(&m.t, span_of("C")), -1);
    assert_int_equal(binlog_table_column(&m.t, span_of("")), -1);
    buf_free(&m.b);
}

/* Signedness counts INT, FLOAT, DOUBLE, DECIMAL and YEAR, but no BIT or text: recorded like t_int.
 */
static void test_signedness(void **state)
{
    struct made m;

    (void)state;
    assert_true(make(&m, BYTES("\x01\x10\x0d\x08\x0f\xf6"), BYTES("\x05\x01\x04\x00\x0a\x02"),
                     BYTES("\x01\x01\xb0")));
    assert_true(m.columns[0].is_unsigned);
    assert_int_equal(m.columns[0].kind, BINLOG_UINT);
    assert_int_equal(m.columns[1].precision, 13);
    assert_int_equal(m.columns[1].width, 2);
    assert_false(m.columns[2].is_unsigned); /* the bitmap's second: YEAR */
    assert_true(m.columns[3].is_unsigned);
    assert_true(m.columns[5].is_unsigned);
    assert_int_equal(m.columns[5].kind, BINLOG_DECIMAL);
    assert_int_equal(m.columns[5].width, 5);
    assert_false(m.t.full_metadata);
    buf_free(&m.b);
}

/* The default and what differs from it; ENUM and SET are counted apart from text. */
static void test_character_sets(void **state)
{
    struct made m;
    struct binlog_column *c = m.columns;

    (void)state;
    assert_true(
        make(&m, BYTES("\x03\xfe\xfe\xfe\xfe\x0f\xfc"),
             BYTES("\xfe\x05\xf7\x01\xf8\x01\xee\x90\x14\x00\x02"),
             BYTES("\x02\x07\x2d\x00\x3f\x02\xfc\x00\x09\x0a\x03\x2d\x01\x08\x06\x05\x02\x01"
                   "a\x01"
                   "b\x05\x04\x01\x02\xc3\xa9")));
    assert_int_equal(c[1].kind, BINLOG_BYTES);
    assert_int_equal(c[1].pad, 5);
    assert_int_equal(c[2].kind, BINLOG_ENUM);
    assert_int_equal(c[2].collation, 45);
    assert_int_equal(c[2].members, 2);
    assert_true(span_eq(binlog_column_member(&c[2], 1), "b"));
    assert_int_equal(binlog_column_member(&c[2], 2).n, 0);
    assert_int_equal(c[3].kind, BINLOG_SET);
    assert_int_equal(c[3].collation, 8);
    assert_int_equal(c[4].kind, BINLOG_TEXT);
    assert_int_equal(c[4].width, 2); /* CHAR(100) of utf8mb4: 400 bytes */
    assert_int_equal(c[4].pad, 0);
    assert_int_equal(c[4].collation, 45);
    assert_int_equal(c[5].collation, 0x900);
    assert_int_equal(c[6].collation, 45);
    buf_free(&m.b);
}

static void test_forms(void **state)
{
    static const struct {
        struct span type, meta;
        enum binlog_form form;
        enum binlog_kind kind;
        uint8_t width, decimals;
    } good[] = {
        {LITERAL("\x09"), LITERAL(""), BINLOG_FORM_INT, BINLOG_INT, 3, 0},
        {LITERAL("\x04"), LITERAL("\x04"), BINLOG_FORM_FLOAT, BINLOG_FLOAT, 4, 0},
        {LITERAL("\x05"), LITERAL("\x08"), BINLOG_FORM_DOUBLE, BINLOG_DOUBLE, 8, 0},
        {LITERAL("\xf6"), LITERAL("\x41\x1e"), BINLOG_FORM_DECIMAL, BINLOG_DECIMAL, 30, 30},
        {LITERAL("\x0a"), LITERAL(""), BINLOG_FORM_DATE, BINLOG_DATE, 3, 0},
        {LITERAL("\x13"), LITERAL("\x00"), BINLOG_FORM_TIME, BINLOG_TIME, 3, 0},
        {LITERAL("\x13"), LITERAL("\x05"), BINLOG_FORM_TIME, BINLOG_TIME, 6, 5},
        {LITERAL("\x12"), LITERAL("\x03"), BINLOG_FORM_DATETIME, BINLOG_DATETIME, 7, 3},
        {LITERAL("\x11"), LITERAL("\x01"), BINLOG_FORM_TIMESTAMP, BINLOG_TIMESTAMP, 5, 1},
        {LITERAL("\x10"), LITERAL("\x00\x08"), BINLOG_FORM_BIT, BINLOG_BIT, 8, 0},
        {LITERAL("\x8c"), LITERAL("\x02"), BINLOG_FORM_COMPRESSED, BINLOG_BYTES, 2, 0},
        {LITERAL("\x8d"), LITERAL("\xa1\x0f"), BINLOG_FORM_COMPRESSED, BINLOG_BYTES, 2, 0},
        {LITERAL("\xff"), LITERAL("\x04"), BINLOG_FORM_STRING, BINLOG_GEOMETRY, 4, 0},
        {LITERAL("\x0c"), LITERAL(""), BINLOG_FORM_OLD_DATETIME, BINLOG_DATETIME, 8, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct made m;

        assert_true(make(&m, good[i].type, good[i].meta, BYTES("")));
        assert_int_equal(m.columns[0].form, good[i].form);
        assert_int_equal(m.columns[0].kind, good[i].kind);
        assert_int_equal(m.columns[0].width, good[i].width);
        assert_int_equal(m.columns[0].decimals, good[i].decimals);
        assert_int_equal(m.t.old_temporal, good[i].form == BINLOG_FORM_OLD_DATETIME);
        buf_free(&m.b);
    }
}

static void test_refused(void **state)
{
    static const struct {
        struct span types, meta, optional;
        const char *why;
    } bad[] = {
        {LITERAL("\xf5"), LITERAL("\x04"), LITERAL(""), "not known"}, /* MySQL's JSON */
        {LITERAL("\xf6"), LITERAL("\x42\x00"), LITERAL(""), "DECIMAL"},
        {LITERAL("\xf6"), LITERAL("\x05\x06"), LITERAL(""), "DECIMAL"},
        {LITERAL("\xf6"), LITERAL("\x00\x00"), LITERAL(""), "DECIMAL"},
        {LITERAL("\x10"), LITERAL("\x01\x08"), LITERAL(""), "BIT"},
        {LITERAL("\x10"), LITERAL("\x00\x00"), LITERAL(""), "BIT"},
        {LITERAL("\x13"), LITERAL("\x07"), LITERAL(""), "fraction"},
        {LITERAL("\x05"), LITERAL("\x04"), LITERAL(""), "FLOAT"},
        {LITERAL("\xfc"), LITERAL("\x05"), LITERAL(""), "BLOB"},
        {LITERAL("\xfe"), LITERAL("\xf7\x03"), LITERAL(""), "ENUM"},
        {LITERAL("\xfe"), LITERAL("\x12\x03"), LITERAL(""), "CHAR"},
        {LITERAL("\x03"), LITERAL("\x01"), LITERAL(""), "agree"},
        {LITERAL("\xf6"), LITERAL("\x41"), LITERAL(""), "agree"},
        {LITERAL("\x03"), LITERAL(""), LITERAL("\x01\x00"), "signedness"},
        {LITERAL("\x03"), LITERAL(""), LITERAL("\x04\x05\x01"), "cut short"},
        {LITERAL("\x03"), LITERAL(""), LITERAL("\x04\x02\x05x"), "names"},
        {LITERAL("\x03"), LITERAL(""), LITERAL("\x04\x03\x01xy"), "names"},
        {LITERAL("\x03"), LITERAL(""), LITERAL("\x08\x01\x01"), "primary key"},
        {LITERAL("\x03"), LITERAL(""), LITERAL("\x08\x02\x00\x00"), "primary key"},
        {LITERAL("\x03"), LITERAL(""), LITERAL("\x09\x01\x00"), "primary key"},
        {LITERAL("\x0f"), LITERAL("\x05\x00"), LITERAL("\x02\x03\x2d\x01\x08"), "character sets"},
        {LITERAL("\x0f"), LITERAL("\x05\x00"), LITERAL("\x03\x02\x2d\x2d"), "character sets"},
        {LITERAL("\xfe"), LITERAL("\xf7\x01"), LITERAL("\x06\x02\x02\x00"), "ENUM or SET"},
        {LITERAL("\xfe"), LITERAL("\xf7\x01"), LITERAL("\x06\x01\xfe"), "ENUM or SET"},
        {LITERAL("\x03\x03\x03\x03\x03\x03\x03\x03\x03"), LITERAL(""), LITERAL(""), "room"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct made m;

        assert_false(make(&m, bad[i].types, bad[i].meta, bad[i].optional));
        assert_int_equal(m.e.kind, ERR_DATA);
        if (!strstr(m.e.text, bad[i].why))
            fail_msg("%zu: %s", i, m.e.text);
        assert_non_null(strstr(m.e.text, "d.t"));
        buf_free(&m.b);
    }
}

static void test_unknown_metadata_is_passed_over(void **state)
{
    struct made m;

    (void)state;
    assert_true(make(&m, BYTES("\x03"), BYTES(""), BYTES("\x7f\x02xx\x0c\x01\x00\x04\x02\x01i")));
    assert_true(m.columns[0].hidden);
    assert_true(span_eq(m.columns[0].name, "i"));
    buf_free(&m.b);
}

static void test_caps(void **state)
{
    struct buf b = buf_with_max(DATA_MAX);
    uint32_t n;
    uint64_t id;
    struct err e;

    (void)state;
    buf_put_zeros(&b, 12);
    buf_put_lenenc(&b, BINLOG_COLUMNS_MAX);
    assert_true(binlog_table_peek(buf_span(&b), &id, &n, &e));
    assert_int_equal(n, BINLOG_COLUMNS_MAX);
    b.len = 12;
    buf_put_lenenc(&b, BINLOG_COLUMNS_MAX + 1);
    assert_false(binlog_table_peek(buf_span(&b), &id, &n, &e));
    assert_non_null(strstr(e.text, "too many columns"));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_with_prefixes),
        cmocka_unit_test(test_signedness),
        cmocka_unit_test(test_character_sets),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_unknown_metadata_is_passed_over),
        cmocka_unit_test(test_caps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
