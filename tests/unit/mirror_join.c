#include "mirror/document/join.h"

#include "unit/mirror_map.h"
#include "unit/mirror_rows.h"

static const enum value_kind level_kinds[CELLS_MAX] = {VALUE_INT,  VALUE_INT, VALUE_INT,
                                                       VALUE_TEXT, VALUE_INT, VALUE_TEXT};
static const enum value_kind table_kinds[CELLS_MAX] = {VALUE_INT, VALUE_TEXT, VALUE_DECIMAL};
static const struct value_shape shapes[CELLS_MAX] = {{20, 0}, {20, 0}, {20, 0}};
static const struct value_shape table_shapes[CELLS_MAX] = {{20, 0}, {0, 0}, {8, 2}};

/* As if the schema had said that all sums are exact, all links integers and unique. */
static void seen(struct map_test *t)
{
    struct aggregate *a = t->mapping->aggregates[0];

    for (int i = 0; i < a->n_tables; i++) {
        a->tables[i].unique = true;
        for (int k = 0; k < a->tables[i].n_columns; k++)
            a->tables[i].columns[k].integer = true;
    }
    map_test_exact(t, true);
}

/* The city has a part in a value of the customer's, so that MariaDB joins it. */
static void test_statements(void **state)
{
    struct map_test t;

    (void)state;
    map_test_begin(&t, map_test_shop);
    assert_int_equal(t.plan->n_joins, 1);
    assert_string_equal(t.plan->joins[0].select,
                        "SELECT t4.`id`, t4.`name`, t4.`price` FROM `pos`.`Product` AS t4");
    assert_int_equal(t.plan->joins[0].at[0], 2);
    assert_int_equal(t.plan->joins[0].n_to, 2);
    assert_int_equal(t.plan->joins[0].to[0], 3);
    assert_int_equal(t.plan->joins[0].to[1], 5);
    assert_string_equal(
        t.plan->levels[2].bare,
        "SELECT STRAIGHT_JOIN t0.`id`, t2.`id`, t3.`product_id`, NULL, t3.`quantity`, NULL FROM"
        " `pos`.`Customer` AS t0 JOIN `pos`.`Order` AS t2 ON t2.`customer_id` = t0.`id` JOIN"
        " `pos`.`Line` AS t3 ON t3.`order_id` = t2.`id` WHERE ");
    assert_null(t.plan->levels[0].bare);
    assert_null(t.plan->levels[1].bare);
    map_test_end(&t);
}

static void test_fits(void **state)
{
    struct map_test t;
    struct map_table *product;

    (void)state;
    map_test_begin(&t, map_test_shop);
    assert_false(plan_join_fits(t.plan, &t.plan->joins[0]));
    seen(&t);
    assert_true(plan_join_fits(t.plan, &t.plan->joins[0]));
    product = &t.mapping->aggregates[0]->tables[4];
    product->unique = false;
    assert_false(plan_join_fits(t.plan, &t.plan->joins[0]));
    product->unique = true;
    map_test_column(&t, 3, "product_id")->integer = false;
    assert_false(plan_join_fits(t.plan, &t.plan->joins[0]));
    map_test_column(&t, 3, "product_id")->integer = true;
    t.mapping->aggregates[0]->levels[1].ops[1].exact = false; /* then the sum is MariaDB's */
    assert_false(plan_join_fits(t.plan, &t.plan->joins[0]));
    map_test_end(&t);
}

