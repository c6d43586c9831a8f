#include "unit/binlog_data.h"

#include "protocol/binlog/binlog_group.h"

/* What a file's groups are, in short: one word a step, in order. */
struct story {
    struct buf text;
    struct binlog_group *g;
    struct buf inflated;
    struct binlog_format format;
    struct err e;
};

static void story_begin(struct story *s)
{
    *s = (struct story){.text = buf_with_max(DATA_MAX), .inflated = buf_with_max(1 << 20)};
    s->g = binlog_group_new(1 << 20);
    assert_non_null(s->g);
}

static void story_end(struct story *s)
{
    buf_free(&s->text);
    buf_free(&s->inflated);
    binlog_group_free(s->g);
}

static void tell_row(struct story *s, const struct binlog_change *c)
{
    static const char *const ops[] = {"+", "~", "-"};
    const struct binlog_value *image = c->after ? c->after : c->before;

    buf_printf(&s->text, "%s%.*s(", ops[c->op], (int)c->table->name.n,
               (const char *)c->table->name.p);
    for (uint32_t i = 0; i < c->table->n_columns && i < 2; i++) {
        buf_put_str(&s->text, i ? "," : "");
        if (image[i].kind == BINLOG_ABSENT)
            buf_put_str(&s->text, "?");
        else
            binlog_value_text(&image[i], &c->table->columns[i], &s->text);
    }
    buf_put_str(&s->text, ") ");
}

static bool tell(struct story *s, struct span event)
{
    static const char *const kinds[] = {"", "[ ", "", "ddl ", "truncate ", "statement ", ""};
    static const char *const ends[] = {"commit ]\n",    "rollback ]\n",    "prepare ]\n",
                                       "xa-commit ]\n", "xa-rollback ]\n", "abandoned ]\n"};
    struct binlog_change change;
    struct binlog_step step;
    struct binlog_event ev;
    int got = 0;

    if (!binlog_event_decode(event, &s->format, &s->inflated, &ev, &s->e) ||
        !binlog_group_feed(s->g, &ev, &step, &s->e))
        return false;
    buf_put_str(&s->text, kinds[step.kind]);
    while (step.kind == BINLOG_STEP_ROWS && (got = binlog_group_row(s->g, &change, &s->e)) == 1)
        tell_row(s, &change);
    if (step.kind == BINLOG_STEP_ROLLBACK_TO)
        buf_printf(&s->text, "keep=%u ", step.keep);
    if (step.ended)
        buf_put_str(&s->text, ends[step.end]);
    return got == 0;
}

static bool tell_made(struct story *s, struct buf *b)
{
    bool ok;

    data_end(b, s->format.checksum);
    ok = tell(s, buf_span(b));
    buf_free(b);
    return ok;
}

/* tests/unit/data/record_binlog.py says what was run. */
static void test_recorded(void **state)
{
    static const char want[] = "[ ddl commit ]\n"
                               "[ ddl commit ]\n"
                               "[ +t(1,one) +t(2,two) commit ]\n"
                               "[ +m(7) commit ]\n"
                               "[ ~t(1,uno) commit ]\n"
                               "[ ~t(?,due) commit ]\n"
                               "[ -t(2,?) commit ]\n"
                               "[ +t(3,?) commit ]\n"
                               "[ +m(8) commit ]\n"
                               "[ +t(10,a) +t(11,b) keep=1 +t(12,c) commit ]\n"
                               "[ +m(9) commit ]\n"
                               "[ +t(20,a) rollback ]\n"
                               "[ +t(30,xa) prepare ]\n"
                               "[ xa-commit ]\n"
                               "[ +t(31,xa) prepare ]\n"
                               "[ xa-rollback ]\n"
                               "[ truncate commit ]\n"
                               "[ ddl +c(1) commit ]\n"
                               "[ +t(40,compressed) commit ]\n"
                               "[ ~t(40,compressed) commit ]\n"
                               "[ -t(40,compressed) commit ]\n"
                               "[ ddl commit ]\n"
                               "[ statement commit ]\n";
    struct span file = data_load("binlog_groups.bin");
    struct span event;
    struct story s;
    size_t at = 0;

    (void)state;
    story_begin(&s);
    while (data_next(file, &at, &event)) {
        if (!tell(&s, event))
            fail_msg("%s", s.e.text);
        data_free(event);
    }
    assert_string_equal(strstr(buf_text(&s.text), "[ ddl commit"), want);
    story_end(&s);
    data_free(file);
}

static void begin(struct story *s)
{
    struct buf b;

    story_begin(s);
    data_format(&b, false);
    assert_true(tell(s, buf_span(&b)));
    buf_free(&b);
}

