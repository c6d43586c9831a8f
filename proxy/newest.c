#include "proxy/newest.h"

#include <string.h>

void newest_free(struct newest *n)
{
    topology_unref(newest_take(n));
    topology_unref(n->told);
    n->told = NULL;
}

/* As the configuration has it. */
static bool same_server(const struct server_view *a, const struct server_view *b)
{
    return a->port == b->port && a->proxy_protocol == b->proxy_protocol && a->weight == b->weight &&
           a->max_connections == b->max_connections && strcmp(a->host, b->host) == 0 &&
           strcmp(a->group, b->group) == 0;
}

bool newest_differs(const struct topology *a, const struct topology *b)
{
    bool same = a->count == b->count && a->primary == b->primary && a->galera == b->galera &&
                a->writers == b->writers && a->left == b->left;

    for (int i = 0; i < b->count && same; i++) {
        const struct server_view *x = &a->servers[i];
        const struct server_view *y = &b->servers[i];

        same = x->health == y->health && x->role == y->role && x->resting == y->resting &&
               x->capabilities == y->capabilities && same_server(x, y);
    }
    return !same;
}

bool newest_put(struct newest *n, struct topology *t)
{
    struct topology *before = n->told;
    bool differs = !before || newest_differs(before, t);

    topology_ref(t);
    n->told = t;
    topology_unref(before);
    topology_unref(atomic_exchange(&n->waits, t));
    return differs;
}

struct topology *newest_take(struct newest *n)
{
    if (!atomic_load_explicit(&n->waits, memory_order_relaxed))
        return NULL;
    return atomic_exchange(&n->waits, NULL);
}

struct topology *newest_take_like(struct newest *n, const struct topology *known)
{
    struct topology *t = newest_take(n);
    struct topology *none = NULL;

    if (!t || !newest_differs(known, t))
        return t;
    if (!atomic_compare_exchange_strong(&n->waits, &none, t))
        topology_unref(t); /* a newer one came meanwhile */
    return NULL;
}
