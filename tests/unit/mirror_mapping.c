#include "unit/mirror_map.h"

#include "conf/conf.h"

#define AGG  "- collection: c\n  table: d.T\n  key: [id]\n"
#define TEXT AGG "  fields:\n    A: a\n"

static const struct {
    const char *text, *error;
} errors[] = {
    {"{}", "m.yaml:1:1: a list of aggregates, at least one"},
    {"[]", "m.yaml:1:1: a list of aggregates, at least one"},
    {"- x", "m.yaml:1:3: [0]: an aggregate is a map: collection, table, key, fields"},
    {"- table: d.T\n", "m.yaml:1:3: [0]: `collection` is missing"},
    {"- collection: c\n  table: T\n  key: [id]\n",
     "m.yaml:2:10: [0].table: write database.table, such as pos.Customer"},
    {"- collection: c\n  table: d.T\n  fields: {A: a}\n",
     "m.yaml:1:3: [0]: `key` is missing: the columns that tell rows apart"},
    {"- collection: c\n  table: d.T\n  key: id\n",
     "m.yaml:3:8: [0].key: must be a list, such as [id]"},
    {AGG, "m.yaml:1:3: [0]: no fields"},
    {AGG "  feilds: {A: a}\n", "m.yaml:4:3: [0].feilds: unknown key; did you mean fields?"},
    {AGG "  fields: {A: X.a}\n", "m.yaml:4:15: [0].fields.A: no table `X` here; join it"
                                 " (joins: [{table: …, on: {…}}]), or name it with `as`"},
    {AGG "  fields: {A: a, A.b: b}\n",
     "m.yaml:4:18: [0].fields.A.b: a field's name has no dots and does not begin with $"},
    {AGG "  fields: {_id: a}\n", "m.yaml:4:12: [0].fields._id: `_id` is made by the mirror itself"},
    {AGG "  fields: {A: {sql: 'NOW()'}}\n",
     "m.yaml:4:21: [0].fields.A.sql: `NOW`: an expression may only use the columns it names in"
     " {braces}, or a change would go unseen"},
    {AGG "  fields: {A: {sql: '(SELECT 1)'}}\n",
     "m.yaml:4:21: [0].fields.A.sql: `SELECT`: an expression may only use the columns it names"
     " in {braces}, or a change would go unseen"},
    {AGG "  fields: {A: {sql: '{a'}}\n",
     "m.yaml:4:21: [0].fields.A.sql: a `{` without a `}`; references are {column}"},
    {AGG "  fields: {A: {sql: \"'x\"}}\n", "m.yaml:4:21: [0].fields.A.sql: a quote is not closed"},
    {AGG "  fields: {A: {sql: '1; DROP'}}\n",
     "m.yaml:4:21: [0].fields.A.sql: `;` and comments don't belong into an expression"},
    {AGG "  fields: {A: {sum: a}}\n", "m.yaml:4:16: [0].fields.A.sum: over what? add `of: ARRAY`,"
                                      " or `group_by` to the array"},
    {AGG "  fields: {A: {sum: a, of: B}}\n",
     "m.yaml:4:28: [0].fields.A.of: no array `B` beside this field"},
    {AGG "  fields: {A: {sql: a, column: a}}\n",
     "m.yaml:4:24: [0].fields.A.column: `sql` or `column`, not both"},
    {AGG "  fields: {A: {type: int}}\n",
     "m.yaml:4:15: [0].fields.A: column, sql, sum, count, min, max, avg or fields"},
    {AGG "  fields: {A: {column: a, type: money}}\n",
     "m.yaml:4:33: [0].fields.A.type: int, double, decimal, text, date or bool"},
    {TEXT "  arrays: {B: {table: d.B, on: {x: id}, key: [id], limit: 0, fields: {A: a}}}\n",
     "m.yaml:6:59: [0].arrays.B.limit: a number of elements, 1 to 1000000"},
    {AGG "  fields: {A: [a]}\n",
     "m.yaml:4:15: [0].fields.A: a column, or {sql: …}; arrays stand under `arrays`"},
    {TEXT "  arrays: {A: {table: d.U, on: {t: id}, key: [k], fields: {X: x}}}\n",
     "m.yaml:6:12: [0].arrays.A: two fields of one name"},
    {TEXT "  arrays: {B: {table: d.U, key: [k], fields: {X: x}}}\n",
     "m.yaml:6:15: [0].arrays.B: `on` is missing"},
    {TEXT "  arrays: {B: {table: d.U, on: {t: id}, fields: {X: x}}}\n",
     "m.yaml:6:15: [0].arrays.B: `key` is missing: the columns that tell rows apart"},
    {TEXT "  arrays: {B: {table: d.U, on: {t: id}, key: [k], group_by: [k], fields: {X: x}}}\n",
     "m.yaml:6:61: [0].arrays.B.group_by: `key` or `group_by`, not both"},
    {TEXT "  arrays: {B: {table: d.U, on: {t: id}, key: [T.k], fields: {X: x}}}\n",
     "m.yaml:6:47: [0].arrays.B.key[0]: a key consists of columns of its own table"},
    {TEXT "  joins: [{table: d.T, on: {a: a}}]\n",
     "m.yaml:6:19: [0].joins[0].table: `T` stands here twice; tell them apart with `as`"},
    {TEXT "  joins: [{table: d.U, on: {a: U.a}}]\n",
     "m.yaml:6:32: [0].joins[0].on.a: links the table to itself; a self-join needs `as`"},
    {TEXT "  joins: [{table: d.U, on: {a: a}, required: 3}]\n", NULL},
    {TEXT "- collection: c\n  table: d.T\n  key: [id]\n  fields: {A: a}\n",
     "m.yaml:6:15: [1].collection: two aggregates for one collection"},
    {"- collection: $c\n", "m.yaml:1:15: [0].collection: no name for a collection"},
};

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        struct map_test t;

        if (map_test_try(&t, errors[i].text))
            fail_msg("no error: %s", errors[i].text);
        assert_int_equal(t.e.kind, ERR_USAGE);
        if (errors[i].error)
            assert_string_equal(t.e.text, errors[i].error);
        map_test_end(&t);
    }
}

