#include "mirror/document/page_cache.h"

#include "unit/check.h"

#include <stdio.h>
#include <stdlib.h>

/* {_id: 7, B: [{k: …} …], z: 1}, and the elements of B: as many as there are keys. */
static struct page_elements elements(const char *const *keys, const char *value)
{
    struct page_elements out = page_elements_none();
    struct buf noted = buf_with_max(1000);
    bson_t doc = BSON_INITIALIZER;
    bson_t array;

    (void)bson_append_int32(&doc, "_id", -1, 7);
    (void)bson_append_array_begin(&doc, "B", -1, &array);
    for (; *keys; keys++) {
        bson_t *one = BCON_NEW("k", BCON_UTF8(*keys), "v", BCON_UTF8(value));
        const struct span key = span_of(*keys);

        (void)bson_append_document(&array, "0", -1, one);
        page_elements_put_key(&noted, &key, 1);
        bson_destroy(one);
    }
    (void)bson_append_array_end(&doc, &array);
    assert_true(page_elements_take(&out, &doc, "B", &noted, 1));
    bson_destroy(&doc);
    buf_free(&noted);
    return out;
}

/* The document with the elements in it, as JSON without blanks. */
static const char *shown(const struct page_elements *e)
{
    static char out[1000];
    bson_t *doc = BCON_NEW("_id", BCON_INT32(7), "B", "[", "{", "old", BCON_INT32(1), "}", "]", "z",
                           BCON_INT32(1));
    bson_t with = BSON_INITIALIZER;
    size_t n = 0;
    char *json;

    assert_true(page_elements_show(e, doc, "B", 1, &with));
    json = bson_as_relaxed_extended_json(&with, NULL);
    for (const char *c = json; *c; c++)
        if (*c != ' ')
            out[n++] = *c;
    out[n] = '\0';
    bson_free(json);
    bson_destroy(&with);
    bson_destroy(doc);
    return out;
}

static void add_pair(struct keyset *pairs, const char *root, const char *element)
{
    const struct span pair[] = {span_of(root), span_of(element)};

    assert_true(keyset_add(pairs, pair));
}

/* Changed, gone and new elements; what was not touched stays. */
static void test_change(void **state)
{
    struct page_elements old = elements((const char *[]){"2", "9", "10", "30", NULL}, "o");
    struct page_elements fresh = elements((const char *[]){"-1", "10", "011", "40", NULL}, "n");
    struct page_elements now = page_elements_none();
    const struct span root = span_of("5");
    struct page_touched touched;
    struct keyset pairs;
    size_t from;
    size_t to;

    (void)state;
    keyset_init(&pairs, 2, 1 << 20);
    add_pair(&pairs, "5", "40");
    add_pair(&pairs, "50", "2");
    add_pair(&pairs, "5", "9");
    add_pair(&pairs, "5", "-1");
    add_pair(&pairs, "5", "10");
    add_pair(&pairs, "4", "30");
    add_pair(&pairs, "5", "11");
    assert_true(page_touched_init(&touched, &pairs, 1));
    page_touched_within(&touched, &(struct window_bounds){.root = &root}, &from, &to);
    assert_int_equal(to - from, 5);
    assert_true(page_elements_change(&now, &old, &fresh, &touched, from, to));
    assert_int_equal(now.n, 6);
    assert_string_equal(
        shown(&now),
        "{\"_id\":7,\"B\":[{\"k\":\"-1\",\"v\":\"n\"},{\"k\":\"2\",\"v\":\"o\"},"
        "{\"k\":\"10\",\"v\":\"n\"},{\"k\":\"011\",\"v\":\"n\"},{\"k\":\"30\",\"v\":\"o\"},"
        "{\"k\":\"40\",\"v\":\"n\"}],\"z\":1}");
    page_touched_free(&touched);
    keyset_free(&pairs);
    buf_free(&old.bytes);
    buf_free(&fresh.bytes);
    buf_free(&now.bytes);
}

