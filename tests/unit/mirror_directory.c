#include "mirror/document/directory.h"
#include "mirror/mapping/number.h"

#include "unit/check.h"

#include <stdio.h>
#include <string.h>

static void add(struct directory *d, const char *root, const char *from)
{
    struct span r = span_of(root);
    struct span f = span_of(from);

    assert_true(directory_add(d, &r, &f));
}

static void check(const struct span *got, const char *wanted)
{
    if (!wanted) {
        assert_null(got);
        return;
    }
    assert_non_null(got);
    assert_true(span_eq(*got, wanted));
}

static void check_find(const struct directory *d, const char *root, const char *element,
                       const char *wanted)
{
    struct span r = span_of(root);
    struct span x = span_of(element);

    check(directory_find(d, &r, &x), wanted);
}

static void check_next(const struct directory *d, const char *root, const char *from,
                       const char *wanted)
{
    struct span r = span_of(root);
    struct span x = span_of(from ? from : "");

    check(directory_next(d, &r, from ? &x : NULL), wanted);
}

static void test_compare(void **state)
{
    static const char *const order[] = {"-100", "-99.5",  "-1", "0",
                                        "7",    "007.50", "12", "18446744073709551615"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        for (size_t k = 0; k < ARRAY_LEN(order); k++) {
            int got = number_compare(span_of(order[i]), span_of(order[k]));

            if (strchr(order[i], '.') || strchr(order[k], '.'))
                continue; /* only of one scale */
            assert_int_equal((got > 0) - (got < 0), (i > k) - (i < k));
        }
    assert_true(number_compare(span_of("1.50"), span_of("10.25")) < 0);
    assert_true(number_compare(span_of("-1.50"), span_of("-10.25")) > 0);
    assert_int_equal(number_compare(span_of("007"), span_of("7")), 0);
}

static void test_find(void **state)
{
    struct directory d;

    (void)state;
    directory_init(&d, 1, 1, 1 << 20);
    check_find(&d, "1", "5", NULL);
    add(&d, "1", "100");
    add(&d, "2", "-5");
    add(&d, "1", "20");
    add(&d, "1", "20");
    assert_int_equal(d.n, 3);
    check_find(&d, "1", "19", NULL);
    check_find(&d, "1", "20", "20");
    check_find(&d, "1", "99", "20");
    check_find(&d, "1", "1000", "100");
    check_find(&d, "2", "-6", NULL);
    check_find(&d, "2", "1", "-5");
    check_find(&d, "3", "1", NULL);
    check_next(&d, "1", NULL, "20");
    check_next(&d, "1", "20", "100");
    check_next(&d, "1", "21", "100");
    check_next(&d, "1", "100", NULL);
    check_next(&d, "3", NULL, NULL);
    directory_free(&d);
}

static void test_remove(void **state)
{
    struct directory d;
    struct span root = span_of("1");
    struct span from = span_of("20");

    (void)state;
    directory_init(&d, 1, 1, 1 << 20);
    for (int i = 0; i < 200; i++) {
        char text[16];

        (void)snprintf(text, sizeof text, "%d", (i * 37) % 200);
        add(&d, "1", text);
    }
    assert_int_equal(d.n, 200);
    directory_remove(&d, &root, &from);
    directory_remove(&d, &root, &from);
    assert_int_equal(d.n, 199);
    check_find(&d, "1", "20", "19");
    assert_true(directory_has(&d, &root));
    directory_clear(&d);
    assert_false(directory_has(&d, &root));
    directory_free(&d);
}

static void test_composite(void **state)
{
    struct directory d;
    const struct span root[] = {BYTES("41"), BYTES("1")};
    const struct span from[] = {BYTES("3"), BYTES("10")};
    const struct span below[] = {BYTES("3"), BYTES("9")};
    const struct span above[] = {BYTES("11"), BYTES("0")};
    const struct span other[] = {BYTES("4"), BYTES("11")};

    (void)state;
    directory_init(&d, 2, 2, 1 << 20);
    assert_true(directory_add(&d, root, from));
    assert_null(directory_find(&d, root, below));
    assert_non_null(directory_find(&d, root, from));
    assert_non_null(directory_find(&d, root, above));
    assert_null(directory_find(&d, other, above));
    directory_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_composite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
