#include "mirror/document/value.h"

#include "unit/check.h"

/* {"f": value} as canonical extended JSON. */
static void check_json(enum value_kind kind, const char *text, const char *json)
{
    bson_t doc = BSON_INITIALIZER;
    struct err e;
    char *got;

    if (!value_append(&doc, "f", kind, text ? span_of(text) : (struct span){NULL, 0}, &e))
        fail_msg("%s: %s", text, e.text);
    got = bson_as_canonical_extended_json(&doc, NULL);
    assert_string_equal(got, json);
    bson_free(got);
    bson_destroy(&doc);
}

static void test_values(void **state)
{
    static const struct {
        enum value_kind kind;
        const char *text, *json;
    } cases[] = {
        {VALUE_INT, "42", "{ \"f\" : { \"$numberLong\" : \"42\" } }"},
        {VALUE_INT, "-9223372036854775808",
         "{ \"f\" : { \"$numberLong\" : \"-9223372036854775808\" } }"},
        {VALUE_INT, "18446744073709551615",
         "{ \"f\" : { \"$numberDecimal\" : \"18446744073709551615\" } }"},
        {VALUE_DECIMAL, "10.50", "{ \"f\" : { \"$numberDecimal\" : \"10.50\" } }"},
        {VALUE_DECIMAL, "0.00", "{ \"f\" : { \"$numberDecimal\" : \"0.00\" } }"},
        {VALUE_DECIMAL, "-1234567890123456789012345678901234",
         "{ \"f\" : { \"$numberDecimal\" : \"-1234567890123456789012345678901234\" } }"},
        {VALUE_DECIMAL, "12345678901234567890123456789012345.1",
         "{ \"f\" : \"12345678901234567890123456789012345.1\" }"},
        {VALUE_DOUBLE, "1.5", "{ \"f\" : { \"$numberDouble\" : \"1.5\" } }"},
        {VALUE_TEXT, "", "{ \"f\" : \"\" }"},
        {VALUE_TEXT, "h\xc3\xa9 \xf0\x9f\x98\x80", "{ \"f\" : \"h\xc3\xa9 \xf0\x9f\x98\x80\" }"},
        {VALUE_BINARY, "abc",
         "{ \"f\" : { \"$binary\" : { \"base64\" : \"YWJj\", \"subType\" : \"00\" } } }"},
        {VALUE_BOOL, "1", "{ \"f\" : true }"},
        {VALUE_BOOL, "0.00", "{ \"f\" : false }"},
        {VALUE_DATE, "1970-01-01", "{ \"f\" : { \"$date\" : { \"$numberLong\" : \"0\" } } }"},
        {VALUE_DATE, "2024-02-29 13:14:15.678901",
         "{ \"f\" : { \"$date\" : { \"$numberLong\" : \"1709212455678\" } } }"},
        {VALUE_DATE, "1951-08-18",
         "{ \"f\" : { \"$date\" : { \"$numberLong\" : \"-579830400000\" } } }"},
        {VALUE_DATE, "0000-00-00", "{ \"f\" : null }"},
        {VALUE_DATE, "2024-00-10 00:00:00", "{ \"f\" : null }"},
        {VALUE_INT, NULL, "{ \"f\" : null }"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_json(cases[i].kind, cases[i].text, cases[i].json);
}

static void test_no_number(void **state)
{
    bson_t doc = BSON_INITIALIZER;
    struct err e;

    (void)state;
    assert_false(value_append(&doc, "f", VALUE_INT, span_of(""), &e));
    assert_string_equal(e.text, "field `f`: the value is no number");
    bson_destroy(&doc);
}

/* What a key was in SQL comes back from its BSON value. */
static void test_back_to_text(void **state)
{
    static const struct {
        enum value_kind kind;
        const char *text, *back;
    } cases[] = {
        {VALUE_INT, "-7", "-7"},
        {VALUE_INT, "18446744073709551615", "18446744073709551615"},
        {VALUE_DECIMAL, "1.50", "1.50"},
        {VALUE_DECIMAL, "-0.0000000120", "-0.0000000120"},
        {VALUE_DECIMAL, "0.000000000000000000000000000000", "0.000000000000000000000000000000"},
        {VALUE_DECIMAL, "-12345678901234567890123456789012345.1",
         "-12345678901234567890123456789012345.1"},
        {VALUE_TEXT, "a'b", "a'b"},
        {VALUE_BINARY, "x\x01", "x\x01"},
        {VALUE_DATE, "1951-08-18", "1951-08-18 00:00:00.000"},
        {VALUE_DATE, "2024-02-29 13:14:15.678", "2024-02-29 13:14:15.678"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bson_t doc = BSON_INITIALIZER;
        struct buf out = buf_with_max(1000);
        struct err e;
        bson_iter_t it;

        assert_true(value_append(&doc, "f", cases[i].kind, span_of(cases[i].text), &e));
        assert_true(bson_iter_init_find(&it, &doc, "f"));
        assert_true(value_text(&it, &out));
        assert_string_equal(buf_text(&out), cases[i].back);
        buf_free(&out);
        bson_destroy(&doc);
    }
}

static void test_not_a_key(void **state)
{
    bson_t doc = BSON_INITIALIZER;
    struct buf out = buf_with_max(1000);
    bson_oid_t oid;
    bson_iter_t it;

    (void)state;
    bson_oid_init(&oid, NULL);
    assert_true(bson_append_oid(&doc, "f", -1, &oid));
    assert_true(bson_iter_init_find(&it, &doc, "f"));
    assert_false(value_text(&it, &out));
    buf_free(&out);
    bson_destroy(&doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_no_number),
        cmocka_unit_test(test_back_to_text),
        cmocka_unit_test(test_not_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