/* Which touched elements are in the range of a page. */
static void test_within(void **state)
{
    static const char *const elements_of_5[] = {"1", "20", "3", "100"};
    const struct span root = span_of("5");
    const struct span three = span_of("3");
    const struct span hundred = span_of("100");
    const struct span missing = span_of("6");
    struct page_touched t;
    struct keyset pairs;
    size_t from;
    size_t to;

    (void)state;
    keyset_init(&pairs, 2, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(elements_of_5); i++)
        add_pair(&pairs, "5", elements_of_5[i]);
    add_pair(&pairs, "7", "3");
    assert_true(page_touched_init(&t, &pairs, 1));
    page_touched_within(&t, &(struct window_bounds){&root, NULL, &three}, &from, &to);
    assert_int_equal(to - from, 1); /* 1 */
    page_touched_within(&t, &(struct window_bounds){&root, &three, &hundred}, &from, &to);
    assert_int_equal(to - from, 2); /* 3 and 20 */
    page_touched_within(&t, &(struct window_bounds){&root, &hundred, NULL}, &from, &to);
    assert_int_equal(to - from, 1); /* 100 */
    page_touched_within(&t, &(struct window_bounds){&missing, NULL, NULL}, &from, &to);
    assert_int_equal(to - from, 0);
    page_touched_free(&t);
    keyset_free(&pairs);
}

static void put(struct page_cache *c, const char *root, const char *from, const char *value)
{
    struct page_elements e = elements((const char *[]){"1", NULL}, value);
    const struct span r = span_of(root);
    const struct span f = span_of(from ? from : "");

    page_cache_put(c, &r, from ? &f : NULL, &e);
    buf_free(&e.bytes);
}

static bool has(struct page_cache *c, const char *root, const char *from, const char *value)
{
    const struct span r = span_of(root);
    const struct span f = span_of(from ? from : "");
    const struct page_elements *e = page_cache_find(c, &r, from ? &f : NULL);
    char wanted[100];

    (void)snprintf(wanted, sizeof wanted, "\"v\":\"%s\"", value);
    return e && strstr(shown(e), wanted);
}

/* Heads and pages apart; a number is the same with zeros before it; put over what is there. */
static void test_names(void **state)
{
    const struct span five = span_of("5");
    struct page_cache c;

    (void)state;
    page_cache_init(&c, 1, 1, 1 << 20);
    put(&c, "5", NULL, "head");
    put(&c, "5", "1", "page");
    put(&c, "51", NULL, "other");
    assert_true(has(&c, "005", NULL, "head"));
    assert_true(has(&c, "5", "01", "page"));
    assert_true(has(&c, "51", NULL, "other"));
    assert_false(has(&c, "5", "2", "page"));
    put(&c, "05", NULL, "newer");
    assert_true(has(&c, "5", NULL, "newer"));
    page_cache_drop(&c, &five, NULL);
    assert_false(has(&c, "5", NULL, "newer"));
    assert_true(has(&c, "5", "1", "page"));
    page_cache_clear(&c);
    assert_false(has(&c, "5", "1", "page"));
    assert_int_equal(c.bytes, 0);
    page_cache_free(&c);
}

/* What was used longest ago makes room. */
static void test_room(void **state)
{
    struct page_cache c;
    size_t one;

    (void)state;
    page_cache_init(&c, 1, 1, 1 << 20);
    put(&c, "1", NULL, "a");
    one = c.bytes;
    c.max_bytes = 3 * one;
    put(&c, "2", NULL, "b");
    put(&c, "3", NULL, "c");
    assert_true(has(&c, "1", NULL, "a"));
    put(&c, "4", NULL, "d");
    assert_false(has(&c, "2", NULL, "b"));
    assert_true(has(&c, "1", NULL, "a"));
    assert_true(has(&c, "3", NULL, "c"));
    assert_true(has(&c, "4", NULL, "d"));
    assert_int_equal(c.bytes, 3 * one);
    page_cache_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_change),
        cmocka_unit_test(test_within),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
