#include "mirror/document/directory.h"

#include "mirror/mapping/number.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct directory_page {
    struct span *from; /* behind the root's columns */
    struct span spans[];
};

void directory_init(struct directory *d, int n_root, int n_element, size_t cache_bytes)
{
    *d = (struct directory){.n_root = n_root, .n_element = n_element};
    page_cache_init(&d->cache, n_root, n_element, cache_bytes);
}

void directory_clear(struct directory *d)
{
    for (size_t i = 0; i < d->n; i++)
        free(d->pages[i]);
    d->n = 0;
    page_cache_clear(&d->cache);
}

void directory_free(struct directory *d)
{
    directory_clear(d);
    page_cache_free(&d->cache);
    free(d->pages);
    d->pages = NULL;
    d->room = 0;
}

static int compare_roots(const struct directory *d, const struct span *a, const struct span *b)
{
    return number_compare_keys(a, b, d->n_root);
}

static int compare_elements(const struct directory *d, const struct span *a, const struct span *b)
{
    return number_compare_keys(a, b, d->n_element);
}

/* How many pages stand before (root, element); an element NULL stands before all. `equal` counts
 * that one, too. */
static size_t count_before(const struct directory *d, const struct span *root,
                           const struct span *element, bool equal)
{
    size_t low = 0;
    size_t high = d->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct directory_page *page = d->pages[middle];
        int order = compare_roots(d, page->spans, root);

        if (order == 0)
            order = element ? compare_elements(d, page->from, element) : 1;
        if (order < 0 || (order == 0 && equal))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct span *page_of(const struct directory *d, size_t i, const struct span *root)
{
    if (i >= d->n || compare_roots(d, d->pages[i]->spans, root) != 0)
        return NULL;
    return d->pages[i]->from;
}

static void copy_spans(struct span *to, const struct span *from, int n, uint8_t **at)
{
    for (int i = 0; i < n; i++) {
        memcpy(*at, from[i].p, from[i].n);
        to[i] = (struct span){*at, from[i].n};
        *at += from[i].n;
    }
}

static struct directory_page *new_page(const struct directory *d, const struct span *root,
                                       const struct span *from)
{
    size_t n = (size_t)d->n_root + (size_t)d->n_element;
    size_t bytes = 0;
    struct directory_page *page;
    uint8_t *at;

    for (int i = 0; i < d->n_root; i++)
        bytes += root[i].n;
    for (int i = 0; i < d->n_element; i++)
        bytes += from[i].n;
    page = malloc(sizeof *page + n * sizeof *page->spans + bytes);
    if (!page)
        return NULL;
    at = (uint8_t *)(page->spans + n);
    page->from = page->spans + d->n_root;
    copy_spans(page->spans, root, d->n_root, &at);
    copy_spans(page->from, from, d->n_element, &at);
    return page;
}

static bool grow(struct directory *d)
{
    size_t room = d->room ? d->room * 2 : 64;
    struct directory_page **pages = realloc(d->pages, room * sizeof(struct directory_page *));

    if (!pages)
        return false;
    d->pages = pages;
    d->room = room;
    return true;
}

bool directory_add(struct directory *d, const struct span *root, const struct span *from)
{
    size_t i = count_before(d, root, from, false);
    const struct span *there = page_of(d, i, root);
    struct directory_page *page;

    if (there && compare_elements(d, there, from) == 0)
        return true;
    if (d->n == d->room && !grow(d))
        return false;
    page = new_page(d, root, from);
    if (!page)
        return false;
    memmove(d->pages + i + 1, d->pages + i, (d->n - i) * sizeof(struct directory_page *));
    d->pages[i] = page;
    d->n++;
    return true;
}

void directory_remove(struct directory *d, const struct span *root, const struct span *from)
{
    size_t i = count_before(d, root, from, false);
    const struct span *there = page_of(d, i, root);

    page_cache_drop(&d->cache, root, from);
    if (!there || compare_elements(d, there, from) != 0)
        return;
    free(d->pages[i]);
    d->n--;
    memmove(d->pages + i, d->pages + i + 1, (d->n - i) * sizeof(struct directory_page *));
}

bool directory_has(const struct directory *d, const struct span *root)
{
    return directory_next(d, root, NULL) != NULL;
}

const struct span *directory_find(const struct directory *d, const struct span *root,
                                  const struct span *element)
{
    size_t i = count_before(d, root, element, true);

    return i ? page_of(d, i - 1, root) : NULL;
}

const struct span *directory_next(const struct directory *d, const struct span *root,
                                  const struct span *from)
{
    return page_of(d, count_before(d, root, from, from != NULL), root);
}
