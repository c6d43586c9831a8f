#include "mirror/document/validator.h"

#include "unit/mirror_map.h"
#include "unit/mirror_rows.h"

/* Columns of one level as letters: i(nteger), n(umber of 20 digits), N(umber of 60), d(ouble),
 * D(ate), t(ext), b(inary). */
static void columns_init(struct fake_rows *f, struct value_shape *shapes, const char *letters)
{
    static const enum value_kind kinds[] = {
        ['i'] = VALUE_INT,  ['n'] = VALUE_DECIMAL, ['N'] = VALUE_DECIMAL, ['d'] = VALUE_DOUBLE,
        ['D'] = VALUE_DATE, ['t'] = VALUE_TEXT,    ['b'] = VALUE_BINARY,
    };

    *f = (struct fake_rows){.at = 0};
    f->base = (struct rows){
        .n_columns = (int)strlen(letters), .kinds = f->kinds, .shapes = shapes, .next = fake_next};
    for (size_t i = 0; letters[i]; i++) {
        f->kinds[i] = kinds[(unsigned char)letters[i]];
        shapes[i].digits = letters[i] == 'N' ? 60 : 20;
    }
}

/* The value at a path of the schema, as JSON. */
static void check_at(const bson_t *validator, const char *path, const char *json)
{
    bson_t value = BSON_INITIALIZER;
    bson_iter_t it;
    bson_iter_t at;
    char *text;

    assert_true(bson_iter_init(&it, validator));
    if (!bson_iter_find_descendant(&it, path, &at)) {
        assert_null(json);
        return;
    }
    assert_non_null(json);
    (void)bson_append_iter(&value, "", 0, &at);
    text = bson_as_relaxed_extended_json(&value, NULL);
    assert_string_equal(text, json);
    bson_free(text);
    bson_destroy(&value);
}

#define TOP "$jsonSchema.properties."

static void test_shop(void **state)
{
    struct value_shape shapes[3][CELLS_MAX];
    struct map_test t;
    struct fake_rows f[3];
    struct rows *rows[] = {&f[0].base, &f[1].base, &f[2].base};
    bson_t out = BSON_INITIALIZER;

    (void)state;
    map_test_begin(&t, map_test_shop);
    columns_init(&f[0], shapes[0], "iit");
    columns_init(&f[1], shapes[1], "iiiN");
    columns_init(&f[2], shapes[2], "iiitn");
    validator_make(t.plan, rows, &out);
    check_at(&out, "$jsonSchema.title", "{ \"\" : \"made by Tillway of the mapping\" }");
    check_at(&out, "$jsonSchema.required",
             "{ \"\" : [ \"_id\", \"_tillway\", \"ID\", \"Name\", \"Orders\" ] }");
    check_at(&out, "$jsonSchema.additionalProperties", "{ \"\" : false }");
    check_at(&out, TOP "_id.bsonType", "{ \"\" : [ \"long\", \"decimal\" ] }");
    check_at(&out, TOP "Name.bsonType", "{ \"\" : [ \"string\", \"null\" ] }");
    check_at(&out, TOP "Orders.bsonType", "{ \"\" : \"array\" }");
    check_at(&out, TOP "Orders.items.required", "{ \"\" : [ \"Order\", \"Total\", \"Items\" ] }");
    check_at(&out, TOP "Orders.items.properties.Total.bsonType",
             "{ \"\" : [ \"decimal\", \"string\" ] }");
    check_at(&out, TOP "Orders.items.properties.Items.items.properties.Product.bsonType",
             "{ \"\" : \"string\" }");
    check_at(&out, TOP "Orders.items.properties.Items.items.properties.Count.bsonType",
             "{ \"\" : \"decimal\" }");
    bson_destroy(&out);
    map_test_end(&t);
}

