#include "mirror/behind.h"

#include <string.h>

static void thin(struct behind *l)
{
    int kept = 0;

    for (int i = 0; i < l->n; i += 2)
        l->at[kept++] = l->at[i];
    l->n = kept;
}

void behind_add(struct behind *l, uint64_t wall_ms, const struct gtid_set *gtid)
{
    if (l->n && gtid_set_equal(&l->at[l->n - 1].gtid, gtid))
        return;
    if (l->n == BEHIND_SAMPLES)
        thin(l);
    l->at[l->n++] = (struct behind_sample){wall_ms, *gtid};
}

uint64_t behind_ms(struct behind *l, uint64_t wall_ms, const struct gtid_set *applied)
{
    int covered = 0;

    while (covered < l->n && gtid_set_covers(applied, &l->at[covered].gtid))
        covered++;
    l->n -= covered;
    memmove(l->at, l->at + covered, (size_t)l->n * sizeof *l->at);
    if (l->n == 0 || l->at[0].wall_ms > wall_ms)
        return 0;
    return wall_ms - l->at[0].wall_ms;
}
