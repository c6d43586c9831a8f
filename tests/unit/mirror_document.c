#include "mirror/document/document.h"

#include "unit/mirror_map.h"
#include "unit/mirror_rows.h"

static void fake_init(struct fake_rows *f, const char *const (*rows)[CELLS_MAX], int n, int columns)
{
    *f = (struct fake_rows){.rows = rows};
    f->base = (struct rows){.n_columns = columns,
                            .kinds = f->kinds,
                            .cells = f->cells,
                            .n_rows = (uint64_t)n,
                            .next = fake_next};
    for (int i = 0; i < columns; i++)
        f->kinds[i] = VALUE_TEXT;
    f->kinds[0] = VALUE_INT;
}

static void check_next(struct document_merge *m, const char *json)
{
    bson_t doc = BSON_INITIALIZER;
    struct err e = {.kind = ERR_NONE};
    int got = document_next(m, &doc, &e);

    if (got == 1) {
        char *text = bson_as_relaxed_extended_json(&doc, NULL);

        assert_non_null(json);
        assert_string_equal(text, json);
        bson_free(text);
    } else if (json) {
        fail_msg("%d: %s", got, e.text);
    }
    assert_int_equal(got, json ? 1 : 0);
    bson_destroy(&doc);
}

static void test_merge(void **state)
{
    static const char *const roots[][CELLS_MAX] = {
        {"1", "1", "Ann"}, {"2", "2", NULL}, {"3", "3", "Cy"}};
    static const char *const orders[][CELLS_MAX] = {
        {"1", "10", "10", "5.00"}, {"1", "11", "11", "0.00"}, {"3", "12", "12", "7.00"}};
    static const char *const items[][CELLS_MAX] = {
        {"1", "10", "7", "Pan", "2"}, {"1", "10", "8", "Pot", "1"}, {"3", "12", "7", "Pan", "4"}};
    struct map_test t;
    struct fake_rows f[3];
    struct rows *rows[] = {&f[0].base, &f[1].base, &f[2].base};
    struct document_merge m;

    (void)state;
    map_test_begin(&t, map_test_shop);
    fake_init(&f[0], roots, 3, 3);
    fake_init(&f[1], orders, 3, 4);
    fake_init(&f[2], items, 3, 5);
    document_begin(&m, t.plan, rows);
    check_next(
        &m,
        "{ \"_id\" : 1, \"ID\" : \"1\", \"Name\" : \"Ann\", \"Orders\" : [ { \"Order\" : \"10\","
        " \"Total\" : \"5.00\", \"Items\" : [ { \"Product\" : \"Pan\", \"Count\" : {"
        " \"$numberDecimal\" : \"2\" } }, { \"Product\" : \"Pot\", \"Count\" : {"
        " \"$numberDecimal\" : \"1\" } } ] }, { \"Order\" : \"11\", \"Total\" : \"0.00\","
        " \"Items\" : [  ] } ] }");
    check_next(&m, "{ \"_id\" : 2, \"ID\" : \"2\", \"Name\" : null, \"Orders\" : [  ] }");
    check_next(
        &m, "{ \"_id\" : 3, \"ID\" : \"3\", \"Name\" : \"Cy\", \"Orders\" : [ { \"Order\" : \"12\","
            " \"Total\" : \"7.00\", \"Items\" : [ { \"Product\" : \"Pan\", \"Count\" : {"
            " \"$numberDecimal\" : \"4\" } } ] } ] }");
    check_next(&m, NULL);
    map_test_end(&t);
}

/* A child row without its parent: the results are not of one snapshot, or not in one order. */
static void test_orphan(void **state)
{
    static const char *const roots[][CELLS_MAX] = {{"1", "1", "Ann"}};
    static const char *const orders[][CELLS_MAX] = {{"9", "10", "10", "5.00"}};
    struct map_test t;
    struct fake_rows f[3];
    struct rows *rows[] = {&f[0].base, &f[1].base, &f[2].base};
    struct document_merge m;
    struct err e = {.kind = ERR_NONE};
    bson_t doc = BSON_INITIALIZER;

    (void)state;
    map_test_begin(&t, map_test_shop);
    fake_init(&f[0], roots, 1, 3);
    fake_init(&f[1], orders, 1, 4);
    fake_init(&f[2], NULL, 0, 5);
    document_begin(&m, t.plan, rows);
    check_next(&m, "{ \"_id\" : 1, \"ID\" : \"1\", \"Name\" : \"Ann\", \"Orders\" : [  ] }");
    assert_int_equal(document_next(&m, &doc, &e), -1);
    assert_string_equal(e.text, "customers: rows of `Orders` have no parent row");
    bson_destroy(&doc);
    map_test_end(&t);
}

