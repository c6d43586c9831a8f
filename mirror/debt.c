#include "mirror/debt.h"

enum { DEBT_MAX = 32 << 20 };

void debt_init(struct debt *d, int width)
{
    keyset_init(&d->now, width, DEBT_MAX);
    keyset_init(&d->next, width, DEBT_MAX);
    d->paid = 0;
}

void debt_free(struct debt *d)
{
    keyset_free(&d->now);
    keyset_free(&d->next);
}

void debt_clear(struct debt *d)
{
    keyset_clear(&d->now);
    keyset_clear(&d->next);
    d->paid = 0;
}

/* A key that is paid already may be owed again, so new ones wait in a set of their own. */
bool debt_owe(struct debt *d, const struct keyset *keys, size_t from)
{
    struct span key[KEYSET_WIDTH_MAX];

    for (; from < keys->n; from++) {
        keyset_get(keys, from, key);
        (void)keyset_add(&d->next, key);
    }
    return !d->next.full;
}

bool debt_due(struct debt *d)
{
    struct keyset paid = d->now;

    if (d->paid < d->now.n)
        return true;
    d->now = d->next;
    d->next = paid;
    keyset_clear(&d->next);
    d->paid = 0;
    return d->now.n > 0;
}

void debts_init(struct debts *d, const struct plan *p)
{
    const struct aggregate *a = p->a;

    *d = (struct debts){.roots = {.paid = 0}};
    debt_init(&d->roots, p->n_key);
    debt_init(&d->pages, p->n_key + p->page.n_element);
    for (int k = 1; k < a->n_tables; k++) {
        if (!p->walks[k].direct)
            debt_init(&d->links[k], p->walks[k].n_handle);
        if (a->paged && aggregate_paged_use(a, k) && !p->page.pairs[k].direct)
            debt_init(&d->pair_links[k], p->page.pairs[k].n_handle);
    }
}

static void for_all(struct debts *d, void (*act)(struct debt *))
{
    act(&d->roots);
    act(&d->pages);
    for (int k = 0; k < MAP_TABLES_MAX; k++) {
        act(&d->links[k]);
        act(&d->pair_links[k]);
    }
}

void debts_free(struct debts *d)
{
    for_all(d, debt_free);
}

void debts_clear(struct debts *d)
{
    for_all(d, debt_clear);
}

bool debts_links_due(struct debts *d)
{
    bool due = false;

    for (int k = 0; k < MAP_TABLES_MAX; k++) {
        due |= debt_due(&d->links[k]);
        due |= debt_due(&d->pair_links[k]);
    }
    return due;
}

/* Documents that are still being found are not looked at: they are to stay in one set. */
bool debts_due(struct debts *d)
{
    return debts_links_due(d) || debt_due(&d->pages) || debt_due(&d->roots);
}

bool debts_full(const struct debts *d)
{
    return d->roots.next.full || d->pages.next.full;
}