/* What may be missing: NULL columns, joins without a row, zero dates, folds over nothing. */
static void test_null(void **state)
{
    static const char text[] =
        "- collection: c\n  table: d.C\n  key: [id, no]\n"
        "  joins: [{table: d.J, on: {id: id}}, {table: d.R, on: {id: no}, required: true}]\n"
        "  fields: {N: n, M: m, D: d, J: J.n, R: R.n, T: {column: m, type: text}, S: {sum: "
        "\"{x}\", of: A},"
        " H: {max: \"{x}\", of: A}, O: {fields: {F: m}}, P: {unless_null: n, fields: {F: m}}}\n"
        "  arrays:\n    A: {table: d.A, on: {id: id}, key: [k], fields: {X: {column: x, type: "
        "int}}}\n";
    static const struct {
        const char *path, *json;
    } fields[] = {
        {"_id.required", "{ \"\" : [ \"id\", \"no\" ] }"},
        {"_id.properties.no.bsonType", "{ \"\" : \"string\" }"},
        {"N.bsonType", "{ \"\" : [ \"double\", \"null\" ] }"},
        {"M.bsonType", "{ \"\" : \"binData\" }"},
        {"D.bsonType", "{ \"\" : [ \"date\", \"null\" ] }"},
        {"J.bsonType", "{ \"\" : [ \"double\", \"null\" ] }"},
        {"R.bsonType", "{ \"\" : \"double\" }"},
        {"T.bsonType", "{ \"\" : [ \"string\", \"null\" ] }"},
        {"S.bsonType", "{ \"\" : \"decimal\" }"},
        {"H.bsonType", "{ \"\" : [ \"decimal\", \"null\" ] }"},
        {"O.bsonType", "{ \"\" : \"object\" }"},
        {"O.properties.F.bsonType", "{ \"\" : \"binData\" }"},
        {"P.bsonType", "{ \"\" : [ \"object\", \"null\" ] }"},
        {"A.items.properties.X.bsonType", "{ \"\" : [ \"long\", \"decimal\", \"string\" ] }"},
    };
    struct value_shape shapes[2][16];
    struct map_test t;
    struct fake_rows f[2];
    enum value_kind kinds[16];
    struct rows *rows[] = {&f[0].base, &f[1].base};
    bson_t out = BSON_INITIALIZER;

    (void)state;
    map_test_begin(&t, text);
    map_test_column(&t, 0, "n")->nullable = true;
    columns_init(&f[0], shapes[0], "itdbDdd"); /* N to R … */
    memcpy(kinds, f[0].kinds, sizeof f[0].kinds);
    for (int i = 0; i < 16; i++)
        shapes[0][i].digits = 20;
    kinds[7] = VALUE_TEXT; /* … T, S, H, O.F, what P must not lack, P.F */
    kinds[8] = kinds[9] = VALUE_DECIMAL;
    kinds[10] = kinds[12] = VALUE_BINARY;
    kinds[11] = VALUE_DOUBLE;
    f[0].base.kinds = kinds;
    columns_init(&f[1], shapes[1], "itin");
    validator_make(t.plan, rows, &out);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        char path[128];

        (void)snprintf(path, sizeof path, TOP "%s", fields[i].path);
        check_at(&out, path, fields[i].json);
    }
    bson_destroy(&out);
    map_test_end(&t);
}

/* Heads and pages are in one collection: only what both have is required. */
static void test_pages(void **state)
{
    static const char text[] =
        "- collection: c\n  table: d.C\n  key: [id]\n"
        "  fields: {ID: id, Name: name}\n  arrays:\n"
        "    O: {table: d.O, on: {c: id}, key: [no], page: 9, fields: {T: t}}\n";
    struct value_shape shapes[2][CELLS_MAX];
    struct map_test t;
    struct fake_rows f[2];
    struct rows *rows[] = {&f[0].base, &f[1].base};
    bson_t out = BSON_INITIALIZER;

    (void)state;
    map_test_begin(&t, text);
    columns_init(&f[0], shapes[0], "iit");
    columns_init(&f[1], shapes[1], "iit");
    validator_make(t.plan, rows, &out);
    check_at(&out, "$jsonSchema.required", "{ \"\" : [ \"_id\", \"_tillway\", \"O\" ] }");
    check_at(&out, TOP "_id.anyOf.0.bsonType", "{ \"\" : [ \"long\", \"decimal\" ] }");
    check_at(&out, TOP "_id.anyOf.1.properties.from.bsonType",
             "{ \"\" : [ \"long\", \"decimal\" ] }");
    check_at(&out, TOP "O.items.required", "{ \"\" : [ \"T\" ] }");
    bson_destroy(&out);
    map_test_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shop),
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