/* An array's limit leaves out the elements behind it, with what hangs on them. */
static void test_limit(void **state)
{
    static const char *const roots[][CELLS_MAX] = {{"1", "1", "Ann"}, {"2", "2", "Bo"}};
    static const char *const orders[][CELLS_MAX] = {{"1", "10", "10", "5.00"},
                                                    {"1", "11", "11", "0.00"},
                                                    {"1", "12", "12", "7.00"},
                                                    {"2", "13", "13", "8.00"}};
    static const char *const items[][CELLS_MAX] = {{"1", "10", "7", "Pan", "2"},
                                                   {"1", "11", "7", "Pan", "1"},
                                                   {"1", "12", "8", "Pot", "4"},
                                                   {"2", "13", "8", "Pot", "3"}};
    struct map_test t;
    struct fake_rows f[3];
    struct rows *rows[] = {&f[0].base, &f[1].base, &f[2].base};
    struct document_merge m;

    (void)state;
    map_test_begin(&t, map_test_shop);
    t.mapping->aggregates[0]->levels[1].limit = 1;
    fake_init(&f[0], roots, 2, 3);
    fake_init(&f[1], orders, 4, 4);
    fake_init(&f[2], items, 4, 5);
    document_begin(&m, t.plan, rows);
    check_next(&m,
               "{ \"_id\" : 1, \"ID\" : \"1\", \"Name\" : \"Ann\", \"Orders\" : [ { \"Order\" :"
               " \"10\", \"Total\" : \"5.00\", \"Items\" : [ { \"Product\" : \"Pan\", \"Count\" :"
               " { \"$numberDecimal\" : \"2\" } } ] } ] }");
    check_next(&m,
               "{ \"_id\" : 2, \"ID\" : \"2\", \"Name\" : \"Bo\", \"Orders\" : [ { \"Order\" :"
               " \"13\", \"Total\" : \"8.00\", \"Items\" : [ { \"Product\" : \"Pot\", \"Count\" :"
               " { \"$numberDecimal\" : \"3\" } } ] } ] }");
    check_next(&m, NULL);
    map_test_end(&t);
}

/* What is over the cut goes into pages, which have the key's fields and nothing else of the root.
 */
static void test_pages(void **state)
{
    static const char *const roots[][CELLS_MAX] = {{"1", "1", "Ann"}, {"2", "2", "Bo"}};
    static const char *const orders[][CELLS_MAX] = {
        {"1", "10", "a"}, {"1", "11", "b"}, {"1", "12", "c"}, {"2", "13", "d"}};
    static const char text[] =
        "- collection: c\n  table: d.C\n  key: [id]\n"
        "  fields: {ID: id, Name: name}\n  arrays:\n"
        "    O: {table: d.O, on: {c: id}, key: [no], page: 9, fields: {T: t}}\n";
    struct map_test t;
    struct fake_rows f[2];
    struct rows *rows[] = {&f[0].base, &f[1].base};
    struct document_merge m;

    (void)state;
    map_test_begin(&t, text);
    fake_init(&f[0], roots, 2, 3);
    fake_init(&f[1], orders, 4, 3);
    f[1].kinds[1] = VALUE_INT;
    document_begin(&m, t.plan, rows);
    m.cut = 1;
    check_next(
        &m, "{ \"_id\" : 1, \"ID\" : \"1\", \"Name\" : \"Ann\", \"O\" : [ { \"T\" : \"a\" } ] }");
    assert_null(m.from);
    check_next(&m, "{ \"_id\" : { \"k\" : 1, \"from\" : 11 }, \"ID\" : \"1\", \"O\" : [ { \"T\" : "
                   "\"b\" } ] }");
    assert_true(m.from && span_eq(m.from[0], "11") && span_eq(m.root[0], "1"));
    check_next(&m, "{ \"_id\" : { \"k\" : 1, \"from\" : 12 }, \"ID\" : \"1\", \"O\" : [ { \"T\" : "
                   "\"c\" } ] }");
    assert_true(m.from && span_eq(m.from[0], "12") && span_eq(m.root[0], "1"));
    check_next(&m,
               "{ \"_id\" : 2, \"ID\" : \"2\", \"Name\" : \"Bo\", \"O\" : [ { \"T\" : \"d\" } ] }");
    assert_null(m.from);
    check_next(&m, NULL);
    map_test_end(&t);
}

