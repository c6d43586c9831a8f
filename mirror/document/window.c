#include "mirror/document/window.h"

#include "mirror/mapping/number.h"

static int compare(const struct span *a, const struct span *b, int n)
{
    int order = 0;

    for (int i = 0; order == 0 && i < n; i++)
        order = number_compare(a[i], b[i]);
    return order;
}

int window_compare(const struct window_bounds *a, const struct window_bounds *b, int n_root,
                   int n_element)
{
    int order = compare(a->root, b->root, n_root);

    if (order || !a->from || !b->from)
        return order ? order : (a->from != NULL) - (b->from != NULL);
    return compare(a->from, b->from, n_element);
}

/* <0, 0, >0: the row that stands lies before the window, in it, behind it. */
static int place(const struct window *w)
{
    const struct span *element = w->of->cells + w->n_root;
    int order = compare(w->of->cells, w->bounds.root, w->n_root);

    if (order || w->n_element == 0)
        return order;
    if (w->bounds.from && compare(element, w->bounds.from, w->n_element) < 0)
        return -1;
    return w->bounds.to && compare(element, w->bounds.to, w->n_element) >= 0;
}

static void advance(struct window *w)
{
    w->stands = rows_next(w->of);
    w->given = false;
    w->base.bytes = w->of->bytes;
    w->base.broken = w->of->broken;
}

static bool next_row(struct rows *base)
{
    struct window *w = (struct window *)base;

    if (!w->of || w->ended)
        return false;
    if (!w->stands || (w->given && !w->repeat))
        advance(w);
    while (w->stands && place(w) < 0)
        advance(w);
    if (!w->stands || place(w) > 0)
        return false;
    w->given = true;
    w->ended = w->repeat;
    return true;
}

void window_init(struct window *w, struct rows *of, int n_root, int n_element, bool repeat)
{
    *w = (struct window){.of = of, .n_root = n_root, .n_element = n_element, .repeat = repeat};
    if (of)
        w->base = *of;
    w->base.next = next_row;
    w->base.again = NULL;
    w->base.free = NULL;
}

void window_move(struct window *w, const struct window_bounds *to)
{
    w->bounds = *to;
    w->ended = false;
}
