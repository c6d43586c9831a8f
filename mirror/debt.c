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

void debts_init(struct debts *d, int n_root, int n_element)
{
    debt_init(&d->roots, n_root);
    debt_init(&d->pages, n_root + n_element);
}

void debts_free(struct debts *d)
{
    debt_free(&d->roots);
    debt_free(&d->pages);
}

void debts_clear(struct debts *d)
{
    debt_clear(&d->roots);
    debt_clear(&d->pages);
}

bool debts_due(struct debts *d)
{
    bool pages = debt_due(&d->pages);

    return debt_due(&d->roots) || pages;
}
