#include "mirror/source/source_order.h"

#include "mirror/mapping/number.h"

#include <mysql.h>
#include <stdlib.h>
#include <string.h>

static int compare_cells(const char *a, const char *b)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    if (strcmp(a, b) == 0) /* most are: what hangs on one row stands together */
        return 0;
    return number_compare(span_of(a), span_of(b));
}

/* Cells end with a NUL, which no number has inside. */
static int compare_rows(const MYSQL_ROWS *a, const MYSQL_ROWS *b, int n)
{
    int order = 0;

    for (int i = 0; order == 0 && i < n; i++)
        order = compare_cells(a->data[i], b->data[i]);
    return order;
}

static bool in_order(const MYSQL_ROWS *row, int n)
{
    for (; row && row->next; row = row->next)
        if (compare_rows(row, row->next, n) > 0)
            return false;
    return true;
}

struct place {
    MYSQL_ROWS *row;
};

static int compare_places(const void *a, const void *b, void *n)
{
    const struct place *x = a;
    const struct place *y = b;

    return compare_rows(x->row, y->row, *(const int *)n);
}

bool source_order(struct st_mysql_res *result, int n)
{
    MYSQL_DATA *data = result->data;
    size_t count = data ? (size_t)data->rows : 0;
    struct place *places;
    size_t i = 0;

    if (count == 0 || in_order(data->data, n))
        return true;
    places = malloc(count * sizeof *places);
    if (!places)
        return false;
    for (MYSQL_ROWS *row = data->data; row; row = row->next)
        places[i++].row = row;
    qsort_r(places, count, sizeof *places, compare_places, &n);
    for (i = 0; i + 1 < count; i++)
        places[i].row->next = places[i + 1].row;
    places[count - 1].row->next = NULL;
    data->data = places[0].row;
    result->data_cursor = data->data;
    free(places);
    return true;
}
