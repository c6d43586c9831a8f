#include "mirror/mapping/touch.h"

#include "unit/mirror_map.h"

/* A table as its events describe it: integer columns of these names. */
struct fake_table {
    struct binlog_table table;
    struct binlog_column columns[8];
};

static uint64_t next_serial = 1;

static void fake_table(struct fake_table *f, const char *name, const char *const *columns)
{
    memset(f, 0, sizeof *f);
    f->table.database = span_of("pos");
    f->table.name = span_of(name);
    f->table.full_metadata = true;
    f->table.columns = f->columns;
    for (; columns[f->table.n_columns]; f->table.n_columns++) {
        struct binlog_column *c = &f->columns[f->table.n_columns];

        c->name = span_of(columns[f->table.n_columns]);
        c->kind = BINLOG_INT;
        c->form = BINLOG_FORM_INT;
        c->width = 8;
    }
}

static struct binlog_value number(int64_t i)
{
    return (struct binlog_value){.kind = BINLOG_INT, .i = i};
}

static const struct binlog_value null = {.kind = BINLOG_NULL};

struct world {
    struct map_test map;
    struct touch *touch;
    struct fake_table t;
    uint64_t serial;
};

static void begin(struct world *w, const char *name, const char *const *columns)
{
    map_test_begin(&w->map, map_test_shop);
    map_test_classes(&w->map, MAP_CLASS_NUMBER);
    w->touch = touch_new(&w->map.plan, 1);
    assert_non_null(w->touch);
    fake_table(&w->t, name, columns);
    w->serial = next_serial++;
}

static const char paged_orders[] =
    "- collection: customers\n  table: pos.Customer\n  key: [id]\n"
    "  fields: {Name: firstName, Zip: zip}\n  arrays:\n"
    "    Orders: {table: pos.Order, on: {customer_id: id}, key: [id],\n"
    "             page: 9, fields: {At: placed}}\n";

static const char paged_buyers[] =
    "- collection: products\n  table: pos.Product\n  key: [id]\n"
    "  fields: {Name: name}\n  arrays:\n"
    "    Buyers: {table: pos.Line, on: {product_id: id}, page: 9, group_by: [Order.customer_id],\n"
    "             joins: [{table: pos.Order, on: {id: order_id}, required: true},\n"
    "                     {table: pos.Note, on: {id: note_id}}],\n"
    "             fields: {Note: {max: Note.text}}}\n";

/* Changes told exactly. */
static void begin_paged(struct world *w, const char *text, const char *name,
                        const char *const *columns)
{
    map_test_begin(&w->map, text);
    map_test_classes(&w->map, MAP_CLASS_NUMBER);
    w->touch = touch_new(&w->map.plan, 1);
    assert_non_null(w->touch);
    touch_tell(w->touch, TOUCH_BY_ELEMENT);
    fake_table(&w->t, name, columns);
    w->serial = next_serial++;
}

/* The same without a snapshot from before. */
static struct touched *begin_by_row(struct world *w, const char *text, const char *name,
                                    const char *const *columns)
{
    begin_paged(w, text, name, columns);
    touch_tell(w->touch, TOUCH_BY_ROW);
    return touch_of(w->touch, 0);
}

static void end(struct world *w)
{
    touch_free(w->touch);
    map_test_end(&w->map);
}

static bool change(struct world *w, const struct binlog_value *before,
                   const struct binlog_value *after, struct err *e)
{
    struct binlog_change c = {
        .table = &w->t.table,
        .table_serial = w->serial,
        .op = !before  ? BINLOG_INSERT
              : !after ? BINLOG_DELETE
                       : BINLOG_UPDATE,
        .before = before,
        .after = after,
    };

    return touch_change(w->touch, &c, e);
}

static void must(struct world *w, const struct binlog_value *before,
                 const struct binlog_value *after)
{
    struct err e;

    if (!change(w, before, after, &e))
        fail_msg("%s", e.text);
}

/* The set holds just these, in this order: "1 2", of two columns "1,5 2,6". */
static void check_set(const struct keyset *s, const char *expected)
{
    char text[256] = "";
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        struct span key[KEYSET_WIDTH_MAX];

        keyset_get(s, i, key);
        for (int k = 0; k < s->width; k++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%.*s",
                                  k   ? ","
                                  : i ? " "
                                      : "",
                                  (int)key[k].n, (const char *)key[k].p);
    }
    assert_string_equal(text, expected);
}

static const char *const order_columns[] = {"id", "placed", "customer_id", "note", NULL};

static void test_moved_order(void **state)
{
    struct world w;
    struct binlog_value before[] = {number(10), number(1), number(1), number(0)};
    struct binlog_value after[] = {number(10), number(1), number(2), number(0)};

    (void)state;
    begin(&w, "Order", order_columns);
    assert_true(touch_empty(w.touch));
    must(&w, before, after);
    check_set(&touch_of(w.touch, 0)->roots, "1 2");
    assert_false(touch_empty(w.touch));
    touch_clear(w.touch);
    assert_true(touch_empty(w.touch));
    check_set(&touch_of(w.touch, 0)->roots, "");
    end(&w);
}

