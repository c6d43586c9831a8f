#include "mirror/document/window.h"

#include "mirror/mapping/number.h"

int window_compare(const struct window_bounds *a, const struct window_bounds *b, int n_root,
                   int n_element)
{
    int order = number_compare_keys(a->root, b->root, n_root);

    if (order || !a->from || !b->from)
        return order ? order : (a->from != NULL) - (b->from != NULL);
    return number_compare_keys(a->from, b->from, n_element);
}

/* <0, 0, >0: the row that stands lies before the window, in it, behind it. */
static int place(const struct window *w)
{
    const struct span *element = w->of->cells + w->n_root;
    int order = number_compare_keys(w->of->cells, w->bounds.root, w->n_root);

    if (order || w->n_element == 0)
        return order;
    if (w->bounds.from && number_compare_keys(element, w->bounds.from, w->n_element) < 0)
        return -1;
    return w->bounds.to && number_compare_keys(element, w->bounds.to, w->n_element) >= 0;
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