/* Where a change of one element can't be told from the rows alone. */
static void test_paged(void **state)
{
    static const struct {
        const char *text, *reason;
    } refused[] = {
        {AGG "  fields: {N: {count: y, of: B}}\n"
             "  arrays: {B: {table: d.B, on: {x: id}, key: [id], page: 9, fields: {A: a}}}\n",
         "a fold over a paged array would read all of it at each change"},
        {TEXT "  arrays: {B: {table: d.B, on: {x: zip}, key: [id], page: 9, fields: {A: a}}}\n",
         "a paged array is linked to the whole key"},
        {TEXT "  arrays: {B: {table: d.B, on: {x: id}, key: [id], page: 9, order_by: [a], fields: "
              "{A: a}}}\n",
         "a paged array stands in the order of its key"},
        {TEXT "  arrays: {B: {table: d.B, on: {x: id}, key: [id], page: 9, fields: {A: T.a}}}\n",
         "inside a paged array only its own tables' columns"},
        {TEXT "  arrays: {B: {table: d.B, on: {x: id}, group_by: [J.id], page: 9, joins: [{table: "
              "d.J, on: {id: j}}], fields: {A: J.id}}}\n",
         "must be `required: true`"},
        {TEXT "  arrays: {B: {table: d.B, on: {x: id}, key: [id], page: 1, fields: {A: a}}}\n",
         "a number of elements, 2 to 100000"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct map_test t;

        assert_false(map_test_try(&t, refused[i].text));
        if (!strstr(t.e.text, refused[i].reason))
            fail_msg("%s", t.e.text);
        map_test_end(&t);
    }
}

static void test_limits(void **state)
{
    char text[8192] = AGG "  fields:\n";
    size_t n = strlen(text);
    struct map_test t;

    (void)state;
    for (int i = 0; i < MAP_COLUMNS_MAX + 1; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "    F%d: c%d\n", i, i);
    assert_false(map_test_try(&t, text));
    assert_non_null(strstr(t.e.text, "more than 64 columns of one table"));
    map_test_end(&t);
}

static void test_shop(void **state)
{
    struct map_test t;
    const struct aggregate *a;

    (void)state;
    map_test_begin(&t, map_test_shop);
    a = t.mapping->aggregates[0];
    assert_int_equal(a->n_levels, 3);
    assert_int_equal(a->n_tables, 5);
    assert_string_equal(a->tables[2].name, "Order");
    assert_int_equal(a->tables[2].parent, 0);
    assert_int_equal(a->tables[4].parent, 3);
    assert_true(a->tables[4].required);
    assert_int_equal(a->levels[2].parent, 1);
    assert_int_equal(a->levels[2].depth, 2);
    assert_int_equal(a->levels[1].n_ops, 3);
    assert_int_equal(a->levels[1].ops[1].fold, MAP_FOLD_SUM);
    assert_int_equal(a->levels[1].ops[1].of, 2);
    assert_int_equal(a->levels[1].ops[2].kind, MAP_OP_ARRAY);
    assert_true(a->levels[1].order[0].descending);
    map_test_end(&t);
}

/* Objects inside each other become BEGIN and END ops; names are told apart per object. */
static void test_objects(void **state)
{
    static const enum map_op_kind kinds[] = {MAP_OP_OBJECT, MAP_OP_VALUE, MAP_OP_OBJECT,
                                             MAP_OP_VALUE,  MAP_OP_END,   MAP_OP_VALUE,
                                             MAP_OP_END,    MAP_OP_VALUE};
    struct map_test t;
    const struct map_level *l;

    (void)state;
    map_test_begin(&t, AGG "  fields:\n"
                           "    O: {unless_null: a, fields: {A: a, P: {fields: {A: b}}, B: b}}\n"
                           "    A: a\n");
    l = aggregate_root(t.mapping->aggregates[0]);
    assert_int_equal(l->n_ops, ARRAY_LEN(kinds));
    for (int i = 0; i < l->n_ops; i++)
        assert_int_equal(l->ops[i].kind, kinds[i]);
    map_test_end(&t);
    assert_false(map_test_try(&t, AGG "  fields: {O: {fields: {A: a}}, O: {fields: {A: a}}}\n"));
    map_test_end(&t);
}

/* The mappings of the example files are ones. */
static void test_examples(void **state)
{
    static const char *const files[] = {"conf/pos.example.yaml", "conf/pos-paged.example.yaml",
                                        "conf/mirror-only.example.yaml",
                                        "conf/rentals.example.yaml", "conf/stores.example.yaml"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct err e = {.kind = ERR_NONE};
        struct conf *c = conf_load(files[i], &e);
        struct mapping *m = c ? mapping_new(c->mirror.aggregates, &e) : NULL;

        if (!m)
            fail_msg("%s", e.text);
        mapping_free(m);
        conf_unref(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),  cmocka_unit_test(test_limits),
        cmocka_unit_test(test_paged),   cmocka_unit_test(test_shop),
        cmocka_unit_test(test_objects), cmocka_unit_test(test_examples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
