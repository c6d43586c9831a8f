#include "mirror/document/window.h"

#include "unit/check.h"
#include "unit/mirror_rows.h"

static struct fake_rows fake(const char *const (*rows)[CELLS_MAX], uint64_t n, int columns)
{
    return (struct fake_rows){.base = {.n_columns = columns, .n_rows = n, .next = fake_next},
                              .rows = rows};
}

/* Moves on; what its rows have in the column, one behind the other. */
static const char *read_window(struct window *w, const struct window_bounds *to, int column)
{
    static char out[100];
    size_t n = 0;

    window_move(w, to);
    out[0] = '\0';
    while (rows_next(&w->base)) {
        struct span cell = w->base.cells[column];

        n += (size_t)snprintf(out + n, sizeof out - n, "%.*s ", (int)cell.n, (const char *)cell.p);
        assert_true(n < sizeof out);
    }
    assert_false(rows_next(&w->base));
    return out;
}

static const struct span root_1[] = {ROW_BYTES("1")};
static const struct span root_2[] = {ROW_BYTES("2")};
static const struct span root_3[] = {ROW_BYTES("3")};
static const struct span root_10[] = {ROW_BYTES("10")};
static const struct span at_3[] = {ROW_BYTES("3")};
static const struct span at_20[] = {ROW_BYTES("20")};

/* A head, a page in the middle that is left out, the last page, and other roots' heads. */
static void test_ranges(void **state)
{
    static const char *const rows[][CELLS_MAX] = {
        {"1", "1", "a"},  {"1", "02", "b"},  {"1", "3", "c"}, {"1", "19", "d"},
        {"1", "20", "e"}, {"1", "100", "f"}, {"3", "2", "g"}, {"10", "1", "h"}};
    struct fake_rows f = fake(rows, ARRAY_LEN(rows), 3);
    struct window w;

    (void)state;
    f.base.cells = f.cells;
    window_init(&w, &f.base, 1, 1, false);
    assert_string_equal(read_window(&w, &(struct window_bounds){root_1, NULL, at_3}, 2), "a b ");
    assert_string_equal(read_window(&w, &(struct window_bounds){root_1, at_20, NULL}, 2), "e f ");
    assert_string_equal(read_window(&w, &(struct window_bounds){root_2, NULL, NULL}, 2), "");
    assert_string_equal(read_window(&w, &(struct window_bounds){root_3, NULL, at_3}, 2), "g ");
    assert_string_equal(read_window(&w, &(struct window_bounds){root_10, NULL, NULL}, 2), "h ");
}

/* Rows of an array beside the paged one: all of a root's in one window. */
static void test_roots(void **state)
{
    static const char *const rows[][CELLS_MAX] = {
        {"1", "9", "a"}, {"1", "8", "b"}, {"2", "9", "c"}, {"10", "1", "d"}};
    struct fake_rows f = fake(rows, ARRAY_LEN(rows), 3);
    struct window w;

    (void)state;
    f.base.cells = f.cells;
    window_init(&w, &f.base, 1, 0, false);
    assert_string_equal(read_window(&w, &(struct window_bounds){root_1, NULL, at_3}, 2), "a b ");
    assert_string_equal(read_window(&w, &(struct window_bounds){root_3, NULL, NULL}, 2), "");
    assert_string_equal(read_window(&w, &(struct window_bounds){root_10, NULL, NULL}, 2), "d ");
}

/* The root's own row is in each of its windows, once. */
static void test_repeated(void **state)
{
    static const char *const rows[][CELLS_MAX] = {{"1", "a"}, {"2", "b"}, {"10", "c"}};
    struct fake_rows f = fake(rows, ARRAY_LEN(rows), 2);
    struct window w;

    (void)state;
    f.base.cells = f.cells;
    window_init(&w, &f.base, 1, 0, true);
    assert_string_equal(read_window(&w, &(struct window_bounds){root_1, NULL, at_3}, 1), "a ");
    assert_string_equal(read_window(&w, &(struct window_bounds){root_1, at_3, NULL}, 1), "a ");
    assert_string_equal(read_window(&w, &(struct window_bounds){root_3, NULL, at_3}, 1), "");
    assert_string_equal(read_window(&w, &(struct window_bounds){root_3, at_3, NULL}, 1), "");
    assert_string_equal(read_window(&w, &(struct window_bounds){root_10, NULL, NULL}, 1), "c ");
}

static void test_none(void **state)
{
    struct window w;

    (void)state;
    window_init(&w, NULL, 1, 1, false);
    assert_string_equal(read_window(&w, &(struct window_bounds){root_1, NULL, NULL}, 0), "");
}

/* A row that can't be read ends them, and that is told on. */
static bool break_next(struct rows *r)
{
    r->broken = true;
    return false;
}

static void test_broken(void **state)
{
    struct rows r = {.next = break_next};
    struct window w;

    (void)state;
    window_init(&w, &r, 1, 1, false);
    assert_string_equal(read_window(&w, &(struct window_bounds){root_1, NULL, NULL}, 0), "");
    assert_true(w.base.broken);
}

static void test_order(void **state)
{
    const struct window_bounds ordered[] = {{root_1, NULL, at_3},
                                            {root_1, at_3, at_20},
                                            {root_1, at_20, NULL},
                                            {root_2, at_3, NULL},
                                            {root_10, NULL, NULL}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ordered); i++)
        for (size_t k = 0; k < ARRAY_LEN(ordered); k++) {
            int order = window_compare(&ordered[i], &ordered[k], 1, 1);

            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),   cmocka_unit_test(test_roots),
        cmocka_unit_test(test_repeated), cmocka_unit_test(test_none),
        cmocka_unit_test(test_broken),   cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
