#include "unit/binlog_data.h"

#include "protocol/binlog/binlog_group.h"

/* The lines of binlog_types.txt, which says what SELECT shows. */
struct expected {
    char *text;
    size_t lines;
    struct {
        const char *table, *column, *value;
    } at[2000];
};

static void load_expected(struct expected *x)
{
    struct span file = data_load("binlog_types.txt");
    char *save = NULL;

    x->text = malloc(file.n + 1);
    assert_non_null(x->text);
    memcpy(x->text, file.p, file.n);
    x->text[file.n] = 0;
    x->lines = 0;
    for (char *word = strtok_r(x->text, "\t\n", &save); word;
         word = strtok_r(NULL, "\t\n", &save)) {
        assert_true(x->lines < ARRAY_LEN(x->at));
        x->at[x->lines].table = word;
        x->at[x->lines].column = strtok_r(NULL, "\t\n", &save);
        /* An empty value leaves its field empty: the line ends right behind the tab. */
        word = save;
        if (*word == '\n') {
            x->at[x->lines++].value = "";
            continue;
        }
        x->at[x->lines++].value = strtok_r(NULL, "\t\n", &save);
    }
    data_free(file);
}

static void hex(const struct buf *b, char *out, size_t size)
{
    assert_true(size > 2 * b->len);
    for (size_t i = 0; i < b->len; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", b->data[i]);
    out[2 * b->len] = 0;
}

static void text_of(const struct binlog_value *v, const struct binlog_column *c, char *out,
                    size_t size)
{
    struct buf b = buf_with_max(DATA_MAX);

    if (v->kind == BINLOG_NULL) {
        (void)snprintf(out, size, "NULL");
        return;
    }
    binlog_value_text(v, c, &b);
    assert_true(buf_ok(&b));
    hex(&b, out, size);
    buf_free(&b);
}

/* The line of the row's first column; the others follow. */
static size_t find_row(const struct expected *x, const struct binlog_table *t, const char *id)
{
    for (size_t i = 0; i < x->lines; i++) {
        if (span_eq(t->name, x->at[i].table) && strcmp(x->at[i].column, "id") == 0 &&
            strcmp(x->at[i].value, id) == 0)
            return i;
    }
    fail_msg("no row %s in %.*s", id, (int)t->name.n, (const char *)t->name.p);
    return 0;
}

static void check_row(const struct expected *x, const struct binlog_change *c)
{
    static char text[8192];
    size_t at;

    assert_int_equal(c->op, BINLOG_INSERT);
    assert_null(c->before);
    text_of(&c->after[0], &c->table->columns[0], text, sizeof text);
    at = find_row(x, c->table, text);
    for (uint32_t i = 0; i < c->table->n_columns; i++) {
        assert_true(span_eq(c->table->columns[i].name, x->at[at + i].column));
        text_of(&c->after[i], &c->table->columns[i], text, sizeof text);
        if (strcmp(text, x->at[at + i].value) != 0)
            fail_msg("%s.%s: %s, not %s", x->at[at].table, x->at[at + i].column, text,
                     x->at[at + i].value);
    }
}

static void test_every_type(void **state)
{
    static struct expected x;
    struct binlog_group *g = binlog_group_new(1 << 20);
    struct span file = data_load("binlog_types.bin");
    struct buf inflated = buf_with_max(1 << 16);
    struct binlog_format f = {0};
    struct binlog_step step;
    struct binlog_change c;
    struct binlog_event ev;
    struct span event;
    size_t at = 0;
    int rows = 0;
    struct err e;

    (void)state;
    load_expected(&x);
    while (data_next(file, &at, &event)) {
        int got = 0;

        assert_true(binlog_event_decode(event, &f, &inflated, &ev, &e));
        assert_true(binlog_group_feed(g, &ev, &step, &e));
        while (step.kind == BINLOG_STEP_ROWS && (got = binlog_group_row(g, &c, &e)) == 1) {
            check_row(&x, &c);
            rows++;
        }
        assert_int_equal(got, 0);
        data_free(event);
    }
    assert_int_equal(rows, 4 + 7 + 4 + 4 + 4);
    binlog_group_free(g);
    buf_free(&inflated);
    data_free(file);
    free(x.text);
}

/* id INT NOT NULL, b BINARY(4) NULL, n TINYINT NULL */
static struct binlog_column columns[] = {
    {.form = BINLOG_FORM_INT, .kind = BINLOG_INT, .width = 4},
    {.form = BINLOG_FORM_STRING, .kind = BINLOG_BYTES, .width = 1, .pad = 4},
    {.form = BINLOG_FORM_INT, .kind = BINLOG_INT, .width = 1},
};
static const struct binlog_table table = {.n_columns = 3, .columns = columns};

#define BYTES(text) ((struct span){(const uint8_t *)(text), sizeof(text) - 1})
#define BITS(text)  ((const uint8_t *)(text))

static void test_minimal_images(void **state)
{
    /* before: id; after: b and n. In the first row n is NULL, in the second b. */
    struct binlog_rows rows = {.op = BINLOG_UPDATE,
                               .width = 3,
                               .before = BITS("\x01"),
                               .after = BITS("\x06"),
                               .rows = BYTES("\xfe\x07\x00\x00\x00\xfe\x02"
                                             "ab"
                                             "\xfe\x08\x00\x00\x00\xfd\xff")};
    struct buf scratch = buf_with_max(100);
    struct binlog_value before[3];
    struct binlog_value after[3];
    struct binlog_row_reader r;
    struct err e;

    (void)state;
    assert_true(binlog_row_begin(&r, &rows, &table, &scratch, &e));
    assert_int_equal(binlog_row_next(&r, before, after, &e), 1);
    assert_int_equal(before[0].i, 7);
    assert_int_equal(before[1].kind, BINLOG_ABSENT);
    assert_int_equal(after[0].kind, BINLOG_ABSENT);
    assert_int_equal(after[1].bytes.n, 4);
    assert_memory_equal(after[1].bytes.p, "ab\0\0", 4);
    assert_int_equal(after[2].kind, BINLOG_NULL);
    assert_int_equal(binlog_row_next(&r, before, after, &e), 1);
    assert_int_equal(after[1].kind, BINLOG_NULL);
    assert_int_equal(after[2].i, -1);
    assert_int_equal(binlog_row_next(&r, before, after, &e), 0);
    for (size_t n = 1; n < rows.rows.n; n++) { /* cut anywhere but between the rows */
        struct binlog_rows cut = rows;
        int got = 1;

        cut.rows.n = n;
        assert_true(binlog_row_begin(&r, &cut, &table, &scratch, &e));
        while (got == 1)
            got = binlog_row_next(&r, before, after, &e);
        assert_int_equal(got, n == 9 ? 0 : -1);
    }
    buf_free(&scratch);
}

static void test_what_does_not_fit(void **state)
{
    struct binlog_rows rows = {
        .op = BINLOG_INSERT, .width = 2, .after = BITS("\x03"), .rows = BYTES("")};
    const struct binlog_table nothing = {.n_columns = 0};
    struct buf scratch = buf_with_max(3);
    struct binlog_value after[3];
    struct binlog_row_reader r;
    struct err e;

    (void)state;
    assert_false(binlog_row_begin(&r, &rows, &table, &scratch, &e));
    rows.width = 0; /* no server has such a table; its rows would have no room to be read into */
    assert_false(binlog_row_begin(&r, &rows, &nothing, &scratch, &e));
    assert_non_null(strstr(e.text, "without columns"));
    rows.width = 3;
    assert_true(binlog_row_begin(&r, &rows, &table, &scratch, &e));
    assert_int_equal(binlog_row_next(&r, NULL, after, &e), 0);
    rows.after = BITS("\x00"); /* an image of nothing would never end */
    rows.rows = BYTES("x");
    assert_true(binlog_row_begin(&r, &rows, &table, &scratch, &e));
    assert_int_equal(binlog_row_next(&r, NULL, after, &e), -1);
    rows.after = BITS("\x02"); /* four padded bytes, the limit is three */
    rows.rows = BYTES("\xfe\x00");
    assert_true(binlog_row_begin(&r, &rows, &table, &scratch, &e));
    assert_int_equal(binlog_row_next(&r, NULL, after, &e), -1);
    assert_int_equal(e.kind, ERR_IO);
    assert_non_null(strstr(e.text, "limit"));
    buf_free(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_minimal_images),
        cmocka_unit_test(test_what_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
