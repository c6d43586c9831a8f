/* Documents of a paged aggregate, several at once: one statement a level, which joins what each of
 * them takes by UNION ALL, for each has a range of an index. Those that have grown too large are
 * made alone. */
#include "base/clock.h"
#include "mirror/document/fetch_part.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    UNITS_MAX = 40,
    KEY_BYTES = 1 << 16,
    ROOM = 2, /* pages that a document may have grown to */
};

struct one {
    const struct plan *plan;
    struct span key[MAP_KEY_MAX]; /* the root's and, of a page, the first element's */
    struct unit unit;
    struct kept_key to; /* the directory changes as documents are made */
    uint64_t elements;
    bool alone;
};

struct units {
    struct fetch *f;
    struct one all[UNITS_MAX];
    unsigned n;
    struct rows *rows[MAP_LEVELS_MAX];
    struct err *e;
};

static struct window_bounds bounds(const struct one *one)
{
    const struct span *from = one->key + one->plan->n_key;

    return (struct window_bounds){.root = one->key, .from = from->n ? from : NULL};
}

static int by_place(const void *a, const void *b)
{
    const struct one *x = a;
    const struct one *y = b;
    struct window_bounds at[] = {bounds(x), bounds(y)};

    return window_compare(&at[0], &at[1], x->plan->n_key, x->plan->page.n_element);
}

/* Where they end. */
static bool find_ends(struct units *u)
{
    const struct fetch *f = u->f;

    for (unsigned i = 0; i < u->n; i++) {
        struct one *one = &u->all[i];
        const struct span *next = directory_next(f->directory, one->key, one->unit.at.from);

        if (next && !fetch_keep(&one->to, next, f->plan->page.n_element))
            return err_set(u->e, ERR_IO, "out of memory");
        one->unit.at.to = next ? one->to.spans : NULL;
    }
    return true;
}

static uint64_t most(const struct units *u)
{
    return ROOM * (uint64_t)u->f->plan->a->levels[u->f->plan->a->paged].page;
}

/* Those of which only what has changed is read. */
static void find_kept(struct units *u)
{
    const struct fetch *f = u->f;

    for (unsigned i = 0; f->touched && i < u->n; i++) {
        struct one *one = &u->all[i];
        struct unit *unit = &one->unit;

        page_touched_within(f->touched, &unit->at, &unit->touched, &unit->touched_end);
        unit->part = unit->touched_end - unit->touched <= most(u) &&
                     keyset_find(f->whole, one->key) < 0 &&
                     page_cache_find(&f->directory->cache, one->key, unit->at.from);
    }
}

/* Units [from, to) in the order of their rows. */
static bool begin(struct units *u, const struct keyset *units, size_t from, size_t to)
{
    struct one *one = u->all;

    for (; from < to; from++, one++, u->n++) {
        *one = (struct one){.to.memory = buf_with_max(KEY_BYTES), .plan = u->f->plan};
        keyset_get(units, from, one->key);
    }
    qsort(u->all, u->n, sizeof *u->all, by_place);
    for (one = u->all; one < u->all + u->n; one++)
        one->unit = (struct unit){.f = u->f, .at = bounds(one), .e = u->e};
    if (!find_ends(u))
        return false;
    find_kept(u);
    return true;
}

static void end(struct units *u)
{
    for (unsigned i = 0; i < u->n; i++)
        buf_free(&u->all[i].to.memory);
    fetch_free_rows(u->rows, u->f->plan->a->n_levels);
}

static bool needs(const struct units *u, unsigned i, int level)
{
    const struct one *one = &u->all[i];

    return !one->alone && fetch_needs(u->f->plan->a, level, &one->unit.at);
}

/* Of those that are kept the elements that have changed, by one SELECT. */
static int put_changed(struct units *u, int level, struct buf *sql)
{
    const struct plan *p = u->f->plan;
    struct span pair[KEYSET_WIDTH_MAX];
    int by;

    for (unsigned i = 0; i < u->n; i++) {
        const struct unit *unit = &u->all[i].unit;

        for (size_t k = unit->touched; unit->part && k < unit->touched_end; k++) {
            page_touched_get(u->f->touched, k, pair);
            plan_rows_add(sql, "changed", pair, p->n_key + p->page.n_element, sql->len == 0);
        }
    }
    if (sql->len == 0)
        return 0;
    plan_rows_end(sql);
    buf_put_str(sql, "(");
    plan_changed_head(sql, p, level);
    by = plan_tail(sql, p, level);
    buf_put_str(sql, ")");
    return by;
}

/* Inside of the array each other one has a range of its own. */
static int put_ranges(struct units *u, int level, struct buf *sql)
{
    int by = put_changed(u, level, sql);

    for (unsigned i = 0; i < u->n; i++) {
        if (u->all[i].unit.part || !needs(u, i, level))
            continue;
        buf_put_str(sql, sql->len ? " UNION ALL (" : "(");
        by = fetch_put_range(u->f, sql, level, &u->all[i].unit.at);
        if (level == u->f->plan->a->paged)
            buf_printf(sql, " LIMIT %" PRIu64, most(u) + 1);
        buf_put_str(sql, ")");
    }
    return by;
}

