/* docs/configuration.md is what the schema prints. TILLWAY_WRITE_DOCS=1 in the environment writes
 * it anew. Runs in the root of the tree. */
#include "conf/conf.h"
#include "conf/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char page[] = "docs/configuration.md";

static char *printed(size_t *n)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, n);

    assert_non_null(out);
    conf_print_reference(out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void write_page(const char *text, size_t n)
{
    FILE *f = fopen(page, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void test_page_is_up_to_date(void **state)
{
    static char there[1 << 18];
    size_t want_n;
    char *want = printed(&want_n);
    size_t n;
    FILE *f;

    (void)state;
    if (getenv("TILLWAY_WRITE_DOCS")) /* NOLINT(concurrency-mt-unsafe): one thread */
        write_page(want, want_n);
    f = fopen(page, "r");
    assert_non_null(f);
    n = fread(there, 1, sizeof there, f);
    assert_int_equal(fclose(f), 0);
    if (n != want_n || memcmp(there, want, n) != 0)
        print_error("%s is not what conf/schema.c says; run this test with TILLWAY_WRITE_DOCS=1\n",
                    page);
    assert_int_equal(n, want_n);
    assert_memory_equal(there, want, n);
    free(want);
}

static void test_every_key_is_explained(void **state)
{
    size_t n;
    char *text = printed(&n);

    (void)state;
    for (size_t i = 0; i < conf_schema_count; i++) {
        assert_true(strlen(conf_schema[i].help) > 0);
        assert_non_null(strstr(text, conf_schema[i].help));
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_is_up_to_date),
        cmocka_unit_test(test_every_key_is_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