static void test_page_key(void **state)
{
    static const char text[] =
        "- collection: c\n  table: d.C\n  key: [id]\n  fields: {ID: id}\n  arrays:\n"
        "    O: {table: d.O, on: {c: id}, key: [a, b], page: 9, fields: {T: t}}\n";
    const enum value_kind kinds[] = {VALUE_INT, VALUE_INT, VALUE_INT};
    const struct span key[] = {BYTES("7"), BYTES("-1"), BYTES("22")};
    struct buf memory = buf_with_max(1000);
    struct err e = {.kind = ERR_NONE};
    bson_t doc = BSON_INITIALIZER;
    struct span got[MAP_KEY_MAX];
    struct map_test t;

    (void)state;
    map_test_begin(&t, text);
    assert_true(document_page_id(t.plan, kinds, key, key + 1, &doc, &e));
    assert_true(document_is_page(t.plan, &doc));
    assert_true(document_page_key(t.plan, &doc, &memory, got));
    for (size_t i = 0; i < ARRAY_LEN(key); i++)
        assert_true(got[i].n == key[i].n && memcmp(got[i].p, key[i].p, key[i].n) == 0);
    assert_true(document_key(t.plan, &doc, &memory, got));
    assert_true(span_eq(got[0], "7"));
    bson_reinit(&doc);
    assert_true(document_id(t.plan, kinds, key, &doc, &e));
    assert_false(document_is_page(t.plan, &doc));
    assert_false(document_page_key(t.plan, &doc, &memory, got));
    bson_destroy(&doc);
    buf_free(&memory);
    map_test_end(&t);
}

static const char objects[] = "- collection: c\n"
                              "  table: d.T\n"
                              "  key: [a, b]\n"
                              "  fields:\n"
                              "    O: {unless_null: x, fields: {X: x, P: {fields: {Y: y}}}}\n"
                              "    Z: z\n";

/* Composite _id, objects inside objects, and an object that is null as a whole. */
static void test_objects(void **state)
{
    static const char *const roots[][CELLS_MAX] = {{"1", "u", "x", "x", "y", "z"},
                                                   {"1", "v", NULL, NULL, "y", "z"}};
    struct map_test t;
    struct fake_rows f;
    struct rows *rows[] = {&f.base};
    struct document_merge m;

    (void)state;
    map_test_begin(&t, objects);
    fake_init(&f, roots, 2, 6);
    document_begin(&m, t.plan, rows);
    check_next(
        &m, "{ \"_id\" : { \"a\" : 1, \"b\" : \"u\" }, \"O\" : { \"X\" : \"x\", \"P\" : { \"Y\" :"
            " \"y\" } }, \"Z\" : \"z\" }");
    check_next(&m, "{ \"_id\" : { \"a\" : 1, \"b\" : \"v\" }, \"O\" : null, \"Z\" : \"z\" }");
    check_next(&m, NULL);
    map_test_end(&t);
}

static void test_key_of_document(void **state)
{
    static const enum value_kind kinds[] = {VALUE_INT, VALUE_TEXT};
    struct span key[] = {BYTES("5"), BYTES("u")};
    struct span got[MAP_KEY_MAX];
    struct buf memory = buf_with_max(1000);
    bson_t doc = BSON_INITIALIZER;
    bson_t other = BSON_INITIALIZER;
    struct map_test t;
    struct err e;

    (void)state;
    map_test_begin(&t, objects);
    assert_true(document_id(t.plan, kinds, key, &doc, &e));
    assert_true(document_key(t.plan, &doc, &memory, got));
    check_span(got[0], "5");
    check_span(got[1], "u");
    assert_true(bson_append_int32(&other, "_id", -1, 5));
    assert_false(document_key(t.plan, &other, &memory, got));
    bson_destroy(&doc);
    bson_destroy(&other);
    buf_free(&memory);
    map_test_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge),           cmocka_unit_test(test_orphan),
        cmocka_unit_test(test_limit),           cmocka_unit_test(test_pages),
        cmocka_unit_test(test_page_key),        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_key_of_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
