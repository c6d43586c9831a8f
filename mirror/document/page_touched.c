#include "mirror/document/page_touched.h"

#include "mirror/mapping/number.h"

#include <stdlib.h>

void page_touched_get(const struct page_touched *t, size_t i, struct span *pair)
{
    keyset_get(t->pairs, t->order[i], pair);
}

static int by_key(const void *a, const void *b, void *to)
{
    const struct page_touched *t = to;
    struct span x[KEYSET_WIDTH_MAX];
    struct span y[KEYSET_WIDTH_MAX];

    keyset_get(t->pairs, *(const uint32_t *)a, x);
    keyset_get(t->pairs, *(const uint32_t *)b, y);
    return number_compare_keys(x, y, t->pairs->width);
}

bool page_touched_init(struct page_touched *t, const struct keyset *pairs, int n_root)
{
    *t = (struct page_touched){
        .pairs = pairs, .n = pairs->n, .n_root = n_root, .n_element = pairs->width - n_root};
    t->order = malloc((pairs->n + 1) * sizeof *t->order);
    if (!t->order)
        return false;
    for (size_t i = 0; i < pairs->n; i++)
        t->order[i] = (uint32_t)i;
    qsort_r(t->order, t->n, sizeof *t->order, by_key, t);
    return true;
}

void page_touched_free(struct page_touched *t)
{
    free(t->order);
    *t = (struct page_touched){.n = 0};
}

/* How many stand before (root, element); an element NULL stands before all of them, or behind them
 * where it is an end. */
static size_t count_before(const struct page_touched *t, const struct span *root,
                           const struct span *element, bool end)
{
    size_t low = 0;
    size_t high = t->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct span pair[KEYSET_WIDTH_MAX];
        int order;

        page_touched_get(t, middle, pair);
        order = number_compare_keys(pair, root, t->n_root);
        if (order == 0)
            order = element ? number_compare_keys(pair + t->n_root, element, t->n_element)
                    : end   ? -1
                            : 1;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void page_touched_within(const struct page_touched *t, const struct window_bounds *at, size_t *from,
                         size_t *to)
{
    *from = count_before(t, at->root, at->from, false);
    *to = count_before(t, at->root, at->to, true);
}
