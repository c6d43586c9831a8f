#include "mirror/document/fold.h"

#include "unit/mirror_map.h"
#include "unit/mirror_rows.h"

static const enum value_kind kinds[CELLS_MAX] = {
    VALUE_INT,  VALUE_INT, VALUE_DECIMAL, VALUE_DECIMAL,
    VALUE_TEXT, VALUE_INT, VALUE_DECIMAL, VALUE_TEXT,
};
static const struct value_shape shapes[CELLS_MAX] = {{0, 0}, {0, 0}, {0, 0}, {0, 0},
                                                     {0, 0}, {0, 0}, {8, 2}, {0, 0}};

static struct rows *fake_new(const char *const (*rows)[CELLS_MAX], uint64_t n, int columns)
{
    return fake_rows_new(rows, n, columns, kinds, shapes);
}

/* The orders' Total is left out, and what it runs over comes with the items. */
static void test_statements(void **state)
{
    struct map_test t;

    (void)state;
    map_test_begin(&t, map_test_shop);
    assert_false(plan_lean(t.plan));
    assert_string_equal(plan_head(t.plan, 1), t.plan->levels[1].head);
    map_test_exact(&t, true);
    assert_true(plan_lean(t.plan));
    assert_string_equal(plan_head(t.plan, 0), t.plan->levels[0].head);
    assert_string_equal(plan_head(t.plan, 1),
                        "SELECT STRAIGHT_JOIN t0.`id`, t2.`id`, t2.`id`, NULL FROM `pos`.`Customer`"
                        " AS t0 JOIN `pos`.`Order` AS t2 ON t2.`customer_id` = t0.`id` WHERE ");
    assert_string_equal(
        plan_head(t.plan, 2),
        "SELECT STRAIGHT_JOIN t0.`id`, t2.`id`, t3.`product_id`, t4.`name`, t3.`quantity`,"
        " t4.`price` FROM `pos`.`Customer` AS t0 JOIN `pos`.`Order` AS t2 ON"
        " t2.`customer_id` = t0.`id` JOIN `pos`.`Line` AS t3 ON t3.`order_id` = t2.`id` JOIN"
        " `pos`.`Product` AS t4 ON t4.`id` = t3.`product_id` WHERE ");
    assert_int_equal(t.plan->n_folds, 1);
    assert_int_equal(t.plan->folds[0].column, 3);
    assert_int_equal(t.plan->folds[0].child_column, 4);
    assert_int_equal(t.plan->folds[0].child_factor, 5);
    map_test_end(&t);
}

/* All the orders, each with the sum that is wanted. */
static void check_sums(struct rows *r, const char *const (*orders)[CELLS_MAX],
                       const char *const *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_true(rows_next(r));
        assert_true(span_eq(r->cells[1], orders[i][1]));
        assert_true(span_eq(r->cells[3], wanted[i]));
    }
    assert_false(rows_next(r));
    assert_false(r->broken);
}

static void test_rows(void **state)
{
    static const char *const orders[][CELLS_MAX] = {
        {"1", "10", "10", NULL}, {"1", "11", "11", NULL}, {"3", "12", "12", NULL}};
    static const char *const items[][CELLS_MAX] = {{"1", "10", "7", "Pan", "x", "2", "3.50"},
                                                   {"1", "10", "8", "Pot", "x", "1", "-1.25"},
                                                   {"1", "10", "9", "Lid", "x", "1", NULL},
                                                   {"3", "12", "7", "Pan", "x", "4", "0.01"}};
    static const char *const wanted[] = {"2.25", "0.00", "0.01"};
    struct rows *rows[3] = {NULL};
    struct err e = {.kind = ERR_NONE};
    struct plan_fold fold;
    struct map_test t;

    (void)state;
    map_test_begin(&t, map_test_shop);
    fold = t.plan->folds[0];
    t.plan->folds[0].child_column = 6;
    t.plan->folds[0].child_factor = -1;
    rows[1] = fake_new(orders, 3, 4);
    rows[2] = fake_new(items, 4, 7);
    rows[1] = fold_rows(t.plan, 1, rows, &e);
    assert_non_null(rows[1]);
    assert_int_equal(rows[1]->kinds[3], VALUE_DECIMAL);
    check_sums(rows[1], orders, wanted, ARRAY_LEN(wanted));
    rows_free(rows[1]);
    assert_true(rows_next(rows[2])); /* its own reader stands at the beginning */
    assert_true(span_eq(rows[2]->cells[3], "Pan"));
    rows_free(rows[2]);
    t.plan->folds[0] = fold;
    map_test_end(&t);
}