/* Outside all that is of their roots. */
static int put_roots(struct units *u, int level, struct buf *sql)
{
    const struct plan *p = u->f->plan;
    struct plan_in in = plan_in_begin(sql, p->key_names, u->f->classes, p->n_key);
    int by;

    buf_printf(sql, "(%s", plan_head(p, level));
    for (unsigned i = 0; i < u->n; i++)
        if (needs(u, i, level))
            plan_in_add(&in, u->all[i].key);
    plan_in_end(&in);
    by = plan_tail(sql, p, level);
    buf_put_str(sql, ")");
    return by;
}

/* A level's rows of all that need them. A SELECT of nothing behind it makes a UNION of what would
 * be one SELECT, for there MariaDB prints a number that is ZEROFILL otherwise. */
static bool ask(struct units *u, int level)
{
    const struct plan *p = u->f->plan;
    struct buf *sql = &u->f->sql;
    int by;

    buf_clear(sql);
    by = (aggregate_within(p->a, level, p->a->paged) ? put_ranges : put_roots)(u, level, sql);
    buf_printf(sql, "%s(%sFALSE", sql->len ? " UNION ALL " : "", plan_head(p, level));
    (void)plan_tail(sql, p, level);
    buf_put_str(sql, ")");
    u->rows[level] = fetch_run_by(u->f, by, u->e);
    return u->rows[level] != NULL;
}

/* How many elements each has; which have too many. */
static bool count(struct units *u)
{
    const struct plan *p = u->f->plan;
    struct rows *again = rows_again(u->rows[p->a->paged]);
    struct window w;

    if (!again)
        return err_set(u->e, ERR_IO, "out of memory");
    window_init(&w, again, p->n_key, p->page.n_element, false);
    for (unsigned i = 0; i < u->n; i++) {
        struct one *one = &u->all[i];

        window_move(&w, &one->unit.at);
        while (rows_next(&w.base))
            one->elements++;
        one->alone = one->elements > most(u);
    }
    rows_free(again);
    return true;
}

static bool ask_all(struct units *u)
{
    const struct aggregate *a = u->f->plan->a;
    bool ok = ask(u, a->paged) && count(u);

    for (int i = 0; ok && i < a->n_levels; i++)
        ok = i == a->paged || ask(u, i);
    return ok && fetch_fold(u->f, u->rows, u->e);
}

static bool take_all(struct units *u)
{
    const struct plan *p = u->f->plan;
    struct window windows[MAP_LEVELS_MAX];
    struct rows *rows[MAP_LEVELS_MAX] = {NULL};
    bool ok = true;

    for (int i = 0; i < p->a->n_levels; i++) {
        bool inside = aggregate_within(p->a, i, p->a->paged);

        window_init(&windows[i], u->rows[i], p->n_key, inside ? p->page.n_element : 0, i == 0);
        rows[i] = &windows[i].base;
    }
    for (unsigned n = 0; ok && n < u->n; n++) {
        struct one *one = &u->all[n];

        for (int i = 0; i < p->a->n_levels; i++)
            window_move(&windows[i], &one->unit.at);
        if (one->alone)
            ok = fetch_alone(u->f, one->key, one->unit.at.from, u->e);
        else if (one->unit.part)
            ok = fetch_take_changed(&one->unit, rows);
        else
            ok = fetch_take_range(&one->unit, rows, one->elements, !one->unit.at.to);
    }
    return ok;
}

/* Units [from, to). */
static bool slice(struct fetch *f, const struct keyset *units, size_t from, size_t to,
                  struct err *e)
{
    struct units *u = calloc(1, sizeof *u);
    uint64_t since_ns = clock_mono_ns();
    size_t bytes = 1;
    bool ok;

    if (!u)
        return err_set(e, ERR_IO, "out of memory");
    u->f = f;
    u->e = e;
    ok = begin(u, units, from, to) && ask_all(u) && take_all(u);
    for (int i = 0; ok && i < f->plan->a->n_levels; i++)
        bytes += u->rows[i]->bytes;
    if (ok)
        fetch_adapt(f, to - from, bytes, clock_mono_ns() - since_ns + 1);
    end(u);
    free(u);
    return ok;
}

static bool one_alone(struct fetch *f, const struct keyset *units, size_t i, struct err *e)
{
    struct span key[MAP_KEY_MAX];
    const struct span *from = key + f->plan->n_key;

    keyset_get(units, i, key);
    return fetch_alone(f, key, from->n ? from : NULL, e);
}

/* Some from `at` on; returns where the rest begins, `at` where it fails. */
static size_t some(struct fetch *f, const struct keyset *units, size_t at, struct err *e)
{
    size_t n = f->slice < UNITS_MAX ? f->slice : UNITS_MAX;
    size_t to = units->n - at < n ? units->n : at + n;

    if (!plan_united(f->plan))
        return one_alone(f, units, at, e) ? at + 1 : at;
    return slice(f, units, at, to, e) ? to : at;
}

static bool go_on(struct fetch *f, const struct keyset *units, size_t *at, bool all, struct err *e)
{
    bool first = true;

    for (; *at < units->n && (first || all || !fetch_enough(f)); first = false) {
        size_t to = some(f, units, *at, e);

        if (to == *at)
            return false;
        *at = to;
    }
    return true;
}

bool fetch_units(struct fetch *f, const struct keyset *units, size_t *at, struct err *e)
{
    return go_on(f, units, at, false, e);
}

bool fetch_all_units(struct fetch *f, const struct keyset *units, struct err *e)
{
    size_t at = 0;

    return go_on(f, units, &at, true, e);
}