static bool gtid(struct story *s, uint8_t flags)
{
    struct buf b;

    data_begin(&b, BINLOG_TYPE_GTID);
    buf_put_u64(&b, 1);
    buf_put_u32(&b, 0);
    buf_put_u8(&b, flags);
    buf_put_zeros(&b, 6);
    return tell_made(s, &b);
}

static bool query(struct story *s, const char *text)
{
    struct buf b;

    data_begin(&b, BINLOG_TYPE_QUERY);
    buf_put_zeros(&b, 14);
    buf_put_str(&b, text);
    return tell_made(s, &b);
}

/* One INT column; `type` 245 is one that we don't know. */
static bool table(struct story *s, uint32_t id, uint8_t type)
{
    struct buf b;

    data_begin(&b, BINLOG_TYPE_TABLE_MAP);
    buf_put_u32(&b, id);
    buf_put_u32(&b, 0);
    buf_put(&b,
            "\x01"
            "d\0\x01"
            "t\0\x01",
            7);
    buf_put_u8(&b, type);
    buf_put_u8(&b, 0);
    buf_put_u8(&b, 0);
    return tell_made(s, &b);
}

static bool rows(struct story *s, uint32_t id, bool last)
{
    struct buf b;

    data_begin(&b, BINLOG_TYPE_WRITE_ROWS_V1);
    buf_put_u32(&b, id);
    buf_put_u16(&b, 0);
    buf_put_u16(&b, last);
    buf_put(&b, "\x01\xff\xfe\x05\0\0\0", 7);
    return tell_made(s, &b);
}

static bool xid(struct story *s)
{
    struct buf b;

    data_begin(&b, BINLOG_TYPE_XID);
    buf_put_u64(&b, 1);
    return tell_made(s, &b);
}

static void test_table_maps_end_with_the_statement(void **state)
{
    struct story s;

    (void)state;
    begin(&s);
    assert_true(gtid(&s, 0));
    assert_true(table(&s, 1, 3));
    assert_true(rows(&s, 1, false));
    assert_true(rows(&s, 1, true));
    assert_false(rows(&s, 1, true));
    assert_non_null(strstr(s.e.text, "no table map"));
    story_end(&s);

    begin(&s);
    assert_true(gtid(&s, 0));
    assert_true(table(&s, 1, 3));
    assert_true(rows(&s, BINLOG_TABLE_ID_NONE, false));
    assert_true(rows(&s, 1, false));
    assert_true(rows(&s, BINLOG_TABLE_ID_NONE, true)); /* no rows, but the statement's end */
    assert_false(rows(&s, 1, false));
    story_end(&s);
}

static void test_order(void **state)
{
    struct story s;

    (void)state;
    begin(&s);
    assert_false(query(&s, "DELETE FROM t"));
    assert_false(xid(&s));
    assert_false(table(&s, 1, 3));
    assert_false(rows(&s, 1, true));
    assert_true(gtid(&s, 0));
    assert_false(gtid(&s, 0));
    assert_non_null(strstr(s.e.text, "within another"));
    story_end(&s);
}

static void test_standalone_ends_with_its_statement(void **state)
{
    struct story s;

    (void)state;
    begin(&s);
    assert_true(gtid(&s, BINLOG_GTID_STANDALONE));
    assert_true(query(&s, "DROP TABLE t"));
    assert_true(gtid(&s, 0));
    assert_true(query(&s, "CREATE TABLE t (a INT)"));
    assert_true(query(&s, "COMMIT"));
    assert_string_equal(buf_text(&s.text), "[ ddl commit ]\n[ ddl commit ]\n");
    story_end(&s);
}

/* The server stopped in the middle of writing a group: the next file begins. */
static void test_abandoned(void **state)
{
    struct story s;
    struct buf b;

    (void)state;
    begin(&s);
    assert_true(gtid(&s, 0));
    assert_true(table(&s, 1, 3));
    assert_true(rows(&s, 1, true));
    data_format(&b, false);
    assert_true(tell(&s, buf_span(&b)));
    buf_free(&b);
    assert_true(gtid(&s, 0));
    assert_true(xid(&s));
    assert_string_equal(buf_text(&s.text), "[ +t(5) abandoned ]\n[ commit ]\n");
    story_end(&s);
}

/* A table nobody asks for may be of any form. */
static void test_unreadable_table(void **state)
{
    struct story s;

    (void)state;
    begin(&s);
    assert_true(gtid(&s, 0));
    assert_true(table(&s, 1, 245));
    assert_false(rows(&s, 1, true));
    assert_non_null(strstr(s.e.text, "d.t"));
    assert_non_null(strstr(s.e.text, "not known"));
    story_end(&s);
}