/* Two columns of a row are multiplied, and NULL is nothing. */
static void test_products(void **state)
{
    static const char *const orders[][CELLS_MAX] = {{"1", "10", "10", NULL},
                                                    {"1", "11", "11", NULL}};
    static const char *const items[][CELLS_MAX] = {{"1", "10", "7", "Pan", "x", "2", "3.50"},
                                                   {"1", "10", "8", "Pot", "x", "3", "-1.25"},
                                                   {"1", "10", "9", "Lid", "x", NULL, "1.00"},
                                                   {"1", "11", "9", "Lid", "x", "5", NULL}};
    static const char *const wanted[] = {"3.25", "0.00"};
    struct rows *rows[3] = {NULL};
    struct err e = {.kind = ERR_NONE};
    struct map_test t;

    (void)state;
    map_test_begin(&t, map_test_shop);
    t.plan->folds[0].child_column = 6;
    t.plan->folds[0].child_factor = 5;
    rows[1] = fake_new(orders, 2, 4);
    rows[2] = fake_new(items, 4, 7);
    rows[1] = fold_rows(t.plan, 1, rows, &e);
    assert_non_null(rows[1]);
    check_sums(rows[1], orders, wanted, ARRAY_LEN(wanted));
    rows_free(rows[1]);
    rows_free(rows[2]);
    map_test_end(&t);
}

/* What is no number ends the rows, and says so; what is no number's column is refused. */
static void test_what_is_none(void **state)
{
    static const char *const orders[][CELLS_MAX] = {{"1", "10", "10", NULL}};
    static const char *const items[][CELLS_MAX] = {{"1", "10", "7", "Pan", "x", "2", "3.5"}};
    struct rows *rows[3] = {NULL};
    struct err e = {.kind = ERR_NONE};
    struct map_test t;

    (void)state;
    map_test_begin(&t, map_test_shop);
    t.plan->folds[0].child_column = 6;
    t.plan->folds[0].child_factor = -1;
    rows[1] = fake_new(orders, 1, 4);
    rows[2] = fake_new(items, 1, 7);
    rows[1] = fold_rows(t.plan, 1, rows, &e);
    assert_non_null(rows[1]);
    assert_false(rows_next(rows[1]));
    assert_true(rows[1]->broken);
    rows_free(rows[1]);
    t.plan->folds[0].child_column = 4;
    rows[1] = fake_new(orders, 1, 4);
    assert_null(fold_rows(t.plan, 1, rows, &e));
    assert_int_equal(e.code, 1412);
    rows_free(rows[2]);
    map_test_end(&t);
}

static void test_arithmetic(void **state)
{
    static const struct {
        const char *sum;
        int folds, column, factor;
    } cases[] = {
        {"quantity", 1, 2, -1},
        {"id", 1, 1, -1},
        {"\"{quantity}*{quantity}\"", 1, 2, 2},
        {"\" {quantity} * {Product.price} \"", 1, 2, 3},
        {"\"{Product.price} * {id}\"", 1, 3, 1},
        {"\"{quantity} * {Product.price} * {id}\"", 1, 3, -1},
        {"\"-{quantity} * {Product.price}\"", 1, 3, -1},
        {"\"{quantity} * -{Product.price}\"", 1, 3, -1},
        {"\"{quantity} * {Product.price} + 1\"", 1, 3, -1},
        {"\"{quantity} * 2 - ({Product.price} + 1.50)\"", 1, 3, -1},
        {"\"{quantity} / 3\"", 0, 0, 0},
        {"\"ROUND({Product.price}, 1)\"", 0, 0, 0},
        {"\"{quantity} * 1e0\"", 0, 0, 0},
        {"\"{quantity} % 2\"", 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct map_test t;
        char text[1024];

        (void)snprintf(text, sizeof text,
                       "- collection: c\n  table: d.C\n  key: [id]\n"
                       "  fields: {T: {sum: %s, of: Lines}}\n"
                       "  arrays:\n    Lines:\n      table: d.L\n      on: {c: id}\n"
                       "      key: [id]\n      joins: [{table: d.Product, on: {id: p}}]\n"
                       "      fields: {Q: quantity}\n",
                       cases[i].sum);
        map_test_begin(&t, text);
        assert_int_equal(t.plan->n_folds, cases[i].folds);
        assert_int_equal(t.plan->folds[0].child_column, cases[i].column);
        assert_int_equal(t.plan->folds[0].child_factor, cases[i].factor);
        map_test_end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements), cmocka_unit_test(test_rows),
        cmocka_unit_test(test_products),   cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_arithmetic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
