#include "mirror/source/source_order.h"

#include "unit/check.h"

#include <mysql.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 3, ROWS_MAX = 8, TEXT_MAX = 16 };

/* A result as mysql_store_result leaves it. */
struct result {
    MYSQL_RES res;
    MYSQL_DATA data;
    MYSQL_ROWS rows[ROWS_MAX];
    char *cells[ROWS_MAX][COLUMNS];
    char texts[ROWS_MAX][COLUMNS][TEXT_MAX];
};

static void init(struct result *r, const char *const (*cells)[COLUMNS], size_t n)
{
    memset(r, 0, sizeof *r);
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < COLUMNS; k++) {
            if (!cells[i][k])
                continue;
            (void)snprintf(r->texts[i][k], TEXT_MAX, "%s", cells[i][k]);
            r->cells[i][k] = r->texts[i][k];
        }
        r->rows[i] = (MYSQL_ROWS){i + 1 < n ? &r->rows[i + 1] : NULL, r->cells[i], 0};
    }
    r->data.data = n ? r->rows : NULL;
    r->data.rows = n;
    r->res.data = &r->data;
    r->res.data_cursor = r->data.data;
}

/* The last cells, in the order in which the rows are fetched. */
static void check(const struct result *r, const char *names)
{
    char got[64] = "";

    for (const MYSQL_ROWS *row = r->res.data_cursor; row; row = row->next)
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s", row->data[COLUMNS - 1]);
    assert_string_equal(got, names);
    assert_ptr_equal(r->data.data, r->res.data_cursor);
}

static void test_numbers(void **state)
{
    static const char *const cells[][COLUMNS] = {
        {"10", "-2", "f"}, {"9", "1.50", "d"}, {"9", "-1.50", "c"}, {"10", "-10", "e"},
        {"-3", "7", "a"},  {"9", NULL, "b"},   {"0010", "3", "g"},
    };
    struct result r;

    (void)state;
    init(&r, cells, ARRAY_LEN(cells));
    assert_true(source_order(&r.res, 2));
    check(&r, "abcdefg");
}

static void test_in_order(void **state)
{
    static const char *const cells[][COLUMNS] = {
        {"1", "5", "a"}, {"1", "5", "b"}, {"2", "4", "c"}, {"11", "3", "d"}};
    struct result r;

    (void)state;
    init(&r, cells, ARRAY_LEN(cells));
    assert_true(source_order(&r.res, 2));
    check(&r, "abcd");
    /* Only the columns that are asked for count. */
    init(&r, cells, ARRAY_LEN(cells));
    assert_true(source_order(&r.res, 1));
    check(&r, "abcd");
    init(&r, NULL, 0);
    assert_true(source_order(&r.res, 2));
    check(&r, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