/* Columns that no document shows touch nothing. */
static void test_unmapped_column(void **state)
{
    struct world w;
    struct binlog_value before[] = {number(10), number(1), number(1), number(0)};
    struct binlog_value after[] = {number(10), number(1), number(1), number(5)};

    (void)state;
    begin(&w, "Order", order_columns);
    must(&w, before, after);
    assert_true(touch_empty(w.touch));
    must(&w, NULL, after);
    must(&w, after, NULL);
    check_set(&touch_of(w.touch, 0)->roots, "1");
    end(&w);
}

static void test_changed_key(void **state)
{
    static const char *const columns[] = {"firstName", "zip", "id", NULL};
    struct world w;
    struct binlog_value before[] = {number(0), number(7), number(1)};
    struct binlog_value after[] = {number(0), number(7), number(9)};

    (void)state;
    begin(&w, "Customer", columns);
    must(&w, before, after);
    check_set(&touch_of(w.touch, 0)->roots, "1 9");
    end(&w);
}

static void test_links(void **state)
{
    static const char *const lines[] = {"order_id", "product_id", "quantity", NULL};
    struct world w;
    struct binlog_value a[] = {number(10), number(7), number(1)};
    struct binlog_value b[] = {number(11), number(7), number(1)};

    (void)state;
    begin(&w, "Line", lines);
    must(&w, a, b);
    check_set(&touch_of(w.touch, 0)->links[3], "10 11");
    check_set(&touch_of(w.touch, 0)->roots, "");
    end(&w);
}

static void test_null_link(void **state)
{
    static const char *const columns[] = {"zip", "city", NULL};
    struct world w;
    struct binlog_value row[] = {null, number(1)};

    (void)state;
    begin(&w, "City", columns);
    must(&w, NULL, row);
    check_set(&touch_of(w.touch, 0)->links[1], "");
    end(&w);
}

static void test_other_table(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "Order", order_columns);
    assert_true(touch_wants(w.touch, &w.t.table));
    w.t.table.database = span_of("other");
    assert_false(touch_wants(w.touch, &w.t.table));
    w.t.table.database = span_of("pos");
    w.t.table.name = span_of("order");
    assert_false(touch_wants(w.touch, &w.t.table));
    end(&w);
}

/* Before an ALTER the table may have lacked a column: then nothing is known of its rows. */
static void test_foreign_columns(void **state)
{
    static const char *const columns[] = {"id", "customer_id", NULL};
    struct world w;
    struct binlog_value row[] = {number(10), number(1)};

    (void)state;
    begin(&w, "Order", columns);
    must(&w, NULL, row);
    assert_true(touch_of(w.touch, 0)->all);
    touch_clear(w.touch);
    must(&w, NULL, row);
    assert_true(touch_of(w.touch, 0)->all);
    end(&w);
}

static void test_lacking_image(void **state)
{
    struct world w;
    struct binlog_value before[] = {
        number(10), {.kind = BINLOG_ABSENT}, {.kind = BINLOG_ABSENT}, null};
    struct binlog_value after[] = {
        {.kind = BINLOG_ABSENT}, number(2), {.kind = BINLOG_ABSENT}, null};
    struct err e;

    (void)state;
    begin(&w, "Order", order_columns);
    assert_false(change(&w, before, after, &e));
    assert_int_equal(e.kind, ERR_USAGE);
    assert_non_null(strstr(e.text, "binlog_row_image=FULL"));
    w.t.table.full_metadata = false;
    w.serial = next_serial++;
    assert_false(change(&w, NULL, after, &e));
    assert_non_null(strstr(e.text, "binlog_row_metadata=FULL"));
    end(&w);
}

static void test_ddl(void **state)
{
    struct world w;
    struct binlog_query truncate = {.schema = BYTES("pos"), .text = BYTES("TRUNCATE TABLE `Line`")};
    struct binlog_query other = {.schema = BYTES("pos"), .text = BYTES("TRUNCATE TABLE Line2")};
    struct binlog_query drop = {.schema = BYTES(""), .text = BYTES("DROP DATABASE pos")};
    struct binlog_query write = {.schema = BYTES("x"),
                                 .text = BYTES("INSERT INTO pos.Line SELECT 1")};
    struct binlog_query ours = {.schema = BYTES("pos"), .text = BYTES("INSERT INTO v SELECT 1")};
    struct binlog_query none = {.schema = BYTES("x"), .text = BYTES("INSERT INTO hb SELECT 1")};

    (void)state;
    begin(&w, "Order", order_columns);
    touch_ddl(w.touch, &other);
    assert_true(touch_empty(w.touch));
    assert_false(touch_schema(w.touch));
    touch_ddl(w.touch, &truncate);
    assert_true(touch_of(w.touch, 0)->all);
    assert_true(touch_schema(w.touch));
    touch_clear(w.touch);
    assert_false(touch_schema(w.touch));
    touch_ddl(w.touch, &drop);
    assert_true(touch_of(w.touch, 0)->all);
    assert_true(touch_statement(w.touch, &write));
    assert_true(touch_statement(w.touch, &ours));
    assert_false(touch_statement(w.touch, &none));
    end(&w);
}

