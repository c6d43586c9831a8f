/* A stretch of rows as if they were all: of a result that has the elements of several documents,
 * those of one. Rows come by root, then by element; keys are numbers. One thread. */
#ifndef MIRROR_WINDOW_H
#define MIRROR_WINDOW_H

#include "mirror/document/rows.h"

/* A root's elements from `from` (NULL: the first) up to `to` (NULL: the last). */
struct window_bounds {
    const struct span *root, *from, *to;
};

struct window {
    struct rows base;
    struct rows *of; /* the caller's */
    int n_root;      /* the first columns are the root's key … */
    int n_element;   /* … then come the element's; 0: all rows of a root are in its windows */
    bool repeat;     /* each window of a root has the same one row */
    struct window_bounds bounds;
    bool stands; /* a row stands in the cells of `of` … */
    bool given;  /* … and was handed out */
    bool ended;  /* of a repeated row: by this window */
};

/* Before the first window. `of` NULL: there are no rows. */
void window_init(struct window *w, struct rows *of, int n_root, int n_element, bool repeat);
/* On to the next window, which lies behind the last; the keys stay the caller's. */
void window_move(struct window *w, const struct window_bounds *to);
/* <0, 0, >0: in this order windows are moved. */
int window_compare(const struct window_bounds *a, const struct window_bounds *b, int n_root,
                   int n_element);

#endif