static void test_incident(void **state)
{
    struct story s;
    struct buf b;

    (void)state;
    begin(&s);
    data_begin(&b, BINLOG_TYPE_INCIDENT);
    buf_put_u16(&b, 1);
    buf_put_u8(&b, 0);
    assert_false(tell_made(&s, &b));
    assert_non_null(strstr(s.e.text, "new snapshot"));
    story_end(&s);
}

static void test_savepoints(void **state)
{
    struct story s;

    (void)state;
    begin(&s);
    assert_true(gtid(&s, 0));
    assert_true(query(&s, "SAVEPOINT `a`"));
    assert_true(table(&s, 1, 3));
    assert_true(rows(&s, 1, true));
    assert_true(query(&s, "SAVEPOINT `b`"));
    assert_true(table(&s, 1, 3));
    assert_true(rows(&s, 1, true));
    assert_true(query(&s, "SAVEPOINT `A`")); /* the first is gone */
    assert_true(query(&s, "ROLLBACK TO `a`"));
    assert_true(query(&s, "ROLLBACK TO `B`"));
    assert_true(query(&s, "ROLLBACK TO `b`"));  /* still there */
    assert_false(query(&s, "ROLLBACK TO `a`")); /* set after b */
    assert_non_null(strstr(s.e.text, "not set"));
    assert_string_equal(buf_text(&s.text), "[ +t(5) +t(5) keep=2 keep=1 keep=1 ");
    story_end(&s);
}

/* Descriptors are kept between statements, up to a bound; one statement may have many. */
static void test_many_tables(void **state)
{
    struct story s;

    (void)state;
    begin(&s);
    for (uint32_t id = 1; id <= 600; id++) {
        assert_true(gtid(&s, 0));
        assert_true(table(&s, id, 3));
        assert_true(rows(&s, id, true));
        assert_true(xid(&s));
    }
    assert_true(gtid(&s, 0));
    for (uint32_t id = 1; id <= BINLOG_TABLES_MAX; id++)
        assert_true(table(&s, id, 3));
    assert_true(rows(&s, 1, false));
    assert_false(table(&s, BINLOG_TABLES_MAX + 1, 3));
    assert_non_null(strstr(s.e.text, "1024 tables"));
    story_end(&s);
}

/* The serial stays while the table does, and changes with it. */
static void test_serials(void **state)
{
    static const uint8_t types[] = {3, 3, 8, 3};
    static const uint64_t serials[] = {1, 1, 2, 3};
    struct binlog_group *g = binlog_group_new(1000);
    struct binlog_event ev = {0};
    struct binlog_step step;
    struct binlog_change c;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        uint8_t map[] = {9, 0, 0, 0, 0, 0, 0, 0, 1, 'd', 0, 1, 't', 0, 1, types[i], 0, 0};

        ev.body = BINLOG_GTID;
        assert_true(binlog_group_feed(g, &ev, &step, &e));
        ev.body = BINLOG_TABLE_MAP;
        ev.table_map = (struct span){map, sizeof map};
        assert_true(binlog_group_feed(g, &ev, &step, &e));
        memset(map, 0, sizeof map); /* the descriptor has a copy */
        ev.body = BINLOG_ROWS;
        ev.rows = (struct binlog_rows){
            .table_id = 9,
            .flags = BINLOG_ROWS_STATEMENT_END,
            .width = 1,
            .after = (const uint8_t *)"\x01",
            .rows = {(const uint8_t *)"\0\1\0\0\0\0\0\0\0", types[i] == 8 ? 9 : 5}};
        assert_true(binlog_group_feed(g, &ev, &step, &e));
        assert_true(span_eq(step.table->name, "t"));
        assert_int_equal(binlog_group_row(g, &c, &e), 1);
        assert_int_equal(c.table_serial, serials[i]);
        assert_int_equal(c.after[0].i, 1);
        assert_int_equal(binlog_group_row(g, &c, &e), 0);
        assert_int_equal(binlog_group_row(g, &c, &e), 0);
        memset(&ev, 0, sizeof ev);
        ev.body = BINLOG_XID;
        assert_true(binlog_group_feed(g, &ev, &step, &e));
        memset(&ev, 0, sizeof ev);
    }
    binlog_group_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_table_maps_end_with_the_statement),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_standalone_ends_with_its_statement),
        cmocka_unit_test(test_abandoned),
        cmocka_unit_test(test_unreadable_table),
        cmocka_unit_test(test_incident),
        cmocka_unit_test(test_savepoints),
        cmocka_unit_test(test_many_tables),
        cmocka_unit_test(test_serials),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