/* What hangs on the joined table, or on more than that. */
static void test_joins(void **state)
{
    static const struct {
        const char *joins, *rest;
        int n;
    } cases[] = {
        {"{table: d.P, on: {id: p}}", "fields: {N: P.n}", 1},
        {"{table: d.P, on: {id: p}}", "fields: {Q: q}", 1},
        {"{table: d.P, on: {id: p}}", "fields: {N: {sql: \"CONCAT({P.n}, 'x')\"}}", 0},
        {"{table: d.P, on: {id: p}, required: true}", "fields: {N: {sql: \"CONCAT({P.n}, 'x')\"}}",
         1},
        {"{table: d.P, on: {id: p}, required: true}", "fields: {N: {sql: \"{P.n} + {q}\"}}", 0},
        {"{table: d.P, on: {id: p}}", "fields: {N: P.n}\n      where: \"{P.n} > 1\"", 0},
        {"{table: d.P, on: {id: p}}", "fields: {N: P.n}\n      order_by: [P.n]", 0},
        {"{table: d.P, on: {id: p}}, {table: d.R, on: {id: P.r}}", "fields: {N: P.n, R: R.n}", 1},
        {"{table: d.P, on: {id: p}}, {table: d.R, on: {id: r}}", "fields: {N: P.n, R: R.n}", 2},
        {"{table: d.P, on: {id: p}}", "fields: {O: {unless_null: P.id, fields: {N: P.n}}}", 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct map_test t;
        char text[1024];

        (void)snprintf(text, sizeof text,
                       "- collection: c\n  table: d.C\n  key: [id]\n  fields: {I: id}\n"
                       "  arrays:\n    Lines:\n      table: d.L\n      on: {c: id}\n"
                       "      key: [id]\n      joins: [%s]\n      %s\n",
                       cases[i].joins, cases[i].rest);
        map_test_begin(&t, text);
        assert_int_equal(t.plan->n_joins, cases[i].n);
        assert_int_equal(t.plan->levels[1].bare != NULL, cases[i].n > 0);
        map_test_end(&t);
    }
}

static const char *const products[][CELLS_MAX] = {
    {"007", "Pan", "3.50"}, {"8", NULL, "1.00"}, {NULL, "none", "1.00"}};
static const char *const items[][CELLS_MAX] = {{"1", "10", "7", NULL, "2", NULL},
                                               {"1", "10", "9", NULL, "1", NULL},
                                               {"1", "11", NULL, NULL, "1", NULL},
                                               {"1", "11", "8", NULL, "4", NULL}};

static struct joins *products_joined(struct map_test *t)
{
    struct joins *j = joins_new(t->plan);

    assert_non_null(j);
    assert_true(joins_take(j, 0, fake_rows_new(products, 3, 3, table_kinds, table_shapes)));
    return j;
}

static void check_row(struct rows *r, const char *order, const char *name, const char *price)
{
    assert_true(rows_next(r));
    assert_true(span_eq(r->cells[1], order));
    assert_true(name ? span_eq(r->cells[3], name) : !r->cells[3].p);
    assert_true(price ? span_eq(r->cells[5], price) : !r->cells[5].p);
}

/* Where there must be a row of it, what has none is left out; other readers see the same. */
static void test_required(void **state)
{
    struct err e = {.kind = ERR_NONE};
    struct map_test t;
    struct joins *j;
    struct rows *r;
    struct rows *other;

    (void)state;
    map_test_begin(&t, map_test_shop);
    j = products_joined(&t);
    r = joins_rows(j, 2, fake_rows_new(items, 4, 6, level_kinds, shapes), &e);
    assert_non_null(r);
    assert_int_equal(r->kinds[5], VALUE_DECIMAL);
    assert_int_equal(r->shapes[5].decimals, 2);
    check_row(r, "10", "Pan", "3.50");
    other = rows_again(r);
    check_row(r, "11", NULL, "1.00");
    assert_false(rows_next(r));
    check_row(other, "10", "Pan", "3.50");
    rows_free(other);
    rows_free(r);
    joins_free(j);
    map_test_end(&t);
}

static void test_not_required(void **state)
{
    struct err e = {.kind = ERR_NONE};
    struct map_test t;
    struct joins *j;
    struct rows *r;

    (void)state;
    map_test_begin(&t, map_test_shop);
    t.mapping->aggregates[0]->tables[4].required = false;
    j = products_joined(&t);
    r = joins_rows(j, 2, fake_rows_new(items, 4, 6, level_kinds, shapes), &e);
    assert_non_null(r);
    check_row(r, "10", "Pan", "3.50");
    check_row(r, "10", NULL, NULL);
    check_row(r, "11", NULL, NULL);
    check_row(r, "11", NULL, "1.00");
    assert_false(rows_next(r));
    rows_free(r);
    joins_free(j);
    map_test_end(&t);
}

/* MariaDB makes the join of what won't do, and rows of another type are refused. */
static void test_what_is_none(void **state)
{
    static const char *const twice[][CELLS_MAX] = {{"7", "Pan", "3.50"}, {"07", "Pot", "1.00"}};
    static const enum value_kind others[CELLS_MAX] = {VALUE_TEXT, VALUE_TEXT, VALUE_TEXT};
    struct err e = {.kind = ERR_NONE};
    struct map_test t;
    struct joins *j;

    (void)state;
    map_test_begin(&t, map_test_shop);
    assert_string_equal(joins_head(NULL, t.plan, 2), plan_head(t.plan, 2));
    j = joins_new(t.plan);
    assert_non_null(j);
    assert_string_equal(joins_head(j, t.plan, 2), plan_head(t.plan, 2));
    assert_false(joins_take(j, 0, fake_rows_new(twice, 2, 3, table_kinds, table_shapes)));
    assert_false(joins_take(j, 0, fake_rows_new(products, 3, 3, others, table_shapes)));
    assert_string_equal(joins_head(j, t.plan, 2), plan_head(t.plan, 2));
    joins_free(j);
    j = products_joined(&t);
    assert_string_equal(joins_head(j, t.plan, 2), t.plan->levels[2].bare);
    assert_string_equal(joins_head(j, t.plan, 1), plan_head(t.plan, 1));
    assert_null(joins_rows(j, 2, fake_rows_new(items, 4, 6, others, shapes), &e));
    assert_int_equal(e.code, SOURCE_ERR_TABLE_CHANGED);
    joins_free(j);
    map_test_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements),   cmocka_unit_test(test_fits),
        cmocka_unit_test(test_joins),        cmocka_unit_test(test_required),
        cmocka_unit_test(test_not_required), cmocka_unit_test(test_what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