/* Inside a paged array rows are told by their elements, the root by its head. */
static void test_exact(void **state)
{
    static const char *const order[] = {"id", "customer_id", "placed", NULL};
    static const char *const customer[] = {"id", "zip", "firstName", NULL};
    const struct binlog_value was[] = {number(10), number(1), number(5)};
    const struct binlog_value is[] = {number(10), number(2), number(5)};
    const struct binlog_value named[] = {number(3), number(4), number(6)};
    struct world w;
    struct span pair[2];
    struct touched *t;

    (void)state;
    begin_paged(&w, paged_orders, "Order", order);
    must(&w, was, is);
    t = touch_of(w.touch, 0);
    assert_int_equal(t->roots.n, 0);
    assert_int_equal(t->pairs.n, 2);
    keyset_get(&t->pairs, 1, pair);
    assert_true(span_eq(pair[0], "2") && span_eq(pair[1], "10"));
    end(&w);
    begin_paged(&w, paged_orders, "Customer", customer);
    must(&w, NULL, named);
    t = touch_of(w.touch, 0);
    assert_int_equal(t->heads.n, 1);
    assert_int_equal(t->roots.n, 0);
    touch_clear(w.touch);
    assert_int_equal(t->heads.n, 0);
    touch_tell(w.touch, TOUCH_BY_ROOT);
    must(&w, NULL, named);
    assert_int_equal(t->roots.n, 1);
    end(&w);
}

/* Rows that say which element they are in lead to the old one where the stretch began; what others
 * show in is found by the rows of now. */
static void test_exact_links(void **state)
{
    static const char *const order[] = {"id", "customer_id", NULL};
    static const char *const note[] = {"id", "text", NULL};
    const struct binlog_value was[] = {number(10), number(1)};
    const struct binlog_value is[] = {number(10), number(2)};
    struct world w;
    struct touched *t;

    (void)state;
    begin_paged(&w, paged_buyers, "Order", order);
    t = touch_of(w.touch, 0);
    must(&w, was, is);
    check_set(&t->pair_links_before[2], "10,1");
    check_set(&t->pair_links[2], "10,2");
    touch_clear(w.touch);
    must(&w, NULL, is);
    check_set(&t->pair_links_before[2], "");
    check_set(&t->pair_links[2], "10,2");
    end(&w);
    begin_paged(&w, paged_buyers, "Note", note);
    t = touch_of(w.touch, 0);
    must(&w, was, is);
    check_set(&t->pair_links[3], "10");
    assert_int_equal(t->pair_links_before[3].n, 0);
    end(&w);
}

/* Without a snapshot from before: what a row says itself, and where it is new, is told by the
 * element all the same. */
static void test_by_row(void **state)
{
    static const char *const order[] = {"id", "customer_id", "placed", NULL};
    static const char *const customer[] = {"id", "zip", "firstName", NULL};
    static const char *const note[] = {"id", "text", NULL};
    const struct binlog_value was[] = {number(10), number(1), number(5)};
    const struct binlog_value is[] = {number(10), number(2), number(5)};
    struct world w;
    struct touched *t;

    (void)state;
    t = begin_by_row(&w, paged_orders, "Order", order);
    must(&w, was, is);
    check_set(&t->pairs, "1,10 2,10");
    assert_int_equal(t->roots.n, 0);
    end(&w);
    t = begin_by_row(&w, paged_orders, "Customer", customer);
    must(&w, NULL, is);
    check_set(&t->heads, "10");
    end(&w);
    t = begin_by_row(&w, paged_buyers, "Order", order);
    must(&w, NULL, is);
    check_set(&t->pair_links[2], "10,2");
    assert_int_equal(t->links[2].n, 0);
    must(&w, was, is);
    check_set(&t->pair_links[2], "10,2");
    check_set(&t->links[2], "10");
    assert_int_equal(t->pair_links_before[2].n, 0);
    end(&w);
    t = begin_by_row(&w, paged_buyers, "Note", note);
    must(&w, was, is);
    check_set(&t->pair_links[3], "10");
    assert_int_equal(t->links[3].n, 0);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moved_order),
        cmocka_unit_test(test_unmapped_column),
        cmocka_unit_test(test_changed_key),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_null_link),
        cmocka_unit_test(test_other_table),
        cmocka_unit_test(test_foreign_columns),
        cmocka_unit_test(test_lacking_image),
        cmocka_unit_test(test_ddl),
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_exact_links),
        cmocka_unit_test(test_by_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
